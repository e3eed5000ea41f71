// SPDX-License-Identifier: GPL-3.0-or-later
// Small labelled sets for tests of the evaluation.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adamerge/engine.h"
#include "adamerge/evaluate.h"

namespace adamerge::test {

/// The bundled model on one thread, loaded once.
const Engine& bundledEngine();

/// The pixels of image `number`, a pattern of its own: 32 x 32, interleaved RGB.
std::vector<std::uint8_t> patternPixels(int number);

/// CIFAR-10's binary format, images 0 ... labels.size() - 1.
void writeCifarBatch(const std::filesystem::path& file, const std::vector<int>& labels);

/// Folders airplane, Automobile, BIRD and ship with the drawn samples and patterns: 4 + 8 images.
void makeClassFolders(const std::filesystem::path& folder);

/// What an evaluation found: everything but the time it took.
std::string totals(Evaluation evaluation);

/// What an evaluation might have found of an image.
struct DrawnOutcome {
  int label = 0;
  int before = 0;                   ///< the unmerged model's class
  int after = 0;                    ///< with merging
  double probability_before = 0.9;  ///< of the label
  double probability_after = 0.5;
  int merged = 8;
  double edges = 0.1;
};
/// A file as `evaluate --per-image` writes it, of the unmerged model and ToMe, r 8, in one block;
/// classes are called "class 0" and so on, images "0.png".
void writePictureRows(const std::filesystem::path& file, const std::filesystem::path& dataset,
                      const std::vector<DrawnOutcome>& outcomes);

void writeBytes(const std::filesystem::path& file, const std::string& bytes);

}  // namespace adamerge::test
