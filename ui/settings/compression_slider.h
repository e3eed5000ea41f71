// SPDX-License-Identifier: GPL-3.0-or-later
// How places on the compression slider and numbers beside it stand for each other, in each mode.
// To the right more merges, whatever the unit. FLOPs fall fast with the first counts and hardly
// with the last ones, which find no tokens left: counts grow faster than the travel, so that it is
// nowhere dead.
#pragma once

#include <QString>
#include <QTimer>
#include <QWidget>

#include "bench/workbench.h"

class QButtonGroup;
class QDoubleSpinBox;
class QLabel;
class QSlider;

namespace adamerge::ui {

class CompressionScale {
 public:
  CompressionScale() = default;
  /// `unmerged`, `lowest`: FLOPs in G without merging and at the strongest count.
  CompressionScale(CompressionMode mode, KnobRange counts, double unmerged, double lowest);

  CompressionMode mode() const { return mode_; }
  bool even() const;       ///< a place is a count: few of them, or shares that stay
  int places() const;      ///< the slider runs from 0 to this
  double minimum() const;  ///< of the number
  double maximum() const;
  int decimals() const;
  double step() const;
  QString suffix() const;

  /// Of a count, where it is one step stronger: 1, or -1 where it says what stays.
  int stronger() const { return counts_.gentlest < counts_.strongest ? 1 : -1; }

  int placeOf(double number) const;
  double numberAt(int place) const;
  double numberOfFlops(double flops) const;  ///< not for kCount
  double flopsOfNumber(double number) const;

 private:
  CompressionMode mode_ = CompressionMode::kCount;
  KnobRange counts_;
  double unmerged_ = 1;
  double lowest_ = 0;
};

// The slider that says how much merges in the active canvas, its number, and the unit it is in.

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
