// SPDX-License-Identifier: GPL-3.0-or-later
// The thread that reads a video for VideoSource.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "shell/video_source.h"

namespace adamerge::ui {

/// What the two threads share; `mutex` guards all of it.
struct VideoControl {
  std::mutex mutex;
  std::condition_variable changed;
  bool stop = false;      ///< no event is told any more
  bool finished = false;  ///< the thread is about to end
  bool playing = false;
  bool loop = true;
  bool outstanding = false;  ///< a frame was delivered and not yet shown
  bool clock_stale = true;   ///< playing begins anew from the present frame
  std::optional<int> seek;
};

struct VideoTarget {
  QString name;
  std::filesystem::path path;  ///< empty: a camera
  int camera = 0;
};

/// Called on the video's thread, never after VideoControl::stop was set.
struct VideoEvents {
  std::function<void(const VideoInfo&)> opened;
  std::function<void(const PicturePtr&, int frame)> frame;
  std::function<void()> ended;
  std::function<void(const QString&)> failed;
};

void runVideo(const std::shared_ptr<VideoControl>& control, const VideoTarget& target,
              const VideoEvents& events);

}  // namespace adamerge::ui
