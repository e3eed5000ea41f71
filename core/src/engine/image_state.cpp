// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/image_state.h"

#include <numeric>
#include <unordered_map>

#include "merging/apply.h"

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

void ImageState::beginBlock(int index) {
  LayerTrace layer;
  layer.index = index;
  layer.tokens_in = tokens();
  layers_.push_back(std::move(layer));
  work_.push_back({tokens(), tokens(), tokens(), 0, tokens()});
}

void ImageState::noteClassAttention(std::span<const float> weights) {
  std::vector<float>& attention = layers_.back().attention;
  attention.reserve(patch_tokens_.size());
  for (const int token : patch_tokens_) {
    attention.push_back(weights[static_cast<std::size_t>(token)]);
  }
}

void ImageState::apply(const MergePlan& plan) {
  LayerTrace& layer = layers_.back();
  checkPlan(plan, tokens(), prefix_, layer.index);
  layer.redundancy = plan.redundancy;
  layer.mu = plan.mu;
  layer.sigma = plan.sigma;
  layer.z = plan.z;
  layer.merged = static_cast<int>(plan.merges.size());
  work_.back().method_macs += plan.macs;
  if (trace_) recordDetail(plan);
  if (plan.merges.empty()) return;
  const std::vector<int> positions = newPositions(plan, sizes_.size());
  if (plan.combine == Combine::kPrune) {
    std::vector<bool> gone(sizes_.size());
    for (const PlannedMerge& merge : plan.merges) gone[merge.source] = true;
    for (std::size_t patch = 0; patch < patch_tokens_.size(); ++patch) {
      if (gone[patch_tokens_[patch]]) stands_[patch] = false;
    }
  }
  for (int& token : patch_tokens_) token = positions[token];
  std::vector<int> anchors;
  anchors.reserve(plan.order.size());
  for (const std::int64_t position : plan.order) anchors.push_back(anchors_[position]);
  anchors_ = std::move(anchors);
  sizes_ = applyToSizes(plan, sizes_);
}

void ImageState::recordDetail(const MergePlan& plan) {
  LayerTrace& layer = layers_.back();
  if (!plan.salience.empty()) {
    layer.salience.reserve(patch_tokens_.size());
    for (const int token : patch_tokens_) layer.salience.push_back(plan.salience[token - prefix_]);
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
}

void ImageState::endBlock() {
  LayerTrace& layer = layers_.back();
  layer.tokens_out = tokens();
  work_.back().tokens_out = tokens();
  if (trace_) layer.groups = numberedByAppearance(patch_tokens_);
}

}  // namespace adamerge
