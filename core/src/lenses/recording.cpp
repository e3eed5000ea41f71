// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/recording.h"

#include <fmt/format.h>

#include "adamerge/error.h"
#include "engine/vit.h"
#include "kernels/parallel.h"
#include "lenses/parts.h"

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

}  // namespace adamerge
