// SPDX-License-Identifier: GPL-3.0-or-later
// One image under a method and unmerged, with its figures: what `inspect` and the Python module do
// alike.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/image.h"
#include "adamerge/report.h"
#include "figure_writer.h"
#include "lens_options.h"

namespace adamerge::cli {

struct InspectedImage {
  InspectReport report;  ///< both runs with their recordings, until somebody lets them go
  std::shared_ptr<const Image> original;
  PreparedImage prepared;
};

/// A method made for a model. Never changes; threads may share it, the engine outlives it.
class Inspection {
 public:
  /// `against`: a second method for every image, for its difference; without a count it gets the
  /// one that brings it nearest to the first's FLOPs. Throws Error: settings that do not suit the
  /// model; one that somebody typed is never passed over. Cancelled.
  Inspection(const Engine& engine, const MethodChoice& choice,
             const std::optional<MethodChoice>& against, const std::stop_token& stop);

  /// With every setting in force.
  const MethodChoice& choice() const { return method_.choice(); }
  /// `name`: of the image, for people. Throws what Engine::run throws.
  InspectedImage inspect(const std::string& name, Image image, const std::stop_token& stop) const;
  /// Runs both again, with the same result, where an image's recordings were let go.
  void recordAgain(InspectedImage& image, const std::stop_token& stop) const;
  /// Writes the figures that were asked for and returns the files. `image` has its recordings where
  /// they show a lens. Throws Error, Cancelled.
  std::vector<std::filesystem::path> writeFigures(const InspectedImage& image,
                                                  FigureOptions& figures, const LensOptions& lenses,
                                                  const std::stop_token& stop) const;

 private:
  void run(InspectedImage& image, const std::stop_token& stop) const;
  void runAgainst(InspectedImage& image, const std::stop_token& stop) const;

  const Engine& engine_;
  PreparedMethod method_;
  PreparedMethod unmerged_;
  std::optional<PreparedMethod> against_;
  bool equal_flops_ = false;  ///< its count is found for each image
};

/// Throws UsageError, and Error for the folder: what the figures ask of a method's salience, and of
/// a second one (`compares`).
void checkFigures(FigureOptions& figures, const MethodChoice& choice, bool compares);
/// Throws Error for a block that the model does not have.
void requireLayers(const FigureOptions& figures, const ModelInfo& model);

}  // namespace adamerge::cli
