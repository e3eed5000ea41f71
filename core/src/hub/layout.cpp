// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "adamerge/files.h"
#include "adamerge/hub.h"
#include "hub/cache.h"

namespace adamerge::hub {
namespace {

constexpr std::string_view kPrefix = "models--";
constexpr std::string_view kSlash = "--";

}  // namespace

std::string folderName(const std::string& repository) {
  std::string name(kPrefix);
  for (const char c : repository) {
    if (c == '/') {
      name += kSlash;
    } else {
      name += c;
    }
  }
  return name;
}

std::optional<std::string> repositoryOf(const std::string& folder_name) {
  if (!folder_name.starts_with(kPrefix)) return std::nullopt;
  std::string repository = folder_name.substr(kPrefix.size());
  if (const std::size_t slash = repository.find(kSlash); slash != std::string::npos) {
    repository =
        repository.substr(0, slash).append(1, '/').append(repository.substr(slash + kSlash.size()));
  }
  return repository.empty() ? std::nullopt : std::optional(repository);
}

std::optional<std::string> repositoryOfSnapshot(const std::filesystem::path& folder) {
  std::filesystem::path path = absolutePath(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const std::filesystem::path snapshots = path.parent_path();
  if (snapshots.filename() != "snapshots") return std::nullopt;
  return repositoryOf(snapshots.parent_path().filename().string());
}

bool isHash(std::string_view text, std::size_t length) {
  return text.size() == length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace adamerge::hub
