// SPDX-License-Identifier: GPL-3.0-or-later
// What a merging method implements. A new one costs a file beside this, a line in registry.cpp and
// a test.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "merging/plan.h"

namespace adamerge {

/// One image's tokens where a method acts. N tokens, the first `prefix` of them prefix tokens.
struct LayerTokens {
  int block = 0;
  int prefix = 0;
  at::Tensor tokens;  ///< [N, d], the residual stream, any floating dtype
  at::Tensor
      metric;  ///< [N, d / heads], mean over heads of the keys; between attention and MLP only
  /// The precision in which merges are decided. fp64, since the affinity's softmax turns a rounding
  /// of the dot products into a relative error of the salience, and a count may hang on the seventh
  /// digit; fp32 where the model computes in half precision, whose tokens hold no more, and on an
  /// accelerator, unless the model computes in fp64.
  at::ScalarType deciding = at::kDouble;
  bool trace = false;                 ///< also fill what is only shown, not used to decide
  std::span<const float> sizes;       ///< [N], patches per token; prefix tokens count 1
  std::span<const int> patch_tokens;  ///< patch -> position

  std::int64_t count() const { return tokens.size(0); }
  std::int64_t patchCount() const { return tokens.size(0) - prefix; }
};

class MergeMethod {
 public:
  enum class Stage {
    kNever,
    kBeforeBlock,
    kBetweenAttentionAndMlp,
  };

  MergeMethod() = default;
  MergeMethod(const MergeMethod&) = delete;
  MergeMethod& operator=(const MergeMethod&) = delete;
  virtual ~MergeMethod() = default;

  virtual Stage stage() const = 0;
  /// Adds log(size) of each key token to the attention logits.
  virtual bool proportionalAttention() const { return false; }
  /// False: counts would follow layer statistics, and there are none. MethodInfo::uncalibrated says
  /// what they do instead.
  virtual bool calibrated() const { return true; }
  /// Per block what it adds to the weight that makes queries, keys and values, [3 d, d]; empty:
  /// the weights stay. Always the same.
  virtual std::span<const at::Tensor> qkvChanges() const { return {}; }
  /// Must depend on this image's tokens alone, so that a batch equals its images.
  virtual MergePlan plan(const LayerTokens& layer) const = 0;
  /// plan() of each of at least one image, for tokens on an accelerator: there each plan waits for
  /// its numbers, so a method that is to be quick decides for all images at once. That may round
  /// otherwise.
  virtual std::vector<MergePlan> planAll(std::span<const LayerTokens> layers) const {
    std::vector<MergePlan> plans;
    for (const LayerTokens& layer : layers) plans.push_back(plan(layer));
    return plans;
  }
};

/// What a method is made for.
struct MethodContext {
  VitConfig vit;
  const Statistics* statistics = nullptr;  ///< fit the settings and the depth; may be null
};

struct MethodEntry {
  MethodInfo info;
  /// `settings` are complete and checked one by one; throws Error where they do not suit the model.
  std::function<std::unique_ptr<MergeMethod>(const Settings& settings,
                                             const MethodContext& context)>
      make;
};

/// Throws Error that lists the known ids.
const MethodEntry& findMethodEntry(std::string_view id);

/// Throws std::out_of_range for a key that the method does not declare, std::bad_variant_access for
/// another type than it declares: both are faults of the method.
template <typename T>
const T& get(const Settings& settings, std::string_view key) {
  return std::get<T>(settings.at(std::string(key)));
}
inline int getInt(const Settings& settings, std::string_view key) {
  return static_cast<int>(get<std::int64_t>(settings, key));
}

}  // namespace adamerge
