// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/batched_matching.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace adamerge {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

std::vector<std::int64_t> lengths(const std::vector<at::Tensor>& rows) {
  std::vector<std::int64_t> counts;
  for (const at::Tensor& image : rows) counts.push_back(image.size(0));
  return counts;
}

}  // namespace

TokenBatch::TokenBatch(const std::vector<at::Tensor>& rows, at::ScalarType dtype)
    : padding(lengths(rows), rows.front().device()) {
  const at::Tensor tokens = padding.pad(at::cat(rows).to(dtype));
  gram = tokens.bmm(tokens.transpose(1, 2));
  norms = gram.diagonal(0, 1, 2).clamp_min(0).sqrt();
}

at::Tensor listsOf(const TokenBatch& batch, const std::vector<std::vector<float>>& values) {
  const auto longest = static_cast<std::size_t>(batch.padding.longest());
  std::vector<float> rows;
  for (const std::vector<float>& list : values) {
    rows.insert(rows.end(), list.begin(), list.end());
    rows.resize((rows.size() + longest - 1) / longest * longest, 1.0F);
  }
  return sentTo(batch.gram.device(), at::tensor(rows))
      .to(batch.gram.scalar_type())
      .reshape({batch.padding.images(), batch.padding.longest()});
}

at::Tensor batchedColumnSums(const TokenBatch& batch, double scale) {
  const at::Tensor absent = batch.padding.present().logical_not();
  return (batch.gram * scale)
      .masked_fill(absent.unsqueeze(1), kNever)
      .softmax(-1)
      .masked_fill(absent.unsqueeze(2), 0)
      .sum(1);
}

BatchedMatches batchedBest(const at::Tensor& scores, const at::Tensor& sources,
                           const at::Tensor& destinations) {
  const at::Tensor allowed = sources.unsqueeze(2).logical_and(destinations.unsqueeze(1));
  const auto [score, index] = scores.masked_fill(allowed.logical_not(), kNever).max(2);
  return {score, index};
}

HostRows::HostRows(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> rows;
  for (const at::Tensor& tensor : tensors) rows.push_back(tensor.to(at::kFloat));
  values_ = at::stack(rows).to(at::kCPU).contiguous();
}

BestMatches sideBySide(std::span<const float> score, std::span<const float> index,
                       Positions sources, Positions destinations, std::int64_t step) {
  BestMatches best;
  for (std::int64_t i = 0; i < sources.count; ++i) {
    const auto position = static_cast<std::size_t>(sources.first + i * step);
    const float value = score[position];
    best.score.push_back(std::isnan(value) ? -std::numeric_limits<float>::infinity() : value);
    const auto found = static_cast<std::int64_t>(index[position]);
    // Where no score is a number, the best is any.
    best.index.push_back(std::clamp<std::int64_t>(
        (found - destinations.first) / step, 0, std::max<std::int64_t>(destinations.count, 1) - 1));
  }
  return best;
}

}  // namespace adamerge
