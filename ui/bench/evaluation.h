// SPDX-License-Identifier: GPL-3.0-or-later
// What is to be evaluated, where it is kept, and what was measured.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/dataset.h"
#include "adamerge/evaluate.h"
#include "bench/data.h"

namespace adamerge {
class Engine;
}  // namespace adamerge

namespace adamerge::ui {

struct CalibrationRequest;

// How hard an evaluation may work the machine: all of it, but never before what somebody waits for.

/// Everything else on the machine goes before this thread and those it starts from now on,
/// LibTorch's among them: a slider that is moved meanwhile is answered as if nothing ran beside it.
void yieldToOthers();

/// Batches at the same time: a second one keeps the cores busy where the first has nothing for all.
int backgroundLanes(const Engine& engine);
/// Images of a batch: few on a CPU, so that stopping is prompt and loses little.
std::size_t backgroundBatch(const Engine& engine);

// What is to be evaluated, and where what is done of it is kept.

struct EvaluationRequest {
  std::filesystem::path data;
  DatasetOptions dataset;
  std::size_t limit = 0;  ///< images, drawn with `seed`; 0: all
  unsigned seed = 0;
  std::vector<MethodChoice> methods;  ///< with each of `counts`, or of `tiers` if there are any
  std::vector<MethodChoice> exact;    ///< besides these, as they are
  Counts counts;
  std::vector<double> tiers;    ///< G, `paper` convention
  std::filesystem::path state;  ///< stateFile()
  bool anew = false;            ///< what was kept before is thrown away
};

/// What is measured where no tier is to be matched: nothing twice, without the unmerged model.
std::vector<MeasuredChoice> countedChoices(const EvaluationRequest& request);
/// How many points the result will have, the unmerged model's among them.
std::size_t pointCount(const EvaluationRequest& request);

// In the user's own folder of application data, the same for the same model, images and choices.
std::filesystem::path stateFile(const EvaluationRequest& request, const LoadedModel& model);
std::filesystem::path stateFile(const CalibrationRequest& request, const LoadedModel& model);
/// Beside it, the rows of each image (EvaluationOptions::pictures).
std::filesystem::path picturesFile(const std::filesystem::path& state);
/// Of many kept ones the oldest go.
void tidyStates();

// What an evaluation has measured so far, with the comparisons that a table and a plot show.

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
  std::filesystem::path pictures;                        ///< rows of each image; empty: none yet
  std::vector<std::optional<PointComparison>> compared;  ///< one per point
  /// One per point: the 95 % interval of its top-1 accuracy less the unmerged model's on the same
  /// images, in points. None for that model, nor without labels.
  std::vector<std::optional<Interval>> difference;
};
using EvaluationReportPtr = std::shared_ptr<const EvaluationReport>;

/// Compares image by image: not for the UI thread.
EvaluationReportPtr makeReport(Evaluation evaluation, const ModelInfo& model,
                               const std::filesystem::path& data,
                               const std::vector<std::string>& notes,
                               const std::filesystem::path& pictures = {});

/// As results.json would hold it.
AccuracyRecord toRecord(const Evaluation& evaluation);

// The fields of the evaluation panel, as sessions keep them, and what they ask for.

struct EvaluationSetup {
  static constexpr int kMostImages = 10'000'000;
  static constexpr int kMostSeed = 999'999;

  std::filesystem::path data;    ///< empty: none chosen yet
  std::filesystem::path labels;  ///< which class a folder holds; empty: folders are named so
  bool unlabelled = false;
  int limit = 1000;  ///< 0: all
  int seed = 0;
  std::vector<std::string> methods;  ///< ids, in the registry's order
  bool canvases = false;             ///< and what the canvases show
  bool by_flops = false;             ///< `flops` instead of counts
  // As they are typed: lists and ranges.
  std::string r_max = "4:20:4";
  std::string r = "4:20:4";
  std::string ratio = "10:50:10";  ///< of networks that restore their grid, in place of both
  std::string flops;

  /// All methods that merge.
  static EvaluationSetup standard();
  bool operator==(const EvaluationSetup&) const = default;
};

/// Without `state`. `canvases`: what they show; methods take the defaults of the model `vit`; those
/// that it cannot run are left out. Throws Error: no data, no method, a list that is none.
EvaluationRequest makeRequest(const EvaluationSetup& setup,
                              const std::vector<MethodChoice>& canvases, const VitConfig& vit);

/// The command that measures the same, for the record; where there is none, since canvases have
/// settings of their own, a sentence.
std::string equivalentCommand(const EvaluationSetup& setup, const LoadedModel& model);

}  // namespace adamerge::ui
