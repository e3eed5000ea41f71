// SPDX-License-Identifier: GPL-3.0-or-later
// What StructSAM merges on a grid of tokens.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/matching_ops.h"
#include "merging/entries.h"
#include "merging/matching.h"

namespace adamerge {
namespace {

std::vector<double> asDoubles(const at::Tensor& values) {
  const at::Tensor host = values.to(at::kCPU, at::kDouble).contiguous();
  return {host.data_ptr<double>(), host.data_ptr<double>() + host.numel()};
}

/// Of a cell's tokens the one of least energy, and its largest energy.
struct Cell {
  std::vector<std::int64_t> tokens;
  std::int64_t destination = 0;
  double flatness = 0;
};

std::vector<Cell> cellsOf(const std::vector<double>& energy, std::int64_t height,
                          std::int64_t width, int side) {
  std::vector<Cell> cells;
  for (std::int64_t top = 0; top < height; top += side) {
    for (std::int64_t left = 0; left < width; left += side) {
      Cell cell;
      for (std::int64_t row = top; row < std::min(top + side, height); ++row) {
        for (std::int64_t column = left; column < std::min(left + side, width); ++column) {
          cell.tokens.push_back(row * width + column);
        }
      }
      const auto less = [&](std::int64_t a, std::int64_t b) { return energy[a] < energy[b]; };
      cell.destination = *std::min_element(cell.tokens.begin(), cell.tokens.end(), less);
      cell.flatness = energy[*std::max_element(cell.tokens.begin(), cell.tokens.end(), less)];
      cells.push_back(std::move(cell));
    }
  }
  return cells;
}

}  // namespace

std::vector<double> gradientEnergy(const at::Tensor& metric, GridGradient gradient) {
  const std::int64_t height = metric.size(0);
  const std::int64_t width = metric.size(1);
  const bool sobel = gradient == GridGradient::kSobel;
  const at::Tensor planes = metric.to(at::kDouble).permute({2, 0, 1}).unsqueeze(0);
  const at::Tensor padded = sobel ? at::constant_pad_nd(planes, {1, 1, 1, 1})
                                  : at::replication_pad2d(planes, {1, 1, 1, 1});
  /// The planes as seen from `down` rows and `right` columns before each token.
  const auto shifted = [&](std::int64_t down, std::int64_t right) {
    return padded.narrow(2, down, height).narrow(3, right, width);
  };
  at::Tensor x;
  at::Tensor y;
  if (sobel) {
    x = shifted(0, 2) - shifted(0, 0) + 2 * (shifted(1, 2) - shifted(1, 0)) + shifted(2, 2) -
        shifted(2, 0);
    y = shifted(2, 0) - shifted(0, 0) + 2 * (shifted(2, 1) - shifted(0, 1)) + shifted(2, 2) -
        shifted(0, 2);
  } else {
    x = (shifted(1, 2) - shifted(1, 0)) / 2;
    y = (shifted(2, 1) - shifted(0, 1)) / 2;
  }
  const at::Tensor squares = (x * x + y * y)[0];
  std::vector<double> energy = asDoubles((sobel ? squares.mean(0) : squares.sum(0)).sqrt());
  // What overflowed is anything but flat, and orders need numbers.
  std::replace_if(
      energy.begin(), energy.end(), [](double e) { return std::isnan(e); },
      std::numeric_limits<double>::infinity());
  return energy;
}

StructSamMerges structSamMerges(const at::Tensor& metric, const StructSamRule& rule,
                                const StructSamPrompts& prompts) {
  const std::int64_t height = metric.size(0);
  const std::int64_t width = metric.size(1);
  StructSamMerges result;
  result.energy = gradientEnergy(metric, rule.gradient);
  const std::vector<Cell> cells = cellsOf(result.energy, height, width, rule.cell);

  std::vector<int> flattest;
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    const std::vector<std::int64_t>& tokens = cells[cell].tokens;
    const bool prompted =
        !prompts.tokens.empty() && std::any_of(tokens.begin(), tokens.end(), [&](std::int64_t i) {
          return prompts.tokens[static_cast<std::size_t>(i)] != 0;
        });
    if (prompted) {
      result.prompted.insert(result.prompted.end(), tokens.begin(), tokens.end());
    } else {
      flattest.push_back(static_cast<int>(cell));
    }
  }
  if (!prompts.outside && !flattest.empty()) {
    std::stable_sort(flattest.begin(), flattest.end(),
                     [&](int a, int b) { return cells[a].flatness < cells[b].flatness; });
    flattest.resize(
        std::max<std::size_t>(1, flattest.size() * static_cast<std::size_t>(rule.flat) / 100));
    std::sort(flattest.begin(), flattest.end());
  }
  result.cells = std::move(flattest);

  std::vector<std::int64_t> destinations;
  std::vector<std::int64_t> sources;
  for (const int number : result.cells) {
    const Cell& cell = cells[static_cast<std::size_t>(number)];
    destinations.push_back(cell.destination);
    for (const std::int64_t token : cell.tokens) {
      if (token != cell.destination) sources.push_back(token);
    }
  }
  std::sort(destinations.begin(), destinations.end());
  std::sort(sources.begin(), sources.end());
  const auto count = std::min<std::size_t>(
      static_cast<std::size_t>(height * width * rule.ratio / 100), sources.size());
  if (count == 0) return result;

  const at::Tensor tokens = metric.flatten(0, 1);
  const at::Tensor factors = inverseNorms(tokens, kLeastTokenNorm, tokens.scalar_type());
  const auto rowsOf = [&](const at::Tensor& from, const std::vector<std::int64_t>& positions) {
    return from.index_select(0, at::tensor(positions).to(from.device()));
  };
  const at::Tensor scores =
      dotProducts(rowsOf(tokens, sources), rowsOf(tokens, destinations), tokens.scalar_type());
  result.macs = static_cast<double>(scores.numel()) * static_cast<double>(tokens.size(1));
  const BestMatches best =
      bestProducts(scores, rowsOf(factors, sources), rowsOf(factors, destinations));
  const std::vector<std::int64_t> order = descending(best.score);
  for (std::size_t k = 0; k < count; ++k) {
    const auto source = static_cast<std::size_t>(order[k]);
    result.merges.push_back({sources[source],
                             destinations[static_cast<std::size_t>(best.index[source])],
                             best.score[source]});
  }
  std::sort(result.merges.begin(), result.merges.end(),
            [](const PlannedMerge& a, const PlannedMerge& b) { return a.source < b.source; });
  return result;
}

}  // namespace adamerge
