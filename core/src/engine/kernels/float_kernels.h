// SPDX-License-Identifier: GPL-3.0-or-later
// The fp32 kernels, one source compiled for several instruction sets. A row's result depends on
// neither the number of rows nor the number of threads: every element is one sum over k in order.
#pragma once

#include "engine/kernels/isa.h"
#include "engine/kernels/kernel_types.h"

namespace adamerge {

/// No vector has more elements.
inline constexpr std::ptrdiff_t kFullVector = 16;

struct FloatKernels {
  /// Columns of a panel. A matrix [k, columns] is packed as panels [k, panel], one after the other,
  /// the last filled up with zeros.
  std::ptrdiff_t panel;
  /// Rows [0, rows) of x [rows, k] times panels [first, last), into columns [first * panel, ...) of
  /// `to`, of which there are `columns`.
  void (*product)(const float* x, std::ptrdiff_t x_stride, std::ptrdiff_t rows, std::ptrdiff_t k,
                  const float* panels, std::ptrdiff_t first, std::ptrdiff_t last,
                  std::ptrdiff_t columns, const Destination& to);
  void (*layerNorm)(const LayerNormCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row);
  /// fp32 in and out. `scratch`: attentionScratch() floats, 64-byte aligned.
  void (*attention)(const AttentionCall& call, float* scratch);
  std::ptrdiff_t (*attentionScratch)(std::ptrdiff_t tokens, std::ptrdiff_t width);
  /// One of dotPanels() panels of columns. `scratch`: dotScratch() bytes, 64-byte aligned.
  void (*dotProducts)(const DotCall& call, std::ptrdiff_t panel, void* scratch);
  std::ptrdiff_t (*dotPanels)(std::ptrdiff_t columns, bool exact);
  std::ptrdiff_t (*dotScratch)(std::ptrdiff_t depth, bool exact);
  /// Column sums over rows [first, last) of the row softmax of scale * gram [n, n], all of them
  /// fp64 if `exact`, else fp32. `sums`, `row`: n elements and kFullVector more.
  void (*softmaxColumnSums)(const void* gram, bool exact, std::ptrdiff_t n, std::ptrdiff_t first,
                            std::ptrdiff_t last, double scale, void* sums, void* row);
  /// `scratch`: as many elements as there are columns.
  void (*best)(const BestCall& call, void* scratch);
  /// Mean over `heads` pieces of `width` adjacent values of each row, into rows [rows, width].
  void (*headMeans)(const float* x, std::ptrdiff_t stride, std::ptrdiff_t rows,
                    std::ptrdiff_t heads, std::ptrdiff_t width, double* means);
};

/// kAmx has those of kAvx512. Throws nothing; `isa` must be at most bestIsa().
const FloatKernels& floatKernels(Isa isa = bestIsa());

extern const FloatKernels kBaselineKernels;
#if defined(__x86_64__)
extern const FloatKernels kAvx2Kernels;
extern const FloatKernels kAvx512Kernels;
#endif

}  // namespace adamerge
