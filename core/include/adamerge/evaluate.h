// SPDX-License-Identifier: GPL-3.0-or-later
// Accuracy against cost, measured: each method and setting over the same images, with what is
// needed to say whether a difference is one; what is measured, and how results are kept.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/dataset.h"
#include "adamerge/engine.h"
#include "adamerge/error.h"

namespace adamerge {

// Measured accuracy, as results.json in a model folder and `evaluate --json` hold it.

/// In percent.
struct Interval {
  double low = 0;
  double high = 0;
};

/// One method under one setting over a data set. Percentages are 0...100.
struct AccuracyPoint {
  std::string method;
  Settings settings;  ///< complete
  int images = 0;
  std::optional<double> top1;  ///< nullopt: the images have no labels
  std::optional<Interval> top1_interval;
  std::optional<double> top5;
  std::optional<double> agreement;      ///< same top class as the unmerged model
  std::optional<double> kl_divergence;  ///< mean KL(unmerged || merged), nats; needs a classifier
  /// Of the dense head's maps with the unmerged model's, shares 0...1, mean over the images.
  std::optional<MapAgreement> maps;
  Flops flops;  ///< mean over the images
  std::optional<double> merged_mean;
  std::vector<double> tokens_per_block;  ///< mean on entry; empty: not recorded
  std::optional<double> images_per_second;
};

struct AccuracyRecord {
  std::string model;
  std::string dataset;
  int images = 0;
  std::vector<std::string> skipped;  ///< names of images that could not be read
  std::string device;
  std::string dtype;
  std::string command;  ///< that made the file; may be empty
  std::vector<AccuracyPoint> points;

  /// The point of method "none"; readAccuracyRecord() makes sure that there is one.
  const AccuracyPoint* unmerged() const;
};

/// Throws Error: unreadable, not JSON, not this format, unknown methods or settings, percentages
/// outside 0...100, an interval that does not hold its value, FLOPs that are not positive, no
/// point of the unmerged model.
AccuracyRecord readAccuracyRecord(const std::filesystem::path& path);

// What is measured: methods with counts, or with the counts that bring each of them to the FLOPs
// asked for.

/// "8,12,16", "1:23" (every number from 1 to 23) or "1:23:2" (every second): ascending, nothing
/// twice. Throws Error that begins with `name`.
std::vector<int> parseCounts(std::string_view name, std::string_view text);

/// "0.9,0.75": numbers above 0, as they stand. Throws Error that begins with `name`.
std::vector<double> parseTiers(std::string_view name, std::string_view text);

/// Values by the compression setting they are for ("r", "r_max").
using Counts = std::map<std::string, std::vector<int>, std::less<>>;

/// Which of `counts` drives the method under its settings, or would in a network that restores its
/// grid; empty: none.
std::string countKey(const MethodChoice& method, const Counts& counts);

/// Each method with each of the counts for what drives its compression; as it is where there are
/// none for that, or nothing drives it. Throws Error for counts that the method does not take.
std::vector<MeasuredChoice> withCounts(std::span<const MethodChoice> methods, const Counts& counts);

/// The count that brings a method nearest to a tier.
struct TierMatch {
  MeasuredChoice choice;
  Flops flops;             ///< mean over `images`
  std::size_t images = 1;  ///< SchedulePoint::images

  /// Whether its FLOPs are within 2 % of the tier.
  bool near() const;
};

/// For each of `tiers` (G, `paper` convention) each method with the count that comes nearest;
/// methods without a count are left out. What depends on the image is measured on all of `images`,
/// at least one. `found` hears of each match. Throws Error: none of the methods has a count;
/// Cancelled.
std::vector<MeasuredChoice> matchTiers(const Engine& engine, std::span<const InputTensor> images,
                                       std::span<const MethodChoice> methods,
                                       std::span<const double> tiers,
                                       const std::function<void(const TierMatch&)>& found = {},
                                       const ProgressCallback& progress = {},
                                       const std::stop_token& stop = {});
/// On the images of `sample`; those that cannot be read are left to the evaluation to name. Throws
/// Error where none could be read.
std::vector<MeasuredChoice> matchTiers(const Engine& engine, const Dataset& sample,
                                       std::span<const MethodChoice> methods,
                                       std::span<const double> tiers,
                                       const std::function<void(const TierMatch&)>& found = {},
                                       const ProgressCallback& progress = {},
                                       const std::stop_token& stop = {});

// The measurement.

/// A state file that is damaged, or of another model, other images or settings; without it the
/// evaluation would begin anew.
class UnusableState : public Error {
 public:
  using Error::Error;
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
  /// Where a row of every image and choice is written (pictures.h), in the order of
  /// Dataset::shuffled(), while the images are measured; what is there is replaced, but for what
  /// `state` goes on from. Empty: nowhere.
  std::filesystem::path pictures{};
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
  std::optional<double> logit_cosine;    ///< mean, with the unmerged model's; needs a classifier
  double embedding_cosine = 0;           ///< mean, with the unmerged model's embedding
  double patch_cosine = 0;               ///< mean over images of patchCosine()
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
  VitConfig vit;  ///< what settings are in force for
  std::string device;
  std::string dtype;
  std::size_t total = 0;        ///< images of the set
  std::size_t done = 0;         ///< of these, skipped ones included; fewer than total: stopped
  std::size_t continued = 0;    ///< done before, by the evaluation that was continued
  std::vector<int> lost_ranks;  ///< that ended or hung, so that this is not all
  std::vector<SkippedImage> skipped;     ///< by name
  std::vector<std::string> notes;        ///< how the model and the set were read
  std::vector<std::string> image_notes;  ///< what images' files hold besides: addImageNote()
  std::vector<std::string> warnings;     ///< the engine's, each once
  std::vector<EvaluatedPoint> points;    ///< the unmerged model first, then as asked for

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
                    std::span<const MeasuredChoice> choices, const EvaluationOptions& options = {},
                    const ProgressCallback& progress = {}, const std::stop_token& stop = {});

/// What the evaluation measures that `state` was kept of, without layer statistics; nothing where
/// there is no such file, or its settings were not found as `chosen_by` says. Throws UnusableState.
std::vector<MeasuredChoice> keptChoices(const std::filesystem::path& state,
                                        const std::string& chosen_by);

/// What matchTiers() would find, taken from what it found before: with the layer statistics of
/// `methods`, in its order. nullopt where not all of it is among `found`.
std::optional<std::vector<MeasuredChoice>> matchedBefore(std::span<const MeasuredChoice> found,
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

/// 95 % interval of the difference of two proportions of `images` pairs, in percent points: right
/// in the first alone, in the second alone. Agresti and Min (2005), Statistics in Medicine 24,
/// Eq. 2.3: half a pair is added to each cell.
Interval pairedDifference(int only_first, int only_second, int images);

/// The point of the first merging method that `point` is to be compared with: of the same tier, or
/// without tiers the nearest in FLOPs (`paper`) if within 2 %. nullopt: the point is the first
/// method's own or unmerged, or there is none.
std::optional<std::size_t> counterpart(const Evaluation& evaluation, std::size_t point);

/// The contract's JSON; `command` is what made it. Needs at least one image.
std::string evaluationJson(const Evaluation& evaluation, const std::string& command);
/// One row per point; fields that a point does not have are empty. RFC 4180.
std::string evaluationCsv(const Evaluation& evaluation);

// One evaluation shared by several processes, as `mpirun -n K` starts them. Rank 0 calls
// evaluate(), hands batches out to whoever has room, and counts; the others assistEvaluation().
// Totals are those of one process to the last bit, since all sums are exact. All of this is called
// by one thread.

/// Messages between ranks, over whatever connects them.
class EvaluationRanks {
 public:
  struct Message {
    int from = 0;
    std::string text;
  };

  EvaluationRanks() = default;
  EvaluationRanks(const EvaluationRanks&) = delete;
  EvaluationRanks& operator=(const EvaluationRanks&) = delete;
  virtual ~EvaluationRanks() = default;

  virtual int rank() const = 0;  ///< 0 ... size() - 1
  virtual int size() const = 0;
  /// Returns at once. Messages of one rank to another arrive whole and in order. Throws Error.
  virtual void send(int to, const std::string& text) = 0;
  /// nullopt: nothing has arrived. Throws Error.
  virtual std::optional<Message> receive() = 0;
};

/// Rank 0 tells the others what evaluate() is about to measure; they wait for it, so that only one
/// of them need search settings. receiveChoices() throws Cancelled, also where rank 0 gave up.
void shareChoices(EvaluationRanks& ranks, std::span<const MeasuredChoice> choices);
std::vector<MeasuredChoice> receiveChoices(EvaluationRanks& ranks, const std::stop_token& stop);

/// Computes what rank 0 hands out, until rank 0 is done or `stop`. Of `options` only `lanes`,
/// `decoders`, `chosen_by` and whether there are `pictures` count. False: stopped, and rank 0 no
/// longer answers. Throws Error, which reportFailure() should pass on.
bool assistEvaluation(EvaluationRanks& ranks, const Engine& engine, const Dataset& dataset,
                      std::span<const MeasuredChoice> choices, const EvaluationOptions& options,
                      const std::stop_token& stop);

/// Of any rank but 0: evaluate() on rank 0 ends with this sentence.
void reportFailure(EvaluationRanks& ranks, const std::string& sentence);

/// Of rank 0: nothing more comes. evaluate() does it too.
void dismissRanks(EvaluationRanks& ranks);

}  // namespace adamerge
