// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/image_state.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "kernels/padded.h"
#include "merging/apply.h"
#include "merging/method.h"

namespace adamerge {

std::vector<int> numberedByAppearance(const std::vector<int>& values) {
  std::unordered_map<int, int> numbers;
  std::vector<int> result;
  result.reserve(values.size());
  for (const int value : values) {
    result.push_back(numbers.try_emplace(value, static_cast<int>(numbers.size())).first->second);
  }
  return result;
}

std::vector<std::int64_t> countsOf(const std::vector<ImageState>& images) {
  std::vector<std::int64_t> counts;
  for (const ImageState& image : images) counts.push_back(image.tokens());
  return counts;
}

ImageState::ImageState(int prefix, int patches, bool trace)
    : prefix_(prefix),
      initial_tokens_(prefix + patches),
      trace_(trace),
      sizes_(static_cast<std::size_t>(prefix + patches), 1.0F),
      patch_tokens_(static_cast<std::size_t>(patches)),
      stands_(static_cast<std::size_t>(patches), true),
      anchors_(static_cast<std::size_t>(prefix + patches), -1) {
  std::iota(patch_tokens_.begin(), patch_tokens_.end(), prefix);
  std::iota(anchors_.begin() + prefix, anchors_.end(), 0);
}

ImageState ImageState::tokensAlone() const {
  ImageState alone(prefix_, /*patches=*/0, /*trace=*/false);
  alone.initial_tokens_ = initial_tokens_;
  alone.sizes_ = sizes_;
  alone.patch_tokens_ = patch_tokens_;
  alone.stands_ = stands_;
  alone.anchors_ = anchors_;
  return alone;
}

void ImageState::beginBlock(int index) {
  LayerTrace layer;
  layer.index = index;
  layer.tokens_in = tokens();
  layers_.push_back(std::move(layer));
  work_.push_back({tokens(), tokens(), tokens(), 0, tokens()});
}

void ImageState::noteClassAttention(std::span<const float> weights, float share) {
  std::vector<float>& attention = layers_.back().attention;
  attention.resize(patch_tokens_.size(), 0.0F);
  for (std::size_t patch = 0; patch < attention.size(); ++patch) {
    attention[patch] += weights[static_cast<std::size_t>(patch_tokens_[patch])] * share;
  }
}

void ImageState::apply(const MergePlan& plan, int heads) {
  checkPlan(plan, tokens(), prefix_, layers_.back().index, heads);
  record(plan);
  change(plan);
}

ImageState ImageState::enter(const MergePlan& plan, int heads) {
  checkPlan(plan, tokens(), prefix_, layers_.back().index, heads);
  record(plan);
  ImageState inside = tokensAlone();
  inside.change(plan);
  inside.beginBlock(layers_.back().index);
  LayerTrace& layer = layers_.back();
  layer.restored = true;
  layer.tokens_inside = inside.tokens();
  if (trace_) layer.groups = numberedByAppearance(inside.patch_tokens_);
  work_.back().restored = true;
  return inside;
}

void ImageState::noteWindows(int rows, int columns, int padding) {
  layers_.back().window = {rows, columns};
  layers_.back().padding = padding;
}

void ImageState::noteWindowedAttention(const BlockWork& attention) {
  BlockWork& work = work_.back();
  work.attention_tokens = attention.attention_tokens;
  work.projected_tokens = attention.projected_tokens;
  work.pairs = attention.pairs;
  work.relative_macs = attention.relative_macs;
}

void ImageState::noteAttention(const ImageState* inside) {
  BlockWork& work = work_.back();
  work.attention_tokens = inside != nullptr ? inside->tokens() : tokens();
  if (inside != nullptr) work.projected_tokens = tokens();
}

void ImageState::noteKeys(const std::vector<std::vector<std::int64_t>>& keys, bool masked) {
  if (keys.empty()) return;
  double sum = 0;
  for (const auto& list : keys) sum += static_cast<double>(list.size());
  work_.back().keys = sum / static_cast<double>(keys.size());
  work_.back().masked = masked;
}

void ImageState::takeBack(ImageState& inside) {
  BlockWork& work = work_.back();
  work.attention_tokens = inside.work_.back().attention_tokens;
  work.mlp_tokens = inside.work_.back().mlp_tokens;
  takeClassAttention(inside);
}

void ImageState::takeClassAttention(ImageState& inside) {
  layers_.back().attention = std::move(inside.layers_.back().attention);
}

namespace {

std::vector<bool> droppedOf(const MergePlan& plan, std::size_t count) {
  std::vector<bool> gone(count);
  for (const PlannedDrop& drop : plan.dropped) gone[drop.position] = true;
  return gone;
}

}  // namespace

void ImageState::record(const MergePlan& plan) {
  LayerTrace& layer = layers_.back();
  layer.redundancy = plan.redundancy;
  layer.mu = plan.mu;
  layer.sigma = plan.sigma;
  layer.z = plan.z;
  layer.merged = static_cast<int>(plan.merges.size() + plan.dropped.size());
  work_.back().method_macs += plan.macs;
  if (trace_) recordDetail(plan);
}

void ImageState::change(const MergePlan& plan) {
  if (!plan.changes()) return;
  const std::vector<int> positions = newPositions(plan, sizes_.size());
  if (plan.combine == Combine::kPrune) {
    std::vector<bool> gone(sizes_.size());
    for (const PlannedMerge& merge : plan.merges) gone[merge.source] = true;
    for (std::size_t patch = 0; patch < patch_tokens_.size(); ++patch) {
      if (patch_tokens_[patch] >= 0 && gone[patch_tokens_[patch]]) stands_[patch] = false;
    }
  }
  if (!plan.dropped.empty()) {
    const std::vector<bool> gone = droppedOf(plan, sizes_.size());
    for (std::size_t patch = 0; patch < patch_tokens_.size(); ++patch) {
      if (patch_tokens_[patch] >= 0 && gone[patch_tokens_[patch]]) stands_[patch] = false;
    }
  }
  for (int& token : patch_tokens_) token = token < 0 ? token : positions[token];
  std::vector<int> anchors;
  anchors.reserve(plan.order.size());
  for (const std::int64_t position : plan.order) anchors.push_back(anchors_[position]);
  anchors_ = std::move(anchors);
  sizes_ = applyToSizes(plan, sizes_);
}

template <typename Value>
std::vector<Value> ImageState::perPatch(const std::vector<Value>& values) const {
  std::vector<Value> result;
  if (values.empty()) return result;
  result.reserve(patch_tokens_.size());
  for (const int token : patch_tokens_) result.push_back(values[token - prefix_]);
  return result;
}

void ImageState::recordDetail(const MergePlan& plan) {
  LayerTrace& layer = layers_.back();
  layer.salience = perPatch(plan.salience);
  layer.details = plan.details;
  layer.details.score = perPatch(plan.details.score);
  layer.details.component = perPatch(plan.details.component);
  if (!plan.dropped.empty()) {
    const std::vector<bool> gone = droppedOf(plan, sizes_.size());
    for (std::size_t patch = 0; patch < patch_tokens_.size(); ++patch) {
      if (stands_[patch] && gone[patch_tokens_[patch]])
        layer.dropped.push_back(static_cast<int>(patch));
    }
  }
  const std::vector<int> groups = numberedByAppearance(patch_tokens_);
  std::unordered_map<std::int64_t, int> group_of_token;
  for (std::size_t patch = 0; patch < groups.size(); ++patch) {
    group_of_token[patch_tokens_[patch]] = groups[patch];
  }
  for (const PlannedMerge& merge : plan.merges) {
    layer.merges.push_back(
        {group_of_token[merge.source], group_of_token[merge.destination], merge.similarity});
  }
  for (const PlannedDrop& drop : plan.dropped) {
    if (drop.stand_in < 0) continue;
    layer.drops.push_back({group_of_token[drop.position], group_of_token[drop.stand_in], 0});
  }
}

void ImageState::endBlock() {
  LayerTrace& layer = layers_.back();
  layer.tokens_out = tokens();
  work_.back().tokens_out = tokens();
  if (trace_ && !layer.restored) layer.groups = numberedByAppearance(patch_tokens_);
}

namespace {

/// LibTorch multiplies sparse matrices in every type on the CPU alone.
at::Tensor matrixFor(const at::Tensor& matrix, const at::Tensor& tokens) {
  const at::Tensor own = tokens.is_cpu() ? matrix : matrix.to_dense();
  return own.to(tokens.options().layout(own.layout()));
}

}  // namespace

at::Tensor applied(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                   const at::Tensor& tokens) {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int64_t> new_offsets{0};
  for (std::size_t i = 0; i < plans.size(); ++i) {
    offsets.push_back(offsets.back() + counts[i]);
    new_offsets.push_back(new_offsets.back() + remainingTokens(plans[i], counts[i]));
  }
  const at::Tensor merged = at::empty({new_offsets.back(), tokens.size(1)}, tokens.options());
  if (tokens.is_cpu()) {
    forEachImage(plans.size(), [&](std::size_t i) {
      applyToTokens(plans[i], tokens.narrow(0, offsets[i], counts[i]),
                    merged.narrow(0, new_offsets[i], new_offsets[i + 1] - new_offsets[i]));
    });
  } else {
    applyToAllTokens(plans, counts, tokens, merged);
  }
  return merged;
}

at::Tensor rowsBack(std::span<const MergePlan> plans, std::span<const std::int64_t> counts) {
  std::vector<std::int64_t> rows;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const bool changes = plans[i].changes();
    std::vector<int> positions;
    if (changes) positions = newPositions(plans[i], static_cast<std::size_t>(counts[i]));
    for (std::int64_t k = 0; k < counts[i]; ++k) {
      rows.push_back(offset + (changes ? std::max(positions[static_cast<std::size_t>(k)], 0) : k));
    }
    offset += remainingTokens(plans[i], counts[i]);
  }
  return at::tensor(rows, at::kLong);
}

at::Tensor entered(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                   const at::Tensor& tokens) {
  const bool matrices = std::any_of(plans.begin(), plans.end(), [](const MergePlan& plan) {
    return plan.restoration != nullptr;
  });
  if (!matrices) return applied(plans, counts, tokens);
  std::vector<at::Tensor> inside;
  const Restoration* sent = nullptr;  // images may share one
  at::Tensor merge;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const at::Tensor own = tokens.narrow(0, offset, counts[i]);
    offset += counts[i];
    if (plans[i].restoration == nullptr) {
      inside.push_back(applied(plans.subspan(i, 1), counts.subspan(i, 1), own));
      continue;
    }
    if (sent != plans[i].restoration.get()) {
      sent = plans[i].restoration.get();
      merge = matrixFor(sent->merge, own);
    }
    inside.push_back(merge.mm(own));
  }
  return at::cat(inside);
}

at::Tensor restored(std::span<const MergePlan> plans, std::span<const std::int64_t> counts,
                    const at::Tensor& tokens, const at::Tensor& inside) {
  std::vector<at::Tensor> all;
  const Restoration* sent = nullptr;
  at::Tensor recover;
  at::Tensor rest;
  std::int64_t offset = 0;
  std::int64_t inner_offset = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const at::Tensor old = tokens.narrow(0, offset, counts[i]);
    const at::Tensor own = inside.narrow(0, inner_offset, remainingTokens(plans[i], counts[i]));
    offset += counts[i];
    inner_offset += own.size(0);
    // Matrices may change tokens though all of them are inside.
    if (const auto& restoration = plans[i].restoration; restoration != nullptr) {
      if (sent != restoration.get()) {
        sent = restoration.get();
        recover = matrixFor(sent->recover, own);
        rest = sent->rest.to(own.options()).unsqueeze(1);
      }
      all.push_back(recover.mm(own) + old * rest);
    } else if (!plans[i].changes()) {
      all.push_back(own);
    } else {
      at::Tensor rows = own.index_select(
          0, sentTo(own.device(), rowsBack(plans.subspan(i, 1), counts.subspan(i, 1))));
      for (const PlannedDrop& drop : plans[i].dropped) {
        rows.select(0, drop.position).copy_(old.select(0, drop.position));
      }
      all.push_back(rows);
    }
  }
  return at::cat(all);
}

}  // namespace adamerge
