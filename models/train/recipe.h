// SPDX-License-Identifier: GPL-3.0-or-later
// Everything that decides what a training run computes. The defaults make the bundled model's
// shape. Two runs with equal recipes, images and devices end in the same bits.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "adamerge/methods.h"
#include "adamerge/model_info.h"

namespace adamerge::training {

/// Until `until` (a share of the run), `keep` (a share) of the patches enter the network.
struct PatchStage {
  double keep = 1.0;
  double until = 1.0;
};

/// What the layer scale of a new network begins with; timm is told by it that there is one.
inline constexpr double kFirstLayerScale = 1e-5;

struct Recipe {
  int image_size = 56;  ///< pixels
  int patch_size = 4;   ///< pixels
  int width = 192;
  int depth = 12;
  int heads = 3;
  double mlp_ratio = 4.0;
  bool layer_scale = false;                     ///< a factor per channel after each branch
  std::array<float, 3> mean{0.5F, 0.5F, 0.5F};  ///< RGB, of values in 0...1
  std::array<float, 3> std{0.5F, 0.5F, 0.5F};

  int epochs = 100;
  int batch = 128;
  double learning_rate = 1e-3;
  double warm_up = 0.05;     ///< share of the run
  double layer_decay = 1.0;  ///< of the rate, from a block to the one before
  double average = 0;        ///< memory of the weights' moving average; 0: none is taken
  double weight_decay = 0.05;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double clip = 1.0;  ///< norm of all gradients together; 0: not clipped

  int padding = 3;  ///< pixels of the original image
  bool flip = true;
  double mixup = 0.8;  ///< alpha of Beta(alpha, alpha); 0: none
  double mixup_share = 0.5;
  double label_smoothing = 0.1;
  double stochastic_depth = 0.05;  ///< of the last block, rising linearly from 0
  std::vector<PatchStage> keep_patches{{0.286, 0.55}, {0.429, 0.78}};

  std::string method = "none";  ///< that merges while the network is trained
  Settings settings = {};       ///< of it; others have their default

  double hold_out = 0.1;   ///< share of the images to measure on where there is no test set
  std::int64_t limit = 0;  ///< train on so many images; 0: all
  std::uint64_t seed = 0;
  int log_every = 50;             ///< steps
  std::string dtype = "float32";  ///< of the matrix products; weights and sums are fp32
};

/// Throws Error, naming the option: sizes that do not divide each other, stages out of order.
void requireUsable(const Recipe& recipe);

VitConfig architectureOf(const Recipe& recipe, int classes);
/// The whole image, squares without a border, as the bundled model has it.
Preprocessing preprocessingOf(const Recipe& recipe);

/// By the names of the options.
nlohmann::ordered_json toJson(const Recipe& recipe);
/// Throws nlohmann::json::exception.
Recipe recipeFromJson(const nlohmann::json& json);

/// "0.286:0.55,0.429:0.78"; empty: none is dropped.
std::string stagesText(const std::vector<PatchStage>& stages);
/// Throws Error.
std::vector<PatchStage> parseStages(const std::string& text);

}  // namespace adamerge::training
