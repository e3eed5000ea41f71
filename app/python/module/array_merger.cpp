// SPDX-License-Identifier: GPL-3.0-or-later
#include "array_merger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "adamerge/calibrate.h"
#include "merging/apply.h"

namespace adamerge::python {
namespace {

/// A model that has such tokens.
VitConfig modelOf(std::int64_t patches, std::int64_t width, const MergePlace& place) {
  const auto side = static_cast<int>(std::lround(std::sqrt(static_cast<double>(patches))));
  const auto [rows, columns] = place.grid.value_or(std::pair(side, side));
  if (std::int64_t{rows} * columns != patches) {
    throw Error(place.grid ? fmt::format("a grid of {} x {} has {} patches, and there are {}", rows,
                                         columns, std::int64_t{rows} * columns, patches)
                           : fmt::format("{} patches are no square: grid=(rows, columns) says how "
                                         "they lie",
                                         patches));
  }
  VitConfig vit;
  vit.patch_size = 1;
  vit.input_height = vit.position_grid_height = rows;
  vit.input_width = vit.position_grid_width = columns;
  vit.dim = static_cast<int>(width);
  vit.heads = 1;
  vit.depth = place.depth;
  vit.class_token = place.prefix > 0;
  vit.register_tokens = std::max(0, place.prefix - 1);
  return vit;
}

/// Whether a file is part of it, which may change.
bool namesFile(const MethodChoice& choice) {
  const MethodInfo& info = findMethod(choice.method);
  return choice.statistics != nullptr ||
         std::any_of(choice.settings.begin(), choice.settings.end(),
                     [&](const auto& entry) { return info.setting(entry.first)->is_path; });
}

/// The exponents in eight bytes of numbers of this type, and the lowest bit of each.
std::pair<std::uint64_t, std::uint64_t> exponents(at::ScalarType type) {
  switch (type) {
    case at::kHalf:
      return {0x7C007C007C007C00, 0x0400040004000400};
    case at::kBFloat16:
      return {0x7F807F807F807F80, 0x0080008000800080};
    case at::kFloat:
      return {0x7F8000007F800000, 0x0080000000800000};
    default:
      return {0x7FF0000000000000, 0x0010000000000000};
  }
}

/// As at::isfinite() has it, in one pass over what has no gaps.
bool allFinite(const at::Tensor& numbers) {
  if (!numbers.is_contiguous()) return at::isfinite(numbers).all().item<bool>();
  const auto [exponent, lowest] = exponents(numbers.scalar_type());
  const auto* const bytes = static_cast<const char*>(numbers.data_ptr());
  const std::size_t size = numbers.nbytes();
  std::uint64_t sums = 0;
  std::uint64_t eight = 0;
  std::size_t i = 0;
  // Only a full exponent carries into the sign.
  for (; i + sizeof(eight) <= size; i += sizeof(eight)) {
    std::memcpy(&eight, bytes + i, sizeof(eight));
    sums |= (eight & exponent) + lowest;
  }
  eight = 0;
  std::memcpy(&eight, bytes + i, size - i);
  sums |= (eight & exponent) + lowest;
  return (sums & (exponent + lowest)) == 0;
}

/// Numbered by first appearance, all below `count`; -1 stays.
void numberAnew(std::vector<int>& groups, std::size_t count) {
  std::vector<int> numbers(count, -1);
  int next = 0;
  for (int& group : groups) {
    if (group < 0) continue;
    int& number = numbers[static_cast<std::size_t>(group)];
    if (number < 0) number = next++;
    group = number;
  }
}

}  // namespace

ArrayMerger::ArrayMerger(const std::string& method, const cli::WrittenSettings& settings,
                         const TokenShape& shape, const MergePlace& place)
    : shape_(shape), place_(place) {
  const std::int64_t tokens = shape.count - place.prefix;
  if (place.prefix < 0 || tokens < 1) {
    throw Error(fmt::format("{} tokens with prefix={}: at least one token must be a patch's",
                            shape.count, place.prefix));
  }
  if (place.depth < 1 || place.depth > 1000 || place.block < 0 || place.block >= place.depth) {
    throw Error(fmt::format("block={} is out of range: depth={} has blocks 0 to {}", place.block,
                            place.depth, place.depth - 1));
  }
  const MethodChoice choice = cli::writtenChoice(method, settings);
  const VitConfig vit = modelOf(shape.patches, shape.width, place);
  requireSettingsSuit(choice, vit, "an array", /*strict=*/true);
  const std::string& id = choice.method;
  if (usesImportance(choice)) {
    throw Error(
        fmt::format("'{}' decides by the importance of patches in a whole network, not by "
                    "keys: adamerge.Model runs it",
                    id));
  }
  method_ = findMethodEntry(id).make(completeSettings(choice, vit),
                                     {vit, choice.statistics.get(), "an array"});
  if (method_->stage() == MergeMethod::Stage::kInsideWindows) {
    throw Error(
        fmt::format("'{}' merges inside the windows of a network here, which keys do not tell: "
                    "adamerge.Model runs it",
                    id));
  }
  if (method_->wanted(place.block).any()) {
    throw Error(
        fmt::format("'{}' decides by the attention of a whole network too, which keys do "
                    "not tell: adamerge.Model runs it",
                    id));
  }
  acts_ = method_->stage() != MergeMethod::Stage::kNever && method_->actsIn(place.block);
  reads_file_ = namesFile(choice);
  own_.sizes.assign(static_cast<std::size_t>(shape.count), 1.0F);
  own_.patch_tokens.resize(static_cast<std::size_t>(tokens));
  std::iota(own_.patch_tokens.begin(), own_.patch_tokens.end(), place.prefix);
}

void checkGroups(const std::vector<int>& groups, std::int64_t tokens) {
  std::vector<bool> named(static_cast<std::size_t>(std::max<std::int64_t>(0, tokens)), false);
  for (const int group : groups) {
    if (group < -1 || group >= tokens) {
      throw Error(
          fmt::format("groups hold {}: numbers from -1 to {} are possible, since there are "
                      "{} patch tokens",
                      group, tokens - 1, tokens));
    }
    if (group >= 0) named[static_cast<std::size_t>(group)] = true;
  }
  if (std::find(named.begin(), named.end(), false) != named.end()) {
    throw Error(
        fmt::format("groups leave out tokens: each of the {} patch tokens needs a patch", tokens));
  }
}

ArrayMerger::Before ArrayMerger::before(const std::vector<int>& groups) const {
  checkGroups(groups, shape_.count - place_.prefix);
  Before before;
  before.sizes.assign(static_cast<std::size_t>(shape_.count), 0.0F);
  std::fill_n(before.sizes.begin(), place_.prefix, 1.0F);
  for (const int group : groups) {
    before.patch_tokens.push_back(group < 0 ? -1 : group + place_.prefix);
    if (group >= 0) ++before.sizes[static_cast<std::size_t>(group + place_.prefix)];
  }
  return before;
}

MergedTokens ArrayMerger::merge(const at::Tensor& tokens, const Before& before) const {
  const c10::InferenceMode guard;
  if (!allFinite(tokens)) throw Error("the keys hold numbers that are not finite");
  LayerTokens layer;
  layer.block = place_.block;
  layer.prefix = place_.prefix;
  layer.tokens = layer.metric = tokens;
  const bool half = tokens.scalar_type() == at::kHalf || tokens.scalar_type() == at::kBFloat16;
  layer.deciding = half ? at::kFloat : at::kDouble;
  layer.trace = true;
  layer.sizes = before.sizes;
  layer.patch_tokens = before.patch_tokens;
  const std::unique_ptr<MethodMemory> memory = method_->newMemory();
  layer.memory = memory.get();
  MergedTokens merged;
  if (acts_) merged.plan = std::move(method_->plans({&layer, 1}).front());
  checkPlan(merged.plan, shape_.count, place_.prefix, place_.block);
  const auto count = static_cast<std::size_t>(shape_.count);
  if (!merged.plan.changes()) {
    merged.plan.order.resize(count);
    std::iota(merged.plan.order.begin(), merged.plan.order.end(), 0);
    merged.positions.resize(count);
    std::iota(merged.positions.begin(), merged.positions.end(), 0);
    merged.sizes = before.sizes;
  } else {
    merged.positions = newPositions(merged.plan, count);
    merged.sizes = applyToSizes(merged.plan, before.sizes);
  }
  merged.groups.reserve(before.patch_tokens.size());
  for (const int position : before.patch_tokens) {
    merged.groups.push_back(position < 0 ? -1
                                         : merged.positions[static_cast<std::size_t>(position)]);
  }
  numberAnew(merged.groups, count);
  return merged;
}

}  // namespace adamerge::python
