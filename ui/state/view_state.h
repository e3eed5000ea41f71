// SPDX-License-Identifier: GPL-3.0-or-later
// What is looked at, the same in all canvases, the block strip and the plots.
#pragma once

#include <QObject>
#include <optional>

#include "adamerge/figures.h"

namespace adamerge::ui {

class ViewState : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;

  const OverlayStyle& overlay() const { return overlay_; }
  int block() const { return block_; }  ///< 0-based
  int depth() const { return depth_; }  ///< of the model; 0: none yet
  std::optional<int> selectedPatch() const { return selected_; }
  std::optional<int> hoveredPatch() const { return hovered_; }

 public slots:
  void setOverlay(const adamerge::OverlayStyle& overlay);
  /// Clamped to the model's blocks.
  void setBlock(int block);
  /// Keeps the block within the new depth.
  void setDepth(int depth);
  void select(std::optional<int> patch);
  void hover(std::optional<int> patch);

 signals:
  void overlayChanged();
  void blockChanged(int block);
  void depthChanged(int depth);
  void selectionChanged();
  void hoverChanged();

 private:
  OverlayStyle overlay_;
  int block_ = 0;
  int depth_ = 0;
  std::optional<int> selected_;
  std::optional<int> hovered_;
};

}  // namespace adamerge::ui
