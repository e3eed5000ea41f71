// SPDX-License-Identifier: GPL-3.0-or-later
// Threads for our kernels, see worker_team.h. LibTorch's own functions, where they take several
// threads, use OpenMP's.
#pragma once

#include <cstdint>
#include <functional>

namespace adamerge {

/// Runs work(first, last) over parts of [0, count), on as many threads as at::get_num_threads()
/// says, the calling one among them; returns when all are done. Which thread gets what is not
/// fixed, so no index's result may depend on it. A call from within `work` runs on its own thread.
/// Throws what `work` throws.
void parallelFor(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work);

}  // namespace adamerge
