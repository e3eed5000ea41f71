// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/vit.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "adamerge/error.h"
#include "engine/image_state.h"
#include "kernels/attention.h"
#include "kernels/matching_ops.h"
#include "kernels/padded.h"
#include "kernels/parallel.h"
#include "kernels/rows.h"
#include "kernels/workspace.h"
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

at::Tensor VisionTransformer::hidden(const MlpLayers& layers, const at::Tensor& input) const {
  const at::Tensor result = config_.gated_mlp
                                ? gated(layers.fc1(input), config_.activation, /*gate_first=*/true)
                                : layers.fc1(input, config_.activation);
  if (!layers.hidden_norm.weight.defined()) return result;
  return layerNorm(result.to(stream_dtype_), layers.hidden_norm, dtype_);
}

at::ScalarType VisionTransformer::deciding() const {
  // Consumer GPUs have one fp64 unit for 64 of fp32.
  const bool exact = dtype_ == at::kDouble || (dtype_ == at::kFloat && device_.is_cpu() && !int8_);
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
  const Workspace workspace;
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
