// SPDX-License-Identifier: GPL-3.0-or-later
// What `bench` prints for people.
#pragma once

#include <string>

#include "adamerge/benchmark.h"

namespace adamerge::cli {

/// The model and how it runs, then one row per point.
std::string benchmarkTable(const Benchmark& benchmark);
/// What the columns mean.
std::string benchmarkLegend();
/// "Intel(R) Xeon(R) Processor, 2 cores, amx, Linux 6.1.0, load 0.31".
std::string describe(const Machine& machine);

/// One row per configuration that both files have, then what the verdicts rest on. `tolerance` as
/// given to compareBenchmarks().
std::string comparisonTable(const BenchmarkComparison& comparison, double tolerance);

}  // namespace adamerge::cli
