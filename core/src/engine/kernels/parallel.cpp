// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/parallel.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <vector>

#include "engine/kernels/worker_team.h"

namespace adamerge {
namespace {

/// More parts than threads: whoever is held up by another program takes fewer.
constexpr std::int64_t kPartsPerThread = 3;

WorkerTeam& team() {
  static WorkerTeam team([] {
    at::get_num_threads();  // the first call of a thread sets what the next line must overrule
    omp_set_num_threads(1);
  });
  return team;
}

/// 0: as LibTorch says.
thread_local int threads_of_caller = 0;

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

void parallelFor(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work) {
  if (count <= 0) return;
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
  team().run(threads - 1, [&](int thread) {
    // Each thread's own parts first: what they need is likely in its cache.
    const std::int64_t own = parts * thread / threads;
    for (std::int64_t i = 0; i < parts; ++i) {
      const std::int64_t part = (own + i) % parts;
      if (taken[static_cast<std::size_t>(part)].exchange(true)) continue;
      try {
        work(count * part / parts, count * (part + 1) / parts);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  });
  if (failure) std::rethrow_exception(failure);
}

}  // namespace adamerge
