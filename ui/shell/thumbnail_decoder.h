// SPDX-License-Identifier: GPL-3.0-or-later
// Finds and decodes pictures for the thumbnail list off the UI thread; what was asked for last is
// decoded first, so that the visible part of a long list appears at once.
#pragma once

#include <QImage>
#include <QObject>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace adamerge::ui {

class ThumbnailDecoder : public QObject {
  Q_OBJECT
 public:
  struct Job {
    int row = 0;
    std::filesystem::path path;
    int side = 0;  ///< the longer side of the thumbnail in device pixels
  };

  explicit ThumbnailDecoder(QObject* parent = nullptr);
  /// Waits for the picture being decoded, no longer.
  ~ThumbnailDecoder() override;

  /// Forgets all jobs; what is still under way is not reported.
  void clear();
  /// Before what waits already; of equal rows one is kept.
  void want(const std::vector<Job>& jobs);

 signals:
  void decoded(int row, const QImage& thumbnail);
  /// `problem`: the sentence that says why there is no picture.
  void failed(int row, const QString& problem);

 private:
  void work(const std::stop_token& stop);
  void report(std::uint64_t generation, std::function<void()> tell);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Job> jobs_;  ///< next at the front
  std::uint64_t generation_ = 0;
  std::jthread thread_;
};

}  // namespace adamerge::ui
