// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/parallel.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "adamerge/error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace adamerge {
namespace {

/// More parts than threads: whoever is held up by another program takes fewer.
constexpr std::int64_t kPartsPerThread = 3;
/// Elements below which another thread takes longer to wake up than to help.
constexpr std::int64_t kWorthAThread = 32768;

/// Longer than the pauses within a forward pass, far shorter than what the scheduler would notice.
/// By the clock, since a breath takes a dozen cycles on one processor and 140 on another.
constexpr std::chrono::microseconds kLookout{200};
constexpr int kLooksPerGlance = 64;

inline void breathe() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

/// Returns once `value` is no longer `old`.
void awaitChange(const std::atomic<int>& value, int old, bool awake) {
  const auto end = std::chrono::steady_clock::now() + kLookout;
  while (awake && std::chrono::steady_clock::now() < end) {
    for (int look = 0; look < kLooksPerGlance; ++look) {
      if (value.load(std::memory_order_acquire) != old) return;
      breathe();
    }
  }
  value.wait(old, std::memory_order_acquire);
}

/// Threads that help with one piece of work after another. A forward pass has some hundred of them,
/// each shorter than a sleeping thread takes to wake, so whoever has none looks out for the next
/// one for a moment before it sleeps. (OpenMP's threads do either only by an environment variable.)
class WorkerTeam {
 public:
  /// `start` is run by each new thread.
  explicit WorkerTeam(std::function<void()> start);
  /// Waits for the work in hand and for the threads to end.
  ~WorkerTeam();
  WorkerTeam(const WorkerTeam&) = delete;
  WorkerTeam& operator=(const WorkerTeam&) = delete;

  /// Runs work(0) on the calling thread and, as far as they are awake in time, work(1), work(2),
  /// ... on up to `helpers` others, always the same thread for the same number; returns when nobody
  /// runs it any more. work() must share out its parts by itself and throw nothing. While another
  /// caller has the team, runs work(0) alone.
  void run(int helpers, const std::function<void(int)>& work);

 private:
  /// Closed: nobody may join. Open: the number that have joined, and are to leave again.
  static constexpr int kClosed = 1 << 30;

  void hire(int count);
  void serve(int index);
  bool join(int index);
  void leave();

  std::function<void()> start_;
  std::mutex mutex_;  ///< held by the caller whose work is being done
  std::vector<std::thread> threads_;
  std::atomic<int> summons_ = 0;  ///< grows with every piece of work
  std::atomic<bool> stopping_ = false;
  std::atomic<int> joined_ = kClosed;
  int helpers_ = 0;                                 ///< written only while closed
  const std::function<void(int)>* work_ = nullptr;  ///< likewise
};

WorkerTeam::WorkerTeam(std::function<void()> start) : start_(std::move(start)) {}

WorkerTeam::~WorkerTeam() {
  // Threads that outlive main() would run on in what is being torn down.
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  summons_.fetch_add(1, std::memory_order_release);
  summons_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerTeam::run(int helpers, const std::function<void(int)>& work) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || helpers <= 0) {
    work(0);
    return;
  }
  hire(helpers);
  helpers_ = helpers;
  work_ = &work;
  joined_.store(0, std::memory_order_release);
  summons_.fetch_add(1, std::memory_order_release);
  summons_.notify_all();
  work(0);
  // Whoever has not come by now finds nothing to do, and is not waited for.
  for (int inside = joined_.fetch_add(kClosed, std::memory_order_acq_rel) + kClosed;
       inside != kClosed; inside = joined_.load(std::memory_order_acquire)) {
    awaitChange(joined_, inside, /*awake=*/true);
  }
}

void WorkerTeam::hire(int count) {
  while (threads_.size() < static_cast<std::size_t>(count)) {
    threads_.emplace_back(&WorkerTeam::serve, this, static_cast<int>(threads_.size()));
  }
}

bool WorkerTeam::join(int index) {
  int inside = joined_.load(std::memory_order_acquire);
  while (inside < kClosed) {
    if (!joined_.compare_exchange_weak(inside, inside + 1, std::memory_order_acq_rel)) continue;
    if (index < helpers_) return true;
    leave();
    return false;
  }
  return false;
}

void WorkerTeam::leave() {
  joined_.fetch_sub(1, std::memory_order_acq_rel);
  joined_.notify_all();
}

void WorkerTeam::serve(int index) {
  start_();
  // Of threads that share a core, one that waits awake keeps another from its work.
  const bool awake = index + 1 < static_cast<int>(std::thread::hardware_concurrency());
  int seen = 0;
  for (;;) {
    if (join(index)) {
      (*work_)(index + 1);
      leave();
    }
    awaitChange(summons_, seen, awake);
    seen = summons_.load(std::memory_order_acquire);
    if (stopping_) return;
  }
}

WorkerTeam& team() {
  static WorkerTeam team([] {
    at::get_num_threads();  // the first call of a thread sets what the next line must overrule
    omp_set_num_threads(1);
  });
  return team;
}

/// 0: as LibTorch says.
thread_local int threads_of_caller = 0;
/// Null: nobody asks.
thread_local const std::stop_token* stop_of_caller = nullptr;

}  // namespace

int parallelThreads() { return threads_of_caller > 0 ? threads_of_caller : at::get_num_threads(); }

LibTorchAside::LibTorchAside(int threads)
    : threads_before_(threads_of_caller), openmp_before_(omp_get_max_threads()) {
  threads_of_caller = threads;
  omp_set_num_threads(1);
}

LibTorchAside::~LibTorchAside() {
  omp_set_num_threads(openmp_before_);
  threads_of_caller = threads_before_;
}

StopWithin::StopWithin(const std::stop_token& stop)
    : before_(std::exchange(stop_of_caller, &stop)) {}

StopWithin::~StopWithin() { stop_of_caller = before_; }

void throwIfStopWithin() {
  if (stop_of_caller != nullptr) throwIfStopped(*stop_of_caller);
}

void parallelFor(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work) {
  if (count <= 0) return;
  throwIfStopWithin();
  const auto threads = static_cast<int>(std::min<std::int64_t>(parallelThreads(), count));
  if (threads == 1) {
    work(0, count);
    return;
  }
  const LibTorchAside within(1);
  const std::int64_t parts = std::min(count, kPartsPerThread * threads);
  std::vector<std::atomic<bool>> taken(static_cast<std::size_t>(parts));
  std::mutex mutex;
  std::exception_ptr failure;
  team().run(threads - 1, [&, stop = stop_of_caller](int thread) {
    const auto before = std::exchange(stop_of_caller, stop);
    // Each thread's own parts first: what they need is likely in its cache.
    const std::int64_t own = parts * thread / threads;
    for (std::int64_t i = 0; i < parts; ++i) {
      const std::int64_t part = (own + i) % parts;
      if (taken[static_cast<std::size_t>(part)].exchange(true)) continue;
      try {
        throwIfStopWithin();
        work(count * part / parts, count * (part + 1) / parts);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
    stop_of_caller = before;
  });
  if (failure) std::rethrow_exception(failure);
}

void parallelForRows(std::int64_t rows, std::int64_t columns,
                     const std::function<void(std::int64_t, std::int64_t)>& work) {
  if (rows * columns < kWorthAThread) {
    work(0, rows);
  } else {
    parallelFor(rows, work);
  }
}

}  // namespace adamerge
