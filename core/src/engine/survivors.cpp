// SPDX-License-Identifier: GPL-3.0-or-later
// Which patch's token stands for a group: merges only name groups, so their history is followed.
#include <fmt/format.h>

#include <numeric>

#include "adamerge/error.h"
#include "adamerge/trace.h"

namespace adamerge {
namespace {

constexpr int kNobody = -1;

[[noreturn]] void failInconsistent(int layer) {
  throw Error(fmt::format("the trace of layer {} does not fit the one before it", layer));
}

/// Where each group of the map on entry ends up, itself numbered as on entry.
std::vector<int> destinations(const LayerTrace& trace, int layer, std::size_t groups) {
  std::vector<int> next(groups);
  std::iota(next.begin(), next.end(), 0);
  const auto known = [&](int group) {
    return group >= 0 && static_cast<std::size_t>(group) < groups;
  };
  for (const GroupMerge& merge : trace.merges) {
    if (!known(merge.source) || !known(merge.destination)) failInconsistent(layer);
    next[static_cast<std::size_t>(merge.source)] = merge.destination;
  }
  std::vector<int> end(groups);
  for (std::size_t group = 0; group < groups; ++group) {
    int at = static_cast<int>(group);
    for (std::size_t steps = 0; next[static_cast<std::size_t>(at)] != at; ++steps) {
      if (steps > groups) failInconsistent(layer);
      at = next[static_cast<std::size_t>(at)];
    }
    end[group] = at;
  }
  return end;
}

}  // namespace

std::vector<int> survivingPatches(const std::vector<LayerTrace>& layers, int layer) {
  if (layer < 0 || static_cast<std::size_t>(layer) >= layers.size()) {
    throw Error(
        fmt::format("layer {} is out of range: the trace has {} layers", layer, layers.size()));
  }
  const std::size_t patches = layers.front().groups.size();
  std::vector<int> entry(patches);
  std::iota(entry.begin(), entry.end(), 0);
  std::vector<int> survivor_of_group = entry;
  for (int index = 0; index <= layer; ++index) {
    const LayerTrace& trace = layers[static_cast<std::size_t>(index)];
    if (trace.groups.size() != patches) failInconsistent(index);
    const std::vector<int> end = destinations(trace, index, survivor_of_group.size());
    std::vector<int> survivors(patches, kNobody);
    for (std::size_t patch = 0; patch < patches; ++patch) {
      const int group = trace.groups[patch];
      if (group < 0 || static_cast<std::size_t>(group) >= patches) failInconsistent(index);
      int& survivor = survivors[static_cast<std::size_t>(group)];
      if (survivor != kNobody) continue;
      const auto reached = static_cast<std::size_t>(end[static_cast<std::size_t>(entry[patch])]);
      survivor = survivor_of_group[reached];
      if (survivor == kNobody) failInconsistent(index);
    }
    survivor_of_group = std::move(survivors);
    entry = trace.groups;
  }
  std::vector<int> result(patches);
  for (std::size_t patch = 0; patch < patches; ++patch) {
    result[patch] = survivor_of_group[static_cast<std::size_t>(entry[patch])];
  }
  return result;
}

std::vector<PatchFate> patchFates(const std::vector<int>& survivors) {
  std::vector<int> members(survivors.size(), 0);
  for (const int survivor : survivors) ++members.at(static_cast<std::size_t>(survivor));
  std::vector<PatchFate> fates(survivors.size());
  for (std::size_t patch = 0; patch < survivors.size(); ++patch) {
    if (survivors[patch] != static_cast<int>(patch)) {
      fates[patch] = PatchFate::kMerged;
    } else {
      fates[patch] = members[patch] > 1 ? PatchFate::kAbsorbed : PatchFate::kUntouched;
    }
  }
  return fates;
}

}  // namespace adamerge
