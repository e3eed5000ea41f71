// SPDX-License-Identifier: GPL-3.0-or-later
// What a reduction method implements, and the plan that it makes for an image: which tokens merge,
// which are dropped, which are restored after the block, and which keys its attention sees. A new
// one is a file beside this, its line in entries.h and registry.cpp, and its cases in
// tests/merging.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"

namespace adamerge {

/// How a destination and its sources become one token.
enum class Combine {
  kWeightedMean,    ///< sum of weight * token / sum of weights
  kPrune,           ///< the destination keeps its value
  kNormPreserving,  ///< MLERP (ToFu): plain mean, / old norm of the destination, * largest norm
  /// Per channel the value of largest magnitude; of equals the destination's, then that of the
  /// lowest position (CubistMerge).
  kMaxMagnitude,
};

/// Positions in the sequence on entry, prefix included.
struct PlannedMerge {
  std::int64_t source = 0;
  std::int64_t destination = 0;
  float similarity = 0;
};

/// A token that leaves the sequence and gives nothing to any other (more-methods, S2).
struct PlannedDrop {
  std::int64_t position = 0;
  /// The token that stays and stands for the dropped one's patches from now on. -1: the most
  /// similar patch token that stays; the engine finds it, and only where somebody asks for groups.
  std::int64_t stand_in = -1;
};

/// How a block that runs on fewer tokens is undone where that is more than means and copies (S3):
/// y = M x, then x <- R block(y) + rest * x. Over all N positions on entry and the t tokens inside,
/// prefix included. May be shared by images and runs, so it never changes.
struct Restoration {
  at::Tensor merge;    ///< M [t, N] fp32 or fp64, on the CPU; dense or sparse
  at::Tensor recover;  ///< R [N, t], likewise
  at::Tensor rest;     ///< [N], what of the old token stays: 1 for those that take no part
};

struct MergePlan {
  /// The new sequence, as positions of the tokens that stay; prefix first.
  std::vector<std::int64_t> order;
  /// No destination is a source. Without merges and drops nothing changes and `order` is not read.
  std::vector<PlannedMerge> merges;
  std::vector<PlannedDrop> dropped;
  Combine combine = Combine::kWeightedMean;
  std::vector<float> weights;  ///< per position, for kWeightedMean
  /// For Stage::kAroundBlock, in place of `combine` and `weights`: `order`, `merges` and `dropped`
  /// then only tell where the tokens inside come from. Null: means, and copies back.
  std::shared_ptr<const Restoration> restoration;
  /// For Stage::kBeforeBlock: the keys that the block's attention sees (S4), as ascending positions
  /// in the new sequence. Empty: all. One list: the same for all heads; else one a head.
  std::vector<std::vector<std::int64_t>> keys;

  std::optional<double> redundancy;
  std::optional<double> mu;
  std::optional<double> sigma;
  std::optional<double> z;
  std::vector<float> salience;  ///< per patch token; empty: none
  /// What else the trace shows. `score` and `component` are per patch token here; the engine gives
  /// each patch its token's.
  MethodDetails details;
  double macs = 0;  ///< matrix products spent on deciding, in multiply-accumulates

  bool changes() const { return !merges.empty() || !dropped.empty(); }
};

/// A plan that would lose tokens or reach beyond them: a fault of the method that made it.
class FaultyPlan : public Error {
 public:
  using Error::Error;
};

/// Throws FaultyPlan unless `plan`, made for block `block` of a network with `heads` heads,
/// accounts for each of `count` tokens: the first `prefix` stay and come first, and every other one
/// stays once, is the source of one merge, into a token that stays, or is dropped; at least one
/// that is no prefix token stays. O(count).
void checkPlan(const MergePlan& plan, std::int64_t count, std::int64_t prefix, int block,
               std::int64_t heads = 1);

struct Importance;

/// What the attention of one block tells of its tokens (more-methods, S1): sums of its softmax rows
/// as really computed, proportional attention, biases and hidden keys included.
struct AttentionStatistics {
  std::vector<float> class_attention;  ///< [N], the class token's row, mean over heads
  /// [heads, N] fp32 on the CPU: what each key receives, mean over all N queries; 0 for a key that
  /// its head did not see. Several attentions of a block: all their heads.
  at::Tensor received;
  std::vector<float> value_norms;  ///< [N], length of all heads' values together
};
/// Which of them a method asks for.
struct WantedStatistics {
  bool class_attention = false;  ///< refuse models without a class token: requireClassToken()
  bool received = false;
  bool value_norms = false;
  bool any() const { return class_attention || received || value_norms; }
};

/// What a method remembers of one image from block to block of one run; its own type derives.
struct MethodMemory {
  MethodMemory() = default;
  MethodMemory(const MethodMemory&) = delete;
  MethodMemory& operator=(const MethodMemory&) = delete;
  virtual ~MethodMemory() = default;
};

/// A rectangle of the grid, in patches.
struct Window {
  int top = 0;
  int left = 0;
  int rows = 0;
  int columns = 0;
};

/// An input as a method sees it that asks where things lie.
struct InputPlace {
  int height = 0;  ///< of the input, in pixels
  int width = 0;
  int patch_size = 0;
  PicturePlace picture;
};

/// One image's tokens where a method acts, or those of a window of one. N tokens, the first
/// `prefix` of them prefix tokens.
struct LayerTokens {
  int block = 0;
  int prefix = 0;
  /// [N, d], any floating dtype: the residual stream; around attention what the attention reads,
  /// after norm1.
  at::Tensor tokens;
  /// [N, d / heads]. Between attention and MLP: mean over heads of the keys. Around attention: mean
  /// over the heads' slices of `tokens`. Inside windows: of what the part reads (an MLP: that
  /// itself). Else undefined.
  at::Tensor metric;
  /// The precision in which merges are decided. fp64, since the affinity's softmax turns a rounding
  /// of the dot products into a relative error of the salience, and a count may hang on the seventh
  /// digit; fp32 where the model computes in half precision, whose tokens hold no more, and on an
  /// accelerator, unless the model computes in fp64.
  at::ScalarType deciding = at::kDouble;
  bool trace = false;            ///< also fill what is only shown, not used to decide
  std::span<const float> sizes;  ///< [N], patches per token; prefix tokens count 1
  /// Patch -> position; -1 where its token was dropped and nobody asked which one stands for it.
  std::span<const int> patch_tokens;
  /// As the method's wanted() asked: between attention and MLP of this block's attention, else of
  /// the block's before. Null: not asked for, or block 0.
  const AttentionStatistics* attention = nullptr;
  MethodMemory* memory = nullptr;  ///< what the method's newMemory() made for this image and run
  /// Stage::kInsideWindows: the tokens' rectangle, in raster order; the image that it is of,
  /// counted within the call; where that lies.
  const Window* window = nullptr;
  int image = 0;
  const InputPlace* place = nullptr;

  std::int64_t count() const { return tokens.size(0); }
  std::int64_t patchCount() const { return tokens.size(0) - prefix; }
};

class MergeMethod {
 public:
  enum class Stage {
    kNever,
    kBeforeBlock,             ///< on the block's input
    kBetweenAttentionAndMlp,  ///< after the attention's residual
    kAroundAttention,         ///< attention runs on fewer tokens, copied back before its projection
    kAroundBlock,             ///< the block runs on fewer tokens, all restored after it
    /// A part of the block runs window by window on fewer tokens, all restored after it (dense,
    /// section 2). plans() then gets the windows of all images, one LayerTokens each; what is
    /// merged is what the part reads, and a plan's `order` is of no importance.
    kInsideWindows,
  };

  MergeMethod() = default;
  MergeMethod(const MergeMethod&) = delete;
  MergeMethod& operator=(const MergeMethod&) = delete;
  virtual ~MergeMethod() = default;

  virtual Stage stage() const = 0;
  /// False: plans() would change and tell nothing in this block, so it is not asked.
  virtual bool actsIn(int /*block*/) const { return true; }
  /// Adds log(size) of each key token to the attention logits.
  virtual bool proportionalAttention() const { return false; }
  /// What plans() read of the attention of block `block`.
  virtual WantedStatistics wanted(int /*block*/) const { return {}; }
  /// A method with state makes one for each image and run; its plans may change it, and only that.
  virtual std::unique_ptr<MethodMemory> newMemory() const { return nullptr; }
  /// False: counts would follow layer statistics, and there are none. MethodInfo::uncalibrated says
  /// what they do instead.
  virtual bool calibrated() const { return true; }
  /// What the user should know of how it was made, in a sentence; empty: nothing.
  virtual std::string warning() const { return {}; }
  /// Per block what it adds to the weight that makes queries, keys and values, [3 d, d]; empty:
  /// the weights stay. Always the same.
  virtual std::span<const at::Tensor> qkvChanges() const { return {}; }
  /// One plan for each of at least one image. On the CPU each hangs on its own image alone, so that
  /// a batch equals its images; on an accelerator, where every plan waits for its numbers, they may
  /// round otherwise. Throws Error where tokens are not finite and the method cannot go on.
  std::vector<MergePlan> plans(std::span<const LayerTokens> images) const;
  /// Throws Error where settings do not go with this input: prompts outside the picture.
  virtual void requireSuits(const InputPlace& /*place*/) const {}

 private:
  /// Stage::kInsideWindows: what hangs on all windows of an image, once each has its plan, called
  /// with all of them.
  virtual void settle(std::span<const LayerTokens> /*windows*/,
                      std::span<MergePlan> /*plans*/) const {}
  /// plans() of one image on the CPU, called from several threads at once, or of all on an
  /// accelerator, with one copy to the host; see token_set.h.
  virtual std::vector<MergePlan> planSet(std::span<const LayerTokens> images) const = 0;
};

/// A part of LayerTokens: its tokens or its metric.
using TokenPart = at::Tensor LayerTokens::*;

/// A method that decides for one image at a time, on the host.
class ImageMethod : public MergeMethod {
 public:
  /// Must depend on this image's tokens alone. May be called from several threads at once, for
  /// different images.
  virtual MergePlan plan(const LayerTokens& layer) const = 0;
  /// What plan() reads in this block, brought to the host beforehand; null: nothing.
  virtual TokenPart reads(int /*block*/) const { return nullptr; }

 private:
  std::vector<MergePlan> planSet(std::span<const LayerTokens> images) const final;
};

/// work(i) for each image, several at once.
void forEachImage(std::size_t images, const std::function<void(std::size_t)>& work);

/// What a method is made for.
struct MethodContext {
  VitConfig vit;
  const Statistics* statistics = nullptr;  ///< fit the settings and the depth; may be null
  std::string model = {};                  ///< its name
  std::filesystem::path folder = {};       ///< where its files lie; empty: it has none
  /// Importance by received attention where no file holds any, on synthetic images; may be empty.
  std::function<std::shared_ptr<const Importance>()> synthetic_importance = {};
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

/// Throws Error, naming `method`, for a model without class token.
void requireClassToken(const VitConfig& vit, std::string_view method);

/// The blocks that a method acts in, as flags [depth], from a setting that lists them from 0.
/// Throws Error for a block that the model does not have.
std::vector<bool> chosenBlocks(const Settings& settings, std::string_view key, int depth);
/// A quarter, a half and three quarters of the depth: 3, 6, 9 of 12.
SettingValue quarterBlocks(const VitConfig& vit);

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
