// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/image.h"
#include "datasets/cifar.h"
#include "datasets/class_names.h"
#include "support/files.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;

/// Between the name of a binary file and the number of a record, from 1.
constexpr std::string_view kRecord = ", image ";

/// The folder below `root` that holds `file`; empty where it lies in `root` itself.
std::string topFolder(const fs::path& root, const fs::path& file) {
  const fs::path relative = file.lexically_relative(root);
  return std::next(relative.begin()) == relative.end() ? "" : relative.begin()->string();
}

fs::path withoutTrailingSlash(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  return !normal.has_filename() && normal.has_relative_path() ? normal.parent_path() : normal;
}

void requireSeveralClasses(const std::map<std::string, std::vector<std::uint32_t>>& folders,
                           const fs::path& path) {
  if (folders.empty()) {
    throw Error(fmt::format(
        "{}: there are images but no sub-folders; one sub-folder per class is expected, or "
        "--unlabelled to measure agreement with the unmerged model",
        path.string()));
  }
  if (folders.size() == 1) {
    throw Error(
        fmt::format("{}: only one sub-folder, {}, holds images; accuracy needs at least two "
                    "classes, --unlabelled "
                    "measures agreement with the unmerged model",
                    path.string(), folders.begin()->first));
  }
}

/// The search for images passes over folders that it cannot list; here that would drop a class.
void requireListable(const fs::path& root) {
  std::error_code unknown;
  for (const fs::directory_entry& entry : fs::directory_iterator(root, unknown)) {
    if (!entry.is_directory(unknown) || isPassedOver(entry.path())) continue;
    std::error_code code;
    const fs::directory_iterator first(entry.path(), code);
    if (!code) continue;
    throw Error(fmt::format("{}: this class's folder cannot be listed: {}", entry.path().string(),
                            code.message()));
  }
}

void requireClassifier(const ModelInfo& model) {
  if (model.vit.classes > 0) return;
  throw Error(fmt::format(
      "{}: this model has no classifier, so there is no accuracy; --unlabelled compares its "
      "features with those of the unmerged model",
      model.name));
}

}  // namespace

std::vector<std::string> datasetClasses(const fs::path& path, const std::stop_token& stop) {
  std::vector<std::string> unused;
  const std::vector<fs::path> batches = cifar::batchFiles(path, /*training=*/true, unused);
  if (!batches.empty()) return cifar::classNames(batches.front().parent_path(), unused);
  const fs::path root = withoutTrailingSlash(path);
  std::set<std::string> names;
  for (const fs::path& file : findImages(root, stop)) names.insert(topFolder(root, file));
  names.erase("");
  if (names.size() < 2) {
    throw Error(fmt::format(
        "{}: {}; one sub-folder per class is expected, for at least two classes", root.string(),
        names.empty() ? "no sub-folder holds an image"
                      : fmt::format("only one sub-folder, {}, holds images", *names.begin())));
  }
  return {names.begin(), names.end()};
}

Dataset Dataset::open(const fs::path& path, const ModelInfo& model, const DatasetOptions& options,
                      const std::stop_token& stop) {
  Dataset set;
  set.path_ = withoutTrailingSlash(path);
  set.name_ = set.path_.string();
  set.labelled_ = !options.unlabelled;
  if (set.labelled_) requireClassifier(model);
  set.files_ = cifar::batchFiles(set.path_, options.training, set.notes_);
  set.binary_ = !set.files_.empty();
  if (set.binary_) {
    set.openBinary(model, options);
  } else {
    set.openFolder(model, options, stop);
  }
  return set;
}

void Dataset::openBinary(const ModelInfo& model, const DatasetOptions& options) {
  std::vector<int> classes;
  if (labelled_) {
    classes = matchClasses(cifar::classNames(files_.front().parent_path(), notes_), model,
                           options.labels, path_, notes_);
  }
  std::set<int> present;
  for (std::uint32_t file = 0; file < files_.size(); ++file) {
    const std::vector<int> labels = cifar::readLabels(files_[file]);
    for (std::uint32_t record = 0; record < labels.size(); ++record) {
      const int label = labelled_ ? classes[static_cast<std::size_t>(labels[record])] : -1;
      items_.push_back({file, record, label});
      present.insert(label);
    }
  }
  if (labelled_ && present.size() == 1) {
    throw Error(fmt::format("{}: all images are of one class, {}; accuracy needs at least two",
                            path_.string(),
                            model.labels[static_cast<std::size_t>(*present.begin())]));
  }
}

void Dataset::openFolder(const ModelInfo& model, const DatasetOptions& options,
                         const std::stop_token& stop) {
  files_ = findImages(path_, stop);
  if (!labelled_) {
    for (std::uint32_t file = 0; file < files_.size(); ++file) items_.push_back({file, 0, -1});
    return;
  }
  if (std::error_code code; !fs::is_directory(path_, code)) {
    throw Error(fmt::format(
        "{}: this is a file; a folder with one sub-folder per class is expected, or --unlabelled",
        path_.string()));
  }
  requireListable(path_);
  std::map<std::string, std::vector<std::uint32_t>> folders;
  std::size_t beside = 0;
  for (std::uint32_t file = 0; file < files_.size(); ++file) {
    const std::string folder = topFolder(path_, files_[file]);
    if (folder.empty()) {
      ++beside;
    } else {
      folders[folder].push_back(file);
    }
  }
  requireSeveralClasses(folders, path_);
  std::vector<std::string> names;
  names.reserve(folders.size());
  for (const auto& [name, members] : folders) names.push_back(name);
  const std::vector<int> classes = matchClasses(names, model, options.labels, path_, notes_);
  if (beside > 0) {
    notes_.push_back(fmt::format("{}: {} image(s) beside the classes' folders are left out",
                                 path_.string(), beside));
  }
  auto label = classes.begin();
  for (const auto& [name, members] : folders) {
    for (const std::uint32_t file : members) items_.push_back({file, 0, *label});
    ++label;
  }
}

std::string Dataset::imageName(std::size_t index) const {
  const Item& item = items_[index];
  const fs::path& file = files_[item.file];
  if (binary_) return fmt::format("{}{}{}", file.filename().string(), kRecord, item.record + 1);
  const std::string relative = file.lexically_relative(path_).string();
  return relative == "." || relative.empty() ? file.filename().string() : relative;
}

Image Dataset::load(std::size_t index) const {
  const Item& item = items_[index];
  return binary_ ? cifar::readImage(files_[item.file], item.record)
                 : adamerge::loadImage(files_[item.file]);
}

Dataset Dataset::sample(std::size_t count, unsigned seed) const {
  Dataset part = *this;
  if (count == 0 || count >= items_.size()) return part;
  part.items_.clear();
  std::mt19937 random(seed);
  std::sample(items_.begin(), items_.end(), std::back_inserter(part.items_), count, random);
  part.name_ = fmt::format("{}, {} images drawn with seed {}", name_, count, seed);
  return part;
}

Dataset Dataset::shuffled() const {
  Dataset other = *this;
  std::mt19937 random(0);
  std::shuffle(other.items_.begin(), other.items_.end(), random);
  return other;
}

ImagePlace placeOf(const fs::path& set, const std::string& name) {
  std::error_code code;
  const bool folder = fs::is_directory(set, code);
  const auto within = [&](const std::string& file) {
    return folder || fs::path(set).filename() != file ? set / file : set;
  };
  const std::size_t at = name.rfind(kRecord);
  int record = 0;
  if (at != std::string::npos) {
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + at + kRecord.size(), end, record);
    if (error == std::errc() && rest == end && record > 0)
      return {within(name.substr(0, at)), record};
  }
  return {within(name), 0};
}

Image loadImage(const ImagePlace& place) {
  if (place.record == 0) return loadImage(place.file);
  requireReadableFile(place.file, "image");
  return cifar::readImage(place.file, static_cast<std::uint32_t>(place.record - 1));
}

std::string Dataset::fingerprint() const {
  Fingerprint fingerprint;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    fingerprint.add(imageName(i));
    fingerprint.add(static_cast<std::uint64_t>(items_[i].label) + 1);
    std::error_code gone;
    if (!binary_) fingerprint.add(fs::file_size(files_[items_[i].file], gone));
  }
  return fingerprint.text();
}

void addImageNote(std::vector<std::string>& notes, const std::string& note) {
  constexpr std::size_t kNamed = 3;
  if (notes.size() > kNamed || std::find(notes.begin(), notes.end(), note) != notes.end()) return;
  notes.push_back(notes.size() < kNamed ? note : "more images are like these");
}

ImageSource::ImageSource(Dataset images, const Preprocessing& preprocessing, Listener unreadable,
                         Listener noted)
    : images_(std::move(images)),
      preprocessing_(preprocessing),
      unreadable_(std::move(unreadable)),
      noted_(std::move(noted)) {}

std::vector<InputTensor> ImageSource::read(std::size_t first, std::size_t count,
                                           const std::stop_token& stop) {
  std::vector<InputTensor> inputs;
  const std::size_t end = std::min(size(), first + std::min(count, size()));
  for (std::size_t i = first; i < end; ++i) {
    throwIfStopped(stop);
    if (skipped_.contains(i)) continue;
    try {
      const Image image = images_.load(i);
      inputs.push_back(prepareImage(image, preprocessing_).input);
      if (image.note.empty()) continue;
      const std::size_t before = notes_.size();
      addImageNote(notes_, fmt::format("{}: {}", images_.imageName(i), image.note));
      if (noted_ && notes_.size() > before) noted_(notes_.back());
    } catch (const Error& error) {
      skipped_.insert(i);
      if (unreadable_) unreadable_(error.what());
    }
  }
  return inputs;
}

std::vector<InputTensor> ImageSource::readAll(const std::stop_token& stop) {
  std::vector<InputTensor> inputs = read(0, size(), stop);
  if (inputs.empty()) throw Error(fmt::format("{}: no image could be read", images_.name()));
  return inputs;
}

}  // namespace adamerge
