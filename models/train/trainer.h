// SPDX-License-Identifier: GPL-3.0-or-later
// One training run: steps, measurements after each epoch, the log, checkpoints, resuming.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adamerge/error.h"
#include "adamw.h"
#include "checkpoint.h"
#include "random.h"
#include "recipe.h"
#include "trainable_vit.h"
#include "training_data.h"

namespace adamerge::training {

/// The CSV's columns; a row every so many steps and after each epoch. Loss and norm are means over
/// the steps since the row before; accuracy is in percent, only after an epoch.
inline constexpr const char* kLogHeader = "step,epoch,learning_rate,loss,gradient_norm,accuracy\n";

struct LogRow {
  std::int64_t step = 0;
  std::int64_t epoch = 0;  ///< from 1
  double learning_rate = 0;
  double loss = 0;
  double gradient_norm = 0;  ///< before clipping
  std::optional<double> accuracy = std::nullopt;
};

class Trainer {
 public:
  struct Options {
    std::filesystem::path checkpoint;  ///< file
    std::filesystem::path log;         ///< file
    at::Device device = at::kCPU;
    std::int64_t checkpoint_every = 500;  ///< steps
    StateDict weights = {};  ///< to start from, as far as they go; else drawn at random
    /// The recipe's, ready for the network; null where that is "none".
    std::shared_ptr<const MergeMethod> method = nullptr;
    std::function<void(const LogRow&)> on_row = {};
  };

  /// `data` must outlive the trainer. `random` goes on where reading the data left it.
  Trainer(const Recipe& recipe, const TrainingData& data, Random random, Options options);
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Goes on from the checkpoint file, on the same device with the same number of threads to the
  /// same bits. Throws Error: see readCheckpoint; made with other settings or images.
  void resume();

  /// To the end. Asked to stop, it writes a checkpoint and throws Cancelled. Throws Error: the loss
  /// is not finite, files cannot be written.
  void run(const ProgressCallback& progress = {}, const std::stop_token& stop = {});

  /// Share of the test images whose class gets the largest logit, under model() and merging as it
  /// is trained.
  double accuracy(const ProgressCallback& progress = {}, const std::stop_token& stop = {}) const;

  std::int64_t step() const { return step_; }
  std::int64_t steps() const { return steps_; }
  /// What the run makes: the network, or the moving average of its weights.
  const TrainableVit& model() const { return average_ ? *average_ : vit_; }

 private:
  bool rowIsDue() const;
  void train();
  void average();
  TokenMerging merging() const { return {options_.method.get()}; }
  void writeRow(const ProgressCallback& progress, const std::stop_token& stop);
  void writeCheckpoint() const;
  double meanLoss() const;
  RunIdentity identity() const;
  /// All that must be equal for the next step to be.
  StateDict state() const;

  const Recipe recipe_;
  const TrainingData& data_;
  const Options options_;
  const at::ScalarType dtype_;
  Random random_;
  TrainableVit vit_;
  std::optional<TrainableVit> average_;
  AdamW optimiser_;
  const std::int64_t steps_per_epoch_;  ///< what does not fill a batch waits for the next shuffle
  const std::int64_t steps_;
  std::int64_t step_ = 0;
  std::int64_t logged_step_ = 0;
  std::string log_ = kLogHeader;
  at::Tensor order_;     ///< [images], int64: this epoch's
  at::Tensor loss_sum_;  ///< scalars, fp64, on the device: since the last row
  at::Tensor gradient_norm_sum_;
};

}  // namespace adamerge::training
