// SPDX-License-Identifier: GPL-3.0-or-later
// What tells a file of benchmarkJson() from any other.
#pragma once

namespace adamerge {

inline constexpr const char* kBenchmarkFormatKey = "benchmark_format";
inline constexpr int kBenchmarkFormat = 1;

}  // namespace adamerge
