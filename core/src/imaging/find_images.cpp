// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "adamerge/error.h"
#include "adamerge/image.h"
#include "imaging/decoders.h"
#include "support/files.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 14> kExtensions = {
    ".jpg",  ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif",
    ".tiff", ".bmp",  ".dib", ".ppm",  ".pgm", ".pbm",  ".pnm"};

bool isImageName(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

class Search {
 public:
  explicit Search(const std::stop_token& stop) : stop_(stop) {}

  /// The reason why `folder` cannot be listed, if any.
  std::error_code visit(const fs::path& folder) {
    std::error_code code;
    const fs::path real = fs::canonical(folder, code);
    // Links may lead back to a folder above, or twice to the same one.
    if (code || !seen_.insert(real).second) return code;
    fs::directory_iterator entry(folder, code);
    if (code) return code;
    std::vector<fs::path> folders;
    for (; entry != fs::directory_iterator(); entry.increment(code)) {
      throwIfStopped(stop_);
      if (code) return code;
      const fs::path& path = entry->path();
      if (isPassedOver(path)) continue;
      std::error_code unknown;
      if (entry->is_directory(unknown)) {
        // A real folder before links to it: its images keep their real path.
        folders.push_back(path);
      } else if (entry->is_regular_file(unknown) && isImageName(path)) {
        found_.push_back(path);
      }
    }
    if (code) return code;
    std::sort(folders.begin(), folders.end());
    std::stable_partition(folders.begin(), folders.end(),
                          [&](const fs::path& path) { return !fs::is_symlink(path, code); });
    // A closed folder further down does not spoil the rest.
    for (const fs::path& path : folders) visit(path);
    return {};
  }

  std::vector<fs::path> sorted() && {
    std::sort(found_.begin(), found_.end());
    return std::move(found_);
  }

 private:
  const std::stop_token& stop_;
  std::set<fs::path> seen_;
  std::vector<fs::path> found_;
};

}  // namespace

std::vector<fs::path> findImages(const fs::path& folder, const std::stop_token& stop) {
  std::error_code code;
  const fs::file_status status = fs::status(folder, code);
  if (status.type() == fs::file_type::not_found) {
    throw Error(fmt::format(
        "{}: there is no such file or folder; an image or a folder of images is expected",
        folder.string()));
  }
  if (code) throw Error(fmt::format("{}: cannot be read: {}", folder.string(), code.message()));
  if (!fs::is_directory(status)) return {folder};
  Search search(stop);
  code = search.visit(folder);
  if (code) {
    throw Error(
        fmt::format("{}: the folder cannot be listed: {}", folder.string(), code.message()));
  }
  std::vector<fs::path> images = std::move(search).sorted();
  if (images.empty()) {
    throw Error(fmt::format("{}: the folder holds no image; {} files are expected", folder.string(),
                            imaging::kSupportedFormats));
  }
  return images;
}

}  // namespace adamerge
