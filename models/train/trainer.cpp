// SPDX-License-Identifier: GPL-3.0-or-later
#include "trainer.h"

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "adamerge/error.h"
#include "batches.h"
#include "engine/device.h"
#include "schedule.h"
#include "support/files.h"

namespace adamerge::training {
namespace {

/// Between probabilities, [batch, classes], and logits, in fp32.
at::Tensor crossEntropy(const at::Tensor& logits, const at::Tensor& targets) {
  return -(targets * logits.log_softmax(-1)).sum(-1).mean();
}

std::string csv(const LogRow& row) {
  return fmt::format("{},{},{:.6e},{:.6f},{:.6f},{}\n", row.step, row.epoch, row.learning_rate,
                     row.loss, row.gradient_norm,
                     row.accuracy ? fmt::format("{:.4f}", *row.accuracy) : "");
}

}  // namespace

Trainer::Trainer(const Recipe& recipe, const TrainingData& data, Random random, Options options)
    : recipe_(recipe),
      data_(data),
      options_(std::move(options)),
      dtype_(parseDtype(recipe.dtype, options_.device)),
      random_(std::move(random)),
      vit_(architectureOf(recipe, static_cast<int>(data.classes.size())), random_, options_.device),
      optimiser_(
          vit_.parameters(),
          {.beta1 = recipe.beta1, .beta2 = recipe.beta2, .weight_decay = recipe.weight_decay},
          layerRates(vit_.parameters(), recipe.layer_decay, recipe.depth)),
      steps_per_epoch_(static_cast<std::int64_t>(data.training.size()) / recipe.batch),
      steps_(steps_per_epoch_ * recipe.epochs),
      order_(at::zeros({static_cast<std::int64_t>(data.training.size())}, at::kLong)),
      loss_sum_(at::zeros({}, at::TensorOptions(at::kDouble).device(options_.device))),
      gradient_norm_sum_(at::zeros_like(loss_sum_)) {
  copyWeights(options_.weights, vit_);
  if (recipe.average == 0) return;
  Random unused(0);
  average_.emplace(vit_.config(), unused, options_.device);
  copyWeights(weightsOf(vit_), *average_);
}

RunIdentity Trainer::identity() const { return {recipe_, data_.classes, data_.fingerprint}; }

StateDict Trainer::state() const {
  StateDict tensors{{"order", order_},
                    {"loss_sum", loss_sum_},
                    {"gradient_norm_sum", gradient_norm_sum_},
                    {"random", random_.state()}};
  for (std::size_t i = 0; i < vit_.parameters().size(); ++i) {
    const Parameter& parameter = vit_.parameters()[i];
    tensors["model." + parameter.name] = parameter.value.detach();
    tensors["first_moment." + parameter.name] = optimiser_.firstMoments()[i];
    tensors["second_moment." + parameter.name] = optimiser_.secondMoments()[i];
    if (average_) tensors["average." + parameter.name] = average_->parameters()[i].value.detach();
  }
  return tensors;
}

void Trainer::resume() {
  const Checkpoint checkpoint = readCheckpoint(options_.checkpoint);
  requireSame(checkpoint.identity, identity(), options_.checkpoint);
  if (checkpoint.step < 0 || checkpoint.step > steps_ || checkpoint.logged_step < 0 ||
      checkpoint.logged_step > checkpoint.step) {
    throw brokenCheckpoint(options_.checkpoint, "it counts more steps than the run has");
  }
  // All but the random state share their storage with the run.
  for (const auto& [name, tensor] : state()) {
    copyTensor(checkpoint, name, tensor, options_.checkpoint);
  }
  try {
    random_.setState(checkpoint.tensors.at("random").clone());
  } catch (const c10::Error&) {
    throw brokenCheckpoint(options_.checkpoint, "the state of the random numbers is not one");
  }
  const std::int64_t images = order_.size(0);
  if (!std::get<0>(order_.sort()).equal(at::arange(images)) && checkpoint.step > 0) {
    throw brokenCheckpoint(options_.checkpoint, "the order of the images is none");
  }
  step_ = checkpoint.step;
  logged_step_ = checkpoint.logged_step;
  log_ = checkpoint.log;
  writeFileAtomically(options_.log, log_);
}

void Trainer::run(const ProgressCallback& progress, const std::stop_token& stop) {
  try {
    while (true) {
      if (progress) progress({"training", step_, steps_});
      throwIfStopped(stop);
      if (rowIsDue()) writeRow(progress, stop);
      if (step_ == steps_) break;
      train();
      if (step_ % options_.checkpoint_every == 0 && step_ < steps_) writeCheckpoint();
    }
  } catch (const Cancelled&) {
    writeCheckpoint();
    throw;
  }
  writeCheckpoint();
}

bool Trainer::rowIsDue() const {
  return logged_step_ < step_ && (step_ % recipe_.log_every == 0 || step_ % steps_per_epoch_ == 0);
}

void Trainer::train() {
  const std::int64_t in_epoch = step_ % steps_per_epoch_;
  if (in_epoch == 0) order_ = random_.permutation(order_.size(0));
  const Batch batch =
      trainingBatch(data_.training, order_.narrow(0, in_epoch * recipe_.batch, recipe_.batch),
                    recipe_, vit_.config().classes, random_);
  const std::int64_t patches = vit_.config().patchTokens();
  Dropped dropped = drawDropped(recipe_, recipe_.batch,
                                keptPatches(recipe_, step_, steps_, patches), patches, random_);
  for (at::Tensor* tensor : {&dropped.kept_patches, &dropped.branches}) {
    if (tensor->defined()) *tensor = tensor->to(options_.device);
  }
  const at::Tensor logits = vit_.forward(batch.images, dtype_, dropped, nullptr, merging());
  const at::Tensor loss = crossEntropy(logits, batch.targets.to(options_.device));
  loss.backward();
  // Summed on the device: reading the numbers would make the CPU wait for it in every step.
  gradient_norm_sum_.add_(clipGradients(vit_.parameters(), recipe_.clip));
  loss_sum_.add_(loss.detach());
  optimiser_.update(learningRate(recipe_, step_, steps_), step_ + 1);
  ++step_;
  if (average_) average();
}

/// Young averages forget sooner, or the weights at the start would stay in them.
void Trainer::average() {
  const c10::NoGradGuard guard;
  const auto steps = static_cast<double>(step_);
  const double memory = std::min(recipe_.average, (1 + steps) / (10 + steps));
  for (std::size_t i = 0; i < vit_.parameters().size(); ++i) {
    const at::Tensor& own = vit_.parameters()[i].value;
    at::Tensor mean = average_->parameters()[i].value.detach();
    mean.lerp_(own.detach(), 1.0 - memory);
  }
}

double Trainer::meanLoss() const {
  const auto steps = static_cast<double>(std::max<std::int64_t>(step_ - logged_step_, 1));
  const double loss = loss_sum_.item<double>() / steps;
  if (std::isfinite(loss)) return loss;
  throw Error(fmt::format(
      "the loss is no longer finite at step {}; a smaller --learning-rate or --clip, or "
      "a longer --warm-up is needed",
      step_));
}

void Trainer::writeRow(const ProgressCallback& progress, const std::stop_token& stop) {
  const auto steps = static_cast<double>(step_ - logged_step_);
  LogRow row;
  row.step = step_;
  row.epoch = (step_ - 1) / steps_per_epoch_ + 1;
  row.learning_rate = learningRate(recipe_, step_ - 1, steps_);
  row.loss = meanLoss();
  row.gradient_norm = gradient_norm_sum_.item<double>() / steps;
  if (step_ % steps_per_epoch_ == 0) row.accuracy = 100.0 * accuracy(progress, stop);
  const std::string text = log_ + csv(row);
  writeFileAtomically(options_.log, text);
  log_ = text;
  logged_step_ = step_;
  loss_sum_.zero_();
  gradient_norm_sum_.zero_();
  if (options_.on_row) options_.on_row(row);
}

double Trainer::accuracy(const ProgressCallback& progress, const std::stop_token& stop) const {
  const c10::NoGradGuard guard;
  const Pictures& pictures = data_.test;
  const Preprocessing preprocessing = preprocessingOf(recipe_);
  std::int64_t correct = 0;
  for (std::size_t first = 0; first < pictures.size();) {
    throwIfStopped(stop);
    const std::size_t count =
        std::min(static_cast<std::size_t>(recipe_.batch), pictures.size() - first);
    const at::Tensor logits = model().forward(plainImages(pictures, first, count, preprocessing),
                                              dtype_, {}, nullptr, merging());
    const at::Tensor classes = logits.argmax(-1).to(at::kCPU);
    for (std::size_t i = 0; i < count; ++i) {
      if (classes[static_cast<std::int64_t>(i)].item<std::int64_t>() == pictures.labels[first + i])
        ++correct;
    }
    first += count;
    if (progress) {
      progress({"measuring accuracy", static_cast<std::int64_t>(first),
                static_cast<std::int64_t>(pictures.size())});
    }
  }
  return static_cast<double>(correct) / static_cast<double>(pictures.size());
}

void Trainer::writeCheckpoint() const {
  meanLoss();
  training::writeCheckpoint(options_.checkpoint, {identity(), step_, logged_step_, log_, state()});
}

}  // namespace adamerge::training
