// SPDX-License-Identifier: GPL-3.0-or-later
// One canvas's method and newest result, and what is looked at in all of them.
#pragma once

#include <QObject>
#include <optional>

#include "adamerge/figures.h"
#include "bench/data.h"

namespace adamerge::ui {

// One canvas's method and settings, and the newest result for them.

class Pane : public QObject {
  Q_OBJECT
 public:
  explicit Pane(int index, QObject* parent = nullptr);

  int index() const { return index_; }
  /// Settings complete.
  const MethodChoice& choice() const { return choice_; }
  /// nullptr until the first result. May still be of an older choice while busy().
  InspectionPtr inspection() const { return inspection_; }
  /// What the overlay's lens shows; nullptr: nothing yet, or the overlay is no lens.
  LensShownPtr lens() const { return lens_; }
  /// A result for the present choice is awaited.
  bool busy() const { return busy_; }

  /// What drives the slider; nullptr for methods without (none).
  const SettingInfo* compressionSetting() const;
  /// 0 where there is no such setting.
  int compression() const;
  /// Largest useful value of the slider for a model: the knob's share of its patch tokens.
  int compressionLimit(const VitConfig& vit) const;

  /// For the workbench; widgets go through Workbench::edit, so that it can be undone.
  /// Throws Error for settings the method does not take.
  void setChoice(const MethodChoice& choice);
  void setInspection(InspectionPtr inspection) { setResult(std::move(inspection), busy_); }
  void setBusy(bool busy) { setResult(inspection_, busy); }
  void setResult(InspectionPtr inspection, bool busy);
  void setLens(LensShownPtr lens);

 signals:
  void choiceChanged();
  void inspectionChanged();
  void lensChanged();
  void busyChanged(bool busy);
  /// After any of these, once, when all of it is in place.
  void changed();

 private:
  int index_;
  MethodChoice choice_;
  InspectionPtr inspection_;
  LensShownPtr lens_;
  bool busy_ = false;
};

// What is looked at, the same in all canvases, the block strip and the plots.

class ViewState : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;

  const OverlayStyle& overlay() const { return overlay_; }
  int block() const { return block_; }  ///< 0-based
  int depth() const { return depth_; }  ///< of the model; 0: none yet
  std::optional<int> selectedPatch() const { return selected_; }
  std::optional<int> hoveredPatch() const { return hovered_; }
  /// The mouse draws prompts where the method takes some, instead of moving the picture.
  bool prompting() const { return prompting_; }

 public slots:
  void setOverlay(const adamerge::OverlayStyle& overlay);
  /// The user's own change, which can be undone.
  void editOverlay(const adamerge::OverlayStyle& overlay);
  /// Clamped to the model's blocks.
  void setBlock(int block);
  /// Keeps the block within the new depth.
  void setDepth(int depth);
  void select(std::optional<int> patch);
  void hover(std::optional<int> patch);
  void setPrompting(bool on);

 signals:
  void overlayChanged();
  void overlayEdited(const adamerge::OverlayStyle& before);
  void blockChanged(int block);
  void depthChanged(int depth);
  void selectionChanged();
  void hoverChanged();
  void promptingChanged(bool on);

 private:
  OverlayStyle overlay_;
  int block_ = 0;
  int depth_ = 0;
  std::optional<int> selected_;
  std::optional<int> hovered_;
  bool prompting_ = false;
};

}  // namespace adamerge::ui
