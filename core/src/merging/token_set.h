// SPDX-License-Identifier: GPL-3.0-or-later
// What methods that match tokens ask of all images of a set at once: dot products, how much of
// everybody's softmax each token gets, and each token's best match. Two backends: an image alone on
// the CPU, by the kernels of matching_ops.h, so that ragged counts need no padding and equal bits
// come out in any batch; else a padded batch, where its tokens are, with one copy to the host.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/matching_ops.h"
#include "kernels/padded.h"
#include "merging/method.h"

namespace adamerge {

/// Which of n tokens may merge into which.
enum class Partition {
  kAlternating,  ///< even positions into odd ones
  kHalves,       ///< the first floor(n / 2) into the rest
};

/// The matches of a set, on the host.
struct SetMatches {
  std::vector<BestMatches> best;          ///< of each image, from its sources
  std::vector<std::vector<float>> along;  ///< of each image, one value per token; empty: none
};

/// Tensors are [images, n] of each token or [images, n, n] of each pair, n the longest image's.
class TokenSet {
 public:
  /// The rows of `part` from `first` on, in at least one image; compared in LayerTokens::deciding.
  /// `held`: bytes that gram() may take of the host's memory.
  TokenSet(std::span<const LayerTokens> images, TokenPart part, std::int64_t first,
           Partition partition, std::int64_t held = 1 << 30);
  /// The same of rows divided by their lengths, which count as `least` at least.
  TokenSet directions(double least) const;

  /// Dot products of all pairs; undefined where they would take too much memory. What takes a
  /// `gram` then computes them, some rows at a time.
  at::Tensor gram() const;
  /// Column sums of the row softmax of scale * gram.
  at::Tensor columnSums(const at::Tensor& gram, double scale) const;
  /// For each source its best destination by scores * source factor * destination factor, of equals
  /// the lowest. `scores`: [images, sources, destinations]; undefined factors are 1. `along`: of
  /// each token, wanted on the host too. `limits`: alternating, of each image so many tokens take
  /// part, and `scores` is for the most; empty: all.
  SetMatches best(const at::Tensor& scores, const at::Tensor& source_factors,
                  const at::Tensor& destination_factors, const at::Tensor& along = {},
                  std::span<const std::int64_t> limits = {}) const;

  /// Of gram() what lies between sources and destinations, without the rest: [images, sources,
  /// destinations].
  at::Tensor products() const;
  /// The same of a `gram` that is there.
  at::Tensor between(const at::Tensor& gram) const;
  /// Those rows and columns of `gram` whose numbers are given, [images, count] each.
  at::Tensor between(const at::Tensor& gram, const at::Tensor& rows,
                     const at::Tensor& columns) const;
  at::Tensor sources(const at::Tensor& values, std::int64_t axis = 1) const;
  at::Tensor destinations(const at::Tensor& values, std::int64_t axis = 1) const;

  /// 1 / the length of each token, which counts as `least` at least; from its row or from `gram`.
  at::Tensor inverseNorms(double least) const;
  at::Tensor inverseLengths(const at::Tensor& gram, double least) const;
  /// Of products(), with 1 / the lengths and the sizes of all tokens.
  at::Tensor wardGrowth(const at::Tensor& products, const at::Tensor& inverse,
                        const at::Tensor& sizes) const;
  /// (x - min) / (max - min + epsilon) in each image.
  at::Tensor minMaxScaled(const at::Tensor& values, double epsilon) const;
  /// Of each token the mean of ELU(gram - margin) over all tokens of its image.
  at::Tensor eluMeans(const at::Tensor& gram, double margin) const;
  /// The tokens' numbers by `values` in fp32, NaN as 0, the largest first; equal ones in order.
  at::Tensor ranked(const at::Tensor& values) const;
  /// `values`, along the last axis `fill` wherever an image has no token.
  at::Tensor filled(const at::Tensor& values, double fill) const;
  /// One list per image, of its tokens' numbers, where the tokens are.
  at::Tensor values(const std::vector<std::vector<float>>& lists) const;

 private:
  /// Of an image alone: work(first row, those rows of gram()), one piece after another.
  void forGramRows(const std::function<void(std::int64_t, const at::Tensor&)>& work) const;

  Partition partition_;
  at::ScalarType dtype_;
  std::int64_t held_;
  std::vector<std::int64_t> counts_;  ///< rows of each image
  Padding padding_;
  bool alone_;       ///< one image, on the CPU
  at::Tensor rows_;  ///< [images, n, d]; in `dtype_` unless alone
};

/// Sources among n tokens.
std::int64_t sourceCount(Partition partition, std::int64_t n);

}  // namespace adamerge
