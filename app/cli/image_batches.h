// SPDX-License-Identifier: GPL-3.0-or-later
// Images of a folder as the model's inputs; unreadable ones are named and left out.
#pragma once

#include <filesystem>
#include <set>
#include <vector>

#include "adamerge/model_info.h"
#include "adamerge/result.h"
#include "terminal.h"

namespace adamerge::cli {

class ImageBatches {
 public:
  /// At most `limit` of the images below `folder` (0: all), drawn at random by `seed`.
  ImageBatches(const std::filesystem::path& folder, std::size_t limit, unsigned seed,
               const Preprocessing& preprocessing, Terminal& terminal);

  std::size_t size() const { return paths_.size(); }
  std::vector<InputTensor> read(std::size_t first, std::size_t count);
  std::size_t skipped() const { return skipped_.size(); }

 private:
  std::vector<std::filesystem::path> paths_;
  std::set<std::filesystem::path> skipped_;
  Preprocessing preprocessing_;
  Terminal& terminal_;
};

}  // namespace adamerge::cli
