// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/video_source.h"

#include <QDateTime>
#include <chrono>
#include <utility>

#include "shell/video_thread.h"

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

}  // namespace adamerge::ui
