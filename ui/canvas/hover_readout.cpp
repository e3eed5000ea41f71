// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/hover_readout.h"

#include <QPainter>
#include <algorithm>

#include "canvas/canvas_decor.h"
#include "canvas/patch_text.h"

namespace adamerge::ui {

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
  hint_ = true;
  if (inspection == nullptr || inspection->depth() == 0) {
    text_.clear();
  } else if (!patch || *patch >= inspection->gridHeight() * inspection->gridWidth()) {
    text_ = tr("Point at a patch to read it, click it to follow its token");
  } else {
    hint_ = false;
    text_ = describePatch(*inspection, *patch, std::min(view_.block(), inspection->depth() - 1));
  }
  setToolTip(text_);
  setAccessibleDescription(text_);
  update();
}

QSize HoverReadout::sizeHint() const { return {480, fontMetrics().height() + 6}; }
QSize HoverReadout::minimumSizeHint() const { return {80, sizeHint().height()}; }

void HoverReadout::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  painter.setPen(hint_ ? mutedText(palette()) : palette().color(QPalette::WindowText));
  painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter,
                   fontMetrics().elidedText(text_, Qt::ElideRight, width()));
}

}  // namespace adamerge::ui
