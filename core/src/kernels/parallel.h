// SPDX-License-Identifier: GPL-3.0-or-later
// Threads for our kernels. LibTorch's own functions, where they take several threads, use OpenMP's.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

namespace adamerge {

/// How many threads parallelFor() takes: as at::get_num_threads() says, but for a LibTorchAside.
int parallelThreads();

/// While it lives, LibTorch's own functions keep to the calling thread and parallelFor() alone
/// takes several. OpenMP's threads spin when they are done, and beside another program a team of
/// them waits for whoever was put off the processor, many times over in a forward pass.
class LibTorchAside {
 public:
  LibTorchAside() : LibTorchAside(parallelThreads()) {}
  explicit LibTorchAside(int threads);  ///< parallelFor() takes so many
  ~LibTorchAside();
  LibTorchAside(const LibTorchAside&) = delete;
  LibTorchAside& operator=(const LibTorchAside&) = delete;

 private:
  int threads_before_;
  int openmp_before_;
};

/// While it lives, kernels that run for the calling thread end with Cancelled soon after `stop`
/// asks for it: a block of very many tokens takes minutes.
class StopWithin {
 public:
  explicit StopWithin(const std::stop_token& stop);
  ~StopWithin();
  StopWithin(const StopWithin&) = delete;
  StopWithin& operator=(const StopWithin&) = delete;

 private:
  const std::stop_token* before_;
};

/// For long work, some tens of milliseconds apart. Throws Cancelled.
void throwIfStopWithin();

/// Runs work(first, last) over parts of [0, count), on parallelThreads() threads, the calling one
/// among them; returns when all are done. Which thread gets what is not
/// fixed, so no index's result may depend on it. A call from within `work` runs on its own thread.
/// Throws what `work` throws, and Cancelled; see StopWithin.
void parallelFor(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work);

/// The same over rows with little work per element, on the calling thread alone where they are few.
void parallelForRows(std::int64_t rows, std::int64_t columns,
                     const std::function<void(std::int64_t, std::int64_t)>& work);

}  // namespace adamerge
