// SPDX-License-Identifier: GPL-3.0-or-later
#include "token_compensator.h"

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "adamw.h"
#include "batches.h"
#include "engine/device.h"
#include "merging/compensator.h"
#include "weights/safetensors.h"

namespace adamerge::training {
namespace {

constexpr int kDegrees = Compensator::kDegrees;
constexpr std::int64_t kPerDegree = 2;
constexpr double kScale = 0.1;      // in training, as published
constexpr double kLastRate = 0.01;  // of the highest
constexpr std::size_t kMeasuredImages = 512;

/// KL(teacher || student) of logits [batch, classes], summed over the batch.
at::Tensor divergence(const at::Tensor& teacher, const at::Tensor& student) {
  const at::Tensor wanted = teacher.log_softmax(-1);
  return (wanted.exp() * (wanted - student.log_softmax(-1))).sum();
}

/// The largest count that this grid can merge in every block as its count says, at most 16.
int mostMerges(const VitConfig& vit) { return std::min(kDegrees, vit.patchTokens() / 2); }

std::vector<CompensatorGain> gains(const TrainableVit& network, const CompensatorMaps& maps,
                                   const Preprocessing& preprocessing, const Pictures& pictures,
                                   const Recipe& recipe, at::ScalarType dtype,
                                   const ProgressCallback& progress, const std::stop_token& stop) {
  const c10::NoGradGuard guard;
  const int most = mostMerges(network.config());
  std::vector<CompensatorGain> result{{std::max(1, most / 2)}, {most}};
  std::vector<std::unique_ptr<const MergeMethod>> methods;
  for (const CompensatorGain& gain : result) methods.push_back(toMe(gain.r, network.config()));
  const std::size_t count = std::min(pictures.size(), kMeasuredImages);
  for (std::size_t first = 0; first < count;) {
    throwIfStopped(stop);
    const std::size_t size = std::min(static_cast<std::size_t>(recipe.batch), count - first);
    const at::Tensor images = plainImages(pictures, first, size, preprocessing);
    const at::Tensor unmerged = network.forward(images, dtype);
    for (std::size_t i = 0; i < result.size(); ++i) {
      CompensatorGain& gain = result[i];
      const auto share = [&](const TokenMerging& merging) {
        return divergence(unmerged, network.forward(images, dtype, {}, nullptr, merging))
                   .item<double>() /
               static_cast<double>(count);
      };
      gain.plain += share({methods[i].get()});
      gain.compensated += share({methods[i].get(), maps.changes(0, gain.r, kScale)});
    }
    first += size;
    if (progress) {
      progress({"measuring", static_cast<std::int64_t>(first), static_cast<std::int64_t>(count)});
    }
  }
  return result;
}

}  // namespace

CompensatorMaps::CompensatorMaps(const VitConfig& vit, Random& random, at::Device device) {
  const std::int64_t rank = kPerDegree * kDegrees;
  const double bound = 1.0 / std::sqrt(static_cast<double>(vit.dim));
  const auto add = [&](const std::string& name, const at::Tensor& value) {
    parameters_.push_back({name, value.to(device).set_requires_grad(true), /*decays=*/true});
  };
  for (int block = 0; block < vit.depth; ++block) {
    for (const char* part : {"q", "v"}) {
      const std::string stem = fmt::format("blocks.{}.attn.{}_tocom.adapter_", block, part);
      add(stem + "down.weight", (random.uniform({rank, vit.dim}) * 2.0 - 1.0) * bound);
      add(stem + "up.weight", at::zeros({vit.dim, rank}));
    }
  }
}

std::vector<at::Tensor> CompensatorMaps::changes(int source, int target, double scale) const {
  std::vector<at::Tensor> changes;
  if (source == target) return changes;
  const std::int64_t first = kPerDegree * (kDegrees - std::max(source, target));
  const std::int64_t count = kPerDegree * std::abs(target - source);
  const double factor = target > source ? scale : -scale;
  const auto change = [&](std::size_t k) {
    const at::Tensor& down = parameters_[k].value;
    const at::Tensor& up = parameters_[k + 1].value;
    return up.narrow(1, first, count).mm(down.narrow(0, first, count)) * factor;
  };
  for (std::size_t k = 0; k < parameters_.size(); k += 4) {
    const at::Tensor q = change(k);
    changes.push_back(at::cat({q, at::zeros_like(q), change(k + 2)}));
  }
  return changes;
}

void writeCompensator(const CompensatorMaps& maps, const std::filesystem::path& path) {
  StateDict tensors;
  for (const Parameter& parameter : maps.parameters()) {
    tensors[parameter.name] = parameter.value.detach();
  }
  writeSafetensors(path, tensors);
}

std::vector<CompensatorGain> trainCompensator(const TrainableVit& network,
                                              const Preprocessing& preprocessing,
                                              const TrainingData& data, const Recipe& recipe,
                                              Random random, const CompensatorOptions& options,
                                              const ProgressCallback& progress,
                                              const std::stop_token& stop) {
  for (const Parameter& parameter : network.parameters()) parameter.value.set_requires_grad(false);
  const at::ScalarType dtype = parseDtype(recipe.dtype, options.device);
  CompensatorMaps maps(network.config(), random, options.device);
  AdamW optimiser(
      maps.parameters(),
      {.beta1 = recipe.beta1, .beta2 = recipe.beta2, .weight_decay = recipe.weight_decay});
  const auto images = static_cast<std::int64_t>(data.training.size());
  const std::int64_t per_epoch = images / recipe.batch;
  const std::int64_t steps = per_epoch * recipe.epochs;
  const int counts = mostMerges(network.config()) + 1;
  if (counts < 2) throw Error("the model has a single patch, so nothing can merge");
  std::vector<std::unique_ptr<const MergeMethod>> merging;  // by count
  for (int r = 0; r < counts; ++r) merging.push_back(toMe(r, network.config()));
  for (std::int64_t step = 0; step < steps;) {
    const at::Tensor order = random.permutation(images);
    at::Tensor sum = at::zeros({}, at::TensorOptions(at::kDouble).device(options.device));
    for (std::int64_t i = 0; i < per_epoch; ++i) {
      if (progress) progress({"training", step, steps});
      throwIfStopped(stop);
      const at::Tensor pixels =
          augmentedImages(data.training, order.narrow(0, i * recipe.batch, recipe.batch), recipe,
                          preprocessing, random);
      const at::Tensor drawn = random.permutation(counts);
      const auto source = static_cast<std::size_t>(drawn[0].item<std::int64_t>());
      const auto target = static_cast<std::size_t>(drawn[1].item<std::int64_t>());
      at::Tensor teacher;
      {
        const c10::NoGradGuard guard;
        teacher = network.forward(pixels, dtype, {}, nullptr, {merging[source].get()});
      }
      const at::Tensor student = network.forward(
          pixels, dtype, {}, nullptr,
          {merging[target].get(),
           maps.changes(static_cast<int>(source), static_cast<int>(target), kScale)});
      const at::Tensor loss = divergence(teacher, student) / recipe.batch;
      loss.backward();
      sum.add_(loss.detach());
      const double done = static_cast<double>(step) / static_cast<double>(steps);
      const double share =
          kLastRate + (1 - kLastRate) * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
      optimiser.update(recipe.learning_rate * share, ++step);
    }
    const double loss = sum.item<double>() / static_cast<double>(per_epoch);
    if (!std::isfinite(loss)) {
      throw Error(fmt::format(
          "the loss is no longer finite at step {}; a smaller --learning-rate is needed", step));
    }
    writeCompensator(maps, options.file);
    if (options.on_epoch) options.on_epoch(static_cast<int>(step / per_epoch), loss);
  }
  return gains(network, maps, preprocessing, data.test, recipe, dtype, progress, stop);
}

}  // namespace adamerge::training
