// SPDX-License-Identifier: GPL-3.0-or-later
// Matching in all images of a batch at once, where their tokens are, for accelerators: the
// counterpart of kernels/matching_ops.h, over padded batches [images, longest, ...] and with one
// copy to the host. Of [longest, longest] matrices only what is asked for is computed.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <vector>

#include "kernels/matching_ops.h"
#include "kernels/padded/padding.h"

namespace adamerge {

/// Rows [N_i, d] of several images, padded.
struct TokenBatch {
  /// In `dtype`, fp32 or fp64. `starts`: see Padding.
  TokenBatch(const std::vector<at::Tensor>& rows, at::ScalarType dtype,
             std::vector<std::int64_t> starts = {});

  Padding padding;
  at::Tensor tokens;  ///< [images, longest, d]
};

/// `rows` [images, n, d] divided by their lengths, which count as `least` at least.
at::Tensor directions(const at::Tensor& rows, double least);

/// `values`, one list per image, as [images, longest], on `like`'s device in its type.
at::Tensor listsOf(const Padding& padding, const std::vector<std::vector<float>>& values,
                   const at::Tensor& like);

/// softmaxColumnSums() of each image's `gram` [images, longest, longest].
at::Tensor batchedColumnSums(const at::Tensor& gram, const Padding& padding, double scale);

/// The entries of `tensor` at `side`'s positions, in steps of `step`, along `axis`.
at::Tensor take(const at::Tensor& tensor, Positions side, std::int64_t step, std::int64_t axis);

/// -infinity in the columns of `scores` [images, sources, destinations] that `never` [images or 1,
/// destinations] names; all of them stay where it is undefined.
at::Tensor withoutColumns(const at::Tensor& scores, const at::Tensor& never);

/// Tensors [images, n], each of its own n, on the host, in fp32, which holds positions exactly.
class HostRows {
 public:
  explicit HostRows(const std::vector<at::Tensor>& tensors);
  /// `count` values from `first` on of one image's row of one of them.
  std::span<const float> row(std::size_t tensor, std::size_t image, std::int64_t first,
                             std::int64_t count) const {
    return {values_.data_ptr<float>() + static_cast<std::int64_t>(image) * values_.size(1) +
                starts_[tensor] + first,
            static_cast<std::size_t>(count)};
  }

 private:
  at::Tensor values_;  ///< [images, all n]
  std::vector<std::int64_t> starts_;
};

/// As bestMatches() gives it, from one image's `score` and `index` of its best destinations.
BestMatches hostMatches(std::span<const float> score, std::span<const float> index);

}  // namespace adamerge
