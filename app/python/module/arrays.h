// SPDX-License-Identifier: GPL-3.0-or-later
// Merging methods on keys at hand, without a network.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "options.h"

namespace adamerge::python {

/// Where the tokens come from that are merged.
struct MergePlace {
  int prefix = 0;                           ///< tokens that stay: class and register tokens
  std::optional<std::pair<int, int>> grid;  ///< rows and columns of patches; nullopt: a square
  int block = 0;
  int depth = 12;
  /// Per patch the patch token that it is in, from 0, as `groups` of an earlier merge; nullopt:
  /// each is its own.
  std::optional<std::vector<int>> groups;
};

/// `keys`: [tokens, width], or [images, tokens, width] with equal places; `dtype` is float16,
/// bfloat16 (as the integers of their bits, which buffers know), float32 or float64. They are read
/// where they lie. One
/// dict an image; docs/traces.md names its entries. Throws Error: a method that needs more than
/// keys, settings, shapes, numbers that are not finite.
std::vector<pybind11::dict> merge(const pybind11::buffer& keys, const std::string& dtype,
                                  const std::string& method, const cli::WrittenSettings& settings,
                                  const MergePlace& place);

}  // namespace adamerge::python
