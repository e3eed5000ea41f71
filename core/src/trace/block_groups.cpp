// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "adamerge/error.h"
#include "trace/trace_reading.h"

namespace adamerge {
namespace {

constexpr std::int64_t kDropped = -1;

void checkGroups(const BlockGroups& block, std::size_t index, const std::string& where) {
  const auto patches = static_cast<std::int64_t>(block.groups.size());
  for (std::int64_t patch = 0; patch < patches; ++patch) {
    const auto at = static_cast<std::size_t>(patch);
    const std::int64_t group = block.groups[at];
    if (group < kDropped || group >= patches) {
      throw Error(
          fmt::format("{}: block {} puts patch {} into group {}; 0 to {} are possible, and "
                      "-1 for a dropped one",
                      where, index, patch, group, patches - 1));
    }
    if (block.survivors.empty() || group == kDropped) continue;
    const std::int64_t survivor = block.survivors[at];
    if (survivor < 0 || survivor >= patches ||
        block.groups[static_cast<std::size_t>(survivor)] != group) {
      throw Error(
          fmt::format("{}: block {} says that patch {} stands for the token of patch {}, "
                      "which is of another group",
                      where, index, survivor, patch));
    }
  }
}

/// Whether every token of `before` is, in `now`, part of one token or dropped, and none comes back.
bool joins(const BlockGroups& before, const BlockGroups& now) {
  std::map<std::int64_t, std::int64_t> went;
  for (std::size_t patch = 0; patch < now.groups.size(); ++patch) {
    const std::int64_t group = before.groups[patch];
    if (group == kDropped) {
      if (now.groups[patch] != kDropped) return false;
      continue;
    }
    if (went.try_emplace(group, now.groups[patch]).first->second != now.groups[patch]) return false;
  }
  return true;
}

/// The tokens on entry to a block: of each patch its number, and of each number who stands for it.
struct Entry {
  std::vector<int> groups;
  std::vector<std::int64_t> survivors;
  std::vector<bool> dropped;
};

/// Dense, by first appearance. Dropped patches keep company as before.
std::vector<int> numberedAnew(const BlockGroups& block, const Entry& entry) {
  std::map<std::pair<bool, std::int64_t>, int> numbers;
  std::vector<int> groups;
  for (std::size_t patch = 0; patch < block.groups.size(); ++patch) {
    const std::int64_t group = block.groups[patch];
    const auto key = group == kDropped ? std::pair(true, std::int64_t{entry.groups[patch]})
                                       : std::pair(false, group);
    groups.push_back(numbers.try_emplace(key, static_cast<int>(numbers.size())).first->second);
  }
  return groups;
}

LayerTrace layerOf(const BlockGroups& block, std::size_t index, bool restored, const Entry& entry,
                   const std::string& where) {
  LayerTrace layer;
  layer.index = static_cast<int>(index);
  layer.restored = restored;
  layer.groups = numberedAnew(block, entry);
  const std::size_t patches = block.groups.size();
  // Where the token went that each group was on entry, by the file's numbers.
  std::map<std::int64_t, int> destinations;
  for (std::size_t patch = 0; patch < patches; ++patch) {
    const std::int64_t group = block.groups[patch];
    if (group == kDropped) {
      if (!entry.dropped[patch]) layer.dropped.push_back(static_cast<int>(patch));
      continue;
    }
    const std::int64_t survivor =
        block.survivors.empty() ? entry.survivors[static_cast<std::size_t>(entry.groups[patch])]
                                : block.survivors[patch];
    const int destination = entry.groups[static_cast<std::size_t>(survivor)];
    if (entry.survivors[static_cast<std::size_t>(destination)] != survivor) {
      throw Error(fmt::format(
          "{}: block {} says that patch {} stands for the token of patch {}, but "
          "patch {} stood for its token before",
          where, index, survivor, patch, entry.survivors[static_cast<std::size_t>(destination)]));
    }
    const auto [known, first] = destinations.try_emplace(group, destination);
    if (!first && !block.survivors.empty() && known->second != destination) {
      throw Error(fmt::format("{}: block {} names two patches for one token", where, index));
    }
  }
  std::vector<bool> seen(patches, false);
  for (std::size_t patch = 0; patch < patches; ++patch) {
    const int source = entry.groups[patch];
    if (block.groups[patch] == kDropped || seen[static_cast<std::size_t>(source)]) continue;
    seen[static_cast<std::size_t>(source)] = true;
    const int destination = destinations.at(block.groups[patch]);
    // No file says how alike they were.
    if (destination != source) {
      layer.merges.push_back({source, destination, std::numeric_limits<float>::quiet_NaN()});
    }
  }
  layer.tokens_out = static_cast<int>(destinations.size());
  return layer;
}

Entry untouched(std::size_t patches) {
  Entry entry;
  entry.groups.resize(patches);
  std::iota(entry.groups.begin(), entry.groups.end(), 0);
  entry.survivors.assign(entry.groups.begin(), entry.groups.end());
  entry.dropped.assign(patches, false);
  return entry;
}

Entry after(const LayerTrace& layer, const BlockGroups& block, const Entry& entry) {
  Entry next{layer.groups, std::vector<std::int64_t>(entry.groups.size(), 0), entry.dropped};
  std::vector<int> into(entry.groups.size());
  std::iota(into.begin(), into.end(), 0);
  for (const GroupMerge& merge : layer.merges) {
    into[static_cast<std::size_t>(merge.source)] = merge.destination;
  }
  for (std::size_t patch = 0; patch < block.groups.size(); ++patch) {
    next.survivors[static_cast<std::size_t>(layer.groups[patch])] =
        entry.survivors[static_cast<std::size_t>(
            into[static_cast<std::size_t>(entry.groups[patch])])];
    next.dropped[patch] = block.groups[patch] == kDropped;
  }
  return next;
}

}  // namespace

std::vector<LayerTrace> layersOf(const std::vector<BlockGroups>& blocks, int prefix_tokens,
                                 const std::string& where) {
  bool nested = true;
  for (std::size_t index = 0; index < blocks.size(); ++index) {
    checkGroups(blocks[index], index, where);
    nested = nested && blocks[index].window.empty() &&
             (index == 0 || joins(blocks[index - 1], blocks[index]));
  }
  const std::size_t patches = blocks.front().groups.size();
  Entry entry = untouched(patches);
  int tokens = static_cast<int>(patches) + prefix_tokens;
  std::vector<LayerTrace> layers;
  for (std::size_t index = 0; index < blocks.size(); ++index) {
    const BlockGroups& block = blocks[index];
    LayerTrace layer = layerOf(block, index, !nested, entry, where);
    layer.tokens_out += prefix_tokens;
    layer.tokens_inside = nested ? 0 : layer.tokens_out;
    layer.tokens_in = tokens;
    layer.window = block.window;
    if (block.tokens_in) {
      const auto most = static_cast<std::int64_t>(patches) + prefix_tokens;
      if (*block.tokens_in < 1 || *block.tokens_in > most) {
        throw Error(fmt::format("{}: block {} takes in {} tokens; 1 to {} are possible", where,
                                index, *block.tokens_in, most));
      }
      layer.tokens_in = static_cast<int>(*block.tokens_in);
    }
    layer.merged = std::max(0, layer.tokens_in - layer.tokens_out);
    if (!nested) layer.tokens_out = layer.tokens_in;  // all are there again
    tokens = layer.tokens_out;
    if (nested) entry = after(layer, block, entry);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace adamerge
