// SPDX-License-Identifier: GPL-3.0-or-later
// What is found out by running a model: layer statistics (mu, sigma of the redundancy) over a
// calibration set, which r or r_max costs the FLOPs that are asked for, and how much each patch of
// the grid matters in each block: what Prune and Merge (arXiv 2503.23455) lays its groups out by,
// for all images alike.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/engine.h"

namespace adamerge {

class ImageSource;
struct CalibrationState;

struct CalibrationOptions {
  std::vector<int> r_max;  ///< ascending, at least one
  int passes = 2;          ///< 1 uses z = 0 throughout; each further pass uses the one before
  MethodChoice choice{"adamerge", {}, nullptr, false};  ///< its r_max is ignored
  int batch = 8;                                        ///< images at once
  std::string source;                                   ///< for the record
  /// Hears what the engine warns of, each sentence once.
  std::function<void(const std::string&)> warn{};
  /// What `keep` heard last in an earlier call with the same engine, images and options: this one
  /// goes on from there, to the same bits. Null: from the beginning.
  std::shared_ptr<const CalibrationState> state{};
  /// Hears what is done so far, now and then and when it is stopped.
  std::function<void(const CalibrationState&)> keep{};
  double seconds_between_saves = 10;
};

/// Gives images number first ... first + count - 1; may leave out those it cannot read, the same
/// ones every time.
using BatchSource = std::function<std::vector<InputTensor>(std::size_t first, std::size_t count)>;

/// Two passes by default: pass 1 runs with z = 0, so every block merges floor(r_max / 2); pass 2
/// runs with pass 1's statistics; the last pass is returned (the paper found that a third
/// overshoots). Each image is asked for once per pass.
/// Throws Error (settings, no image), Cancelled.
Statistics calibrate(const Engine& engine, const BatchSource& images, std::size_t count,
                     const CalibrationOptions& options, const ProgressCallback& progress = {},
                     const std::stop_token& stop = {});

/// The same of a set, with what is done kept in the file `kept`, from which a later call goes on;
/// the caller removes it when the statistics are safe. Throws, too, what cannot be written and
/// UnusableState (evaluate.h).
Statistics calibrate(const Engine& engine, ImageSource& images, CalibrationOptions options,
                     const std::filesystem::path& kept, const ProgressCallback& progress = {},
                     const std::stop_token& stop = {});

struct SchedulePoint {
  std::string key;  ///< "r" or "r_max"
  int value = 0;
  Flops flops;                           ///< mean over the images
  double unmerged = 0;                   ///< `paper`, G
  std::vector<double> tokens_per_block;  ///< mean N on entry, [depth]
  bool calibrated = true;
  std::size_t images = 1;  ///< measured; one where the count is the same for every image
};

/// The value of the method's compression setting whose mean `paper` FLOPs over `images` come
/// nearest to `target` (G). Found by bisection, since FLOPs fall as the value rises. Counts that
/// follow the layer statistics differ from image to image, so give several; others are measured on
/// the first. Throws Error: a method without such a setting, target not positive, no image;
/// Cancelled.
SchedulePoint matchFlops(const Engine& engine, std::span<const InputTensor> images,
                         const MethodChoice& choice, double target,
                         const ProgressCallback& progress = {}, const std::stop_token& stop = {});

/// Importance's file in a model's folder.
inline constexpr const char* kImportanceFile = "prune-merge.json";

struct Importance {
  std::string model;
  int depth = 0;
  std::vector<int> blocks;  ///< that have scores, ascending
  std::string source;       ///< where the images came from
  int images = 0;
  /// "gradient": the attention that a patch receives times the loss's gradient (the paper's);
  /// "received": the attention alone.
  std::string kind;
  std::vector<std::vector<double>> scores;  ///< [depth][patches], at least 0
};

/// Whether the method is laid out by importance.
bool usesImportance(const MethodChoice& choice);

/// Throws Error: unreadable, not JSON, not this format, scores of another shape than depth says,
/// negative or non-finite ones.
Importance readImportance(const std::filesystem::path& path);

/// Writes beside and renames. Throws Error.
void writeImportance(const Importance& importance, const std::filesystem::path& path);

/// "received": of every patch and block the mean over the images, heads and queries of the
/// attention that it receives in the unmerged model. Throws Error (no image), Cancelled.
Importance measureImportance(const Engine& engine, const BatchSource& images, std::size_t count,
                             const ProgressCallback& progress = {},
                             const std::stop_token& stop = {});

}  // namespace adamerge
