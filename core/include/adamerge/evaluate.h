// SPDX-License-Identifier: GPL-3.0-or-later
// Accuracy against cost, measured: each method and setting over the same images, with what is
// needed to say whether a difference is one.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adamerge/accuracy_record.h"
#include "adamerge/dataset.h"
#include "adamerge/engine.h"
#include "adamerge/error.h"

namespace adamerge {

/// A state file that is damaged, or of another model, other images or settings; without it the
/// evaluation would begin anew.
class UnusableState : public Error {
 public:
  using Error::Error;
};

struct EvaluationChoice {
  MethodChoice choice;
  std::optional<double> tier;  ///< G: the FLOPs its setting was chosen for
};

struct Evaluation;
class EvaluationRanks;

struct EvaluationOptions {
  std::size_t batch = 8;  ///< images at once
  /// Batches that the engine runs at the same time. On a CPU, several with one thread each keep the
  /// cores busier than one with several.
  int lanes = 1;
  /// Where what is done so far is kept, so that a later call with the same model, images and
  /// choices goes on from there. Empty: nowhere.
  std::filesystem::path state{};
  double seconds_between_saves = 10;
  /// How the settings of `choices` were found, where they were searched for. Kept in the state:
  /// only what was found in the same way is gone on with.
  std::string chosen_by{};
  int decoders = 0;  ///< threads that read images ahead; 0: as many as cores, at most 4
  /// Called by the thread that called evaluate() with what has been measured so far.
  std::function<void(const Evaluation&)> interim{};
  double seconds_between_interims = 1;
  EvaluationRanks* ranks = nullptr;  ///< processes that share the work; this one is rank 0
  double seconds_until_lost = 60;    ///< without a sign of life from a rank
};

/// A means over the images, its standard deviation over the same (population).
struct EvaluatedPoint {
  MethodChoice choice;
  std::optional<double> tier;
  AccuracyPoint accuracy;
  Flops flops_deviation;
  std::vector<double> tokens_deviation;  ///< one per block
  std::optional<double> kl_divergence;   ///< mean KL(unmerged || merged); needs a classifier
  double logit_cosine = 0;               ///< mean, with the unmerged model's
  bool calibrated = true;                ///< false: wanted layer statistics and had none that fit
  /// Per image in the order of Dataset::shuffled(): right, or without labels, the unmerged model's
  /// class. False for skipped ones.
  std::vector<bool> right;
};

struct SkippedImage {
  std::string name;
  std::string reason;  ///< a sentence that names the file
};

struct Evaluation {
  std::string model;
  std::string dataset;
  bool labelled = false;
  std::string device;
  std::string dtype;
  std::size_t total = 0;        ///< images of the set
  std::size_t done = 0;         ///< of these, skipped ones included; fewer than total: stopped
  std::size_t continued = 0;    ///< done before, by the evaluation that was continued
  std::vector<int> lost_ranks;  ///< that ended or hung, so that this is not all
  std::vector<SkippedImage> skipped;   ///< by name
  std::vector<std::string> warnings;   ///< the engine's, each once
  std::vector<EvaluatedPoint> points;  ///< the unmerged model first, then as asked for

  bool complete() const { return done == total; }
  int images() const { return static_cast<int>(done - skipped.size()); }
};

/// Runs every choice, and the unmerged model, on every image. Images are decoded ahead by threads
/// of their own, each once for all choices; memory holds a few batches, however many images there
/// are. All sums are exact, so totals do not depend on the order or on where a run was interrupted.
/// Images come in an order without a pattern, so that what an interrupted run has measured is a
/// fair sample. On `stop`, and where a rank is lost, what is done is kept in the state file and
/// returned.
/// Throws Error: settings, no image that could be read, a state that cannot be written, one that is
/// not of this evaluation (UnusableState), what went wrong on another rank.
Evaluation evaluate(const Engine& engine, const Dataset& dataset,
                    std::span<const EvaluationChoice> choices,
                    const EvaluationOptions& options = {}, const ProgressCallback& progress = {},
                    const std::stop_token& stop = {});

/// What the evaluation measures that `state` was kept of, without layer statistics; nothing where
/// there is no such file, or its settings were not found as `chosen_by` says. Throws UnusableState.
std::vector<EvaluationChoice> keptChoices(const std::filesystem::path& state,
                                          const std::string& chosen_by);

/// What matchTiers() would find, taken from what it found before: with the layer statistics of
/// `methods`, in its order. nullopt where not all of it is among `found`.
std::optional<std::vector<EvaluationChoice>> matchedBefore(std::span<const EvaluationChoice> found,
                                                           std::span<const MethodChoice> methods,
                                                           std::span<const double> tiers);

/// Of k successes in n the 95 % interval, in percent (Wilson 1927). Throws Error for n < 1.
Interval wilsonInterval(int successes, int trials);

/// Two methods on the same images: images that one got right and the other did not, and the
/// probability of a split at least as uneven if there were no difference (McNemar's exact test,
/// two-sided).
struct PairedComparison {
  int only_first = 0;
  int only_second = 0;
  double p = 1;
};
PairedComparison mcNemar(int only_first, int only_second);
PairedComparison mcNemar(const EvaluatedPoint& first, const EvaluatedPoint& second);

/// The point of the first merging method that `point` is to be compared with: of the same tier, or
/// without tiers the nearest in FLOPs (`paper`) if within 2 %. nullopt: the point is the first
/// method's own or unmerged, or there is none.
std::optional<std::size_t> counterpart(const Evaluation& evaluation, std::size_t point);

/// The contract's JSON; `command` is what made it. Needs at least one image.
std::string evaluationJson(const Evaluation& evaluation, const std::string& command);
/// One row per point; fields that a point does not have are empty. RFC 4180.
std::string evaluationCsv(const Evaluation& evaluation);

}  // namespace adamerge
