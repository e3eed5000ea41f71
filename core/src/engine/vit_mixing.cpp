// SPDX-License-Identifier: GPL-3.0-or-later
// How a block's tokens mix: attention, or AFNO's filter, and the field that FourCastNet makes of
// the last tokens.
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "adamerge/error.h"
#include "engine/image_state.h"
#include "engine/vit.h"
#include "kernels/attention.h"
#include "kernels/matching_ops.h"
#include "kernels/padded.h"
#include "kernels/parallel.h"
#include "kernels/rows.h"
#include "merging/apply.h"
#include "merging/matching.h"

namespace adamerge {

at::Tensor VisionTransformer::metricOf(const at::Tensor& keys) const {
  return device_.is_cpu() ? headMeans(keys) : keys.mean(1, /*keepdim=*/false, deciding());
}

at::Tensor VisionTransformer::queriesKeysValues(const AttentionLayers& layers,
                                                const at::Tensor& input, Attending& how) const {
  const at::Tensor qkv = layers.qkv(input);
  const at::Tensor parts = qkv.view({qkv.size(0), 3, config_.heads, config_.headDim()});
  for (const auto& [part, norm] : {std::pair(0, &layers.q_norm), std::pair(1, &layers.k_norm)}) {
    if (!norm->weight.defined()) continue;
    at::Tensor heads = parts.select(1, part);
    heads.copy_(layerNorm(heads.to(stream_dtype_), *norm, dtype_));
  }
  const at::Tensor keys = parts.select(1, 1);
  const bool rotary = how.rotary.cosines.defined();
  at::Tensor metric;
  if (how.wants_metric && !(rotary && how.rotated_keys)) metric = metricOf(keys);
  if (rotary) {
    rotate(parts.select(1, 0), how.rotary.cosines, how.rotary.sines, config_.rotary.halves);
    rotate(keys, how.rotary.cosines, how.rotary.sines, config_.rotary.halves);
    if (how.wants_metric && how.rotated_keys) metric = metricOf(keys);
  }
  // Several attentions of a block: the mean over the heads of all.
  if (metric.defined()) {
    const auto branches = static_cast<double>(config_.branches);
    if (config_.branches > 1) metric = metric / branches;
    how.metric = how.metric.defined() ? how.metric + metric : metric;
  }
  return qkv;
}

Segment VisionTransformer::segmentOf(const ImageState& image, std::size_t index,
                                     const Attending& how) const {
  Segment segment;
  segment.tokens = image.tokens();
  if (!how.pair_bias.empty()) segment.pair_bias = how.pair_bias[index];
  if (how.proportional && image.anyMerged()) {
    for (const float size : image.sizes()) segment.key_bias.push_back(std::log(size));
  }
  return segment;
}

at::Tensor VisionTransformer::attend(const AttentionLayers& layers, const at::Tensor& input,
                                     Pack& pack, Attending& how) const {
  const at::Tensor qkv = queriesKeysValues(layers, input, how);
  std::vector<ImageState>& images = how.inside.empty() ? pack.images : how.inside;
  std::vector<Segment> segments(images.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    segments[i] = segmentOf(images[i], i, how);
    segments[i].first_row = (how.trace || how.statistics.class_attention) && config_.class_token;
    segments[i].received = how.statistics.received;
    if (how.plans.empty() || how.plans[i].keys.empty()) continue;
    segments[i].keys = how.plans[i].keys;
    images[i].noteKeys(segments[i].keys, !skipsUnseenKeys(qkv));
  }
  AttentionOutput output = attention(qkv, config_.heads, segments);
  const float share = 1.0F / static_cast<float>(config_.branches);
  for (std::size_t i = 0; how.trace && i < segments.size(); ++i) {
    if (segments[i].first_row) images[i].noteClassAttention(output.first_rows[i], share);
  }
  if (how.statistics.any()) {
    const at::Tensor parts = qkv.view({qkv.size(0), 3, config_.heads, config_.headDim()});
    noteStatistics(parts.select(1, 2), output, pack, how);
  }
  if (!layers.out_norm.weight.defined()) return output.mixed;
  return layerNorm(output.mixed.to(stream_dtype_), layers.out_norm, dtype_);
}

std::vector<float> VisionTransformer::attentionWeights(int block, const BlockRecord& record,
                                                       bool proportional,
                                                       TokenPosition position) const {
  const c10::InferenceMode guard;
  Attending how;
  how.proportional = proportional;
  Options options;
  options.position = position;
  preparePositions({&record.seen, 1}, block, options, how);
  Segment segment = segmentOf(record.seen, 0, how);
  segment.keys = record.keys;
  const std::vector<AttentionLayers>& attentions =
      layers_.blocks[static_cast<std::size_t>(block)].attentions;
  const std::int64_t each = segment.tokens * segment.tokens;
  const std::int64_t of_branch = config_.heads * each;
  std::vector<float> weights(attentions.size() * static_cast<std::size_t>(of_branch));
  float* to = weights.data();
  for (std::size_t branch = 0; branch < attentions.size(); ++branch, to += of_branch) {
    const at::Tensor qkv = queriesKeysValues(attentions[branch], record.inputs[branch], how);
    const auto work = [&](std::int64_t first, std::int64_t last) {
      const c10::InferenceMode of_thread;
      for (std::int64_t head = first; head < last; ++head) {
        throwIfStopWithin();
        at::from_blob(to + head * each, {segment.tokens, segment.tokens}, at::kFloat)
            .copy_(attentionWeightsOf(head, qkv, config_.heads, segment));
      }
    };
    if (qkv.is_cpu()) {
      parallelFor(config_.heads, work);
    } else {
      work(0, config_.heads);
    }
  }
  return weights;
}

void VisionTransformer::record(const Pack& pack, const std::vector<at::Tensor>& inputs,
                               const Attending& how, std::vector<BlockRecord>& records) const {
  const bool inside = !how.inside.empty();
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < pack.images.size(); ++i) {
    const ImageState& seen = inside ? how.inside[i] : pack.images[i];
    BlockRecord record{seen.tokensAlone(), std::nullopt, {}, {}, {}, std::nullopt};
    if (inside) record.entry = pack.images[i].tokensAlone();
    for (const at::Tensor& input : inputs) {
      record.inputs.push_back(input.narrow(0, offset, seen.tokens()).clone());
    }
    if (!how.plans.empty()) record.keys = how.plans[i].keys;
    offset += seen.tokens();
    records.push_back(std::move(record));
  }
}

void VisionTransformer::noteStatistics(const at::Tensor& values, const AttentionOutput& output,
                                       Pack& pack, const Attending& how) const {
  pack.statistics.resize(pack.images.size());
  const float share = 1.0F / static_cast<float>(config_.branches);
  at::Tensor squares;  // of the values' lengths
  if (how.statistics.value_norms) squares = squaredNorms(values.flatten(1));
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < pack.images.size(); ++i) {
    AttentionStatistics& own = pack.statistics[i];
    const auto tokens = static_cast<std::size_t>(pack.images[i].tokens());
    if (how.statistics.class_attention) {
      own.class_attention.resize(tokens, 0.0F);
      for (std::size_t k = 0; k < tokens; ++k) {
        own.class_attention[k] += output.first_rows[i][k] * share;
      }
    }
    if (how.statistics.received) {
      own.received =
          own.received.defined() ? at::cat({own.received, output.received[i]}) : output.received[i];
    }
    if (how.statistics.value_norms) {
      own.value_norms.resize(tokens, 0.0F);
      for (std::size_t k = 0; k < tokens; ++k) {
        // Several attentions of a block: the length of all their values.
        const double others = static_cast<double>(own.value_norms[k]) * own.value_norms[k];
        own.value_norms[k] = static_cast<float>(
            std::sqrt(others + squares.data_ptr<double>()[offset + static_cast<std::int64_t>(k)]));
      }
    }
    offset += static_cast<std::int64_t>(tokens);
  }
}

void VisionTransformer::preparePositions(std::span<const ImageState> images, int index,
                                         const Options& options, Attending& how) const {
  if (rotary_.defined()) {
    const at::ScalarType exact = dtype_ == at::kDouble ? at::kDouble : at::kFloat;
    how.rotary = rotary_.of(images, index, options.position, exact);
    how.rotary.cosines = sentTo(device_, how.rotary.cosines);
    how.rotary.sines = sentTo(device_, how.rotary.sines);
  }
  if (pair_bias_.empty()) return;
  const at::Tensor& bias = pair_bias_[pair_bias_.size() == 1 ? 0 : static_cast<std::size_t>(index)];
  const bool merged = std::any_of(images.begin(), images.end(),
                                  [](const ImageState& image) { return image.anyMerged(); });
  const at::Tensor host = merged ? bias.to(at::kCPU) : bias;
  for (const ImageState& image : images) {
    how.pair_bias.push_back(image.anyMerged() ? sentTo(device_, mergedBias(host, image)) : bias);
  }
}

void VisionTransformer::runFiltered(Pack& pack, int index, const MergeMethod& method,
                                    const Options& options) const {
  const auto block = static_cast<std::size_t>(index);
  const FilterLayers& filter = layers_.blocks[block].filter;
  const MlpLayers& mlp = layers_.blocks[block].mlps.front();
  if (options.record) record(pack, {}, {}, pack.records);
  const at::Tensor filtered = mixers_[block](normed(pack.tokens, filter.norm)).to(stream_dtype_);
  if (config_.filter.double_skip) pack.tokens += filtered;
  // The filter needs the whole grid, so it is the MLP that runs on merged tokens.
  const at::Tensor source = config_.filter.double_skip ? pack.tokens : filtered;
  const at::Tensor input = normed(source, mlp.norm);
  at::Tensor metric;
  if (actsInside(index, method)) metric = metricOf(input.unflatten(1, {config_.heads, -1}));
  const InsideWindows inside =
      enterWindows(pack, index, method, windowsOf(config_, 0), source, input, metric, options);
  for (std::size_t i = 0; i < pack.images.size(); ++i) {
    pack.images[i].noteMlp(static_cast<int>(inside.counts[i]));
  }
  const at::Tensor mixed = mlp.fc2(hidden(mlp, inside.tokens), std::nullopt, stream_dtype_);
  pack.tokens += mixed.index_select(0, inside.back);
}

at::Tensor VisionTransformer::field(const at::Tensor& tokens) const {
  const std::int64_t p = config_.patch_size;
  const std::int64_t rows = config_.gridHeight();
  const std::int64_t columns = config_.gridWidth();
  return layers_.field(tokens.to(dtype_), std::nullopt, stream_dtype_)
      .reshape({rows, columns, p, p, config_.field_channels})
      .permute({4, 0, 2, 1, 3})
      .reshape({config_.field_channels, rows * p, columns * p});
}

}  // namespace adamerge
