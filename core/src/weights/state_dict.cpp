// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "adamerge/error.h"
#include "weights/checkpoint.h"
#include "weights/mapped_file.h"
#include "weights/safetensors.h"
#include "weights/shards.h"

namespace adamerge {
namespace {

bool isOldPickle(std::string_view text) {
  return text.size() >= 2 && text[0] == '\x80' && text[1] >= 1 && text[1] <= 5;
}

[[noreturn]] void refuse(const MappedFile& file) {
  const std::string_view text = file.text();
  const std::string name = file.name();
  if (text.starts_with("version https://git-lfs")) {
    throw Error(
        fmt::format("{}: is a Git LFS pointer, not the weights; fetch them with: "
                    "git lfs pull",
                    name));
  }
  if (isOldPickle(text)) {
    throw Error(
        fmt::format("{}: is in PyTorch's format from before 1.6; load it in Python and "
                    "save it again with torch.save(state_dict, ...)",
                    name));
  }
  const std::string_view start = text.substr(0, 512);
  if (start.substr(0, start.find_first_not_of(" \t\r\n") + 1).ends_with('<')) {
    throw Error(
        fmt::format("{}: is a web page (HTML or XML), not weights: the download link may "
                    "need a login",
                    name));
  }
  const bool is_text = std::all_of(start.begin(), start.end(), [](char c) {
    return (c >= ' ' && c != '\x7f') || c == '\n' || c == '\r' || c == '\t';
  });
  throw Error(
      fmt::format("{}: is {}; weights are read from safetensors and from PyTorch "
                  "checkpoints (zip format)",
                  name, is_text ? "a text file" : "no weight file that is known here"));
}

}  // namespace

StateDict readWeights(const std::filesystem::path& path, const ProgressCallback& progress,
                      const std::stop_token& stop) {
  const auto file = std::make_shared<const MappedFile>(path);
  const std::string_view text = file->text();
  if (text.starts_with("PK\x03\x04")) return readCheckpoint(file, progress, stop);
  if (looksLikeSafetensors(*file)) return readSafetensors(file, progress, stop);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') {
    return readShards(*file, progress, stop);
  }
  const bool is_known_otherwise = text.starts_with("version https://git-lfs") ||
                                  isOldPickle(text) ||
                                  (first != std::string_view::npos && text[first] == '<');
  if (path.extension() == ".safetensors" && !is_known_otherwise) {
    return readSafetensors(file, progress, stop);
  }
  refuse(*file);
}

}  // namespace adamerge
