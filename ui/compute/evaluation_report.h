// SPDX-License-Identifier: GPL-3.0-or-later
// What an evaluation has measured so far, with the comparisons that a table and a plot show.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/evaluate.h"

namespace adamerge::ui {

/// A point and the one of the first method at the same FLOPs.
struct PointComparison {
  std::size_t other = 0;
  PairedComparison paired;
};

struct EvaluationReport {
  Evaluation evaluation;                                 ///< of at least one image
  std::filesystem::path data;                            ///< folder or file of images
  std::filesystem::path model;                           ///< folder or file
  std::vector<std::string> notes;                        ///< on the images, in sentences
  std::vector<std::optional<PointComparison>> compared;  ///< one per point
};
using EvaluationReportPtr = std::shared_ptr<const EvaluationReport>;

/// Compares image by image: not for the UI thread.
EvaluationReportPtr makeReport(Evaluation evaluation, const ModelInfo& model,
                               const std::filesystem::path& data,
                               const std::vector<std::string>& notes);

/// As results.json would hold it.
AccuracyRecord toRecord(const Evaluation& evaluation);

}  // namespace adamerge::ui
