// SPDX-License-Identifier: GPL-3.0-or-later
// The lenses' raw numbers as safetensors: 8 bytes of header length, a JSON header, the data in its
// order. Shapes are known before anything is computed, so that data is written as it comes.
#include <fmt/format.h>

#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "adamerge/error.h"
#include "adamerge/lenses.h"
#include "lenses/parts.h"
#include "support/files.h"

namespace adamerge {
namespace {

using Header = nlohmann::ordered_json;
using Shape = std::vector<std::int64_t>;

constexpr std::size_t kNumberBytes = 4;  ///< of F32 and I32
constexpr std::size_t kAlignment = 8;    ///< of the data's beginning

struct FileEntry {
  std::string name;
  const char* type;
  Shape shape;
};

std::size_t countOf(const Shape& shape) {
  std::size_t count = 1;
  for (const std::int64_t side : shape) count *= static_cast<std::size_t>(side);
  return count;
}

std::vector<FileEntry> entriesOf(const Recording& run, const std::vector<int>& blocks) {
  const std::int64_t patches = run.patches();
  const std::int64_t width = run.width();
  std::vector<FileEntry> entries;
  for (const int block : blocks) {
    const auto add = [&](const char* name, const char* type, Shape shape) {
      entries.push_back({fmt::format("block.{}.{}", block, name), type, std::move(shape)});
    };
    const auto tokens = static_cast<std::int64_t>(run.attentionTokens(block).sizes.size());
    add("attention", "F32", {run.heads(), tokens, tokens});
    add("groups_in", "I32", {patches});
    add("sizes_in", "F32", {tokens});
    add("groups_out", "I32", {patches});
    add("entropy", "F32", {run.heads()});
    add("features", "F32", {patches, width});
    add("change", "F32", {patches});
    add("basis", "F32", {3, width});
    add("basis_mean", "F32", {width});
    add("basis_range", "F32", {2, 3});
    add("components", "F32", {patches, 3});
  }
  entries.push_back({"rollout", "F32", {patches}});
  if (run.prefix() > 0) entries.push_back({"rollout_prefix", "F32", {run.prefix()}});
  return entries;
}

std::string headerOf(const std::vector<FileEntry>& entries, const Recording& run,
                     const TensorsSubject& subject) {
  Header header;
  header["__metadata__"] = {{"format", "adamerge-tensors"},
                            {"version", "1"},
                            {"method", subject.method},
                            {"settings", subject.settings},
                            {"model", subject.model},
                            {"image", subject.image},
                            {"grid", fmt::format("[{}, {}]", run.gridHeight(), run.gridWidth())},
                            {"prefix_tokens", std::to_string(run.prefix())}};
  std::size_t offset = 0;
  for (const FileEntry& entry : entries) {
    const std::size_t end = offset + kNumberBytes * countOf(entry.shape);
    header[entry.name] = {
        {"dtype", entry.type}, {"shape", entry.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump(-1, ' ', false, Header::error_handler_t::replace);
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return text;
}

/// Writes the data in the entries' order and checks that it is theirs.
class DataWriter {
 public:
  DataWriter(const std::vector<FileEntry>& entries, const WriteBytes& write)
      : entries_(entries), write_(write) {}

  template <typename Number>
  void add(std::string_view name, const Number* values, std::size_t count) {
    static_assert(sizeof(Number) == kNumberBytes);
    const FileEntry& entry = entries_[next_++];
    if (!entry.name.ends_with(name) || countOf(entry.shape) != count) {
      throw Error(
          fmt::format("{} has {} numbers instead of {}", entry.name, count, countOf(entry.shape)));
    }
    write_({reinterpret_cast<const char*>(values), count * kNumberBytes});
  }
  template <typename Values>
  void add(std::string_view name, const Values& values) {
    add(name, values.data(), values.size());
  }

 private:
  const std::vector<FileEntry>& entries_;
  const WriteBytes& write_;
  std::size_t next_ = 0;
};

void addBlock(DataWriter& data, const Recording& run, const Recording& unmerged, int block,
              const std::stop_token& stop) {
  {
    const AttentionMaps maps = run.attention(block, stop);
    data.add("attention", maps.weights);
    data.add("groups_in", maps.seen.groups);
    data.add("sizes_in", maps.seen.sizes);
    data.add("groups_out", run.groupsAfter(block));
    data.add("entropy", entropy(maps));
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
  const std::vector<FileEntry> entries = entriesOf(run, blocks);
  const std::string header = headerOf(entries, run, subject);
  writeFileInParts(path, [&](const WriteBytes& write) {
    const std::uint64_t length = header.size();
    write({reinterpret_cast<const char*>(&length), sizeof length});
    write(header);
    DataWriter data(entries, write);
    for (const int block : blocks) addBlock(data, run, unmerged, block, stop);
    const Rollout all = rollout(run, stop);
    data.add("rollout", all.patches);
    if (!all.prefix.empty()) data.add("rollout_prefix", all.prefix);
  });
}

}  // namespace adamerge
