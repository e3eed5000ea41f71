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

void writeBytes(const std::filesystem::path& file, const std::string& bytes);

}  // namespace adamerge::test
