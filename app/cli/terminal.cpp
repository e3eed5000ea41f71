// SPDX-License-Identifier: GPL-3.0-or-later
#include "terminal.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "adamerge/files.h"
#include "rank_group.h"
#include "support/text.h"

namespace adamerge::cli {
namespace {

constexpr int kFailedStatus = 1;
constexpr int kInterruptedStatus = 130;
/// What is asked to end has so long; processes of mpirun say farewell to each other.
constexpr std::chrono::milliseconds kPatience{30};
constexpr std::chrono::milliseconds kPatienceWithRanks{2000};
/// What has just been kept is yet to be spoken of, on a busy machine a while later.
constexpr std::chrono::milliseconds kUntilSaid{1000};

/// Whoever ends the program by force keeps it: of one interruption one sentence is said.
std::mutex speech;
bool said_something = false;  ///< since the program was asked to end

std::string duration(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

int terminalColumns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

InterruptWatcher::InterruptWatcher(std::string program) : program_(std::move(program)) {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  // Wakes the waiting thread at the end.
  sigaddset(&signals_, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::jthread([this] { watch(); });
}

void InterruptWatcher::watch() {
  int signal = 0;
  if (::sigwait(&signals_, &signal) != 0 || signal == SIGUSR1) return;
  {
    const std::lock_guard lock(speech);
    said_something = false;
  }
  source_.request_stop();
  const std::chrono::nanoseconds patience = startedAsRank() ? kPatienceWithRanks : kPatience;
  const timespec wait{static_cast<time_t>(patience.count() / 1'000'000'000),
                      static_cast<long>(patience.count() % 1'000'000'000)};
  std::int64_t to_be_said = 0;  // as often as patience fits in
  for (bool told = false;;) {
    const int next = ::sigtimedwait(&signals_, nullptr, &wait);
    if (next == SIGUSR1) return;
    if (next > 0) std::_Exit(kInterruptedStatus);
    if (errno != EAGAIN) continue;
    if (UnsavedWork::any()) {
      to_be_said = std::max<std::int64_t>(kUntilSaid / patience, 1);
      if (!std::exchange(told, true)) {
        say("warning: interrupted; what is done is being kept (once more ends the program at "
            "once)");
      }
      continue;
    }
    if (to_be_said-- > 0) continue;
    const std::lock_guard until_the_end(speech);
    if (!said_something) say("interrupted");
    OutputLock::removeAll();
    std::_Exit(kFailedStatus);
  }
}

void InterruptWatcher::say(const std::string& sentence) const {
  if (isLaterRank()) return;
  fmt::print(stderr, "{}{}: {}\n", ::isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "", program_,
             sentence);
}

int InterruptWatcher::ended(int status) const {
  if (!source_.stop_requested()) return status;
  std::fflush(nullptr);
  std::_Exit(status);
}

InterruptWatcher::~InterruptWatcher() { ::pthread_kill(thread_.native_handle(), SIGUSR1); }

Terminal::Terminal(bool quiet, std::string program)
    : quiet_(quiet),
      program_(std::move(program)),
      shows_bar_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

Terminal::~Terminal() { clearBar(); }

void Terminal::clearBar() {
  if (!bar_drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  bar_drawn_ = false;
}

void Terminal::warn(const std::string& sentence) {
  if (quiet_ || !warned_.insert(sentence).second) return;
  if (listener_) return listener_(sentence);
  clearBar();
  fmt::print(stderr, "{}: warning: {}\n", program_, oneLine(sentence));
}

void Terminal::note(const std::string& sentence) {
  if (quiet_ || mute_) return;
  if (listener_) return listener_(sentence);
  clearBar();
  fmt::print(stderr, "{}: {}\n", program_, oneLine(sentence));
}

void Terminal::error(const std::string& sentence) {
  if (mute_) return;
  clearBar();
  const std::lock_guard lock(speech);
  said_something = true;
  fmt::print(stderr, "{}: {}\n", program_, oneLine(sentence));
}

void Terminal::progress(const Progress& progress) {
  if (!shows_bar_ || progress.total <= 0) return;
  const bool next = progress.stage != stage_;
  if (next) {
    stage_ = progress.stage;
    pace_ = PaceMeter();
  }
  pace_.add(progress.done, progress.total);
  if (!pace_.isDue() && !next) return;
  const double share = std::clamp(static_cast<double>(progress.done) / progress.total, 0.0, 1.0);
  std::string tail = fmt::format(" {}/{}", progress.done, progress.total);
  if (pace_.seconds() > 1 && pace_.perSecond() > 0) {
    tail += fmt::format("  {} left", duration(pace_.secondsLeft()));
  }
  const int room = terminalColumns() - static_cast<int>(stage_.size() + tail.size()) - 4;
  const int width = std::clamp(room, 0, 40);
  const int filled = static_cast<int>(share * width);
  fmt::print(stderr, "\r\x1b[K{} [{}{}]{}", stage_, std::string(filled, '='),
             std::string(width - filled, ' '), tail);
  std::fflush(stderr);
  bar_drawn_ = true;
  if (progress.done >= progress.total) clearBar();
}

ProgressCallback Terminal::callback() {
  return [this](const Progress& p) { progress(p); };
}

}  // namespace adamerge::cli
