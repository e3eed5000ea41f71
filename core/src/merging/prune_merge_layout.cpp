// SPDX-License-Identifier: GPL-3.0-or-later
// What Prune and Merge lays out once for a model.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "adamerge/error.h"
#include "kernels/parallel.h"
#include "merging/entries.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

constexpr double kPerBlock = 0.025;     ///< later blocks count less
constexpr double kLeastCentre = 1e-12;  ///< of a centre, for weights relative to it

/// Divided by its length, and by how deep the block lies.
std::vector<double> scaled(const std::vector<double>& scores, int block) {
  double squares = 0;
  for (const double score : scores) squares += score * score;
  const double factor = squares > 0 ? (1.0 - kPerBlock * block) / std::sqrt(squares) : 0.0;
  std::vector<double> result;
  for (const double score : scores) result.push_back(score * factor);
  return result;
}

/// Per position the number of its centre. A segment ends at the middle between two centres, or
/// where the next row begins.
std::vector<int> segmentsOf(const std::vector<int>& centres, int count, int width) {
  std::vector<int> segments;
  for (std::size_t k = 0; k < centres.size(); ++k) {
    int end = count;
    if (k + 1 < centres.size()) {
      const int middle = (centres[k] + centres[k + 1] + 1) / 2;
      end = std::min(middle, (centres[k] / width + 1) * width);
    }
    segments.resize(static_cast<std::size_t>(end), static_cast<int>(k));
  }
  return segments;
}

/// From the centres, the pruned positions and the scaled scores.
SegmentedBlock laidOut(int block, std::vector<int> centres, const std::vector<bool>& pruned,
                       const std::vector<double>& scores, int width) {
  const std::size_t count = scores.size();
  SegmentedBlock result;
  result.block = block;
  result.segments = segmentsOf(centres, static_cast<int>(count), width);
  result.centres = std::move(centres);
  result.weights.resize(count);
  result.restoring.resize(count);
  std::vector<double> squares(result.centres.size(), 0.0);
  for (std::size_t j = 0; j < count; ++j) {
    const auto segment = static_cast<std::size_t>(result.segments[j]);
    const auto centre = static_cast<std::size_t>(result.centres[segment]);
    double& weight = result.weights[j];
    if (j == centre) {
      weight = 1;
    } else if (!pruned[j]) {
      weight = scores[centre] > kLeastCentre ? scores[j] / scores[centre] : 1.0;
    }
    if (weight == 0) result.pruned.push_back(static_cast<int>(j));
    squares[segment] += weight * weight;
  }
  for (std::size_t j = 0; j < count; ++j) {
    result.restoring[j] = result.weights[j] / squares[static_cast<std::size_t>(result.segments[j])];
  }
  return result;
}

}  // namespace

std::vector<SegmentedBlock> segmentBlocks(std::span<const std::vector<double>> scores,
                                          std::span<const int> blocks, int keep, int prune,
                                          int width) {
  struct Ranked {
    double score;
    std::size_t block;  ///< among those listed
    std::size_t position;
  };
  std::vector<std::vector<double>> importance;
  std::vector<Ranked> ranking;
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    throwIfStopWithin();
    importance.push_back(scaled(scores[static_cast<std::size_t>(blocks[k])], blocks[k]));
    for (std::size_t j = 0; j < importance[k].size(); ++j) {
      ranking.push_back({importance[k][j], k, j});
    }
  }
  std::stable_sort(ranking.begin(), ranking.end(),
                   [](const Ranked& a, const Ranked& b) { return a.score > b.score; });

  const std::size_t count = importance.empty() ? 0 : importance.front().size();
  const auto share = [&](int percent) {
    return count * static_cast<std::size_t>(percent) / 100 * blocks.size();
  };
  std::vector<std::vector<int>> centres(blocks.size());
  std::vector<std::vector<bool>> pruned(blocks.size(), std::vector<bool>(count, false));
  for (std::size_t place = 0; place < ranking.size(); ++place) {
    const Ranked& token = ranking[place];
    if (place < share(keep)) centres[token.block].push_back(static_cast<int>(token.position));
    if (place >= ranking.size() - share(prune)) pruned[token.block][token.position] = true;
  }
  std::vector<SegmentedBlock> result;
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    if (centres[k].empty()) {
      const auto best = std::max_element(importance[k].begin(), importance[k].end());
      centres[k].push_back(static_cast<int>(best - importance[k].begin()));
    }
    std::sort(centres[k].begin(), centres[k].end());
    result.push_back(laidOut(blocks[k], std::move(centres[k]), pruned[k], importance[k], width));
  }
  return result;
}

std::vector<TrainedMatrices> readTrainedMatrices(const std::filesystem::path& path,
                                                 const VitConfig& vit) {
  const LoadedWeights file = readWeights(path);
  const std::int64_t tokens = vit.prefixTokens() + vit.patchTokens();
  const auto fail = [&](const std::string& problem) {
    throw Error(
        fmt::format("{}: not usable as matrices of Prune and Merge: {}", file.file, problem));
  };
  std::vector<TrainedMatrices> result;
  for (const auto& [name, tensor] : file.tensors) {
    if (!name.ends_with(".attn.merge_matrix")) continue;
    const std::string stem = name.substr(0, name.size() - std::string_view("merge_matrix").size());
    int block = -1;
    std::sscanf(name.c_str(), "blocks.%9d.", &block);
    if (stem != fmt::format("blocks.{}.attn.", block) || block < 0 || block >= vit.depth) {
      fail(fmt::format("{} names no block of this model, which has {}", name, vit.depth));
    }
    const auto part = [&](const char* what, std::vector<std::int64_t> shape) {
      const std::string own = stem + what;
      const auto found = file.tensors.find(own);
      if (found == file.tensors.end()) fail(own + " is missing");
      if (found->second.sizes() != at::IntArrayRef(shape)) {
        fail(fmt::format("{} has the shape [{}], this model needs [{}]", own,
                         fmt::join(found->second.sizes(), ", "), fmt::join(shape, ", ")));
      }
      const at::Tensor values = found->second.to(at::kDouble);
      if (!values.isfinite().all().item<bool>()) fail(own + " holds values that are not finite");
      return values;
    };
    const std::int64_t inside = tensor.dim() == 2 ? tensor.size(0) : 0;
    if (inside <= vit.prefixTokens() || inside > tokens) {
      fail(fmt::format("{} has the shape [{}], this model needs {} to {} rows of {}", name,
                       fmt::join(tensor.sizes(), ", "), vit.prefixTokens() + 1, tokens, tokens));
    }
    result.push_back({block, part("merge_matrix", {inside, tokens}),
                      part("recover_matrix", {tokens, inside}), 1 - part("token_mask", {tokens})});
  }
  if (result.empty()) fail("it has no blocks.N.attn.merge_matrix");
  std::sort(result.begin(), result.end(),
            [](const auto& a, const auto& b) { return a.block < b.block; });
  return result;
}

}  // namespace adamerge
