// SPDX-License-Identifier: GPL-3.0-or-later
// What merging methods ask about tokens, each beside its plain version in LibTorch's functions. On
// the CPU, for fp32 tokens, they are kernels of ours; everywhere else the plain ones.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/dot_products.h"

namespace adamerge {

/// Mean over the heads of x [n, heads, width], in fp64: [n, width].
at::Tensor plainHeadMeans(const at::Tensor& x);
at::Tensor headMeans(const at::Tensor& x, Isa isa = bestIsa());

/// 1 / the length of each row of x [n, d], which counts as `least` at least; summed in fp64 where
/// there is a kernel, else in `dtype`, which the result [n] has.
at::Tensor plainInverseNorms(const at::Tensor& x, double least, at::ScalarType dtype);
at::Tensor inverseNorms(const at::Tensor& x, double least, at::ScalarType dtype);

/// The rows of x [n, d] in `dtype`, each times its inverseNorms().
at::Tensor plainDirections(const at::Tensor& x, double least, at::ScalarType dtype);
at::Tensor directions(const at::Tensor& x, double least, at::ScalarType dtype);

/// x . x of each row of x [n, d], of any floating type and device, on the host: fp64 [n]. On the
/// CPU summed in fp64.
at::Tensor squaredNorms(const at::Tensor& x);

/// 1 / the square root of each element of the diagonal of gram [n, n], which counts as `least` at
/// least; of its type: [n].
at::Tensor plainInverseLengths(const at::Tensor& gram, double least);
at::Tensor inverseLengths(const at::Tensor& gram, double least);

/// (x - min) / (max - min + epsilon) for each x of `values`, one or more.
at::Tensor plainMinMaxScaled(const at::Tensor& values, double epsilon);
at::Tensor minMaxScaled(const at::Tensor& values, double epsilon);

/// Column sums [n] of the row softmax of scale * gram, for rows of it [m, n] in fp32 or fp64; of
/// its type.
at::Tensor plainSoftmaxColumnSums(const at::Tensor& gram, double scale);
at::Tensor softmaxColumnSums(const at::Tensor& gram, double scale, Isa isa = bestIsa());

/// Means [m] over the rows of ELU(x - margin), for x [m, n] in fp32 or fp64; of its type.
at::Tensor plainEluRowMeans(const at::Tensor& values, double margin);
at::Tensor eluRowMeans(const at::Tensor& values, double margin, Isa isa = bestIsa());

/// One side of a match, rows or columns of its products: [count] each.
struct WardSide {
  at::Tensor inverse;  ///< 1 / the tokens' lengths
  at::Tensor sizes;
};

/// (cosine - 1) * 2 s_i s_j / (s_i + s_j) with cosines products[i][j] / (|i| |j|) and sizes s: what
/// the sum of squares within groups of directions grows by if i and j become one, negated (Ward,
/// JASA 58, 1963). Everything of one type; the plain one also of batches.
at::Tensor plainWardGrowth(const at::Tensor& products, const WardSide& rows,
                           const WardSide& columns);
at::Tensor wardGrowth(const at::Tensor& products, const WardSide& rows, const WardSide& columns);

/// Those rows and columns of matrix [m, n] whose numbers are given (int64, [count] each).
at::Tensor plainPicked(const at::Tensor& matrix, const at::Tensor& rows, const at::Tensor& columns);
at::Tensor picked(const at::Tensor& matrix, const at::Tensor& rows, const at::Tensor& columns);

/// For each source its best destination and how well it fits, both [sources].
struct BestMatches {
  std::vector<float> score;         ///< -infinity if one is NaN, as from overflow
  std::vector<std::int64_t> index;  ///< of equal scores the lowest
};

/// The largest of each row of `scores` [sources, destinations], at least one of each.
BestMatches plainBestMatches(const at::Tensor& scores);
BestMatches bestMatches(const at::Tensor& scores, Isa isa = bestIsa());

/// bestMatches() of scores[i][j] * source_factors[i] * destination_factors[j], all of one type;
/// `scores` may be any view of a matrix.
BestMatches plainBestProducts(const at::Tensor& scores, const at::Tensor& source_factors,
                              const at::Tensor& destination_factors);
BestMatches bestProducts(const at::Tensor& scores, const at::Tensor& source_factors,
                         const at::Tensor& destination_factors, Isa isa = bestIsa());

}  // namespace adamerge
