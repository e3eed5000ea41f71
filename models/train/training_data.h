// SPDX-License-Identifier: GPL-3.0-or-later
// The images of a run, decoded and kept in memory as bytes: CIFAR-10's 50,000 take 154 MB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "adamerge/image.h"
#include "random.h"
#include "recipe.h"

namespace adamerge::training {

struct Pictures {
  std::vector<Image> images;
  std::vector<int> labels;  ///< one per image: index of its class

  std::size_t size() const { return images.size(); }
};

struct TrainingData {
  std::vector<std::string> classes;
  Pictures training;
  Pictures test;                      ///< to measure accuracy on
  std::vector<std::string> notes;     ///< what was assumed or left out, in sentences
  std::vector<std::string> problems;  ///< one per image that could not be read
  std::string fingerprint;            ///< of names, sizes and labels of all images
};

/// `training` and `test`: folders with one sub-folder per class, or CIFAR-10's binary format. With
/// an empty `test`, the recipe's share of the training images, drawn by `random`, is held out.
/// Images that cannot be read are left out. Throws Error: no images, fewer than two classes, a test
/// class that the training set does not have, too few images for a batch; Cancelled.
TrainingData readTrainingData(const std::filesystem::path& training,
                              const std::filesystem::path& test, const Recipe& recipe,
                              Random& random, const ProgressCallback& progress = {},
                              const std::stop_token& stop = {});

}  // namespace adamerge::training
