// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/worker_team.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace adamerge {
namespace {

/// Some 200 microseconds: longer than the pauses within a forward pass, far shorter than
/// what the scheduler would notice.
constexpr int kLooks = 5000;

inline void breathe() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

/// Returns once `value` is no longer `old`.
void awaitChange(const std::atomic<int>& value, int old, bool awake) {
  for (int look = 0; awake && look < kLooks; ++look) {
    if (value.load(std::memory_order_acquire) != old) return;
    breathe();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

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

}  // namespace adamerge
