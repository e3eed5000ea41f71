// SPDX-License-Identifier: GPL-3.0-or-later
#include "image_batches.h"

#include <algorithm>
#include <iterator>
#include <random>

#include "adamerge/image.h"
#include "adamerge/preprocess.h"

namespace adamerge::cli {

ImageBatches::ImageBatches(const std::filesystem::path& folder, std::size_t limit, unsigned seed,
                           const Preprocessing& preprocessing, Terminal& terminal)
    : preprocessing_(preprocessing), terminal_(terminal) {
  std::vector<std::filesystem::path> all = findImages(folder);
  if (limit == 0 || limit >= all.size()) {
    paths_ = std::move(all);
    return;
  }
  std::mt19937 random(seed);
  std::sample(all.begin(), all.end(), std::back_inserter(paths_), limit, random);
}

std::vector<InputTensor> ImageBatches::read(std::size_t first, std::size_t count) {
  std::vector<InputTensor> inputs;
  for (std::size_t i = first; i < std::min(first + count, paths_.size()); ++i) {
    if (skipped_.contains(paths_[i])) continue;
    try {
      inputs.push_back(prepareImage(loadImage(paths_[i]), preprocessing_).input);
    } catch (const Error& error) {
      skipped_.insert(paths_[i]);
      terminal_.error(std::string(error.what()) + " (left out)");
    }
  }
  return inputs;
}

}  // namespace adamerge::cli
