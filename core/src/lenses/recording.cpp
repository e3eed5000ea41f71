// SPDX-License-Identifier: GPL-3.0-or-later
// What a recorded run tells, and its raw numbers as safetensors. Their shapes are known before
// anything is computed, so that data is written as it comes.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/lenses.h"
#include "engine/vit.h"
#include "kernels/parallel.h"
#include "lenses/parts.h"
#include "support/files.h"
#include "weights/safetensors.h"

namespace adamerge {
namespace {

const BlockRecord& blockOf(const Recording& run, int block) {
  const std::vector<BlockRecord>& blocks = run.state().blocks;
  if (block < 0 || static_cast<std::size_t>(block) >= blocks.size()) {
    throw Error(fmt::format("block {} is not there: the model has blocks 0 to {}", block,
                            static_cast<int>(blocks.size()) - 1));
  }
  return blocks[static_cast<std::size_t>(block)];
}

const VitConfig& configOf(const Recording& run) { return run.state().network->config(); }

std::size_t tensorBytes(const at::Tensor& tensor) {
  return static_cast<std::size_t>(tensor.numel()) * tensor.element_size();
}

std::vector<int> standingGroups(const ImageState& tokens) {
  std::vector<int> groups = tokens.patchTokens();
  for (std::size_t patch = 0; patch < groups.size(); ++patch) {
    if (!tokens.stands()[patch]) groups[patch] = -1;
  }
  return groups;
}

}  // namespace

TokenMembership membershipOf(const ImageState& tokens) {
  TokenMembership membership{standingGroups(tokens), {}};
  membership.sizes.assign(static_cast<std::size_t>(tokens.tokens()), 0.0F);
  std::fill_n(membership.sizes.begin(), tokens.prefix(), 1.0F);
  for (const int token : membership.groups) {
    if (token >= 0) ++membership.sizes[static_cast<std::size_t>(token)];
  }
  return membership;
}

Recording::Recording(std::unique_ptr<const State> state) : state_(std::move(state)) {}
Recording::~Recording() = default;

int Recording::blocks() const { return static_cast<int>(state_->blocks.size()); }
int Recording::heads() const {
  const VitConfig& config = configOf(*this);
  return config.mixesByFourier() ? 0 : config.heads * config.branches;
}
int Recording::prefix() const { return configOf(*this).prefixTokens(); }
bool Recording::hasClassToken() const { return configOf(*this).class_token; }
int Recording::gridHeight() const { return configOf(*this).gridHeight(); }
int Recording::gridWidth() const { return configOf(*this).gridWidth(); }
int Recording::width() const { return configOf(*this).dim; }

std::size_t Recording::bytes() const {
  std::size_t bytes = 0;
  for (const BlockRecord& block : state_->blocks) {
    bytes += tensorBytes(block.output);
    for (const at::Tensor& input : block.inputs) bytes += tensorBytes(input);
  }
  return bytes;
}

TokenMembership Recording::attentionTokens(int block) const {
  return membershipOf(blockOf(*this, block).seen);
}

std::vector<int> Recording::groupsAfter(int block) const {
  return standingGroups(*blockOf(*this, block).after);
}

AttentionMaps Recording::attention(int block, const std::stop_token& stop) const {
  const BlockRecord& record = blockOf(*this, block);
  throwIfStopped(stop);
  if (attendsInWindows(*this)) {
    throw Error(
        "attention runs inside windows here: it is shown of one patch in its window, and there "
        "are no maps of all tokens");
  }
  AttentionMaps maps;
  maps.block = block;
  maps.grid_width = gridWidth();
  maps.heads = heads();
  maps.tokens = record.seen.tokens();
  maps.prefix = prefix();
  maps.seen = membershipOf(record.seen);
  const StopWithin within(stop);
  try {
    maps.weights =
        state_->network->attentionWeights(block, record, state_->proportional, state_->position);
  } catch (const c10::Error& error) {
    throw Error(fmt::format("the attention of block {} could not be computed: {}", block,
                            error.what_without_backtrace()));
  }
  throwIfStopped(stop);
  return maps;
}

bool attendsInWindows(const Recording& run) { return configOf(run).isWindowed(); }
bool hasAttentionMaps(const Recording& run) { return run.heads() > 0 && !attendsInWindows(run); }

WindowLooks windowLooks(const Recording& run, int block, int patch, bool looked_at,
                        const std::stop_token& stop) {
  const BlockRecord& record = blockOf(run, block);
  const Recording::State& state = run.state();
  const at::Tensor& entry =
      block == 0 ? record.inputs.front() : state.blocks[static_cast<std::size_t>(block) - 1].output;
  try {
    return state.network->windowLooks(block, entry, record.windows, state.proportional,
                                      state.position, patch, looked_at, stop);
  } catch (const c10::Error& error) {
    throw Error(fmt::format("the attention of block {} could not be computed: {}", block,
                            error.what_without_backtrace()));
  }
}

LensMap mapOf(const WindowLooks& looks, int head) {
  LensMap map;
  map.hatched.assign(looks.heads.front().size(), false);
  if (head >= 0) {
    map.values = looks.heads[static_cast<std::size_t>(head)];
    return map;
  }
  for (std::size_t patch = 0; patch < map.hatched.size(); ++patch) {
    double sum = 0;
    for (const std::vector<float>& own : looks.heads) sum += own[patch];
    map.values.push_back(static_cast<float>(sum / static_cast<double>(looks.heads.size())));
  }
  return map;
}

std::vector<float> Recording::features(int block) const {
  const BlockRecord& record = blockOf(*this, block);
  const c10::InferenceMode guard;
  const at::Tensor tokens = record.output.to(at::kCPU, at::kFloat).contiguous();
  const auto* values = tokens.data_ptr<float>();
  std::vector<float> features;
  features.reserve(static_cast<std::size_t>(patches()) * static_cast<std::size_t>(width()));
  for (const int token : record.after->patchTokens()) {
    const float* row = values + static_cast<std::int64_t>(token) * tokens.size(1);
    features.insert(features.end(), row, row + tokens.size(1));
  }
  return features;
}

std::shared_ptr<const ClassMap> Recording::classes() const { return state_->classes; }

std::shared_ptr<const ComponentBasis> Recording::components(int block) const {
  blockOf(*this, block);
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->components.find(block);
    if (found != state_->components.end()) return found->second;
  }
  auto basis = std::make_shared<const ComponentBasis>(
      principalComponents(features(block), patches(), width()));
  const std::lock_guard lock(state_->mutex);
  return state_->components.try_emplace(block, std::move(basis)).first->second;
}

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
