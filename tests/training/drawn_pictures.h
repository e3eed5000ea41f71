// SPDX-License-Identifier: GPL-3.0-or-later
// A small set of drawn images that a network can learn in seconds: stripes along the rows, along
// the columns, or along both diagonals, in random colours, phases and noise.
#pragma once

#include <filesystem>

#include "recipe.h"
#include "training_data.h"

namespace adamerge::test {

/// 12 x 12 pixels; classes by turns.
training::Pictures drawnPictures(int count, unsigned seed);

training::TrainingData drawnData();

/// As PPM files, one sub-folder per class.
void writePictures(const std::filesystem::path& folder, const training::TrainingData& data);

/// A network and a run to go with them: about a second on one core.
training::Recipe smallRecipe();

}  // namespace adamerge::test
