// SPDX-License-Identifier: GPL-3.0-or-later
#include "calls.h"

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace adamerge::python {
namespace {

namespace py = pybind11;

/// So soon after a signal the work is asked to stop.
constexpr std::chrono::milliseconds kBetweenSignals{10};

/// A thread that does the main thread's work, one piece after another.
class Helper {
 public:
  Helper() : thread_([this] { serve(); }) {}
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  bool busy() const { return work_ != nullptr; }

  void start(const std::function<void()>& work) {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    changed_.notify_all();
  }

  /// Whether it is done.
  bool wait(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, at_most, [this] { return work_ == nullptr; });
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return work_ != nullptr; });
      lock.unlock();
      (*work_)();
      lock.lock();
      work_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;  ///< null: none is to be done
  std::thread thread_;
};

/// This process's. A fork's child has no thread of its parent's but the one that forked, so it gets
/// another. Never destroyed: Python ends with the thread asleep.
Helper& helper() {
  static Helper* own = nullptr;
  static pid_t process = 0;
  if (process != ::getpid()) {
    own = new Helper;
    process = ::getpid();
  }
  return *own;
}

}  // namespace

void runCall(const std::function<void(const std::stop_token&)>& work) {
  if (::getpid() != ::gettid() || helper().busy()) {
    const py::gil_scoped_release released;
    work({});
    return;
  }
  std::stop_source stop;
  std::exception_ptr failure;
  std::exception_ptr interruption;
  {
    const py::gil_scoped_release released;
    const std::function<void()> guarded = [&] {
      try {
        work(stop.get_token());
      } catch (...) {
        failure = std::current_exception();
      }
    };
    helper().start(guarded);
    while (!helper().wait(kBetweenSignals)) {
      const py::gil_scoped_acquire held;
      if (interruption || PyErr_CheckSignals() == 0) continue;
      interruption = std::make_exception_ptr(py::error_already_set());
      stop.request_stop();
    }
  }
  if (interruption) std::rethrow_exception(interruption);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace adamerge::python
