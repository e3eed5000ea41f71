// SPDX-License-Identifier: GPL-3.0-or-later
// The lenses' raw numbers as safetensors. Shapes are known before anything is computed, so that
// data is written as it comes.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/lenses.h"
#include "lenses/parts.h"
#include "support/files.h"
#include "weights/safetensors.h"

namespace adamerge {
namespace {

using Shape = std::vector<std::int64_t>;

constexpr std::size_t kNumberBytes = 4;  ///< of F32 and I32

/// In the order of the data.
std::vector<SafetensorsEntry> entriesOf(const Recording& run, const std::vector<int>& blocks) {
  const std::int64_t patches = run.patches();
  const std::int64_t width = run.width();
  std::vector<SafetensorsEntry> entries;
  const auto add = [&entries](std::string name, const char* type, Shape shape) {
    const std::uint64_t begin = entries.empty() ? 0 : entries.back().end;
    std::uint64_t bytes = kNumberBytes;
    for (const std::int64_t side : shape) bytes *= static_cast<std::uint64_t>(side);
    entries.push_back({std::move(name), type, at::ScalarType::Undefined, kNumberBytes,
                       std::move(shape), begin, begin + bytes});
  };
  for (const int block : blocks) {
    const auto of_block = [&](const char* name, const char* type, Shape shape) {
      add(fmt::format("block.{}.{}", block, name), type, std::move(shape));
    };
    const auto tokens = static_cast<std::int64_t>(run.attentionTokens(block).sizes.size());
    const bool maps = hasAttentionMaps(run);
    if (maps) of_block("attention", "F32", {run.heads(), tokens, tokens});
    of_block("groups_in", "I32", {patches});
    of_block("sizes_in", "F32", {tokens});
    of_block("groups_out", "I32", {patches});
    if (maps) of_block("entropy", "F32", {run.heads()});
    of_block("features", "F32", {patches, width});
    of_block("change", "F32", {patches});
    of_block("basis", "F32", {3, width});
    of_block("basis_mean", "F32", {width});
    of_block("basis_range", "F32", {2, 3});
    of_block("components", "F32", {patches, 3});
  }
  if (!hasAttentionMaps(run)) return entries;
  add("rollout", "F32", {patches});
  if (run.prefix() > 0) add("rollout_prefix", "F32", {run.prefix()});
  return entries;
}

SafetensorsMetadata metadataOf(const Recording& run, const TensorsSubject& subject) {
  return {{"format", "adamerge-tensors"},
          {"version", "1"},
          {"method", subject.method},
          {"settings", subject.settings},
          {"model", subject.model},
          {"image", subject.image},
          {"grid", fmt::format("[{}, {}]", run.gridHeight(), run.gridWidth())},
          {"prefix_tokens", std::to_string(run.prefix())}};
}

/// Writes the data in the entries' order and checks that it is theirs.
class DataWriter {
 public:
  DataWriter(const std::vector<SafetensorsEntry>& entries, const WriteBytes& write)
      : entries_(entries), write_(write) {}

  template <typename Number>
  void add(std::string_view name, const Number* values, std::size_t count) {
    static_assert(sizeof(Number) == kNumberBytes);
    const SafetensorsEntry& entry = entries_[next_++];
    const std::uint64_t wanted = (entry.end - entry.begin) / kNumberBytes;
    if (!entry.name.ends_with(name) || wanted != count) {
      throw Error(fmt::format("{} has {} numbers instead of {}", entry.name, count, wanted));
    }
    write_({reinterpret_cast<const char*>(values), count * kNumberBytes});
  }
  template <typename Values>
  void add(std::string_view name, const Values& values) {
    add(name, values.data(), values.size());
  }

 private:
  const std::vector<SafetensorsEntry>& entries_;
  const WriteBytes& write_;
  std::size_t next_ = 0;
};

void addBlock(DataWriter& data, const Recording& run, const Recording& unmerged, int block,
              const std::stop_token& stop) {
  {
    std::optional<AttentionMaps> maps;
    if (hasAttentionMaps(run)) maps = run.attention(block, stop);
    if (maps) data.add("attention", maps->weights);
    const TokenMembership seen = run.attentionTokens(block);
    data.add("groups_in", seen.groups);
    data.add("sizes_in", seen.sizes);
    data.add("groups_out", run.groupsAfter(block));
    if (maps) data.add("entropy", entropy(*maps));
  }
  const std::vector<float> features = run.features(block);
  data.add("features", features);
  data.add("change", featureChange(run, unmerged, block).patches);
  throwIfStopped(stop);
  const std::shared_ptr<const ComponentBasis> basis = unmerged.components(block);
  data.add("basis", basis->vectors);
  data.add("basis_mean", basis->mean);
  std::vector<float> range(basis->low.begin(), basis->low.end());
  range.insert(range.end(), basis->high.begin(), basis->high.end());
  data.add("basis_range", range);
  data.add("components", scoresOn(*basis, features, run.patches(), run.width()));
}

}  // namespace

void writeTensors(const std::filesystem::path& path, const Recording& run,
                  const Recording& unmerged, const std::vector<int>& blocks,
                  const TensorsSubject& subject, const std::stop_token& stop) {
  const std::vector<SafetensorsEntry> entries = entriesOf(run, blocks);
  writeFileInParts(path, [&](const WriteBytes& write) {
    write(encodeSafetensorsHeader(entries, metadataOf(run, subject)));
    DataWriter data(entries, write);
    for (const int block : blocks) addBlock(data, run, unmerged, block, stop);
    if (!hasAttentionMaps(run)) return;
    const Rollout all = rollout(run, stop);
    data.add("rollout", all.patches);
    if (!all.prefix.empty()) data.add("rollout_prefix", all.prefix);
  });
}

}  // namespace adamerge
