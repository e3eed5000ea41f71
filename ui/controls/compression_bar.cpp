// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/compression_bar.h"

#include <QBoxLayout>
#include <QResizeEvent>

#include "controls/compression_readout.h"
#include "controls/compression_slider.h"

namespace adamerge::ui {
namespace {

/// From here on slider and read-outs stand side by side.
constexpr int kWide = 640;

}  // namespace

CompressionBar::CompressionBar(Workbench& workbench, QWidget* parent)
    : QWidget(parent),
      workbench_(workbench),
      slider_(new CompressionSlider(workbench)),
      readout_(new CompressionReadout),
      layout_(new QBoxLayout(QBoxLayout::TopToBottom, this)) {
  layout_->setContentsMargins(12, 8, 12, 8);
  layout_->setSpacing(16);
  layout_->addWidget(slider_, 3, Qt::AlignTop);
  layout_->addWidget(readout_, 2, Qt::AlignTop);
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
  connect(slider_, &CompressionSlider::modeChanged, this, &CompressionBar::modeChanged);
  connect(&workbench_, &Workbench::activePaneChanged, this, &CompressionBar::bind);
  bind();
}

CompressionMode CompressionBar::mode() const { return slider_->mode(); }

void CompressionBar::setMode(CompressionMode mode) { slider_->setMode(mode); }

void CompressionBar::bind() {
  if (pane_ != nullptr) disconnect(pane_, nullptr, this, nullptr);
  pane_ = &workbench_.activePane();
  const auto show = [this] { readout_->setInspection(pane_->inspection()); };
  connect(pane_, &Pane::inspectionChanged, this, show);
  show();
}

void CompressionBar::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  layout_->setDirection(event->size().width() >= kWide ? QBoxLayout::LeftToRight
                                                       : QBoxLayout::TopToBottom);
}

}  // namespace adamerge::ui
