// SPDX-License-Identifier: GPL-3.0-or-later
// Matching in all images of a batch at once, where their tokens are, for accelerators: the
// counterpart of kernels/matching_ops.h, over padded batches [images, longest, ...] and with one
// copy to the host.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <vector>

#include "kernels/matching_ops.h"
#include "kernels/padded/padding.h"

namespace adamerge {

/// Rows [N_i, d] of several images, padded, with their dot products.
struct TokenBatch {
  /// In `dtype`, fp32 or fp64.
  TokenBatch(const std::vector<at::Tensor>& rows, at::ScalarType dtype);

  Padding padding;
  at::Tensor gram;   ///< [images, longest, longest]
  at::Tensor norms;  ///< [images, longest]
};

/// `values`, one list per image, as [images, longest] of the gram matrices' type.
at::Tensor listsOf(const TokenBatch& batch, const std::vector<std::vector<float>>& values);

/// softmaxColumnSums() of each image.
at::Tensor batchedColumnSums(const TokenBatch& batch, double scale);

/// Of each token among `sources` the best of the `destinations`, both [images, longest] bool, by
/// `scores` [images, longest, longest], and its position; -infinity for others. [images, longest].
struct BatchedMatches {
  at::Tensor score;
  at::Tensor index;
};
BatchedMatches batchedBest(const at::Tensor& scores, const at::Tensor& sources,
                           const at::Tensor& destinations);

/// Tensors [images, longest] on the host, in fp32, which holds positions exactly.
class HostRows {
 public:
  explicit HostRows(const std::vector<at::Tensor>& tensors);
  /// The first `count` values of one image's row of one of them.
  std::span<const float> row(std::size_t tensor, std::size_t image, std::int64_t count) const {
    const auto index =
        static_cast<std::int64_t>(tensor) * values_.size(1) + static_cast<std::int64_t>(image);
    return {values_.data_ptr<float>() + index * values_.size(2), static_cast<std::size_t>(count)};
  }

 private:
  at::Tensor values_;  ///< [tensors, images, longest]
};

/// As bestMatches() gives it for the sources and destinations at `step` from each other: `score`
/// and `index` of batchedBest() for one image, without its padding.
BestMatches sideBySide(std::span<const float> score, std::span<const float> index,
                       Positions sources, Positions destinations, std::int64_t step);

}  // namespace adamerge
