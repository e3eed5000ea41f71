// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

namespace adamerge {

struct ModelFiles {
  std::filesystem::path weights;
  std::filesystem::path config;        ///< empty: none
  std::filesystem::path preprocessor;  ///< empty: none
  std::filesystem::path open_clip;     ///< open_clip_config.json; empty: none
};

/// Of a model folder or a weight file. Throws Error: missing, no weights in the folder, or several
/// files that could be meant.
ModelFiles findModelFiles(const std::filesystem::path& path);

}  // namespace adamerge
