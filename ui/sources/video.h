// SPDX-License-Identifier: GPL-3.0-or-later
// A video file or camera as a source of pictures. One frame is on its way at a time: the next comes
// when frameShown() says that the one before was drawn. A file keeps its speed meanwhile by
// leaving frames out.
#pragma once

#include <QObject>
#include <QString>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "bench/data.h"

namespace adamerge::ui {

struct VideoControl;

struct VideoInfo {
  QString name;
  bool live = false;  ///< a camera: no end, no seeking
  int frames = 0;     ///< 0: unknown, no seeking
  double rate = 25;   ///< frames per second at normal speed
  bool plays = true;  ///< from the start; images of a trace are turned over by hand

  bool seekable() const { return !live && frames > 1; }
};

class VideoSource : public QObject {
  Q_OBJECT
 public:
  explicit VideoSource(QObject* parent = nullptr);
  ~VideoSource() override;

  /// Supersedes what is open. opened() and the first frame, or failed(), follow.
  void open(const std::filesystem::path& path);
  void openCamera(int index);
  /// Returns within about 100 ms, also from a camera that hangs. No frame comes afterwards.
  void close();

  bool isOpen() const { return info_.has_value(); }
  const VideoInfo& info() const { return *info_; }  ///< only while isOpen()
  bool playing() const { return playing_; }
  int position() const { return position_; }  ///< of the last frame delivered
  /// Frames per second drawn of late; 0 while paused.
  double shownRate() const;
  bool loops() const { return loop_; }

 public slots:
  void play();
  void pause();
  void toggle();
  /// Shows that frame, also while paused. Of several the newest wins.
  void seek(int frame);
  /// By so many frames; pauses.
  void step(int frames);
  /// At the end, from the beginning again. On by default.
  void setLoop(bool loop);
  /// The last frame was drawn (or given up): the next may come.
  void frameShown();

 signals:
  void opened();
  void closed();
  void frameReady(adamerge::ui::PicturePtr picture, int frame);
  void playingChanged(bool playing);
  void loopChanged(bool loop);
  void ended();
  void failed(const QString& message);

 private:
  void start(const QString& name, const std::filesystem::path& path, int camera);
  void setPlaying(bool playing);
  void tellPlaying(bool playing);
  template <typename Change>
  void control(Change change);
  void stopThread();

  std::shared_ptr<VideoControl> control_;  ///< nullptr: closed
  std::thread thread_;
  std::optional<VideoInfo> info_;
  bool playing_ = false;
  bool loop_ = true;
  int position_ = 0;
  std::deque<qint64> shown_at_;  ///< ms, the last second's
};

// The thread that reads a video for VideoSource.

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
