// SPDX-License-Identifier: GPL-3.0-or-later
// The kernels of the CPU, in one table per instruction set and number type. They are called with
// plain pointers and numbers, since nothing inline from elsewhere may be compiled for one
// instruction set. A row's result depends on neither the number of rows nor the number of threads.
// Strides count elements; bf16 elements are std::uint16_t.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/isa.h"

namespace adamerge {

enum class Finish { kNone, kGelu, kGeluTanh, kQuickGelu, kSilu, kRelu };
enum class Store {
  kFloat,
  kBFloat16,  ///< rounded to nearest even
  kAddFloat,  ///< added to the fp32 that is there
};

/// What becomes of a product's sums: + bias, activation, then stored or added.
struct Destination {
  void* data = nullptr;
  std::ptrdiff_t stride = 0;    ///< between rows
  const float* bias = nullptr;  ///< per column, may be null
  Finish finish = Finish::kNone;
  Store store = Store::kFloat;
};

/// Layer norm, or RMS norm: about zero instead of the mean.
struct NormCall {
  const float* x;
  std::ptrdiff_t x_stride;
  const float* weight;
  const float* bias;  ///< may be null
  float epsilon;
  bool rms;
  std::ptrdiff_t columns;
  void* out;  ///< rows adjacent
  Store store;
};

/// out = finish(gate) * up, each [rows, columns].
struct GatedCall {
  const void* gate;
  const void* up;
  std::ptrdiff_t gate_stride;
  std::ptrdiff_t up_stride;
  bool bfloat16;  ///< gate and up are bf16, else fp32
  std::ptrdiff_t columns;
  Finish finish;
  void* out;  ///< rows adjacent
  Store store;
};

/// Vectors of [rows, heads, width] in place, each a rotation of width / 2 pairs.
struct RotateCall {
  void* x;
  std::ptrdiff_t row_stride;
  std::ptrdiff_t head_stride;
  bool bfloat16;  ///< x is bf16, else fp32
  std::ptrdiff_t heads;
  std::ptrdiff_t width;
  const float* cosines;  ///< [rows, heads, width / 2]
  const float* sines;
  std::ptrdiff_t angle_row_stride;
  std::ptrdiff_t angle_head_stride;  ///< 0: the same for all heads
  bool halves;                       ///< pairs (k, k + width / 2), else (2 k, 2 k + 1)
};

/// Rows whose sums the kernels keep in registers or tiles together; work divided elsewhere than at
/// multiples of them leaves some of those empty.
inline constexpr std::ptrdiff_t kFloatRows = 6;
inline constexpr std::ptrdiff_t kTileBlockRows = 32;
/// Queries may be divided among threads at multiples of this.
inline constexpr std::ptrdiff_t kQueryBlock = 96;
static_assert(kQueryBlock % kFloatRows == 0 && kQueryBlock % kTileBlockRows == 0);

/// A key that lies in several places of its window: these of AttentionCall's lists.
struct SpreadKey {
  std::ptrdiff_t key;
  std::ptrdiff_t first;
  std::ptrdiff_t last;
};

/// One head of one segment, or some of its queries.
struct AttentionCall {
  const void* q;  ///< [queries, width]
  const void* k;  ///< [keys, width], like v
  const void* v;
  std::ptrdiff_t q_stride;
  std::ptrdiff_t kv_stride;
  std::ptrdiff_t queries;
  std::ptrdiff_t keys;
  std::ptrdiff_t width;
  std::ptrdiff_t first_query;  ///< a multiple of kQueryBlock
  std::ptrdiff_t last_query;   ///< one past it
  float scale;                 ///< of the dot products
  const float* key_bias;       ///< [keys], added to each key's scaled logits, may be null
  const float* pair_bias;      ///< [queries, keys], likewise
  std::ptrdiff_t pair_stride;
  void* out;  ///< [queries, width]
  std::ptrdiff_t out_stride;
  float* first_row;  ///< the first query's weights, [keys], may be null
  /// What each query gives to keys in a row, then to those in a column of the segment's window,
  /// added to their logits in place of pair_bias: [queries, place_rows + place_columns], may be
  /// null. The keys fill the window in raster order, or lie in key_rows and key_columns, [keys],
  /// but for those of `spread`, which have a mean of terms.
  const float* place_terms;
  std::ptrdiff_t place_stride;
  std::ptrdiff_t place_rows;
  std::ptrdiff_t place_columns;
  const std::int32_t* key_rows;
  const std::int32_t* key_columns;
  const SpreadKey* spread;
  std::ptrdiff_t spread_keys;
  const std::int32_t* spread_terms;  ///< places among the terms
  const float* spread_shares;
  /// To each row the weights of kQueryBlock queries are added, query by query: [blocks of queries,
  /// keys], may be null.
  float* column_sums;
};

/// out[i][j] = a_i . b_j, summed in fp64 or in fp32.
struct DotCall {
  const void* a;
  std::ptrdiff_t a_stride;
  std::ptrdiff_t rows;
  const void* b;
  std::ptrdiff_t b_stride;
  std::ptrdiff_t columns;
  std::ptrdiff_t depth;
  bool wide;       ///< a and b are fp64, else fp32
  bool exact;      ///< summed in fp64, else in fp32, for fp32 a and b
  bool symmetric;  ///< b is a: only one half is computed
  void* out;       ///< [rows, columns], adjacent, of the sums' type
};

/// For each of some rows of a matrix the largest of matrix[i][j] * column factor j * row factor i
/// over some columns j. Rows first_row, first_row + step, ...; columns likewise.
struct BestCall {
  const void* matrix;
  std::ptrdiff_t stride;  ///< between rows
  std::ptrdiff_t step;    ///< between columns
  bool exact;             ///< everything is fp64, else fp32
  std::ptrdiff_t rows;
  std::ptrdiff_t columns;
  const void* row_factors;     ///< [rows]; null: 1
  const void* column_factors;  ///< [columns]; null: 1
  float* values;               ///< [rows], NaN if one of the products is
  std::int64_t* indices;       ///< [rows], of equal products the lowest j; of NaN the first
};

/// No vector has more elements.
inline constexpr std::ptrdiff_t kFullVector = 16;

/// fp32 kernels, and those that decide in fp32 or fp64: one source compiled for each instruction
/// set. Every element of a product is one sum over k in order.
struct FloatKernels {
  /// Columns of a panel. A matrix [k, columns] is packed as panels [k, panel], one after the other,
  /// the last filled up with zeros.
  std::ptrdiff_t panel;
  /// Rows [0, rows) of x [rows, k] times panels [first, last), into columns [first * panel, ...) of
  /// `to`, of which there are `columns`.
  void (*product)(const float* x, std::ptrdiff_t x_stride, std::ptrdiff_t rows, std::ptrdiff_t k,
                  const float* panels, std::ptrdiff_t first, std::ptrdiff_t last,
                  std::ptrdiff_t columns, const Destination& to);
  void (*norm)(const NormCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row);
  void (*gated)(const GatedCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row);
  void (*rotate)(const RotateCall& call, std::ptrdiff_t first_row, std::ptrdiff_t last_row);
  /// fp32 in and out. `scratch`: attentionScratch() bytes, 64-byte aligned.
  void (*attention)(const AttentionCall& call, void* scratch);
  std::ptrdiff_t (*attentionScratch)(std::ptrdiff_t keys, std::ptrdiff_t width);
  /// Pieces [first, last) of dotPieces(), of about the same length; adjacent ones share what is
  /// prepared for them. `scratch`: dotScratch() bytes, 64-byte aligned.
  void (*dotProducts)(const DotCall& call, std::ptrdiff_t first, std::ptrdiff_t last,
                      void* scratch);
  std::ptrdiff_t (*dotPieces)(const DotCall& call);
  std::ptrdiff_t (*dotScratch)(std::ptrdiff_t depth, bool exact);
  /// Column sums over rows [first, last) of the row softmax of scale * gram [n, n], all of them
  /// fp64 if `exact`, else fp32. `sums`, `row`: n elements and kFullVector more.
  void (*softmaxColumnSums)(const void* gram, bool exact, std::ptrdiff_t n, std::ptrdiff_t first,
                            std::ptrdiff_t last, double scale, void* sums, void* row);
  /// Means of x - margin where that is above 0, else of e^(x - margin) - 1, over each row x [n] of
  /// [first, last), fp64 if `exact`, else fp32.
  void (*eluMeans)(const void* values, bool exact, std::ptrdiff_t n, std::ptrdiff_t first,
                   std::ptrdiff_t last, double margin, void* means);
  /// `scratch`: as many elements as there are columns, and kFullVector more.
  void (*best)(const BestCall& call, void* scratch);
  /// Mean over `heads` pieces of `width` adjacent values of each row, into rows [rows, width]. x is
  /// bf16 or else fp32.
  void (*headMeans)(const void* x, bool bfloat16, std::ptrdiff_t stride, std::ptrdiff_t rows,
                    std::ptrdiff_t heads, std::ptrdiff_t width, double* means);
};

/// Dot products in fp32 by bf16 ones whose parts make up for what bf16 lacks.
struct SplitGramKernels {
  /// x [rows, depth] fp32 as the sum of two matrices in bf16, filled up with zeros to whole panels
  /// and steps: rows [first, last) of whole panels. `split`: splitSize() elements, the high parts
  /// before the low ones.
  void (*split)(const float* x, std::ptrdiff_t stride, std::ptrdiff_t rows, std::ptrdiff_t depth,
                std::ptrdiff_t first, std::ptrdiff_t last, std::uint16_t* split);
  std::ptrdiff_t (*splitSize)(std::ptrdiff_t rows, std::ptrdiff_t depth);
  /// Columns [panel * index, ...) of the dot products [n, n] of split rows with each other, from
  /// the top to the diagonal, and the rows that mirror them. To 3 * 2^-16 of the rows' lengths.
  /// `scratch`: gramScratch() bytes, 64-byte aligned.
  void (*gramPanel)(const std::uint16_t* split, std::ptrdiff_t n, std::ptrdiff_t depth,
                    std::ptrdiff_t index, float* out, void* scratch);
  std::ptrdiff_t (*gramScratch)(std::ptrdiff_t depth);
};

/// bf16 kernels with fp32 sums.
struct HalfKernels {
  /// k is taken in steps of this many; rows of x and packed weights are filled up with zeros to it.
  std::ptrdiff_t step;
  /// Columns of a panel, see pack().
  std::ptrdiff_t panel;
  /// Rows that are best kept together.
  std::ptrdiff_t rows;
  /// weight [columns, k] fp32, adjacent -> whole panels times whole steps of bf16, panel by panel
  /// in the order in which product() reads them.
  void (*pack)(const float* weight, std::ptrdiff_t columns, std::ptrdiff_t k,
               std::uint16_t* packed);
  /// Rows [0, rows) of x [rows, k] times panels [first, last), into columns [first * panel, ...) of
  /// `to`, of which there are `columns`. k: a multiple of `step`. `scratch`: productScratch()
  /// bytes, 64-byte aligned.
  void (*product)(const std::uint16_t* x, std::ptrdiff_t x_stride, std::ptrdiff_t rows,
                  std::ptrdiff_t k, const std::uint16_t* panels, std::ptrdiff_t first,
                  std::ptrdiff_t last, std::ptrdiff_t columns, const Destination& to,
                  void* scratch);
  std::ptrdiff_t (*productScratch)(std::ptrdiff_t k);
  /// bf16 in and out. `scratch`: attentionScratch() bytes, 64-byte aligned.
  void (*attention)(const AttentionCall& call, void* scratch);
  std::ptrdiff_t (*attentionScratch)(std::ptrdiff_t keys, std::ptrdiff_t width);
  /// Null where fp32's own are as fast.
  const SplitGramKernels* gram;
};

/// A row of whole numbers: value v stands for (v - zero) * scale.
struct Int8Row {
  float scale;  ///< NaN where the row had values that are not finite
  std::int32_t zero;
};
/// A column of weights: w stands for w * scale.
struct Int8Column {
  float scale;
  std::int32_t sum;  ///< of its weights
};

/// Products of whole numbers: rows in 7 bits, weights in 8. Sums are exact, so all instruction sets
/// have the same.
struct Int8Kernels {
  /// k is taken in steps of this many; rows and packed weights are filled up with zeros to it.
  static constexpr std::ptrdiff_t kStep = 4;
  static constexpr std::ptrdiff_t steps(std::ptrdiff_t k) { return (k + kStep - 1) / kStep; }
  /// Beyond it a sum could leave 32 bits.
  static constexpr std::ptrdiff_t kDeepest = 65536;

  std::ptrdiff_t panel;  ///< columns of one
  std::ptrdiff_t rows;   ///< that are best kept together
  /// weight [columns, k] fp32, adjacent -> whole panels, `scales` [columns].
  void (*pack)(const float* weight, std::ptrdiff_t columns, std::ptrdiff_t k, std::int8_t* packed,
               Int8Column* scales);
  /// x [k], bf16 or else fp32 -> `values` [steps(k) * kStep].
  void (*quantise)(const void* x, bool bfloat16, std::ptrdiff_t k, std::uint8_t* values,
                   Int8Row* row);
  /// Rows [0, rows) of x [rows, steps(k) * kStep], adjacent, times panels [first, last), into
  /// columns [first * panel, ...) of `to`, of which there are `columns`.
  void (*product)(const std::uint8_t* x, const Int8Row* scales, std::ptrdiff_t rows,
                  std::ptrdiff_t k, const std::int8_t* panels, const Int8Column* column_scales,
                  std::ptrdiff_t first, std::ptrdiff_t last, std::ptrdiff_t columns,
                  const Destination& to);
};

/// Each instruction set has these or those of one before it. `isa` must be at most bestIsa().
const FloatKernels& floatKernels(Isa isa = bestIsa());
const HalfKernels& halfKernels(Isa isa = bestIsa());
const Int8Kernels& int8Kernels(Isa isa = bestIsa());

}  // namespace adamerge
