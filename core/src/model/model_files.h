// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adamerge {

struct ModelFiles {
  std::filesystem::path weights;
  std::filesystem::path config;        ///< config.json or open_clip_config.json; empty: none
  std::filesystem::path preprocessor;  ///< empty: none
  std::vector<std::string> notes;      ///< which of several weight files was taken
};

/// Of a model folder or a weight file, or of a config whose folder is meant. In a folder the names
/// of Hugging Face, timm and open_clip come first, safetensors before `.bin`; else its only weight
/// file, whatever its name. Throws Error: missing, unreadable, no weights in the folder (with what
/// is there instead), or several files that could be meant.
ModelFiles findModelFiles(const std::filesystem::path& path);

/// With the configs beside a weight file, which itself need not be there.
ModelFiles filesBeside(std::filesystem::path weights);

/// By its name: it has an ending of weight files and is none of what a Trainer leaves beside them.
bool mayBeWeights(std::string_view file_name);

/// Whether a weight file's name says nothing of the network, so that its folder's must.
bool isUsualWeightName(const std::string& file_name);

/// What weight files, or the indexes of their shards, are usually called; the first found is taken.
std::span<const std::string_view> weightFileNames();

}  // namespace adamerge
