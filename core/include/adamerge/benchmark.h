// SPDX-License-Identifier: GPL-3.0-or-later
// How quick a loaded model is on this machine: each method at each batch size beside the unmerged
// model, with the spread, and how near that comes to what the machine's matrix products allow; and
// what got slower or faster from one file of `adamerge bench --json` to another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adamerge/engine.h"

namespace adamerge {

/// The quartiles and ends of a sample.
struct Spread {
  double median = 0;
  double lower_quartile = 0;
  double upper_quartile = 0;
  double minimum = 0;
  double maximum = 0;
};

/// Quantiles are interpolated linearly between neighbours, as NumPy's are by default. Needs at
/// least one value.
Spread spreadOf(std::vector<double> values);

struct Machine {
  std::string processor;  ///< as the operating system names it
  int cores = 0;
  std::string instruction_set;  ///< of our kernels: see ADAMERGE_MAX_ISA in docs/performance.md
  std::string system;           ///< "Linux 6.1.0-18-amd64"
  double load = 0;  ///< processes that ran or waited, mean over the last minute; 0: not known
};
Machine thisMachine();

struct BenchmarkOptions {
  std::vector<int> batches{1, 8, 32};  ///< images at once
  int warmup = 3;                      ///< runs of each case before its first timed one, at least 1
  int runs = 20;                       ///< timed runs of each case, at least 1
  /// Of timed runs, per case and batch size, on average; the round that passes it is the last.
  double seconds = std::numeric_limits<double>::infinity();
};

struct BenchmarkPoint {
  MethodChoice choice;
  std::optional<double> tier;
  int batch = 1;
  bool calibrated = true;            ///< false: wanted layer statistics and had none that fit
  std::vector<double> milliseconds;  ///< of each timed run
  std::vector<Flops> flops;          ///< of each timed run, mean over its images
  /// Of the process in the computer's memory: before the warm-up and the most during it. nullopt:
  /// the system does not tell.
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> peak_bytes;
};

struct Benchmark {
  std::string model;
  std::string architecture;  ///< may be empty
  InputSize input_size;
  VitConfig vit;  ///< what settings are in force for
  std::string device;
  std::string dtype;
  int threads = 0;
  std::int64_t parameters = 0;
  std::uint64_t weight_bytes = 0;      ///< in `dtype`
  std::vector<double> product_gflops;  ///< GFLOP/s of one product, see kProductShape
  /// By batch size; of each the unmerged model first, then the cases in order. Points of the same
  /// batch size have as many runs, and the i-th of each were done in turn on the same images.
  std::vector<BenchmarkPoint> points;
  std::vector<std::string> warnings;  ///< the engine's, each once
  bool complete = true;               ///< false: stopped before the last run
  std::string problem;                ///< what ended it early, a sentence; empty: it was asked to
};

/// Rows, depth and columns of the product that the share of the peak refers to: a batch of one
/// through the first layer of ViT-B/16's MLP.
struct ProductShape {
  int rows = 197;
  int depth = 768;
  int columns = 3072;
};
inline constexpr ProductShape kProductShape{};

/// Times the unmerged model and the other `cases` at every batch size. Cases of one batch size run
/// in turn, round after round, so that what slows the machine for a while slows all of them; each
/// round takes others of `images`, and every case the same; where there are fewer than a batch
/// holds, but at least one, they are repeated. On `stop`, and where a later run fails (no memory),
/// gives the rounds that are done. Throws Error (settings, batch sizes not ascending, numbers below
/// 1; what failed before the first round was done), Cancelled before that.
Benchmark runBenchmark(const Engine& engine, std::span<const InputTensor> images,
                       std::span<const MeasuredChoice> cases, const BenchmarkOptions& options = {},
                       const ProgressCallback& progress = {}, const std::stop_token& stop = {});

/// What the runs of a point come to. FLOPs are multiply-accumulates, GFLOP/s counts both.
struct BenchmarkFigures {
  Spread milliseconds;
  double images_per_second = 0;
  Flops flops;                    ///< G, mean over runs and images
  double gflops_per_second = 0;   ///< 2 x `total` over the median time
  double peak_share = 0;          ///< that over the median rate of the product
  std::optional<Spread> speedup;  ///< unmerged time over this, run by run; none for the unmerged
  /// Speed-up over the ratio of FLOPs (`paper`), run by run; none for the unmerged.
  std::optional<Spread> realised;
};
BenchmarkFigures figuresOf(const Benchmark& benchmark, std::size_t point);

/// Images to measure on where there are none at hand: from smooth colours to noise, so that
/// methods whose counts depend on the image merge different numbers. Normalised to about -1...1.
std::vector<InputTensor> syntheticImages(const VitConfig& vit, std::size_t count, unsigned seed);

/// How it was measured, for the record.
struct BenchmarkRecord {
  std::string version;  ///< of the program
  std::string command;
  std::string images;  ///< where they came from
  Machine machine;
  BenchmarkOptions options;
};

/// The contract's JSON (docs/files.md). Benchmarks have at least one point.
std::string benchmarkJson(const BenchmarkRecord& record, std::span<const Benchmark> benchmarks);

/// One configuration, as a file tells it.
struct RecordedTime {
  std::string model;
  InputSize input_size;
  std::string device;
  std::string dtype;
  int threads = 0;
  double product_gflops = 0;  ///< median rate of the product of kProductShape beside it
  std::string name;           ///< the method with its settings, for people
  std::string method;         ///< its id
  std::string settings;       ///< all in force, as JSON
  int batch = 0;
  Spread milliseconds;

  /// Whether times of both may be compared: all but name, time and rate is the same.
  bool sameConfiguration(const RecordedTime& other) const;
};

struct RecordedBenchmark {
  std::string processor;
  int cores = 0;
  std::string instruction_set;
  std::vector<RecordedTime> times;  ///< at least one

  bool sameMachine(const RecordedBenchmark& other) const;
};

/// Throws Error: unreadable, not JSON, not what benchmarkJson() writes.
RecordedBenchmark readBenchmark(const std::filesystem::path& path);

enum class Verdict { kUnchanged, kSlower, kFaster };

struct TimeComparison {
  RecordedTime before;
  RecordedTime after;
  double ratio = 1;  ///< of the medians, after over before
  Verdict verdict = Verdict::kUnchanged;
};

struct BenchmarkComparison {
  std::vector<TimeComparison> shared;  ///< in the order of the first file
  std::vector<RecordedTime> only_before;
  std::vector<RecordedTime> only_after;
};

/// A difference is called one where the medians are more than `tolerance` (at least 1) times apart
/// and the ranges between the quartiles do not overlap.
BenchmarkComparison compareBenchmarks(const RecordedBenchmark& before,
                                      const RecordedBenchmark& after, double tolerance);

}  // namespace adamerge
