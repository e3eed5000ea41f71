// SPDX-License-Identifier: GPL-3.0-or-later
// The mouse on a plot: what it points at, what a click chooses, where dragging zooms.
#pragma once

#include <QObject>
#include <QTimer>
#include <optional>

#include "plots/plot_readout.h"

class QCustomPlot;
class QMouseEvent;

namespace adamerge::ui {

class PlotPointer : public QObject {
  Q_OBJECT
 public:
  /// Both must outlive it.
  PlotPointer(QCustomPlot& plot, PlotHover& hover);

  /// Clicks between two panes' points count for this one.
  void setPreferredSource(int source) { preferred_source_ = source; }
  /// A click chooses only once no second one made it a double click.
  void chooseDeliberately() { deliberate_ = true; }
  void choose(const PlotHit& hit);

 signals:
  void pressed();
  void zoomed();
  void fitWanted();
  void menuWanted(const QPoint& global);
  void chosen(const adamerge::ui::PlotPoint& point, int source);
  /// The key of the point that is meant; -1: none any more.
  void pointedAt(int key);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  /// Not its place among the points: more of them come in meanwhile.
  struct Clicked {
    int source;
    int key;
  };

  void press(QMouseEvent* event);
  void move(QMouseEvent* event);
  void release(QMouseEvent* event);
  std::optional<PlotHit> hitAt(const QPointF& pixel) const;

  QCustomPlot& plot_;
  PlotHover& hover_;
  int preferred_source_ = -1;
  bool deliberate_ = false;
  std::optional<Clicked> clicked_;  ///< may still become a double click
  QTimer click_;
  std::optional<QPoint> pressed_at_;
};

}  // namespace adamerge::ui
