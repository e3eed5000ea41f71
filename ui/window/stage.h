// SPDX-License-Identifier: GPL-3.0-or-later
// The middle of the window: canvases, what is under the pointer, the blocks, the compression.
#pragma once

#include <QWidget>

#include "canvas/block_strip.h"
#include "canvas/compare_grid.h"
#include "canvas/patch_readout.h"
#include "look/message.h"
#include "settings/compression_bar.h"
#include "sources/video_bar.h"

namespace adamerge::ui {

class VideoSource;
class Workbench;

class Stage : public QWidget {
  Q_OBJECT
 public:
  Stage(Workbench& workbench, VideoSource& video, QWidget* parent = nullptr);

  CompareGrid& grid() { return *grid_; }
  BlockStrip& strip() { return *strip_; }
  MessageBar& messages() { return *messages_; }
  CompressionBar& compression() { return *compression_; }

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void followActivePane();

  Workbench& workbench_;
  MessageBar* messages_;
  CompareGrid* grid_;
  VideoBar* video_bar_;
  HoverReadout* readout_;
  BlockStrip* strip_;
  CompressionBar* compression_;
};

}  // namespace adamerge::ui
