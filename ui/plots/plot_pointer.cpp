// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_pointer.h"

#include <qcustomplot.h>

#include <QApplication>
#include <QContextMenuEvent>
#include <QMouseEvent>
#include <utility>

namespace adamerge::ui {
namespace {

/// How far from a point, in pixels, the pointer still means it.
constexpr double kReach = 40;
/// Within this, the point itself is meant, whatever pane it belongs to.
constexpr double kTouch = 12;

}  // namespace

PlotPointer::PlotPointer(QCustomPlot& plot, PlotHover& hover) : plot_(plot), hover_(hover) {
  plot_.setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  plot_.axisRect()->setRangeDragAxes({plot_.xAxis, plot_.yAxis, plot_.yAxis2});
  plot_.axisRect()->setRangeZoomAxes({plot_.xAxis, plot_.yAxis, plot_.yAxis2});
  plot_.installEventFilter(this);
  connect(&plot_, &QCustomPlot::mousePress, this, &PlotPointer::press);
  connect(&plot_, &QCustomPlot::mouseMove, this, &PlotPointer::move);
  connect(&plot_, &QCustomPlot::mouseRelease, this, &PlotPointer::release);
  connect(&plot_, &QCustomPlot::mouseWheel, this, &PlotPointer::zoomed);
  connect(&plot_, &QCustomPlot::mouseDoubleClick, this, [this](QMouseEvent* event) {
    clicked_.reset();
    pressed_at_.reset();
    if (plot_.axisRect()->rect().contains(event->pos())) emit fitWanted();
  });
  click_.setSingleShot(true);
  connect(&click_, &QTimer::timeout, this, [this] {
    const auto clicked = std::exchange(clicked_, std::nullopt);
    if (!clicked) return;
    if (const auto hit = hover_.find(clicked->source, clicked->key)) choose(*hit);
  });
}

std::optional<PlotHit> PlotPointer::hitAt(const QPointF& pixel) const {
  if (!plot_.axisRect()->rect().contains(pixel.toPoint())) return std::nullopt;
  const std::optional<PlotHit> nearest = hover_.nearest(pixel, kReach);
  if (!nearest || preferred_source_ < 0 || hover_.distance(*nearest, pixel) <= kTouch) {
    return nearest;
  }
  const std::optional<PlotHit> preferred = hover_.nearestOf(preferred_source_, pixel, kReach);
  return preferred ? preferred : nearest;
}

void PlotPointer::press(QMouseEvent* event) {
  emit pressed();
  pressed_at_ = event->pos();
  const bool rectangle =
      event->button() == Qt::RightButton || event->modifiers().testFlag(Qt::ShiftModifier);
  plot_.setSelectionRectMode(rectangle ? QCP::srmZoom : QCP::srmNone);
  plot_.selectionRect()->setPen(QPen(plot_.palette().color(QPalette::Highlight)));
  QColor fill = plot_.palette().color(QPalette::Highlight);
  fill.setAlphaF(0.2F);
  plot_.selectionRect()->setBrush(fill);
}

void PlotPointer::move(QMouseEvent* event) {
  if (event->buttons() != Qt::NoButton) {
    hover_.hide();
    return;
  }
  const std::optional<PlotHit> hit = hitAt(event->position());
  const bool legend = plot_.legend->outerRect().contains(event->pos());
  plot_.setCursor(legend ? Qt::PointingHandCursor : Qt::ArrowCursor);
  if (hover_.current() == hit) return;
  if (hit) {
    hover_.show(*hit);
  } else {
    hover_.hide();
  }
  emit pointedAt(hit ? hover_.at(*hit).key : -1);
}

void PlotPointer::release(QMouseEvent* event) {
  const auto pressed_at = std::exchange(pressed_at_, std::nullopt);
  if (!pressed_at) return;  // the second release of a double click
  const bool dragged =
      (event->pos() - *pressed_at).manhattanLength() >= QApplication::startDragDistance();
  if (dragged) {
    emit zoomed();
    return;
  }
  // A click with a rectangle under way would zoom into nothing.
  plot_.selectionRect()->cancel();
  if (event->button() == Qt::RightButton) {
    emit menuWanted(event->globalPosition().toPoint());
  } else if (event->button() == Qt::LeftButton) {
    const auto hit = hitAt(event->position());
    if (hit && deliberate_) {
      clicked_ = Clicked{hover_.sourceOf(*hit), hover_.at(*hit).key};
      click_.start(QApplication::doubleClickInterval());
    } else if (hit) {
      choose(*hit);
    }
  }
}

void PlotPointer::choose(const PlotHit& hit) {
  const PlotPoint point = hover_.at(hit);
  emit chosen(point, hover_.sourceOf(hit));
}

bool PlotPointer::eventFilter(QObject* watched, QEvent* event) {
  // With the mouse the menu would come on pressing, before a rectangle can be drawn.
  if (event->type() == QEvent::ContextMenu) {
    return static_cast<QContextMenuEvent*>(event)->reason() == QContextMenuEvent::Mouse;
  }
  if (event->type() == QEvent::Leave) {
    hover_.hide();
    emit pointedAt(-1);
  }
  return QObject::eventFilter(watched, event);
}

}  // namespace adamerge::ui
