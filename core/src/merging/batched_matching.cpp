// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/batched_matching.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace adamerge {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

std::vector<std::int64_t> lengths(const std::vector<at::Tensor>& rows) {
  std::vector<std::int64_t> counts;
  for (const at::Tensor& image : rows) counts.push_back(image.size(0));
  return counts;
}

}  // namespace

TokenBatch::TokenBatch(const std::vector<at::Tensor>& rows, at::ScalarType dtype,
                       std::vector<std::int64_t> starts)
    : padding(lengths(rows), rows.front().device(), std::move(starts)),
      tokens(padding.pad(at::cat(rows)).to(dtype)) {}

at::Tensor directions(const at::Tensor& rows, double least) {
  return rows / rows.norm(2, {2}, /*keepdim=*/true).clamp_min(least);
}

at::Tensor listsOf(const Padding& padding, const std::vector<std::vector<float>>& values,
                   const at::Tensor& like) {
  std::vector<float> rows(static_cast<std::size_t>(padding.images() * padding.longest()), 1.0F);
  for (std::size_t image = 0; image < values.size(); ++image) {
    const std::int64_t start =
        static_cast<std::int64_t>(image) * padding.longest() + padding.start(image);
    std::copy(values[image].begin(), values[image].end(), rows.begin() + start);
  }
  return sentTo(like.device(), at::tensor(rows))
      .to(like.scalar_type())
      .reshape({padding.images(), padding.longest()});
}

at::Tensor batchedColumnSums(const at::Tensor& gram, const Padding& padding, double scale) {
  at::Tensor logits = scale == 1 ? gram : gram * scale;
  if (padding.even()) return logits.softmax(-1).sum(1);
  return withoutColumns(logits, padding.absent())
      .softmax(-1)
      .masked_fill(padding.absent().unsqueeze(2), 0)
      .sum(1);
}

at::Tensor take(const at::Tensor& tensor, Positions side, std::int64_t step, std::int64_t axis) {
  return tensor.slice(axis, side.first, side.first + (side.count - 1) * step + 1, step);
}

at::Tensor withoutColumns(const at::Tensor& scores, const at::Tensor& never) {
  return never.defined() ? scores.masked_fill(never.unsqueeze(1), kNever) : scores;
}

HostRows::HostRows(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> rows;
  std::int64_t start = 0;
  for (const at::Tensor& tensor : tensors) {
    rows.push_back(tensor.to(at::kFloat));
    starts_.push_back(start);
    start += tensor.size(1);
  }
  values_ = at::cat(rows, 1).to(at::kCPU).contiguous();
}

BestMatches hostMatches(std::span<const float> score, std::span<const float> index) {
  BestMatches best;
  best.score.assign(score.begin(), score.end());
  std::replace_if(
      best.score.begin(), best.score.end(), [](float value) { return std::isnan(value); },
      static_cast<float>(kNever));
  best.index.assign(index.begin(), index.end());
  return best;
}

}  // namespace adamerge
