// SPDX-License-Identifier: GPL-3.0-or-later
// Compression of the active canvas: the slider, and what it does to cost and class. Stands in a
// narrow panel or lies along the window.
#pragma once

#include <QWidget>

#include "state/workbench.h"

class QBoxLayout;

namespace adamerge::ui {

class CompressionReadout;
class CompressionSlider;

class CompressionBar : public QWidget {
  Q_OBJECT
 public:
  explicit CompressionBar(Workbench& workbench, QWidget* parent = nullptr);

  CompressionMode mode() const;
  void setMode(CompressionMode mode);

 signals:
  void modeChanged();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void bind();

  Workbench& workbench_;
  Pane* pane_ = nullptr;
  CompressionSlider* slider_;
  CompressionReadout* readout_;
  QBoxLayout* layout_;
};

}  // namespace adamerge::ui
