// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>

#include "adamerge/benchmark.h"

namespace adamerge {
namespace {

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

Flops meanOf(const std::vector<Flops>& runs) {
  Flops mean;
  for (const Flops& flops : runs) {
    mean.paper += flops.paper / static_cast<double>(runs.size());
    mean.total += flops.total / static_cast<double>(runs.size());
  }
  return mean;
}

/// Of the same batch size. nullptr: `point` is the unmerged model itself.
const BenchmarkPoint* unmergedBeside(const Benchmark& benchmark, const BenchmarkPoint& point) {
  const auto found = std::find_if(benchmark.points.begin(), benchmark.points.end(),
                                  [&](const auto& other) { return other.batch == point.batch; });
  return &*found == &point ? nullptr : &*found;
}

}  // namespace

Spread spreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75), values.front(),
          values.back()};
}

BenchmarkFigures figuresOf(const Benchmark& benchmark, std::size_t index) {
  const BenchmarkPoint& point = benchmark.points[index];
  BenchmarkFigures figures;
  figures.milliseconds = spreadOf(point.milliseconds);
  figures.flops = meanOf(point.flops);
  const double seconds = figures.milliseconds.median / 1000;
  figures.images_per_second = point.batch / seconds;
  figures.gflops_per_second = 2 * figures.flops.total * point.batch / seconds;
  figures.peak_share = figures.gflops_per_second / spreadOf(benchmark.product_gflops).median;
  const BenchmarkPoint* unmerged = unmergedBeside(benchmark, point);
  if (unmerged == nullptr) return figures;
  std::vector<double> speedups;
  std::vector<double> realised;
  for (std::size_t run = 0; run < point.milliseconds.size(); ++run) {
    const double saved = unmerged->flops[run].paper / point.flops[run].paper;
    speedups.push_back(unmerged->milliseconds[run] / point.milliseconds[run]);
    realised.push_back(speedups.back() / saved);
  }
  figures.speedup = spreadOf(std::move(speedups));
  figures.realised = spreadOf(std::move(realised));
  return figures;
}

}  // namespace adamerge
