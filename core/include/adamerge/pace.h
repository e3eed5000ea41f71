// SPDX-License-Identifier: GPL-3.0-or-later
// How fast work goes and how long the rest takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace adamerge {

/// Fed with how much is done, it knows the pace, and when somebody is to be told again.
class PaceMeter {
 public:
  using Clock = std::chrono::steady_clock;

  /// Counts from the first report on: work may go on from before. With `window` from that long ago
  /// on, for a pace that changes, as a network's.
  explicit PaceMeter(std::chrono::seconds window = {}) : window_(window) {}

  void add(std::int64_t done, std::int64_t total, Clock::time_point now = Clock::now()) {
    total_ = total;
    // Without a window the first and the last are all there is to know.
    const bool whole = window_ == std::chrono::seconds::zero();
    if (samples_.size() > 1 && (whole || samples_.back().done == done)) samples_.pop_back();
    samples_.push_back({now, done});
    while (!whole && samples_.size() > 2 && now - samples_.front().at > window_) {
      samples_.pop_front();
    }
  }
  /// True ten times a second, and where all is done.
  bool isDue(Clock::time_point now = Clock::now()) {
    const bool complete = !samples_.empty() && samples_.back().done >= total_;
    if (!complete && now - told_ < std::chrono::milliseconds(100)) return false;
    told_ = now;
    return true;
  }

  double seconds() const {
    if (samples_.empty()) return 0;
    return std::chrono::duration<double>(samples_.back().at - samples_.front().at).count();
  }
  /// 0: not known yet.
  double perSecond() const {
    if (samples_.empty() || seconds() <= 0) return 0;
    return static_cast<double>(samples_.back().done - samples_.front().done) / seconds();
  }
  /// 0: not known yet, or nothing is left.
  double secondsLeft() const {
    if (perSecond() <= 0) return 0;
    return static_cast<double>(total_ - samples_.back().done) / perSecond();
  }

 private:
  struct Sample {
    Clock::time_point at;
    std::int64_t done;
  };

  std::chrono::seconds window_;
  std::deque<Sample> samples_;
  std::int64_t total_ = 0;
  Clock::time_point told_;
};

}  // namespace adamerge
