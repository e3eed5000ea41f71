// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/model_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/error.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kUsualNames{
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json"};
constexpr std::array<std::string_view, 4> kExtensions{".safetensors", ".pth", ".pt", ".bin"};

fs::path existing(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) ? path : fs::path();
}

fs::path findWeights(const fs::path& folder) {
  for (const std::string_view name : kUsualNames) {
    if (fs::path found = existing(folder / name); !found.empty()) return found;
  }
  std::vector<std::string> candidates;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    const std::string extension = entry->path().extension().string();
    const bool weights =
        std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
    if (weights && entry->is_regular_file())
      candidates.push_back(entry->path().filename().string());
  }
  if (code) {
    throw Error(
        fmt::format("{}: the folder cannot be listed: {}", folder.string(), code.message()));
  }
  if (candidates.empty()) {
    throw Error(fmt::format("{}: no weights in this folder; looked for {} and any single *{} file",
                            folder.string(), fmt::join(kUsualNames, ", "),
                            fmt::join(kExtensions, ", *")));
  }
  if (candidates.size() > 1) {
    std::sort(candidates.begin(), candidates.end());
    candidates.resize(std::min<std::size_t>(candidates.size(), 4));
    throw Error(fmt::format("{}: several weight files in this folder ({}); name the one to load",
                            folder.string(), fmt::join(candidates, ", ")));
  }
  return folder / candidates.front();
}

}  // namespace

ModelFiles findModelFiles(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw Error(fmt::format("{}: there is no such model folder or weight file", path.string()));
  }
  ModelFiles files;
  fs::path folder = path;
  if (fs::is_directory(path, ignored)) {
    files.weights = findWeights(folder);
  } else {
    folder = path.parent_path();
    // A file dialog may well return the config: its folder is meant.
    files.weights = path.filename() == "config.json" ? findWeights(folder) : path;
  }
  files.config = existing(folder / "config.json");
  files.preprocessor = existing(folder / "preprocessor_config.json");
  return files;
}

std::span<const std::string_view> weightFileNames() { return kUsualNames; }

}  // namespace adamerge
