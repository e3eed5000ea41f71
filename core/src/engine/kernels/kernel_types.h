// SPDX-License-Identifier: GPL-3.0-or-later
// What the kernels compiled for one instruction set each are called with: plain pointers and
// numbers, since nothing inline from elsewhere may be compiled there. Strides count elements.
#pragma once

#include <cstddef>
#include <cstdint>

namespace adamerge {

enum class Finish { kNone, kGelu, kGeluTanh, kQuickGelu };
enum class Store {
  kFloat,
  kHalf,      ///< rounded to bf16
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

struct LayerNormCall {
  const float* x;
  std::ptrdiff_t x_stride;
  const float* weight;
  const float* bias;
  float epsilon;
  std::ptrdiff_t columns;
  void* out;  ///< rows adjacent
  bool half;  ///< bf16 instead of fp32
};

/// Rows whose sums the kernels keep in registers or tiles together; work divided elsewhere than at
/// multiples of them leaves some of those empty.
inline constexpr std::ptrdiff_t kFloatRows = 6;
inline constexpr std::ptrdiff_t kAmxRows = 32;
/// Queries may be divided among threads at multiples of this.
inline constexpr std::ptrdiff_t kQueryBlock = 96;
static_assert(kQueryBlock % kFloatRows == 0 && kQueryBlock % kAmxRows == 0);

/// One head of one image, or some of its queries.
struct AttentionCall {
  const void* q;  ///< [tokens, width], like k and v
  const void* k;
  const void* v;
  std::ptrdiff_t stride;
  std::ptrdiff_t tokens;
  std::ptrdiff_t width;
  std::ptrdiff_t first_query;  ///< a multiple of kQueryBlock
  std::ptrdiff_t last_query;   ///< one past it
  float scale;                 ///< of the dot products
  const float* log_sizes;      ///< added to each key's logits, may be null
  void* out;                   ///< [tokens, width]
  std::ptrdiff_t out_stride;
  float* first_row;  ///< the first query's weights, [tokens], may be null
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
  std::ptrdiff_t stride;
  bool exact;  ///< everything is fp64, else fp32
  std::ptrdiff_t first_row;
  std::ptrdiff_t rows;
  std::ptrdiff_t first_column;
  std::ptrdiff_t columns;
  std::ptrdiff_t step;
  const void* row_factors;     ///< [rows]
  const void* column_factors;  ///< [columns]
  float* values;               ///< [rows]
  std::int64_t* indices;       ///< [rows], of equal products the lowest j
};

}  // namespace adamerge
