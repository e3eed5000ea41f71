// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/picture_rows.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>
#include <system_error>

#include "adamerge/report.h"
#include "measure/choices.h"
#include "support/files.h"
#include "support/json.h"
#include "support/text.h"

namespace adamerge {
namespace {

constexpr int kGreyValues = 256;

/// ITU-R BT.601, 0...255.
std::vector<double> greyOf(const Image& image) {
  std::vector<double> grey;
  grey.reserve(image.pixels.size() / 3);
  for (std::size_t at = 0; at + 2 < image.pixels.size(); at += 3) {
    grey.push_back(0.299 * image.pixels[at] + 0.587 * image.pixels[at + 1] +
                   0.114 * image.pixels[at + 2]);
  }
  return grey;
}

double meanGradient(const std::vector<double>& grey, int width, int height) {
  double sum = 0;
  for (int y = 1; y + 1 < height; ++y) {
    for (int x = 1; x + 1 < width; ++x) {
      const double* const at = &grey[static_cast<std::size_t>(y) * width + x];
      const double right = at[1 - width] + 2 * at[1] + at[1 + width];
      const double left = at[-1 - width] + 2 * at[-1] + at[-1 + width];
      const double below = at[width - 1] + 2 * at[width] + at[width + 1];
      const double above = at[-width - 1] + 2 * at[-width] + at[-width + 1];
      sum += std::hypot(right - left, below - above);
    }
  }
  constexpr double kWeights = 8;
  return sum / (kWeights * 255 * (width - 2) * (height - 2));
}

double entropyOf(const std::vector<double>& grey) {
  std::array<int, kGreyValues> histogram{};
  for (const double value : grey) ++histogram[static_cast<std::size_t>(std::lround(value))];
  double entropy = 0;
  for (const int count : histogram) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(grey.size());
    entropy -= share * std::log2(share);
  }
  return entropy;
}

}  // namespace

Complexity complexityOf(const Image& view) {
  if (view.width < 3 || view.height < 3) return {};
  const std::vector<double> grey = greyOf(view);
  return {meanGradient(grey, view.width, view.height), entropyOf(grey)};
}

std::string pixelFingerprint(const Image& image) {
  Fingerprint fingerprint;
  fingerprint.add(static_cast<std::uint64_t>(image.width));
  fingerprint.add({reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size()});
  return fingerprint.text();
}

std::array<std::string, 3> topColumns(int place) {
  return {fmt::format("top{}_index", place), fmt::format("top{}_class", place),
          fmt::format("top{}_probability", place)};
}

std::string mergedColumn(int block) { return fmt::format("{}_{}", column::kMerged, block); }

std::string statisticsFingerprint(const Statistics& statistics) {
  Fingerprint fingerprint;
  add(fingerprint, statistics);
  return fingerprint.text();
}

PictureColumns pictureColumns(const std::vector<std::string_view>& header,
                              const std::string& file) {
  std::map<std::string, std::size_t, std::less<>> places;
  for (std::size_t i = 0; i < header.size(); ++i) places.emplace(csvUnquoted(header[i]), i);
  const auto find = [&](std::string_view name) {
    const auto place = places.find(name);
    if (place != places.end()) return place->second;
    throw Error(fmt::format(
        "{}: not a file of `adamerge evaluate --per-image`: it has no column \"{}\"", file, name));
  };
  PictureColumns columns{find(column::kImage),
                         find(column::kLabel),
                         find(column::kClass),
                         find(column::kMethod),
                         find(column::kSettings),
                         find(column::kStatistics),
                         find(column::kClassProbability),
                         find(column::kRight),
                         find(column::kLogitCosine),
                         find(column::kEmbeddingCosine),
                         find(column::kMerged),
                         find(column::kFlops),
                         find(column::kEdges),
                         find(column::kEntropy),
                         find(column::kPixels),
                         find(column::kModel),
                         find(column::kDataset),
                         {},
                         {},
                         header.size()};
  for (int place = 1; place <= kListedClasses; ++place) {
    const auto names = topColumns(place);
    columns.top.push_back({find(names[0]), find(names[1]), find(names[2])});
  }
  for (int block = 1; places.contains(mergedColumn(block)); ++block) {
    columns.blocks.push_back(find(mergedColumn(block)));
  }
  find(mergedColumn(1));
  return columns;
}

std::string statisticsFingerprint(const Engine& engine, const MethodChoice& choice) {
  const auto used = usedStatistics(engine, choice);
  return used ? statisticsFingerprint(*used) : std::string();
}

std::filesystem::path statisticsBeside(const std::filesystem::path& rows,
                                       const std::string& fingerprint) {
  return rows.parent_path() / (fingerprint + ".stats.json");
}

void keepStatistics(const std::filesystem::path& rows, std::span<const MeasuredChoice> choices) {
  for (const MeasuredChoice& entry : choices) {
    if (!entry.choice.statistics || !usesStatistics(entry.choice)) continue;
    writeStatistics(*entry.choice.statistics,
                    statisticsBeside(rows, statisticsFingerprint(*entry.choice.statistics)));
  }
}

PictureRows::PictureRows(const Engine& engine, const Dataset& dataset,
                         std::span<const MeasuredChoice> choices)
    : dataset_(dataset), labels_(engine.info().labels), depth_(engine.info().vit.depth) {
  for (const MeasuredChoice& entry : choices) {
    settings_.push_back(fmt::format("{},{},{}", entry.choice.method,
                                    csvQuoted(settingsJson(entry.choice, engine.info().vit)),
                                    statisticsFingerprint(engine, entry.choice)));
  }
  source_ = fmt::format("{},{}", csvQuoted(engine.info().name),
                        csvQuoted(absolutePath(dataset.path()).string()));
}

std::string PictureRows::header() const {
  std::string text =
      fmt::format("{},{},{},{},{},{}", column::kImage, column::kLabel, column::kClass,
                  column::kMethod, column::kSettings, column::kStatistics);
  for (int place = 1; place <= kListedClasses; ++place) {
    text += fmt::format(",{}", fmt::join(topColumns(place), ","));
  }
  text += fmt::format(",{},{},{},{},{}", column::kClassProbability, column::kRight,
                      column::kLogitCosine, column::kEmbeddingCosine, column::kMerged);
  for (int block = 1; block <= depth_; ++block) text += "," + mergedColumn(block);
  return text + fmt::format(",{},{},{},{},{},{}\r\n", column::kFlops, column::kEdges,
                            column::kEntropy, column::kPixels, column::kModel, column::kDataset);
}

std::string PictureRows::row(std::size_t image, std::size_t point, const ImageResult& result,
                             const ImageResult& unmerged, const PictureFacts& facts) const {
  const int label = dataset_.label(image);
  std::string text = csvQuoted(dataset_.imageName(image));
  text += label < 0 ? ",,"
                    : fmt::format(",{},{}", label,
                                  csvQuoted(labels_.at(static_cast<std::size_t>(label))));
  text += "," + settings_[point];
  const bool classifies = !result.logits.empty();
  // All of them: the labelled class may be any.
  const std::vector<Prediction> all =
      topPredictions(result.logits, labels_, static_cast<int>(result.logits.size()));
  const int reference =
      label >= 0 || !classifies ? label : topPredictions(unmerged.logits, labels_, 1).front().index;
  for (std::size_t place = 0; place < kListedClasses; ++place) {
    text += place < all.size() ? fmt::format(",{},{},{:.6g}", all[place].index,
                                             csvQuoted(all[place].label), all[place].probability)
                               : ",,,";
  }
  if (classifies) {
    const auto own = std::find_if(all.begin(), all.end(), [&](const Prediction& prediction) {
      return prediction.index == reference;
    });
    text += fmt::format(",{:.6g},{:d},{:.6g}", own->probability, own == all.begin(),
                        compareLogits(unmerged.logits, result.logits).logit_cosine);
  } else {
    text += ",,,";
  }
  text += fmt::format(",{:.6g}", embeddingCosine(unmerged, result));
  int merged = 0;
  for (const LayerTrace& layer : result.layers) merged += layer.merged;
  text += fmt::format(",{}", merged);
  for (const LayerTrace& layer : result.layers) text += fmt::format(",{}", layer.merged);
  return text + fmt::format(",{:.9g},{:.6g},{:.6g},{},{}\r\n", result.flops.paper,
                            facts.complexity.edges, facts.complexity.entropy, facts.pixels,
                            source_);
}

template <class Work>
void PictureWriter::attempt(const Work& work) const {
  try {
    work();
  } catch (const std::system_error& error) {
    throw Error(fmt::format("{}: cannot be written: {}", path_.string(), error.code().message()));
  }
}

PictureWriter::PictureWriter(std::filesystem::path path, const std::string& header,
                             std::optional<std::uint64_t> kept)
    : path_(std::move(path)) {
  const auto unusable = [&](const char* what) {
    return UnusableState(
        fmt::format("{}: the rows of the images that are done {}; remove it and the state beside "
                    "it to begin anew",
                    path_.string(), what));
  };
  if (!kept) {
    std::error_code shows_below;
    if (path_.has_parent_path()) {
      std::filesystem::create_directories(path_.parent_path(), shows_below);
    }
    // Whoever still reads the former rows keeps them.
    std::filesystem::remove(path_, shows_below);
  }
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    throw Error(fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno)));
  }
  if (!kept) {
    append(header);
    return;
  }
  std::string begin(header.size(), '\0');
  struct stat status {};
  const bool whole = ::fstat(descriptor_, &status) == 0 && *kept >= header.size() &&
                     static_cast<std::uint64_t>(status.st_size) >= *kept;
  const bool same =
      whole &&
      ::pread(descriptor_, begin.data(), begin.size(), 0) == static_cast<ssize_t>(begin.size()) &&
      begin == header;
  // The destructor does not run for what was never made.
  const auto give_up = [&](const char* what) {
    system_calls.close(descriptor_);
    throw unusable(what);
  };
  if (!whole) give_up("are not all there");
  if (!same) give_up("have other columns");
  if (::ftruncate(descriptor_, static_cast<off_t>(*kept)) != 0 ||
      ::lseek(descriptor_, 0, SEEK_END) < 0) {
    give_up("cannot be gone on with");
  }
  size_ = *kept;
}

PictureWriter::~PictureWriter() { system_calls.close(descriptor_); }

void PictureWriter::append(std::string_view rows) {
  attempt([&] { writeFully(descriptor_, rows); });
  size_ += rows.size();
}

std::uint64_t PictureWriter::sync() {
  attempt([&] { syncFully(descriptor_); });
  return size_;
}

}  // namespace adamerge
