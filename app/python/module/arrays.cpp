// SPDX-License-Identifier: GPL-3.0-or-later
#include "arrays.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <numeric>
#include <string_view>

#include "adamerge/calibrate.h"
#include "calls.h"
#include "kernels/parallel.h"
#include "merging/apply.h"
#include "merging/method.h"
#include "packed.h"

namespace adamerge::python {
namespace {

namespace py = pybind11;

/// So many tokens merge before a person could press Ctrl-C, and before threads would pay.
constexpr std::int64_t kFewTokens = 1024;

const std::map<std::string_view, at::ScalarType> kTypes = {{"float16", at::kHalf},
                                                           {"bfloat16", at::kBFloat16},
                                                           {"float32", at::kFloat},
                                                           {"float64", at::kDouble}};

/// A view of the buffer, which outlives it.
at::Tensor viewOf(const py::buffer_info& keys, const std::string& dtype) {
  const auto type = kTypes.find(dtype);
  if (type == kTypes.end()) {
    throw Error(
        fmt::format("keys of type {} cannot be merged: float32, float64, float16 or "
                    "bfloat16 are expected",
                    dtype));
  }
  if (keys.ndim != 2 && keys.ndim != 3) {
    throw Error(
        fmt::format("keys of shape [{}] cannot be merged: [tokens, width] or [images, "
                    "tokens, width] is expected",
                    fmt::join(keys.shape, ", ")));
  }
  const auto size = static_cast<std::int64_t>(at::elementSize(type->second));
  if (keys.itemsize != size) throw Error(fmt::format("keys are not of type {}", dtype));
  std::vector<std::int64_t> strides(keys.strides.begin(), keys.strides.end());
  for (std::int64_t& stride : strides) stride /= size;
  return at::from_blob(keys.ptr, std::vector<std::int64_t>(keys.shape.begin(), keys.shape.end()),
                       strides, at::TensorOptions(type->second));
}

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

/// A method, its settings, and tokens' shape: what merging is prepared for.
struct Wanted {
  std::string method;
  cli::WrittenSettings settings;
  std::int64_t patches = 0;
  std::int64_t width = 0;
  int prefix = 0;
  int depth = 0;
  std::optional<std::pair<int, int>> grid;
  bool operator==(const Wanted&) const = default;
};

using Method = std::shared_ptr<const MergeMethod>;

/// Whether a file is part of it, which may change.
bool readsFile(const MethodChoice& choice) {
  const MethodInfo& info = findMethod(choice.method);
  return choice.statistics != nullptr ||
         std::any_of(choice.settings.begin(), choice.settings.end(),
                     [&](const auto& entry) { return info.setting(entry.first)->is_path; });
}

/// Making a method takes as long as merging few tokens, so the last ones are kept. Call it with
/// Python's lock.
Method methodFor(const Wanted& wanted, const MergePlace& place) {
  constexpr std::size_t kKept = 16;
  static auto& kept = *new std::deque<std::pair<Wanted, Method>>;  // LibTorch may end before
  const auto known = std::find_if(kept.begin(), kept.end(),
                                  [&](const auto& entry) { return entry.first == wanted; });
  if (known != kept.end()) return known->second;
  const MethodChoice choice = cli::writtenChoice(wanted.method, wanted.settings);
  const VitConfig vit = modelOf(wanted.patches, wanted.width, place);
  requireSettingsSuit(choice, vit, "an array", /*strict=*/true);
  const std::string& id = choice.method;
  if (usesImportance(choice)) {
    throw Error(
        fmt::format("'{}' decides by the importance of patches in a whole network, not by "
                    "keys: adamerge.Model runs it",
                    id));
  }
  Method method = findMethodEntry(id).make(completeSettings(choice, vit),
                                           {vit, choice.statistics.get(), "an array"});
  if (method->stage() == MergeMethod::Stage::kInsideWindows) {
    throw Error(
        fmt::format("'{}' merges inside the windows of a network here, which keys do not tell: "
                    "adamerge.Model runs it",
                    id));
  }
  if (!readsFile(choice)) {
    kept.emplace_front(wanted, method);
    if (kept.size() > kKept) kept.pop_back();
  }
  return method;
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

struct Merged {
  MergePlan plan;
  std::vector<int> positions;  ///< of every old token among the new ones; -1: dropped
  std::vector<float> sizes;
  std::vector<int> groups;
};

/// The method as it was asked for, on tokens of one shape.
class ArrayMerger {
 public:
  ArrayMerger(const at::Tensor& keys, const std::string& method,
              const cli::WrittenSettings& settings, const MergePlace& place)
      : keys_(keys), place_(place), count_(keys.size(-2)) {
    checkPlace();
    method_ = methodFor({method, settings, static_cast<std::int64_t>(patch_tokens_.size()),
                         keys.size(-1), place.prefix, place.depth, place.grid},
                        place);
    if (method_->wanted(place.block).any()) {
      throw Error(
          fmt::format("'{}' decides by the attention of a whole network too, which keys do "
                      "not tell: adamerge.Model runs it",
                      method));
    }
  }

  /// Of image `index`.
  Merged merge(std::int64_t index) const {
    const c10::InferenceMode guard;
    LayerTokens layer;
    layer.block = place_.block;
    layer.prefix = place_.prefix;
    layer.tokens = layer.metric = keys_.dim() == 3 ? keys_[index] : keys_;
    if (!allFinite(layer.tokens)) {
      throw Error("the keys hold numbers that are not finite");
    }
    const bool half =
        layer.tokens.scalar_type() == at::kHalf || layer.tokens.scalar_type() == at::kBFloat16;
    layer.deciding = half ? at::kFloat : at::kDouble;
    layer.trace = true;
    layer.sizes = sizes_;
    layer.patch_tokens = patch_tokens_;
    const std::unique_ptr<MethodMemory> memory = method_->newMemory();
    layer.memory = memory.get();
    Merged merged;
    const bool acts =
        method_->stage() != MergeMethod::Stage::kNever && method_->actsIn(place_.block);
    if (acts) merged.plan = std::move(method_->plans({&layer, 1}).front());
    checkPlan(merged.plan, count_, place_.prefix, place_.block);
    if (!merged.plan.changes()) {
      merged.plan.order.resize(static_cast<std::size_t>(count_));
      std::iota(merged.plan.order.begin(), merged.plan.order.end(), 0);
      merged.positions.resize(static_cast<std::size_t>(count_));
      std::iota(merged.positions.begin(), merged.positions.end(), 0);
      merged.sizes = sizes_;
    } else {
      merged.positions = newPositions(merged.plan, static_cast<std::size_t>(count_));
      merged.sizes = applyToSizes(merged.plan, sizes_);
    }
    merged.groups.reserve(patch_tokens_.size());
    for (const int position : patch_tokens_) {
      merged.groups.push_back(position < 0 ? -1
                                           : merged.positions[static_cast<std::size_t>(position)]);
    }
    numberAnew(merged.groups, merged.positions.size());
    return merged;
  }

 private:
  /// Sizes and the map of patches, from the groups that are given.
  void checkPlace() {
    const std::int64_t tokens = count_ - place_.prefix;
    if (place_.prefix < 0 || tokens < 1) {
      throw Error(fmt::format("{} tokens with prefix={}: at least one token must be a patch's",
                              count_, place_.prefix));
    }
    if (place_.depth < 1 || place_.depth > 1000 || place_.block < 0 ||
        place_.block >= place_.depth) {
      throw Error(fmt::format("block={} is out of range: depth={} has blocks 0 to {}", place_.block,
                              place_.depth, place_.depth - 1));
    }
    sizes_.assign(static_cast<std::size_t>(count_), 1.0F);
    if (!place_.groups) {
      patch_tokens_.resize(static_cast<std::size_t>(tokens));
      std::iota(patch_tokens_.begin(), patch_tokens_.end(), place_.prefix);
      return;
    }
    std::fill(sizes_.begin() + place_.prefix, sizes_.end(), 0.0F);
    for (const int group : *place_.groups) {
      if (group < -1 || group >= tokens) {
        throw Error(
            fmt::format("groups hold {}: numbers from -1 to {} are possible, since there are "
                        "{} patch tokens",
                        group, tokens - 1, tokens));
      }
      patch_tokens_.push_back(group < 0 ? -1 : group + place_.prefix);
      if (group >= 0) ++sizes_[static_cast<std::size_t>(group + place_.prefix)];
    }
    if (std::find(sizes_.begin(), sizes_.end(), 0.0F) != sizes_.end()) {
      throw Error(fmt::format("groups leave out tokens: each of the {} patch tokens needs a patch",
                              tokens));
    }
  }

  at::Tensor keys_;
  const MergePlace& place_;
  std::int64_t count_;
  std::vector<float> sizes_;
  std::vector<int> patch_tokens_;
  Method method_;
};

py::dict toPython(const Merged& merged) {
  const MergePlan& plan = merged.plan;
  std::vector<std::int64_t> merges;
  std::vector<float> similarity;
  std::vector<std::int64_t> dropped;
  for (const PlannedMerge& merge : plan.merges) {
    merges.insert(merges.end(), {merge.source, merge.destination});
    similarity.push_back(merge.similarity);
  }
  for (const PlannedDrop& drop : plan.dropped) dropped.push_back(drop.position);
  py::dict result;
  result["groups"] = packed(merged.groups);
  result["sizes"] = packed(merged.sizes);
  result["order"] = packed(plan.order);
  result["positions"] = packed(merged.positions);
  result["merges"] = packed(merges, 2);
  result["similarity"] = packed(similarity);
  result["dropped"] = packed(dropped);
  result["salience"] = packedIfAny(plan.salience);
  result["redundancy"] = plan.redundancy;
  return result;
}

}  // namespace

std::vector<py::dict> merge(const py::buffer& keys, const std::string& dtype,
                            const std::string& method, const cli::WrittenSettings& settings,
                            const MergePlace& place) {
  const py::buffer_info buffer = keys.request();
  const at::Tensor tensor = viewOf(buffer, dtype);
  const ArrayMerger merger(tensor, method, settings, place);
  const std::int64_t images = tensor.dim() == 3 ? tensor.size(0) : 1;
  std::vector<Merged> merged(static_cast<std::size_t>(images));
  const auto work = [&](const std::stop_token& stop) {
    const StopWithin within(stop);
    for (std::int64_t i = 0; i < images; ++i) {
      throwIfStopped(stop);
      merged[static_cast<std::size_t>(i)] = merger.merge(i);
    }
  };
  if (images * tensor.size(-2) <= kFewTokens) {
    // A team of OpenMP's would be the calling thread's, and a fork's child would wait for it.
    const py::gil_scoped_release released;
    const LibTorchAside alone(1);
    work({});
  } else {
    runCall(work);
  }
  std::vector<py::dict> results;
  for (const Merged& one : merged) results.push_back(toPython(one));
  return results;
}

}  // namespace adamerge::python
