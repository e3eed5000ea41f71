// SPDX-License-Identifier: GPL-3.0-or-later
#include "gradient_importance.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <numeric>

#include "adamerge/error.h"
#include "adamerge/image.h"
#include "initial_weights.h"

namespace adamerge::training {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kBatches = 20;

}  // namespace

std::vector<std::vector<double>> gradientScores(
    const TrainableVit& vit, std::int64_t batches,
    const std::function<LabelledBatch(std::int64_t batch)>& load, const ProgressCallback& progress,
    const std::stop_token& stop) {
  const VitConfig& config = vit.config();
  at::Tensor scores = at::zeros({config.depth, config.patchTokens()}, at::kDouble);
  for (std::int64_t number = 0; number < batches; ++number) {
    throwIfStopped(stop);
    const LabelledBatch batch = load(number);
    std::vector<at::Tensor> attention;
    const at::Tensor logits = vit.forward(batch.images, at::kFloat, {}, &attention);
    for (const at::Tensor& weights : attention) weights.retain_grad();
    at::cross_entropy_loss(logits, batch.labels.to(logits.device())).backward();
    const c10::NoGradGuard guard;
    for (int block = 0; block < config.depth; ++block) {
      const at::Tensor& weights = attention[static_cast<std::size_t>(block)];
      const at::Tensor sums = (weights.grad() * weights).to(at::kDouble).flatten(0, 2).mean(0);
      scores[block] +=
          sums.narrow(0, config.prefixTokens(), config.patchTokens()).abs().to(at::kCPU);
    }
    for (const Parameter& parameter : vit.parameters()) parameter.value.mutable_grad().reset();
    if (progress) progress({"measuring importance", number + 1, batches});
  }
  std::vector<std::vector<double>> rows;
  for (int block = 0; block < config.depth; ++block) {
    const at::Tensor row = scores[block].contiguous();
    rows.emplace_back(row.data_ptr<double>(), row.data_ptr<double>() + row.numel());
  }
  return rows;
}

Importance gradientImportance(const LoadedModel& model, const Dataset& data, at::Device device,
                              const ProgressCallback& progress, const std::stop_token& stop) {
  const TrainableVit vit = trainableVit(model, device);
  if (data.size() == 0) throw Error("there is no image to measure importance on");
  const std::size_t batches = std::clamp<std::size_t>(data.size() / kBatch, 1, kBatches);
  const std::size_t size = std::min(data.size(), kBatch);
  const auto load = [&](std::int64_t number) {
    std::vector<at::Tensor> images;
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t index = static_cast<std::size_t>(number) * size + i;
      const InputTensor input = prepareImage(data.load(index), model.info.preprocessing).input;
      images.push_back(at::tensor(input.values).reshape({3, input.height, input.width}));
      labels.push_back(data.label(index));
    }
    return LabelledBatch{at::stack(images), at::tensor(labels)};
  };
  Importance importance;
  importance.model = model.info.name;
  importance.depth = model.info.vit.depth;
  importance.blocks.resize(static_cast<std::size_t>(importance.depth));
  std::iota(importance.blocks.begin(), importance.blocks.end(), 0);
  importance.images = static_cast<int>(batches * size);
  importance.kind = "gradient";
  importance.scores = gradientScores(vit, static_cast<std::int64_t>(batches), load, progress, stop);
  return importance;
}

}  // namespace adamerge::training
