// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/hover_readout.h"

#include <QPainter>
#include <algorithm>

#include "canvas/canvas_decor.h"
#include "canvas/patch_text.h"

namespace adamerge::ui {
namespace {

constexpr int kMargin = 8;
constexpr int kFieldGap = 20;

}  // namespace

HoverReadout::HoverReadout(Pane& pane, ViewState& view, QWidget* parent)
    : QWidget(parent), view_(view) {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setAccessibleName(tr("Patch under the pointer"));
  connect(&view_, &ViewState::hoverChanged, this, &HoverReadout::read);
  connect(&view_, &ViewState::selectionChanged, this, &HoverReadout::read);
  connect(&view_, &ViewState::blockChanged, this, &HoverReadout::read);
  setPane(pane);
}

void HoverReadout::setPane(Pane& pane) {
  if (pane_ != nullptr) pane_->disconnect(this);
  pane_ = &pane;
  connect(pane_, &Pane::inspectionChanged, this, &HoverReadout::read);
  read();
}

void HoverReadout::read() {
  const InspectionPtr inspection = pane_ == nullptr ? nullptr : pane_->inspection();
  const std::optional<int> patch =
      view_.hoveredPatch() ? view_.hoveredPatch() : view_.selectedPatch();
  fields_.clear();
  if (inspection == nullptr || inspection->depth() == 0) {
    text_.clear();
  } else if (!patch || *patch >= inspection->gridHeight() * inspection->gridWidth()) {
    text_ = tr("Point at a patch to read it, click it to follow its token");
  } else {
    const int block = std::min(view_.block(), inspection->depth() - 1);
    text_ = describePatch(*inspection, *patch, block);
    fields_ = patchFields(*inspection, *patch, block);
    widest_ = widestFields(*inspection, block);
  }
  setToolTip(text_);
  setAccessibleDescription(text_);
  update();
}

QSize HoverReadout::sizeHint() const { return {480, fontMetrics().height() + 6}; }
QSize HoverReadout::minimumSizeHint() const { return {80, sizeHint().height()}; }

void HoverReadout::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  const QFontMetrics metrics = fontMetrics();
  const QRect room = rect().adjusted(kMargin, 0, -kMargin, 0);
  constexpr int kFlags = Qt::AlignLeft | Qt::AlignVCenter;
  if (fields_.isEmpty()) {
    painter.setPen(mutedText(palette()));
    painter.drawText(room, kFlags, metrics.elidedText(text_, Qt::ElideRight, room.width()));
    return;
  }
  painter.setPen(palette().color(QPalette::WindowText));
  int x = room.left();
  for (qsizetype i = 0; i < fields_.size(); ++i) {
    const int left = room.right() + 1 - x;
    if (left < metrics.averageCharWidth()) return;
    painter.drawText(QRect(x, 0, left, height()), kFlags,
                     metrics.elidedText(fields_[i], Qt::ElideRight, left));
    if (i < widest_.size()) x += metrics.horizontalAdvance(widest_[i]) + kFieldGap;
  }
}

}  // namespace adamerge::ui
