// SPDX-License-Identifier: GPL-3.0-or-later
// How much each patch of a model's grid matters in each block: what Prune and Merge (arXiv
// 2503.23455) lays its groups out by, for all images alike. Stored as `prune-merge.json`.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/calibrate.h"

namespace adamerge {

/// The file's name in a model's folder.
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
