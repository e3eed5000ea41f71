// SPDX-License-Identifier: GPL-3.0-or-later
// What an evaluation found of each image: the file of `evaluate --per-image`, which images and
// classes pay for merging, and whether the counts follow the images. Definitions: docs/lenses.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/benchmark.h"
#include "adamerge/dataset.h"
#include "adamerge/error.h"
#include "adamerge/evaluate.h"
#include "adamerge/image.h"
#include "adamerge/methods.h"

namespace adamerge {

/// How much there is to see in what the model sees, of its grey values 0...1 (ITU-R BT.601).
struct Complexity {
  double edges = 0;    ///< mean length of Sobel's gradient, 1/8 of the sum of its weights
  double entropy = 0;  ///< of the histogram of 256 grey values, in bits
};
/// `view`: PreparedImage::view. Both are 0 where it is narrower or lower than three pixels.
Complexity complexityOf(const Image& view);

/// Of size and pixels: whether an image is the one that was measured.
std::string pixelFingerprint(const Image& image);

/// One image under one setting.
struct PictureRow {
  std::string image;  ///< Dataset::imageName()
  int label = -1;     ///< -1: has none
  std::string label_name;
  std::vector<Prediction> top;  ///< at most five
  /// Of the labelled class, without label of the unmerged model's.
  std::optional<double> class_probability;
  bool right = false;  ///< or, without label, the unmerged model's class
  std::optional<double> logit_cosine;
  double embedding_cosine = 0;
  std::vector<int> merged;  ///< tokens fewer, per block
  double flops = 0;         ///< G, `paper`
  Complexity complexity;
  std::string pixels;  ///< pixelFingerprint() of the decoded image
};

/// The file of `evaluate --per-image`: every image under every setting, the unmerged model first.
/// Memory holds some 60 bytes a row; the rest stays in the file, which must not change meanwhile.
class PictureFile {
 public:
  /// Throws Error: unreadable, columns missing, values out of range, rows that are not an image's
  /// settings together and in one order, a file without the unmerged model; Cancelled.
  static std::shared_ptr<const PictureFile> open(const std::filesystem::path& path,
                                                 const ProgressCallback& progress = {},
                                                 const std::stop_token& stop = {});
  ~PictureFile();
  PictureFile(const PictureFile&) = delete;
  PictureFile& operator=(const PictureFile&) = delete;

  const std::filesystem::path& path() const;
  const std::string& model() const;              ///< its name
  const std::filesystem::path& dataset() const;  ///< folder or file, as it was given
  /// Settings complete; [0] is unmerged. With layer statistics where the run's were not the model's
  /// own and still stand beside the file.
  const std::vector<MethodChoice>& choices() const;
  /// A sentence where `engine` would give a setting other layer statistics than it was measured
  /// with, so that counts and groups may differ; empty: it would not.
  std::string statisticsProblem(std::size_t point, const Engine& engine) const;
  std::size_t pictures() const;
  int depth() const;
  bool labelled() const;

  /// What lists and sums need of a row.
  struct Outcome {
    std::int32_t top = -1;  ///< class; -1: no classifier
    std::int32_t merged = 0;
    float top_probability = 0;
    float class_probability = 0;  ///< NaN: no classifier
    bool right = false;
  };
  const Outcome& outcome(std::size_t picture, std::size_t point) const;
  int label(std::size_t picture) const;
  Complexity complexity(std::size_t picture) const;
  /// Tokens fewer in a block.
  int merged(std::size_t picture, std::size_t point, int block) const;
  /// Of labels and of what images were taken for, ascending.
  std::vector<int> classIndices() const;
  std::string className(int index) const;  ///< "class 7" where no row names it

  std::string imageName(std::size_t picture) const;
  /// Read from the file anew.
  PictureRow row(std::size_t picture, std::size_t point) const;
  ImagePlace place(std::size_t picture) const { return placeOf(dataset(), imageName(picture)); }
  /// The decoded image. Throws Error, a sentence that names it, where it cannot be read any more
  /// or is another one than was measured.
  Image load(std::size_t picture) const;

 private:
  struct State;
  explicit PictureFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Which images a list shows.
enum class PictureShow {
  kAll,
  kLost,        ///< right without merging, wrong with it
  kGained,      ///< wrong without, right with
  kKept,        ///< right in both
  kMostMerged,  ///< all, by tokens merged
  kLeastMerged
};
struct PictureShowName {
  PictureShow show;
  const char* id;     ///< "most-merged"
  const char* label;  ///< "Most merged"
};
std::span<const PictureShowName> pictureShows();

struct PictureFilter {
  PictureShow show = PictureShow::kLost;
  int label = -1;      ///< of that class alone (without labels: the unmerged model's); -1: all
  int predicted = -1;  ///< that the merged model takes for this class; -1: any
};
/// What a picture's class is: its label, without one the unmerged model's.
int classOf(const PictureFile& file, std::size_t picture);
/// How much of the class's probability merging took; NaN without classifier.
double probabilityLoss(const PictureFile& file, std::size_t picture, std::size_t point);
/// Sorted by loss of probability, the largest first (gained: the largest gain), or by tokens
/// merged; of equal ones in the file's order.
std::vector<std::uint32_t> selectPictures(const PictureFile& file, std::size_t point,
                                          const PictureFilter& filter);

// Who pays.

/// The images of one class without and with merging.
struct ClassOutcome {
  int label = 0;
  int images = 0;
  int right_before = 0;
  int right_after = 0;
  int lost = 0;         ///< right before alone
  int gained = 0;       ///< right after alone
  Interval difference;  ///< of accuracy after less before, in points (pairedDifference())
  double p = 1;         ///< McNemar's exact test
  double p_holm = 1;    ///< the same, corrected for all classes (Holm 1979)

  double before() const { return 100.0 * right_before / images; }
  double after() const { return 100.0 * right_after / images; }
};
/// By label; classes without images are left out.
std::vector<ClassOutcome> classOutcomes(const PictureFile& file, std::size_t point);

/// Images of one class taken for another.
struct Confusion {
  int label = 0;
  int predicted = 0;
  int before = 0;  ///< images, without merging
  int after = 0;
};
/// Those that became more; most of them first.
std::vector<Confusion> newConfusions(const PictureFile& file, std::size_t point);

// Whether the counts follow the images.

/// Spearman's rank correlation, with its 95 % interval by Fisher's z with the variance
/// (1 + rho^2 / 2) / (n - 3) (Bonett and Wright 2000, Psychometrika 65).
struct RankCorrelation {
  double rho = 0;
  double low = -1;
  double high = 1;
};
/// Of equal values the mean rank. nullopt: fewer than four pairs, or values that are all equal.
std::optional<RankCorrelation> rankCorrelation(std::span<const double> a,
                                               std::span<const double> b);

struct Distribution {
  Spread spread;
  double mean = 0;
};
struct Adaptation {
  /// Of the tokens merged in all blocks with what stands in the name; nullopt: rankCorrelation()'s.
  std::optional<RankCorrelation> edges;
  std::optional<RankCorrelation> entropy;
  std::optional<RankCorrelation> confidence;  ///< the unmerged model's top probability
  Distribution merged;                        ///< in all blocks
  std::vector<Distribution> blocks;           ///< in each
};
Adaptation adaptationOf(const PictureFile& file, std::size_t point,
                        const std::stop_token& stop = {});

/// All of it as JSON: per setting classes, confusions, adaptation.
std::string picturesJson(const PictureFile& file, const std::stop_token& stop = {});

}  // namespace adamerge
