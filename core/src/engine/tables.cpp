// SPDX-License-Identifier: GPL-3.0-or-later
// The trace as tables, RFC 4180.
#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "adamerge/report.h"
#include "adamerge/result.h"

namespace adamerge {
namespace {

std::string cell(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? fmt::format("{}", *value) : std::string();
}

/// Per group, as numbered in `groups`, the patch that stands for it.
std::vector<int> patchOfGroup(const std::vector<int>& groups, const std::vector<int>& survivors) {
  std::vector<int> patches(groups.size(), -1);
  for (std::size_t patch = 0; patch < groups.size(); ++patch) {
    patches[static_cast<std::size_t>(groups[patch])] = survivors[patch];
  }
  return patches;
}

}  // namespace

std::string traceCsv(const ImageResult& result) {
  std::string csv = "block,tokens_in,tokens_out,merged,redundancy,mu,sigma,z\r\n";
  for (const LayerTrace& layer : result.layers) {
    csv += fmt::format("{},{},{},{},{},{},{},{}\r\n", layer.index + 1, layer.tokens_in,
                       layer.tokens_out, layer.merged, cell(layer.redundancy), cell(layer.mu),
                       cell(layer.sigma), cell(layer.z));
  }
  return csv;
}

std::string mergesCsv(const ImageResult& result) {
  std::string csv =
      "block,source_group,destination_group,source_patch,destination_patch,similarity\r\n";
  if (result.layers.empty()) return csv;
  std::vector<int> patches(result.layers.front().groups.size());
  std::iota(patches.begin(), patches.end(), 0);
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    const LayerTrace& layer = result.layers[i];
    // Checks the merges of this block, too.
    const std::vector<int> survivors = survivingPatches(result.layers, static_cast<int>(i));
    for (const GroupMerge& merge : layer.merges) {
      csv += fmt::format(
          "{},{},{},{},{},{}\r\n", layer.index + 1, merge.source, merge.destination,
          patches[static_cast<std::size_t>(merge.source)],
          patches[static_cast<std::size_t>(merge.destination)],
          std::isfinite(merge.similarity) ? fmt::format("{}", merge.similarity) : std::string());
    }
    if (!layer.restored) patches = patchOfGroup(layer.groups, survivors);
  }
  return csv;
}

}  // namespace adamerge
