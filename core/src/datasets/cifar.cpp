// SPDX-License-Identifier: GPL-3.0-or-later
#include "datasets/cifar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "adamerge/error.h"
#include "support/files.h"

namespace adamerge::cifar {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32;
constexpr std::size_t kPlane = std::size_t{kSide} * kSide;
constexpr std::size_t kRecord = 1 + 3 * kPlane;
constexpr std::uint64_t kLargestFile = 1ULL << 32U;
constexpr std::size_t kClasses = 10;
const std::vector<std::string> kNames = {"airplane", "automobile", "bird",  "cat",  "deer",
                                         "dog",      "frog",       "horse", "ship", "truck"};

}  // namespace

std::vector<fs::path> batchFiles(const fs::path& path, bool training,
                                 std::vector<std::string>& notes) {
  std::error_code code;
  if (fs::is_regular_file(path, code)) {
    return path.extension() == ".bin" ? std::vector<fs::path>{path} : std::vector<fs::path>{};
  }
  std::vector<fs::path> batches;
  for (fs::directory_iterator entry(path, code), end; !code && entry != end;
       entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("data_batch_") && name.ends_with(".bin")) {
      batches.push_back(entry->path());
    }
  }
  std::sort(batches.begin(), batches.end());
  const fs::path test = path / "test_batch.bin";
  if (!fs::exists(test, code)) return batches;
  if (!batches.empty()) {
    notes.push_back(
        fmt::format("{}: of training and test batches, {} used; name a file to use that",
                    path.string(), training ? "the training batches are" : "test_batch.bin is"));
  }
  return training && !batches.empty() ? batches : std::vector<fs::path>{test};
}

std::vector<int> readLabels(const fs::path& file) {
  requireReadableFile(file, "CIFAR-10's binary");
  std::error_code code;
  const std::uint64_t size = fs::file_size(file, code);
  if (code) throw Error(fmt::format("{}: cannot be read: {}", file.string(), code.message()));
  if (size == 0 || size % kRecord != 0 || size > kLargestFile) {
    throw Error(fmt::format(
        "{}: not CIFAR-10's binary format, or cut off: it has {} bytes, which is no multiple of "
        "{} (a label and 32 x 32 pixels)",
        file.string(), size, kRecord));
  }
  std::ifstream stream(file, std::ios::binary);
  std::vector<char> record(kRecord);
  std::vector<int> labels;
  labels.reserve(size / kRecord);
  while (labels.size() < size / kRecord) {
    if (!stream.read(record.data(), static_cast<std::streamsize>(kRecord))) {
      throw Error(fmt::format("{}: cannot be read", file.string()));
    }
    labels.push_back(static_cast<unsigned char>(record[0]));
    if (labels.back() >= static_cast<int>(kClasses)) {
      throw Error(fmt::format(
          "{}: not CIFAR-10's binary format: image {} has the label {}; 0 to 9 are expected",
          file.string(), labels.size(), labels.back()));
    }
  }
  return labels;
}

Image readImage(const fs::path& file, std::uint32_t record) {
  std::ifstream stream(file, std::ios::binary);
  std::array<std::uint8_t, 3 * kPlane> planes{};
  stream.seekg(static_cast<std::streamoff>(record * std::uint64_t{kRecord} + 1));
  if (!stream.read(reinterpret_cast<char*>(planes.data()),
                   static_cast<std::streamsize>(planes.size()))) {
    throw Error(fmt::format("{}: image {} cannot be read", file.string(), record + 1));
  }
  Image image{kSide, kSide, std::vector<std::uint8_t>(planes.size())};
  for (std::size_t pixel = 0; pixel < kPlane; ++pixel) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      image.pixels[pixel * 3 + channel] = planes[channel * kPlane + pixel];
    }
  }
  return image;
}

std::vector<std::string> classNames(const fs::path& folder, std::vector<std::string>& notes) {
  const fs::path file = folder / "batches.meta.txt";
  std::error_code code;
  if (!fs::exists(file, code)) {
    notes.push_back(fmt::format("{}: there is no batches.meta.txt; CIFAR-10's names are assumed",
                                folder.string()));
    return kNames;
  }
  std::vector<std::string> names;
  std::istringstream lines(readTextFile(file, 1U << 16U));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != kClasses) {
    throw Error(fmt::format("{}: it names {} classes; CIFAR-10 has 10, one a line", file.string(),
                            names.size()));
  }
  return names;
}

}  // namespace adamerge::cifar
