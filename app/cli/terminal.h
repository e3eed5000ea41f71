// SPDX-License-Identifier: GPL-3.0-or-later
// Talking to a person at a terminal: progress, warnings, Ctrl-C.
#pragma once

#include <csignal>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/pace.h"

namespace adamerge::cli {

/// Turns SIGINT and SIGTERM into a stop request. Whatever has not ended soon after, inside a
/// library's function, say, is ended here, unless UnsavedWork is about; a second signal ends the
/// program at once. Make it before any other thread starts, since the signals are blocked in all
/// threads made after.
class InterruptWatcher {
 public:
  /// `program` begins the sentence.
  explicit InterruptWatcher(std::string program);
  InterruptWatcher(const InterruptWatcher&) = delete;
  InterruptWatcher& operator=(const InterruptWatcher&) = delete;
  ~InterruptWatcher();
  std::stop_token token() const { return source_.get_token(); }
  /// The status of a program that has nothing left to do; of one that was asked to end it ends the
  /// process, since LibTorch's own farewell takes longer than people wait.
  int ended(int status) const;

 private:
  void watch();
  void say(const std::string& sentence) const;

  std::string program_;
  std::stop_source source_;
  sigset_t signals_{};
  std::jthread thread_;
};

/// Standard error: a progress bar with the time left where it is a terminal, warnings each once.
class Terminal {
 public:
  /// `program` begins every sentence.
  explicit Terminal(bool quiet, std::string program = "adamerge");
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  /// Warnings and notes are handed to `listener` instead of being printed.
  void tell(std::function<void(const std::string&)> listener) { listener_ = std::move(listener); }
  void mute() { mute_ = true; }            ///< not even errors
  void warn(const std::string& sentence);  ///< nothing when quiet
  void note(const std::string& sentence);  ///< what was done unasked; nothing when quiet
  void error(const std::string& sentence);
  void clearBar();  ///< before something else is printed
  void progress(const Progress& progress);
  ProgressCallback callback();

 private:
  bool quiet_;
  bool mute_ = false;
  std::string program_;
  bool shows_bar_;
  bool bar_drawn_ = false;
  std::function<void(const std::string&)> listener_;
  std::set<std::string> warned_;
  std::string stage_;
  PaceMeter pace_;
};

}  // namespace adamerge::cli
