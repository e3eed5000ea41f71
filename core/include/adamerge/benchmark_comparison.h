// SPDX-License-Identifier: GPL-3.0-or-later
// Two files of `adamerge bench --json`: what got slower from one to the other, and what faster.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adamerge/benchmark.h"

namespace adamerge {

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
