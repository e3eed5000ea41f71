// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vit.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "adamerge/error.h"
#include "engine/packed_plans.h"
#include "kernels/activation.h"
#include "kernels/attention.h"
#include "kernels/matching_ops.h"
#include "kernels/padded/padding.h"
#include "kernels/parallel.h"
#include "kernels/rotation.h"
#include "merging/apply.h"
#include "merging/matching.h"

namespace adamerge {

at::Tensor VisionTransformer::normed(const at::Tensor& x, const LayerNorm& norm) const {
  return layerNorm(x, norm, dtype_);
}

at::Tensor VisionTransformer::embed(const at::Tensor& images) const {
  const std::int64_t batch = images.size(0);
  const std::int64_t p = config_.patch_size;
  const std::int64_t rows = config_.gridHeight() * p;
  const std::int64_t columns = config_.gridWidth() * p;
  // A convolution whose stride is its kernel is one matrix product over the unfolded patches.
  const at::Tensor patches =
      (images.is_cpu() ? sentTo(device_, images) : images)
          .narrow(2, 0, rows)
          .narrow(3, 0, columns)
          .to(dtype_)
          .reshape({batch, config_.channels, config_.gridHeight(), p, config_.gridWidth(), p})
          .permute({0, 2, 4, 1, 3, 5})
          .reshape({batch * config_.patchTokens(), config_.channels * p * p});
  at::Tensor tokens = layerNorm(layers_.patch(patches, std::nullopt, stream_dtype_),
                                layers_.patch_norm, stream_dtype_)
                          .reshape({batch, config_.patchTokens(), config_.dim});
  if (position_.defined()) tokens = tokens + position_;
  if (!prefix_.defined()) return tokens.reshape({-1, config_.dim});
  return at::cat({prefix_.unsqueeze(0).expand({batch, -1, -1}), tokens}, 1)
      .reshape({-1, config_.dim});
}

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
  at::Tensor rows;  // in fp32; on the CPU one loop adds each row in one order
  if (how.statistics.value_norms) {
    rows = values.flatten(1).to(at::kFloat).contiguous();
    if (!rows.is_cpu()) rows = rows.norm(2, {1}, /*keepdim=*/true).to(at::kCPU);
  }
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
        const float* row =
            rows.data_ptr<float>() + (offset + static_cast<std::int64_t>(k)) * rows.size(1);
        // Several attentions of a block: the length of all their values.
        double square = static_cast<double>(own.value_norms[k]) * own.value_norms[k];
        square = std::inner_product(row, row + rows.size(1), row, square);
        own.value_norms[k] = static_cast<float>(std::sqrt(square));
      }
    }
    offset += static_cast<std::int64_t>(tokens);
  }
}

at::Tensor VisionTransformer::hidden(const MlpLayers& layers, const at::Tensor& input) const {
  const at::Tensor result = config_.gated_mlp
                                ? gated(layers.fc1(input), config_.activation, /*gate_first=*/true)
                                : layers.fc1(input, config_.activation);
  if (!layers.hidden_norm.weight.defined()) return result;
  return layerNorm(result.to(stream_dtype_), layers.hidden_norm, dtype_);
}

at::ScalarType VisionTransformer::deciding() const {
  // Consumer GPUs have one fp64 unit for 64 of fp32.
  const bool exact = dtype_ == at::kDouble || (dtype_ == at::kFloat && device_.is_cpu());
  return exact ? at::kDouble : at::kFloat;
}

std::vector<MergePlan> VisionTransformer::decide(const Pack& pack, int block,
                                                 const MergeMethod& method,
                                                 const at::Tensor& tokens, const at::Tensor& metric,
                                                 const Options& options) const {
  const std::size_t images = pack.images.size();
  std::vector<LayerTokens> layers(images);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < images; ++i) {
    const ImageState& image = pack.images[i];
    const std::int64_t count = image.tokens();
    LayerTokens& layer = layers[i];
    layer.block = block;
    layer.prefix = config_.prefixTokens();
    layer.tokens = tokens.narrow(0, offset, count);
    layer.deciding = deciding();
    if (metric.defined()) layer.metric = metric.narrow(0, offset, count);
    layer.trace = options.trace;
    layer.sizes = image.sizes();
    layer.patch_tokens = image.patchTokens();
    if (!pack.statistics.empty()) layer.attention = &pack.statistics[i];
    layer.memory = pack.memories[i].get();
    offset += count;
  }
  std::vector<MergePlan> plans = method.plans(layers);
  for (std::size_t i = 0; options.patch_map && i < images; ++i) {
    if (plans[i].dropped.empty()) continue;
    checkPlan(plans[i], layers[i].count(), layers[i].prefix, block, config_.heads);
    findStandIns(plans[i], layers[i].tokens, layers[i].prefix, deciding());
  }
  return plans;
}

std::vector<MergePlan> VisionTransformer::merge(Pack& pack, int block, const MergeMethod& method,
                                                const at::Tensor& metric,
                                                const Options& options) const {
  std::vector<MergePlan> plans = decide(pack, block, method, pack.tokens, metric, options);
  const std::vector<std::int64_t> counts = countsOf(pack.images);
  bool changed = false;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    changed = changed || plans[i].changes();
    pack.images[i].apply(plans[i], config_.heads);
  }
  if (changed) pack.tokens = applied(plans, counts, pack.tokens);
  return plans;
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

void VisionTransformer::runBlock(Pack& pack, int index, const MergeMethod& method,
                                 const Options& options) const {
  using Stage = MergeMethod::Stage;
  for (ImageState& image : pack.images) image.beginBlock(index);
  if (config_.isWindowed()) {
    runWindowed(pack, index, method, options);
    for (ImageState& image : pack.images) image.endBlock();
    return;
  }
  const Stage stage = method.actsIn(index) ? method.stage() : Stage::kNever;
  if (config_.mixesByFourier()) {
    runFiltered(pack, index, method, options);
  } else if (stage == Stage::kAroundBlock) {
    runInside(pack, index, method, options);
  } else {
    std::vector<MergePlan> plans;
    if (stage == Stage::kBeforeBlock) plans = merge(pack, index, method, {}, options);
    runParts(pack, index, method, stage, std::move(plans), options);
  }
  for (ImageState& image : pack.images) image.endBlock();
}

void VisionTransformer::runInside(Pack& pack, int index, const MergeMethod& method,
                                  const Options& options) const {
  const std::vector<MergePlan> plans = decide(pack, index, method, pack.tokens, {}, options);
  const std::vector<std::int64_t> counts = countsOf(pack.images);
  Pack inside;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    inside.images.push_back(pack.images[i].enter(plans[i], config_.heads));
  }
  inside.tokens = entered(plans, counts, pack.tokens);
  runParts(inside, index, method, MergeMethod::Stage::kNever, {}, options);
  pack.records = std::move(inside.records);
  for (std::size_t i = 0; i < pack.records.size(); ++i) {
    pack.records[i].entry = pack.images[i].tokensAlone();
  }
  for (std::size_t i = 0; i < plans.size(); ++i) pack.images[i].takeBack(inside.images[i]);
  pack.tokens = restored(plans, counts, pack.tokens, inside.tokens);
  // Of tokens inside, which no other block knows.
  pack.statistics.clear();
}

void VisionTransformer::runParts(Pack& pack, int index, const MergeMethod& method,
                                 MergeMethod::Stage stage, std::vector<MergePlan> plans,
                                 const Options& options) const {
  using Stage = MergeMethod::Stage;
  const BlockLayers& block = layers_.blocks[static_cast<std::size_t>(index)];
  Attending how;
  how.proportional = method.proportionalAttention();
  how.trace = options.trace;
  how.rotated_keys = options.rotated_keys;
  how.wants_metric = stage == Stage::kBetweenAttentionAndMlp;
  how.plans = std::move(plans);

  std::vector<at::Tensor> inputs;  // what each attention reads
  inputs.reserve(block.attentions.size());
  for (const AttentionLayers& attention : block.attentions) {
    inputs.push_back(config_.form == BlockForm::kPostNorm ? pack.tokens.to(dtype_)
                                                          : normed(pack.tokens, attention.norm));
  }
  at::Tensor back;  // where each token finds its row of what the attention gives
  if (stage == Stage::kAroundAttention) {
    at::Tensor metric;
    for (const at::Tensor& input : inputs) {
      const at::Tensor own = metricOf(input.unflatten(1, {config_.heads, -1}));
      metric = metric.defined() ? metric + own : own;
    }
    if (inputs.size() > 1) metric = metric / static_cast<double>(inputs.size());
    how.plans = decide(pack, index, method, inputs.front(), metric, options);
    const std::vector<std::int64_t> counts = countsOf(pack.images);
    bool changed = false;
    for (std::size_t i = 0; i < how.plans.size(); ++i) {
      how.inside.push_back(pack.images[i].enter(how.plans[i], config_.heads));
      changed = changed || how.plans[i].changes();
    }
    if (changed) {
      for (at::Tensor& input : inputs) input = applied(how.plans, counts, input);
      back = sentTo(device_, rowsBack(how.plans, counts));
    }
  } else {
    how.statistics = method.wanted(index);
  }
  pack.statistics.clear();
  preparePositions(how.inside.empty() ? pack.images : how.inside, index, options, how);
  for (std::size_t i = 0; i < pack.images.size(); ++i) {
    pack.images[i].noteAttention(how.inside.empty() ? nullptr : &how.inside[i]);
  }
  if (options.record) record(pack, inputs, how, pack.records);
  const auto attended = [&](std::size_t branch) {
    const at::Tensor mixed = attend(block.attentions[branch], inputs[branch], pack, how);
    return back.defined() ? mixed.index_select(0, back) : mixed;
  };
  const auto mergeBetween = [&] {
    for (std::size_t i = 0; i < how.inside.size(); ++i) {
      pack.images[i].takeClassAttention(how.inside[i]);
    }
    if (how.wants_metric) merge(pack, index, method, how.metric, options);
  };

  if (config_.form == BlockForm::kPostNorm) {
    const AttentionLayers& attention = block.attentions.front();
    const MlpLayers& mlp = block.mlps.front();
    pack.tokens += layerNorm(attention.proj(attended(0), std::nullopt, stream_dtype_),
                             attention.norm, stream_dtype_);
    mergeBetween();
    for (ImageState& image : pack.images) image.noteMlp();
    const at::Tensor layer = hidden(mlp, pack.tokens.to(dtype_));
    pack.tokens += layerNorm(mlp.fc2(layer, std::nullopt, stream_dtype_), mlp.norm, stream_dtype_);
  } else if (config_.form == BlockForm::kParallel) {
    // The MLP reads what the attention reads, at every token.
    const at::Tensor input =
        back.defined() ? normed(pack.tokens, block.attentions.front().norm) : inputs.front();
    block.attentions.front().proj.addTo(pack.tokens, attended(0));
    const MlpLayers& mlp = block.mlps.front();
    mlp.fc2.addTo(pack.tokens, hidden(mlp, input));
    // One projection makes queries, keys, values and hidden layer: nothing lies between.
    for (ImageState& image : pack.images) image.noteMlp();
    mergeBetween();
  } else {
    std::vector<at::Tensor> mixed;
    for (std::size_t branch = 0; branch < inputs.size(); ++branch) {
      mixed.push_back(attended(branch));
    }
    for (std::size_t i = 0; i < mixed.size(); ++i) {
      block.attentions[i].proj.addTo(pack.tokens, mixed[i]);
    }
    mergeBetween();
    for (ImageState& image : pack.images) image.noteMlp();
    std::vector<at::Tensor> layers;
    for (const MlpLayers& mlp : block.mlps) {
      layers.push_back(hidden(mlp, normed(pack.tokens, mlp.norm)));
    }
    for (std::size_t i = 0; i < layers.size(); ++i) block.mlps[i].fc2.addTo(pack.tokens, layers[i]);
  }
}

VisionTransformer::Output VisionTransformer::forward(const at::Tensor& images,
                                                     const MergeMethod& method,
                                                     const Options& options,
                                                     const std::stop_token& stop) const {
  const c10::InferenceMode guard;
  const StopWithin stoppable(stop);
  // Where all that is heavy runs in kernels of ours, LibTorch has nothing left to divide.
  std::optional<LibTorchAside> aside;
  if (device_.is_cpu() && stream_dtype_ == at::kFloat && mixers_.empty()) aside.emplace();
  Pack pack;
  pack.tokens = layerNorm(embed(images), layers_.pre_norm, stream_dtype_);
  pack.places = options.places;
  pack.images.assign(static_cast<std::size_t>(images.size(0)),
                     ImageState(config_.prefixTokens(), config_.patchTokens(), options.trace));
  for (std::size_t i = 0; i < pack.images.size(); ++i) {
    pack.memories.push_back(method.newMemory());
  }
  Output output;
  const auto note = [&] {
    if (!options.stream) return;
    output.stream.resize(pack.images.size());
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < pack.images.size(); ++i) {
      output.stream[i].push_back(pack.tokens.narrow(0, offset, pack.images[i].tokens()).clone());
      offset += pack.images[i].tokens();
    }
  };
  note();
  const auto keep = [&] {
    output.records.resize(pack.images.size());
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < pack.records.size(); ++i) {
      BlockRecord& record = pack.records[i];
      record.output = pack.tokens.narrow(0, offset, pack.images[i].tokens()).clone();
      record.after = pack.images[i].tokensAlone();
      offset += pack.images[i].tokens();
      output.records[i].push_back(std::move(record));
    }
    pack.records.clear();
  };
  const bool maps = options.classes && config_.dense.classes > 0;
  std::vector<std::vector<at::Tensor>> shown(maps ? pack.images.size() : 0);  // to the dense head
  const auto show = [&](const at::Tensor& tokens) {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const std::int64_t count = pack.images[i].tokens();
      shown[i].push_back(
          patchFeatures(neck(tokens.narrow(0, offset, count)), pack.images[i], options.unmerge));
      offset += count;
    }
  };
  for (int index = 0; index < config_.depth; ++index) {
    throwIfStopped(stop);
    runBlock(pack, index, method, options);
    note();
    if (options.record) keep();
    const bool read = index < config_.depth - 1 && index >= config_.depth - config_.dense.blocks;
    if (maps && read) show(layerNorm(pack.tokens, layers_.norm, stream_dtype_));
  }
  throwIfStopped(stop);

  const bool proportional = method.proportionalAttention();
  const at::Tensor tokens = layerNorm(pack.tokens, layers_.norm, stream_dtype_);
  if (maps) show(tokens);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    ClassMap map = classify(at::cat(shown[i], 1));
    if (!pack.places.empty()) noteWithin(pack.places[i].picture, config_, map);
    output.classes.push_back(std::move(map));
  }
  std::vector<at::Tensor> pooled;
  std::vector<at::Tensor> distilled;
  std::int64_t offset = 0;
  for (const ImageState& image : pack.images) {
    const at::Tensor features = neck(tokens.narrow(0, offset, image.tokens()));
    pooled.push_back(pool(features, image, proportional));
    distilled.push_back(features.narrow(0, config_.distillation_token ? 1 : 0, 1));
    output.features.push_back(features);
    if (layers_.field.defined()) output.fields.push_back(field(features));
    offset += image.tokens();
  }
  std::vector<at::Tensor> outputs;  // logits | embedding: one copy takes both to the host
  const auto finish = [&](const at::Tensor& own, const at::Tensor& distilled_own) {
    const at::Tensor first = project(own);
    // Where two tokens are read, their mean stands for them.
    const at::Tensor embedding = config_.mean_of_tokens ? (first + distilled_own) / 2 : first;
    const at::Tensor logits = classify(config_.two_heads ? first : embedding, distilled_own);
    outputs.push_back(at::cat({logits.to(at::kFloat), embedding.to(at::kFloat)}, 1).to(at::kCPU));
  };
  if (device_.is_cpu()) {
    // LibTorch's products may round a row otherwise among others than alone.
    for (std::size_t i = 0; i < pooled.size(); ++i) finish(pooled[i], distilled[i]);
  } else {
    finish(at::cat(pooled), at::cat(distilled));
  }
  const at::Tensor both = at::cat(outputs);
  const std::int64_t classes = both.size(1) - config_.embeddingWidth();
  output.logits = both.narrow(1, 0, classes);
  output.embedding = both.narrow(1, classes, config_.embeddingWidth());
  output.images = std::move(pack.images);
  return output;
}

}  // namespace adamerge
