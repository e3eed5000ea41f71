// SPDX-License-Identifier: GPL-3.0-or-later
// The mouse and the keys of a PlotPanel.
#include <qcustomplot.h>

#include <QApplication>
#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>

#include "plots/plot_panel.h"

namespace adamerge::ui {
namespace {

/// How far from a point, in pixels, the pointer still means it.
constexpr double kReach = 40;
/// Within this, the point itself is meant, whatever pane it belongs to.
constexpr double kTouch = 12;

}  // namespace

std::optional<PlotHit> PlotPanel::hitAt(const QPointF& pixel) const {
  if (!plot_->axisRect()->rect().contains(pixel.toPoint())) return std::nullopt;
  const std::optional<PlotHit> nearest = hover_->nearest(pixel, kReach);
  if (!nearest || preferred_source_ < 0 || hover_->distance(*nearest, pixel) <= kTouch) {
    return nearest;
  }
  const std::optional<PlotHit> preferred = hover_->nearestOf(preferred_source_, pixel, kReach);
  return preferred ? preferred : nearest;
}

void PlotPanel::pressed(QMouseEvent* event) {
  setFocus(Qt::MouseFocusReason);
  pressed_at_ = event->pos();
  const bool rectangle =
      event->button() == Qt::RightButton || event->modifiers().testFlag(Qt::ShiftModifier);
  plot_->setSelectionRectMode(rectangle ? QCP::srmZoom : QCP::srmNone);
  plot_->selectionRect()->setPen(QPen(palette().color(QPalette::Highlight)));
  QColor fill = palette().color(QPalette::Highlight);
  fill.setAlphaF(0.2F);
  plot_->selectionRect()->setBrush(fill);
}

void PlotPanel::moved(QMouseEvent* event) {
  if (event->buttons() != Qt::NoButton) {
    hover_->hide();
    return;
  }
  const std::optional<PlotHit> hit = hitAt(event->position());
  const bool legend = plot_->legend->outerRect().contains(event->pos());
  plot_->setCursor(legend ? Qt::PointingHandCursor : Qt::ArrowCursor);
  if (!hit) {
    hover_->hide();
  } else if (hover_->current() != hit) {
    hover_->show(*hit);
  }
}

void PlotPanel::released(QMouseEvent* event) {
  const bool dragged =
      (event->pos() - pressed_at_).manhattanLength() >= QApplication::startDragDistance();
  if (dragged) {
    zoomed_ = true;
    return;
  }
  // A click with a rectangle under way would zoom into nothing.
  plot_->selectionRect()->cancel();
  if (event->button() == Qt::RightButton) {
    showMenu(event->globalPosition().toPoint());
  } else if (event->button() == Qt::LeftButton) {
    if (const auto hit = hitAt(event->position())) choose(*hit);
  }
}

void PlotPanel::choose(const PlotHit& hit) {
  const PlotPoint point = hover_->at(hit);
  emit pointChosen(point, content_.series[static_cast<std::size_t>(hit.series)].source);
}

bool PlotPanel::eventFilter(QObject* watched, QEvent* event) {
  if (watched != plot_) return QWidget::eventFilter(watched, event);
  switch (event->type()) {
    case QEvent::ContextMenu:
      // With the mouse it would come on pressing, before a rectangle can be drawn.
      if (static_cast<QContextMenuEvent*>(event)->reason() == QContextMenuEvent::Mouse) return true;
      break;
    case QEvent::Leave:
      hover_->hide();
      break;
    case QEvent::Resize:
      renderer_->legend().arrange(static_cast<QResizeEvent*>(event)->size().width());
      hover_->hide();
      break;
    default:
      break;
  }
  return QWidget::eventFilter(watched, event);
}

void PlotPanel::showMenu(const QPoint& global) {
  auto* menu = new QMenu(this);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addActions(actions());
  QMenu* series = menu->addMenu(tr("&Series"));
  series->setEnabled(!content_.isEmpty());
  for (const PlotSeries& one : content_.series) {
    if (one.legend.isEmpty()) continue;
    QAction* entry = series->addAction(QString(one.legend).replace('&', QLatin1String("&&")));
    entry->setCheckable(true);
    entry->setChecked(isSeriesVisible(one.id));
    connect(entry, &QAction::toggled, this,
            [this, id = one.id](bool visible) { setSeriesVisible(id, visible); });
  }
  menu->popup(global);
}

void PlotPanel::contextMenuEvent(QContextMenuEvent* event) {
  if (event->reason() != QContextMenuEvent::Mouse) showMenu(event->globalPos());
}

void PlotPanel::keyPressEvent(QKeyEvent* event) {
  plot();
  switch (event->key()) {
    case Qt::Key_Left:
      return hover_->step(-1, 0);
    case Qt::Key_Right:
      return hover_->step(1, 0);
    case Qt::Key_Up:
      return hover_->step(0, -1);
    case Qt::Key_Down:
      return hover_->step(0, 1);
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (hover_->current()) return choose(*hover_->current());
      break;
    case Qt::Key_Escape:
      if (hover_->current()) return hover_->hide();
      break;
    default:
      break;
  }
  QWidget::keyPressEvent(event);
}

void PlotPanel::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  keyboard_focus_ = event->reason() == Qt::TabFocusReason ||
                    event->reason() == Qt::BacktabFocusReason ||
                    event->reason() == Qt::ShortcutFocusReason;
  update();
}

void PlotPanel::focusOutEvent(QFocusEvent* event) {
  QWidget::focusOutEvent(event);
  keyboard_focus_ = false;
  hover_->hide();
  update();
}

void PlotPanel::paintEvent(QPaintEvent* event) {
  QWidget::paintEvent(event);
  if (!keyboard_focus_) return;
  QPainter painter(this);
  painter.setPen(QPen(palette().color(QPalette::Highlight), 2));
  painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

}  // namespace adamerge::ui
