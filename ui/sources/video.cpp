// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/video.h"

#include <QDateTime>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>
#include <variant>

#include "adamerge/error.h"
#include "bench/data.h"
#include "bench/loaders.h"
#include "bench/traces.h"
#include "sources/frame_reader.h"

namespace adamerge::ui {
namespace {

constexpr std::chrono::milliseconds kPatience(90);  ///< with a thread that is to end
constexpr qint64 kRateWindow = 1000;                ///< ms

template <typename Handle>
void post(VideoSource* source, Handle handle) {
  QMetaObject::invokeMethod(source, std::move(handle), Qt::QueuedConnection);
}

}  // namespace

VideoSource::VideoSource(QObject* parent) : QObject(parent) {}

VideoSource::~VideoSource() { stopThread(); }

void VideoSource::open(const std::filesystem::path& path) {
  start(QString::fromStdString(path.filename().string()), path, 0);
}

void VideoSource::openCamera(int index) { start(tr("Camera %1").arg(index), {}, index); }

void VideoSource::start(const QString& name, const std::filesystem::path& path, int camera) {
  close();
  control_ = std::make_shared<VideoControl>();
  control_->loop = loop_;
  const std::weak_ptr<VideoControl> mine = control_;
  // What an older video still had on its way is not told.
  const auto present = [this, mine] { return !mine.expired() && mine.lock() == control_; };
  VideoEvents events;
  events.opened = [this, present](const VideoInfo& info) {
    post(this, [this, present, info] {
      if (!present()) return;
      info_ = info;
      position_ = 0;
      emit opened();
    });
  };
  events.frame = [this, present](const PicturePtr& picture, int frame) {
    post(this, [this, present, picture, frame] {
      if (!present()) return;
      position_ = frame;
      emit frameReady(picture, frame);
    });
  };
  events.ended = [this, present] {
    post(this, [this, present] {
      if (!present()) return;
      tellPlaying(false);
      emit ended();
    });
  };
  events.failed = [this, present](const QString& message) {
    post(this, [this, present, message] {
      if (!present()) return;
      close();
      emit failed(message);
    });
  };
  thread_ = std::thread(runVideo, control_, VideoTarget{name, path, camera}, std::move(events));
}

void VideoSource::stopThread() {
  if (control_ == nullptr) return;
  std::unique_lock lock(control_->mutex);
  control_->stop = true;
  control_->changed.notify_all();
  const bool ended =
      control_->changed.wait_for(lock, kPatience, [this] { return control_->finished; });
  lock.unlock();
  // A camera that does not answer blocks its thread; that thread ends by itself once it does.
  ended ? thread_.join() : thread_.detach();
  control_.reset();
}

void VideoSource::close() {
  stopThread();
  tellPlaying(false);
  position_ = 0;
  if (!info_) return;
  info_.reset();
  emit closed();
}

template <typename Change>
void VideoSource::control(Change change) {
  if (control_ == nullptr) return;
  const std::lock_guard lock(control_->mutex);
  change(*control_);
  control_->changed.notify_all();
}

void VideoSource::setPlaying(bool playing) {
  if (control_ == nullptr) return;
  const bool at_end = info_ && info_->seekable() && position_ >= info_->frames - 1;
  control([&](VideoControl& control) {
    control.playing = playing;
    control.clock_stale = true;
    if (playing && at_end && !control.seek) control.seek = 0;
  });
  tellPlaying(playing);
}

void VideoSource::tellPlaying(bool playing) {
  if (playing == playing_) return;
  playing_ = playing;
  shown_at_.clear();
  emit playingChanged(playing);
}

void VideoSource::play() { setPlaying(true); }
void VideoSource::pause() { setPlaying(false); }
void VideoSource::toggle() { setPlaying(!playing_); }

void VideoSource::seek(int frame) {
  if (!info_ || !info_->seekable()) return;
  control([&](VideoControl& control) { control.seek = frame; });
}

void VideoSource::step(int frames) {
  pause();
  seek(position_ + frames);
}

void VideoSource::setLoop(bool loop) {
  if (loop == loop_) return;
  loop_ = loop;
  control([&](VideoControl& control) { control.loop = loop; });
  emit loopChanged(loop);
}

void VideoSource::frameShown() {
  control([](VideoControl& control) { control.outstanding = false; });
  if (!playing_) return;
  const qint64 now = QDateTime::currentMSecsSinceEpoch();
  shown_at_.push_back(now);
  while (shown_at_.front() < now - kRateWindow) shown_at_.pop_front();
}

double VideoSource::shownRate() const {
  if (shown_at_.size() < 2) return 0;
  const auto span = static_cast<double>(shown_at_.back() - shown_at_.front());
  return span > 0 ? 1000.0 * static_cast<double>(shown_at_.size() - 1) / span : 0;
}

namespace {

using Clock = std::chrono::steady_clock;

using Reader = std::variant<FrameReader, TraceFrames>;

Reader openReader(const VideoTarget& target) {
  if (isTraceName(target.path)) return TraceFrames(target.path);
  return target.path.empty() ? FrameReader::openCamera(target.camera)
                             : FrameReader::openFile(target.path);
}

/// A number that no other video has.
std::uint64_t nextStream() {
  static std::atomic<std::uint64_t> streams{0};
  return ++streams;
}

class Player {
 public:
  Player(VideoControl& control, const VideoTarget& target, const VideoEvents& events)
      : control_(control),
        target_(target),
        events_(events),
        reader_(openReader(target)),
        info_{target.name, target.path.empty(),
              std::visit([](const auto& reader) { return reader.frameCount(); }, reader_),
              std::visit([](const auto& reader) { return reader.rate(); }, reader_)} {
    if (info_.live) info_.frames = 0;
    if (const auto* trace = std::get_if<TraceFrames>(&reader_)) info_.plays = trace->isVideo();
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

  bool grab() {
    return std::visit([](auto& reader) { return reader.grab(); }, reader_);
  }
  bool seek(int frame) {
    return std::visit([frame](auto& reader) { return reader.seek(frame); }, reader_);
  }
  /// nullptr: the frame cannot be decoded.
  PicturePtr picture() {
    if (const auto* trace = std::get_if<TraceFrames>(&reader_)) return trace->picture();
    std::optional<Image> image = std::get<FrameReader>(reader_).decode();
    return image ? makePicture(std::move(*image), info_.name, {}, stream_) : nullptr;
  }

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
    seek(frame);
    next_ = frame;
    restartClock();
    // The last frames that a file claims are at times not there.
    while (!deliverNext() && frame > 0) {
      frame = std::max(0, frame - 5);
      seek(frame);
      next_ = frame;
    }
  }

  void deliverNewest() {
    if (!grab()) throw Error(target_.name.toStdString() + ": the camera sends no pictures");
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
      if (!grab()) return false;
      ++next_;
    }
    return true;
  }

  void atEnd() {
    restartClock();
    const bool rewound = seek(0) && next_ > 0;
    next_ = 0;
    {
      const Lock lock(control_.mutex);
      if (control_.loop && rewound) return;
      control_.playing = false;
    }
    tell([this] { events_.ended(); });
  }

  bool deliverNext() { return grab() && deliverGrabbed(); }

  bool deliverGrabbed() {
    const PicturePtr picture = this->picture();
    if (picture == nullptr) return false;
    const int frame = next_++;
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
  Reader reader_;
  VideoInfo info_;
  const std::uint64_t stream_ = nextStream();
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
