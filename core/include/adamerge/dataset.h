// SPDX-License-Identifier: GPL-3.0-or-later
// A set of images to measure on, with or without labels. Images are decoded when they are asked
// for, so that a set of any size fits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "adamerge/error.h"
#include "adamerge/image.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"

namespace adamerge {

struct DatasetOptions {
  bool unlabelled = false;  ///< take every image at any depth, without a class
  /// Says which class a folder holds: lines of FOLDER, a tab, comma or space, and a class's name
  /// or index. Empty: folders carry the names of the classes.
  std::filesystem::path labels{};
  /// Of a folder with CIFAR-10's training and test batches, take the training ones.
  bool training = false;
};

/// The classes that a labelled set names itself: its sub-folders that hold images, sorted, or those
/// of CIFAR-10's binary format. Throws Error: no image, fewer than two classes; Cancelled.
std::vector<std::string> datasetClasses(const std::filesystem::path& path,
                                        const std::stop_token& stop = {});

class Dataset {
 public:
  /// `path` is a folder with one sub-folder per class, a file or folder of CIFAR-10's binary format
  /// (of a folder with both, the test batch if not `training`), or with `unlabelled` any image or
  /// folder of images. Folders are matched to the model's labels by name, whatever their case,
  /// hyphens and underscores; where no name is known, by number or by order, with a note. Throws
  /// Error: no image, one class only, classes the model does not know, a file of another format;
  /// Cancelled.
  static Dataset open(const std::filesystem::path& path, const ModelInfo& model,
                      const DatasetOptions& options = {}, const std::stop_token& stop = {});

  const std::string& name() const { return name_; }
  const std::filesystem::path& path() const { return path_; }
  bool labelled() const { return labelled_; }
  std::size_t size() const { return items_.size(); }
  /// "cat/0001.jpg"; "test_batch.bin, image 17", counted from 1.
  std::string imageName(std::size_t index) const;
  int label(std::size_t index) const { return items_[index].label; }  ///< -1: has none
  /// May be called by several threads at once. Throws Error as loadImage() does.
  Image load(std::size_t index) const;

  /// `count` of the images drawn at random by `seed`, in the order they have here; all of them
  /// where `count` is 0 or no smaller than size().
  Dataset sample(std::size_t count, unsigned seed) const;

  /// All images in an order without a pattern, always the same.
  Dataset shuffled() const;

  /// Of names, file sizes and labels of all images.
  std::string fingerprint() const;
  /// What was assumed or left out, in sentences.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Item {
    std::uint32_t file = 0;
    std::uint32_t record = 0;  ///< in a binary file
    std::int32_t label = -1;
  };
  void openFolder(const ModelInfo& model, const DatasetOptions& options,
                  const std::stop_token& stop);
  void openBinary(const ModelInfo& model, const DatasetOptions& options);

  std::filesystem::path path_;
  std::string name_;
  bool labelled_ = false;
  bool binary_ = false;
  std::vector<std::filesystem::path> files_;
  std::vector<Item> items_;
  std::vector<std::string> notes_;
};

/// Where an image of the set at `set` lies, by Dataset::imageName().
struct ImagePlace {
  std::filesystem::path file;
  int record = 0;  ///< in a binary file, from 1; 0: the file is the image
};
ImagePlace placeOf(const std::filesystem::path& set, const std::string& name);
/// Throws Error as loadImage() does.
Image loadImage(const ImagePlace& place);

/// Adds to what is told of a set's images what is told of one: the first few by name, then that
/// there are more.
void addImageNote(std::vector<std::string>& notes, const std::string& note);

/// A set's images as one network takes them. Those that cannot be read are left out, the same ones
/// every time.
class ImageSource {
 public:
  using Listener = std::function<void(const std::string&)>;
  /// `unreadable` hears once of each image that cannot be read, a sentence that names it; `noted`
  /// what addImageNote() tells.
  ImageSource(Dataset images, const Preprocessing& preprocessing, Listener unreadable = {},
              Listener noted = {});

  const Dataset& images() const { return images_; }
  std::size_t size() const { return images_.size(); }  ///< with those that cannot be read
  std::size_t skipped() const { return skipped_.size(); }
  /// Images number first ... first + count - 1, as far as there are so many. Throws Cancelled.
  std::vector<InputTensor> read(std::size_t first, std::size_t count,
                                const std::stop_token& stop = {});
  /// Throws Error where none can be read; Cancelled.
  std::vector<InputTensor> readAll(const std::stop_token& stop = {});

 private:
  Dataset images_;
  Preprocessing preprocessing_;
  Listener unreadable_;
  Listener noted_;
  std::set<std::size_t> skipped_;
  std::vector<std::string> notes_;
};

}  // namespace adamerge
