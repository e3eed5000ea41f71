// SPDX-License-Identifier: GPL-3.0-or-later
// The rows of `evaluate --per-image`: made beside the engine, written in order, cut back to what a
// state goes on from.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/dataset.h"
#include "adamerge/engine.h"
#include "adamerge/pictures.h"

namespace adamerge {

inline constexpr int kListedClasses = 5;

/// Names of columns that are not numbered.
namespace column {
inline constexpr std::string_view kImage = "image";
inline constexpr std::string_view kLabel = "label";
inline constexpr std::string_view kClass = "class";
inline constexpr std::string_view kMethod = "method";
inline constexpr std::string_view kSettings = "settings";
inline constexpr std::string_view kStatistics = "statistics";
inline constexpr std::string_view kClassProbability = "class_probability";
inline constexpr std::string_view kRight = "right";
inline constexpr std::string_view kLogitCosine = "logit_cosine";
inline constexpr std::string_view kEmbeddingCosine = "embedding_cosine";
inline constexpr std::string_view kMerged = "merged";
inline constexpr std::string_view kFlops = "flops_paper";
inline constexpr std::string_view kEdges = "edges";
inline constexpr std::string_view kEntropy = "entropy";
inline constexpr std::string_view kPixels = "pixels";
inline constexpr std::string_view kModel = "model";
inline constexpr std::string_view kDataset = "dataset";
}  // namespace column
/// "top1_index", "top1_class", "top1_probability"; `place` from 1.
std::array<std::string, 3> topColumns(int place);
std::string mergedColumn(int block);  ///< "merged_1": blocks count from 1, as in evaluationCsv()

/// Where each column of a file stands.
struct PictureColumns {
  struct Top {
    std::size_t index = 0;
    std::size_t name = 0;
    std::size_t probability = 0;
  };
  std::size_t image, label, class_name, method, settings, statistics, class_probability, right,
      logit_cosine, embedding_cosine, merged, flops, edges, entropy, pixels, model, dataset;
  std::vector<Top> top;
  std::vector<std::size_t> blocks;
  std::size_t count = 0;
};
/// By the first row of `file`. Throws Error: a column is missing.
PictureColumns pictureColumns(const std::vector<std::string_view>& header, const std::string& file);

/// Of the layer statistics that the choice may use, or the model's; empty: it uses none.
std::string statisticsFingerprint(const Engine& engine, const MethodChoice& choice);
std::string statisticsFingerprint(const Statistics& statistics);
/// Where those that are not the model's own stand: beside the rows, named by their fingerprint.
std::filesystem::path statisticsBeside(const std::filesystem::path& rows,
                                       const std::string& fingerprint);
/// Writes them there. Throws Error.
void keepStatistics(const std::filesystem::path& rows, std::span<const MeasuredChoice> choices);

/// What a row tells of the image, whatever the setting.
struct PictureFacts {
  Complexity complexity;
  std::string pixels;
};

class PictureRows {
 public:
  /// `dataset` must outlive this.
  PictureRows(const Engine& engine, const Dataset& dataset,
              std::span<const MeasuredChoice> choices);

  std::string header() const;
  /// `image` counts in the dataset. RFC 4180, with the end of the line.
  std::string row(std::size_t image, std::size_t point, const ImageResult& result,
                  const ImageResult& unmerged, const PictureFacts& facts) const;

 private:
  const Dataset& dataset_;
  std::vector<std::string> labels_;
  int depth_;
  std::vector<std::string> settings_;  ///< "method,settings,statistics" of each choice
  std::string source_;                 ///< "model,dataset"
};

/// Appends; what is there is cut back first.
class PictureWriter {
 public:
  /// Begins with `header`, or goes on after `kept` bytes. Throws Error that names the file;
  /// UnusableState: it has not so many, or begins otherwise.
  PictureWriter(std::filesystem::path path, const std::string& header,
                std::optional<std::uint64_t> kept);
  ~PictureWriter();
  PictureWriter(const PictureWriter&) = delete;
  PictureWriter& operator=(const PictureWriter&) = delete;

  /// Throws Error.
  void append(std::string_view rows);
  /// Until the disk has them; how many bytes there are. Throws Error.
  std::uint64_t sync();

 private:
  template <class Work>
  void attempt(const Work& work) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace adamerge
