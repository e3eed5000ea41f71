// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/video_thread.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "adamerge/error.h"
#include "compute/error_text.h"
#include "compute/picture_loader.h"
#include "shell/frame_reader.h"

namespace adamerge::ui {
namespace {

using Clock = std::chrono::steady_clock;

FrameReader openReader(const VideoTarget& target) {
  return target.path.empty() ? FrameReader::openCamera(target.camera)
                             : FrameReader::openFile(target.path);
}

class Player {
 public:
  Player(VideoControl& control, const VideoTarget& target, const VideoEvents& events)
      : control_(control),
        target_(target),
        events_(events),
        reader_(openReader(target)),
        info_{target.name, target.path.empty(), reader_.frameCount(), reader_.rate()} {
    if (info_.live) info_.frames = 0;
  }

  void run() {
    if (!deliverNext()) {
      throw Error(target_.name.toStdString() + ": holds no picture that can be read");
    }
    while (awaitTurn()) {
      if (const std::optional<int> frame = takeSeek()) {
        goTo(*frame);
      } else if (info_.live) {
        deliverNewest();
      } else {
        playOn();
      }
    }
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  /// Until there is something to do; false: the end.
  bool awaitTurn() {
    Lock lock(control_.mutex);
    control_.changed.wait(lock, [this] {
      const bool may_deliver = !control_.outstanding && (control_.playing || control_.seek);
      // A playing camera is read even while its picture cannot be taken, to stay with the present.
      return control_.stop || may_deliver || (info_.live && control_.playing);
    });
    return !control_.stop;
  }

  std::optional<int> takeSeek() {
    const Lock lock(control_.mutex);
    if (control_.outstanding) return std::nullopt;
    return std::exchange(control_.seek, std::nullopt);
  }

  void goTo(int frame) {
    if (!info_.seekable()) return;
    frame = std::clamp(frame, 0, info_.frames - 1);
    reader_.seek(frame);
    next_ = frame;
    restartClock();
    // The last frames that a file claims are at times not there.
    while (!deliverNext() && frame > 0) {
      frame = std::max(0, frame - 5);
      reader_.seek(frame);
      next_ = frame;
    }
  }

  void deliverNewest() {
    if (!reader_.grab()) throw Error(target_.name.toStdString() + ": the camera sends no pictures");
    {
      const Lock lock(control_.mutex);
      if (control_.outstanding) return;
    }
    deliverGrabbed();
  }

  void playOn() {
    if (!awaitFrameTime()) return;
    if (!skipMissed() || !deliverNext()) atEnd();
  }

  /// false: something else came first.
  bool awaitFrameTime() {
    Lock lock(control_.mutex);
    if (std::exchange(control_.clock_stale, false)) {
      started_ = Clock::now();
      started_at_ = next_;
    }
    return !control_.changed.wait_until(lock, timeOf(next_), [this] {
      return control_.stop || control_.seek || !control_.playing || control_.clock_stale;
    });
  }

  Clock::time_point timeOf(int frame) const {
    const std::chrono::duration<double> since((frame - started_at_) / info_.rate);
    return started_ + std::chrono::duration_cast<Clock::duration>(since);
  }

  /// Leaves out the frames whose time is over; false: the file ends.
  bool skipMissed() {
    while (timeOf(next_ + 1) <= Clock::now() && !stopped()) {
      if (!reader_.grab()) return false;
      ++next_;
    }
    return true;
  }

  void atEnd() {
    restartClock();
    const bool rewound = reader_.seek(0) && next_ > 0;
    next_ = 0;
    {
      const Lock lock(control_.mutex);
      if (control_.loop && rewound) return;
      control_.playing = false;
    }
    tell([this] { events_.ended(); });
  }

  bool deliverNext() { return reader_.grab() && deliverGrabbed(); }

  bool deliverGrabbed() {
    std::optional<Image> image = reader_.decode();
    if (!image) return false;
    const int frame = next_++;
    const PicturePtr picture = makePicture(std::move(*image), info_.name);
    if (!std::exchange(opened_, true)) tell([this] { events_.opened(info_); });
    tell([&] {
      control_.outstanding = true;
      events_.frame(picture, frame);
    });
    return true;
  }

  void restartClock() {
    const Lock lock(control_.mutex);
    control_.clock_stale = true;
  }

  bool stopped() {
    const Lock lock(control_.mutex);
    return control_.stop;
  }

  template <typename Tell>
  void tell(Tell event) {
    const Lock lock(control_.mutex);
    if (!control_.stop) event();
  }

  VideoControl& control_;
  const VideoTarget& target_;
  const VideoEvents& events_;
  FrameReader reader_;
  VideoInfo info_;
  bool opened_ = false;
  int next_ = 0;  ///< the frame grab() fetches
  Clock::time_point started_;
  int started_at_ = 0;
};

}  // namespace

void runVideo(const std::shared_ptr<VideoControl>& control, const VideoTarget& target,
              const VideoEvents& events) {
  QString problem;
  try {
    Player(*control, target, events).run();
  } catch (const std::exception& error) {
    problem = errorText(error);
  }
  const std::lock_guard lock(control->mutex);
  if (!problem.isEmpty() && !control->stop) events.failed(problem);
  control->finished = true;
  control->changed.notify_all();
}

}  // namespace adamerge::ui
