// SPDX-License-Identifier: GPL-3.0-or-later
// PruneSID's share of each group of tokens (more-methods, section 1, step 6).
#pragma once

#include <vector>

namespace adamerge {

/// Tokens kept of each group, `keep` in all: at least one of each that has any, else by how many
/// were `taken` before suppression ended. `sizes` add up to more than `keep`.
std::vector<int> groupQuotas(const std::vector<int>& sizes, const std::vector<int>& taken,
                             int keep);

}  // namespace adamerge
