// SPDX-License-Identifier: GPL-3.0-or-later
// What merging costs and changes for the present image: FLOPs, tokens, class and probability, of
// the unmerged model and of the merged.
#pragma once

#include <QWidget>
#include <array>
#include <vector>

#include "bench/data.h"
#include "bench/workbench.h"
#include "look/theme.h"

class QBoxLayout;
class QGridLayout;
class QLabel;

namespace adamerge::ui {

class ElidedLabel;
class NumberLabel;

class CompressionReadout : public QWidget {
  Q_OBJECT
 public:
  explicit CompressionReadout(QWidget* parent = nullptr);

  /// nullptr: no result yet.
  void setInspection(const InspectionPtr& inspection);
  /// Without what the canvas says as well.
  void setBrief(bool brief);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  /// Unmerged value and its detail, merged value and its detail; nullptr: none.
  void addRow(QGridLayout& layout, int row, const QString& text,
              const std::array<QWidget*, 4>& values, const QString& tip);
  void clear();
  void showClasses(const Inspection& inspection);
  void showTrace(const Inspection& inspection);
  void showVerdict(const QString& icon_name, Tone tone, const QString& text);

  InspectionPtr inspection_;
  std::array<NumberLabel*, 2> flops_{};
  NumberLabel* whole_;  ///< what the unmerged costs in % of itself
  NumberLabel* percent_;
  std::vector<QWidget*> details_;  ///< not in brief
  std::array<NumberLabel*, 2> tokens_{};
  std::array<NumberLabel*, 2> times_{};
  std::array<ElidedLabel*, 2> classes_{};
  std::array<NumberLabel*, 2> probabilities_{};
  QLabel* verdict_icon_;
  ElidedLabel* verdict_;
};

// Compression of the active canvas: the slider, and what it does to cost and class. Stands in a
// narrow panel or lies along the window.

class CompressionReadout;
class CompressionSlider;

class CompressionBar : public QWidget {
  Q_OBJECT
 public:
  explicit CompressionBar(Workbench& workbench, QWidget* parent = nullptr);

  CompressionMode mode() const;
  void setMode(CompressionMode mode);
  /// In a low window the read-outs are brief, and there are none where several canvases tell the
  /// same of themselves.
  void setLow(bool low);

 signals:
  void modeChanged();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void bind();
  void arrange();

  Workbench& workbench_;
  Pane* pane_ = nullptr;
  bool low_ = false;
  CompressionSlider* slider_;
  CompressionReadout* readout_;
  QBoxLayout* layout_;
};

}  // namespace adamerge::ui
