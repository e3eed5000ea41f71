// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/stage.h"

#include <QResizeEvent>
#include <QVBoxLayout>

#include "bench/workbench.h"
#include "look/widgets.h"

namespace adamerge::ui {
namespace {

constexpr int kLow = 640;

}  // namespace

Stage::Stage(Workbench& workbench, VideoSource& video, QWidget* parent)
    : QWidget(parent),
      workbench_(workbench),
      messages_(new MessageBar),
      grid_(new CompareGrid(workbench)),
      video_bar_(new VideoBar(video)),
      readout_(new HoverReadout(workbench.activePane(), workbench.view())),
      strip_(new BlockStrip(workbench.activePane(), workbench.view())),
      compression_(new CompressionBar(workbench)) {
  auto* layout = tightLayout<QVBoxLayout>(this, 0);
  layout->addWidget(messages_);
  layout->addWidget(grid_, 1);
  layout->addWidget(video_bar_);
  layout->addWidget(readout_);
  layout->addWidget(strip_);
  layout->addWidget(new LayoutIsland(compression_));
  connect(&workbench, &Workbench::activePaneChanged, this, &Stage::followActivePane);
  connect(&workbench, &Workbench::paneCountChanged, this, &Stage::followActivePane);
  connect(&workbench, &Workbench::failed, messages_,
          [this](const QString& message) { messages_->show(Severity::kError, message); });
  followActivePane();
}

/// In a low window the canvases come first.
void Stage::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  const bool low = event->size().height() < kLow;
  strip_->setMaximumHeight(low ? strip_->minimumHeight() : QWIDGETSIZE_MAX);
  compression_->setLow(low);
}

void Stage::followActivePane() {
  Pane& pane = workbench_.activePane();
  readout_->setPane(pane);
  strip_->setPane(pane);
  strip_->setReference(grid_->referenceOf(workbench_.activeIndex()));
}

}  // namespace adamerge::ui
