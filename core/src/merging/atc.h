// SPDX-License-Identifier: GPL-3.0-or-later
// ATC's bottom-up clustering (Haurum et al., Agglomerative Token Clustering, ECCV 2024, Sec. 3).
#pragma once

#include <cstdint>
#include <vector>

#include "adamerge/result.h"

namespace adamerge {

enum class Linkage { kAverage, kComplete, kSingle };

struct Clustering {
  std::vector<std::int64_t> cluster;  ///< per member the lowest member of its cluster
  std::vector<ClusterJoin> joins;     ///< in the order in which they were made
};

/// Joins the two clusters of least distance until `count` are left; of equal distances the pair
/// with the lowest first, then the lowest second lowest member. `distances`: symmetric [n, n], row
/// by row, finite. `whole_tree`: `joins` go on to the root.
/// Throws Cancelled; see StopWithin.
Clustering clustered(std::vector<double> distances, std::int64_t n, Linkage linkage,
                     std::int64_t count, bool whole_tree = false);

}  // namespace adamerge
