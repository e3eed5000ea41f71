// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/block_strip.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QPainter>
#include <QScrollArea>
#include <QScrollBar>
#include <algorithm>

#include "canvas/block_tiles.h"

namespace adamerge::ui {
namespace {

constexpr int kStepTime = 450;  ///< ms per block: long enough to see what merged
constexpr int kIconSize = 16;
constexpr int kMargin = 4;

/// A triangle, or two bars, in the text's colour.
QIcon playIcon(bool playing, const QColor& color, double ratio) {
  QPixmap pixmap((QSizeF(kIconSize, kIconSize) * ratio).toSize());
  pixmap.setDevicePixelRatio(ratio);
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(color);
  if (playing) {
    painter.drawRect(QRectF(3.5, 3, 3, 10));
    painter.drawRect(QRectF(9.5, 3, 3, 10));
  } else {
    painter.drawPolygon(QPolygonF{{4, 2.5}, {13, 8}, {4, 13.5}});
  }
  return pixmap;
}

}  // namespace

BlockStrip::BlockStrip(Pane& pane, ViewState& view, QWidget* parent)
    : QWidget(parent),
      view_(view),
      tiles_(new BlockTiles(pane, view)),
      scroll_(new QScrollArea),
      button_(new QToolButton) {
  button_->setAutoRaise(true);
  button_->setIconSize({kIconSize, kIconSize});
  scroll_->setFrameShape(QFrame::NoFrame);
  scroll_->setWidgetResizable(true);
  scroll_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll_->setFocusPolicy(Qt::NoFocus);
  scroll_->setWidget(tiles_);
  // The window's own colour shows through.
  scroll_->viewport()->setAutoFillBackground(false);
  tiles_->setAutoFillBackground(false);

  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(kMargin, kMargin, kMargin, kMargin);
  layout->setSpacing(kMargin);
  layout->addWidget(button_, 0, Qt::AlignVCenter);
  layout->addWidget(scroll_, 1);
  setMinimumHeight(tiles_->minimumSizeHint().height() + scrollBarHeight() + 2 * kMargin);

  timer_.setInterval(kStepTime);
  connect(&timer_, &QTimer::timeout, this, &BlockStrip::step);
  connect(button_, &QToolButton::clicked, this, [this] { playing() ? stop() : play(); });
  connect(tiles_, &BlockTiles::playToggled, this, [this] { playing() ? stop() : play(); });
  connect(tiles_, &BlockTiles::chosen, this, &BlockStrip::stop);
  connect(&view_, &ViewState::blockChanged, this, &BlockStrip::follow);
  connect(&view_, &ViewState::depthChanged, this, &BlockStrip::showState);
  showState();
}

int BlockStrip::scrollBarHeight() const {
  return scroll_->horizontalScrollBar()->sizeHint().height();
}

void BlockStrip::setPane(Pane& pane) { tiles_->setPane(pane); }
void BlockStrip::setReference(Pane* reference) { tiles_->setReference(reference); }

void BlockStrip::play() {
  if (view_.depth() < 2) return;
  timer_.start();
  step();
  showState();
}

void BlockStrip::stop() {
  timer_.stop();
  showState();
}

void BlockStrip::step() {
  stepping_ = true;
  view_.setBlock((view_.block() + 1) % std::max(1, view_.depth()));
  stepping_ = false;
}

void BlockStrip::follow() {
  if (!stepping_ && playing()) stop();
  const QRect tile = tiles_->tileRect(view_.block());
  scroll_->ensureVisible(tile.center().x(), 0, tile.width(), 0);
}

void BlockStrip::showState() {
  button_->setEnabled(view_.depth() > 1);
  const QString action = playing() ? tr("Stop") : tr("Play through the blocks");
  button_->setAccessibleName(action);
  button_->setToolTip(tr("%1 (Space in the strip)").arg(action));
  button_->setIcon(playIcon(playing(), palette().color(QPalette::ButtonText), devicePixelRatioF()));
}

void BlockStrip::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) showState();
}

void BlockStrip::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  tiles_->setTileHeight(height() - 2 * kMargin - scrollBarHeight());
  follow();
}

}  // namespace adamerge::ui
