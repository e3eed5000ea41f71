// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace adamerge {

struct ModelFiles {
  std::filesystem::path weights;
  std::filesystem::path config;        ///< empty: none
  std::filesystem::path preprocessor;  ///< empty: none
};

/// Of a model folder or a weight file. Throws Error: missing, no weights in the folder, or several
/// files that could be meant.
ModelFiles findModelFiles(const std::filesystem::path& path);

/// What weight files, or the indexes of their shards, are usually called; the first found is taken.
std::span<const std::string_view> weightFileNames();

}  // namespace adamerge
