// SPDX-License-Identifier: GPL-3.0-or-later
// The reference networks of all families: tests/data/families holds one of each kind, ../shared
// all.
#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

namespace adamerge::test {

inline const std::filesystem::path kOwnFamilies =
    std::filesystem::path(ADAMERGE_TEST_DATA) / "families";
inline const std::filesystem::path kSharedFamilies =
    std::filesystem::path(ADAMERGE_SHARED) / "reference" / "families";

/// Those below `root`, sorted; empty where it is not here.
inline std::vector<std::filesystem::path> familyFolders(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::is_directory(root)) return found;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (std::filesystem::exists(entry.path() / "case.safetensors")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// What is opened: the folder, or the one file that Meta, FAIR and OpenAI publish (the case's own
/// tensors lie beside it).
inline std::filesystem::path published(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".pth" || extension == ".pt") return entry.path();
  }
  return folder;
}

/// Its file of weights.
inline std::filesystem::path weightsOf(const std::filesystem::path& folder) {
  const std::filesystem::path file = published(folder);
  if (file != folder) return file;
  for (const char* name :
       {"model.safetensors", "open_clip_model.safetensors", "pytorch_model.bin"}) {
    if (std::filesystem::exists(folder / name)) return folder / name;
  }
  return {};
}

}  // namespace adamerge::test
