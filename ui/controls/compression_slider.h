// SPDX-License-Identifier: GPL-3.0-or-later
// The slider that says how much merges in the active canvas, its number, and the unit it is in.
#pragma once

#include <QTimer>
#include <QWidget>

#include "controls/compression_scale.h"

class QButtonGroup;
class QDoubleSpinBox;
class QLabel;
class QSlider;

namespace adamerge::ui {

class NumberLabel;

class CompressionSlider : public QWidget {
  Q_OBJECT
 public:
  explicit CompressionSlider(Workbench& workbench, QWidget* parent = nullptr);

  CompressionMode mode() const { return mode_; }
  void setMode(CompressionMode mode);

 signals:
  void modeChanged();

 private:
  void bind();
  void layOut();
  void refresh();
  void refreshScale();
  void showState();
  void disableWith(const QString& reason);
  void move(double number);
  void stepByOne(int action);
  bool settled() const;

  Workbench& workbench_;
  Pane* pane_ = nullptr;
  CompressionMode mode_ = CompressionMode::kCount;
  CompressionScale scale_;
  bool moving_ = false;  ///< a change made here is under way
  QTimer rest_;          ///< ends an edit made by keys or wheel
  QButtonGroup* modes_;
  QLabel* name_;
  QSlider* slider_;
  QDoubleSpinBox* number_;
  NumberLabel* left_;
  NumberLabel* middle_;
  NumberLabel* right_;
  QLabel* reason_;  ///< why there is nothing to set, in place of the captions
};

}  // namespace adamerge::ui
