// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/parallel.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <exception>

namespace adamerge {
namespace {

/// More parts than threads: whoever is held up by another program takes fewer.
constexpr std::int64_t kPartsPerThread = 3;

}  // namespace

void parallelFor(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work) {
  if (count <= 0) return;
  const auto threads = static_cast<int>(std::min<std::int64_t>(at::get_num_threads(), count));
  if (threads == 1 || omp_in_parallel() != 0) {
    work(0, count);
    return;
  }
  const std::int64_t parts = std::min(count, kPartsPerThread * threads);
  std::exception_ptr failure;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (std::int64_t part = 0; part < parts; ++part) {
    try {
      work(count * part / parts, count * (part + 1) / parts);
    } catch (...) {
#pragma omp critical(adamerge_parallel_failure)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace adamerge
