// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/block_strip.h"

#include <QHBoxLayout>
#include <QScrollArea>
#include <QScrollBar>
#include <algorithm>

#include "canvas/block_tiles.h"
#include "controls/icons.h"

namespace adamerge::ui {
namespace {

constexpr int kStepTime = 450;  ///< ms per block: long enough to see what merged
constexpr int kMargin = 4;

}  // namespace

BlockStrip::BlockStrip(Pane& pane, ViewState& view, QWidget* parent)
    : QWidget(parent),
      view_(view),
      tiles_(new BlockTiles(pane, view)),
      scroll_(new QScrollArea),
      button_(new QToolButton) {
  button_->setAutoRaise(true);
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
  // The tiles take their new places after the strip does.
  connect(scroll_->horizontalScrollBar(), &QScrollBar::rangeChanged, this, &BlockStrip::reveal);
  connect(&view_, &ViewState::depthChanged, this, &BlockStrip::showState);
  showState();
}

int BlockStrip::scrollBarHeight() const {
  return scroll_->horizontalScrollBar()->sizeHint().height();
}

void BlockStrip::setPane(Pane& pane) { tiles_->setPane(pane); }
void BlockStrip::setReference(Pane* reference) { tiles_->setReference(reference); }

void BlockStrip::play() {
  if (playing() || view_.depth() < 2) return;
  timer_.start();
  step();
  showState();
  emit playingChanged(true);
}

void BlockStrip::stop() {
  if (!playing()) return;
  timer_.stop();
  showState();
  emit playingChanged(false);
}

void BlockStrip::step() {
  stepping_ = true;
  view_.setBlock((view_.block() + 1) % std::max(1, view_.depth()));
  stepping_ = false;
}

void BlockStrip::follow() {
  if (!stepping_) stop();
  reveal();
}

void BlockStrip::reveal() {
  const QRect tile = tiles_->tileRect(view_.block());
  scroll_->ensureVisible(tile.center().x(), 0, tile.width(), 0);
}

void BlockStrip::showState() {
  button_->setEnabled(view_.depth() > 1);
  const QString action = playing() ? tr("Stop") : tr("Play through the blocks");
  button_->setAccessibleName(action);
  button_->setToolTip(tr("%1 (Space in the strip)").arg(action));
  button_->setIcon(icon(playing() ? QStringLiteral("pause") : QStringLiteral("play")));
}

void BlockStrip::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  tiles_->setRoom({scroll_->width(), height() - 2 * kMargin - scrollBarHeight()});
}

}  // namespace adamerge::ui
