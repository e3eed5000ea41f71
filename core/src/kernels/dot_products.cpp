// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/dot_products.h"

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/kernel_tables.h"
#include "kernels/parallel.h"

namespace adamerge {
namespace {

/// Pieces of dot products between two looks at whether to stop.
constexpr std::int64_t kPiecesAtOnce = 64;
/// fp32 rows, or fp64 ones whose products are fp64 too.
bool haveKernel(const at::Tensor& rows, at::ScalarType dtype) {
  return isDecidable(rows) && rows.stride(1) == 1 &&
         (dtype == at::kDouble || (dtype == at::kFloat && rows.scalar_type() == at::kFloat));
}

at::Tensor products(const at::Tensor& a, const at::Tensor& b, at::ScalarType dtype, bool symmetric,
                    Isa isa) {
  const FloatKernels& kernels = floatKernels(isa);
  const bool exact = dtype == at::kDouble;
  at::Tensor result = at::empty({a.size(0), b.size(0)}, a.options().dtype(dtype));
  const DotCall call{.a = a.data_ptr(),
                     .a_stride = a.stride(0),
                     .rows = a.size(0),
                     .b = b.data_ptr(),
                     .b_stride = b.stride(0),
                     .columns = b.size(0),
                     .depth = a.size(1),
                     .wide = a.scalar_type() == at::kDouble,
                     .exact = exact,
                     .symmetric = symmetric,
                     .out = result.data_ptr()};
  parallelFor(kernels.dotPieces(call), [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = at::empty({kernels.dotScratch(a.size(1), exact)}, at::kByte);
    for (std::int64_t piece = first; piece < last; piece += kPiecesAtOnce) {
      throwIfStopWithin();
      kernels.dotProducts(call, piece, std::min(piece + kPiecesAtOnce, last), scratch.data_ptr());
    }
  });
  return result;
}

/// In fp32 by products in bf16 whose parts make up for what bf16 lacks.
at::Tensor splitGram(const at::Tensor& x, const HalfKernels& half) {
  const SplitGramKernels& kernels = *half.gram;
  const std::int64_t n = x.size(0);
  const std::int64_t depth = x.size(1);
  const std::int64_t panels = (n + half.panel - 1) / half.panel;
  const at::Tensor split = at::empty({kernels.splitSize(n, depth)}, at::kBFloat16);
  auto* halves = static_cast<std::uint16_t*>(split.data_ptr());
  parallelFor(panels, [&](std::int64_t first, std::int64_t last) {
    kernels.split(x.data_ptr<float>(), x.stride(0), n, depth, first * half.panel, last * half.panel,
                  halves);
  });
  at::Tensor gram = at::empty({n, n}, x.options());
  // Later panels are longer, so one from either end makes a fair share.
  parallelFor((panels + 1) / 2, [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = at::empty({kernels.gramScratch(depth)}, at::kByte);
    for (std::int64_t worker = first; worker < last; ++worker) {
      throwIfStopWithin();
      for (const std::int64_t panel : {worker, panels - 1 - worker}) {
        kernels.gramPanel(halves, n, depth, panel, gram.data_ptr<float>(), scratch.data_ptr());
        if (panels - 1 - worker == worker) break;
      }
    }
  });
  return gram;
}

}  // namespace

bool isDecidable(const at::Tensor& matrix) {
  return matrix.is_cpu() && matrix.numel() > 0 &&
         (matrix.scalar_type() == at::kFloat || matrix.scalar_type() == at::kDouble);
}

at::Tensor plainDotProducts(const at::Tensor& a, const at::Tensor& b, at::ScalarType dtype) {
  return a.to(dtype).mm(b.to(dtype).t());
}

at::Tensor dotProducts(const at::Tensor& a, const at::Tensor& b, at::ScalarType dtype, Isa isa) {
  if (!haveKernel(a, dtype) || !haveKernel(b, dtype) || a.scalar_type() != b.scalar_type()) {
    return plainDotProducts(a, b, dtype);
  }
  return products(a, b, dtype, /*symmetric=*/false, isa);
}

at::Tensor gramMatrix(const at::Tensor& x, at::ScalarType dtype, Isa isa) {
  if (!haveKernel(x, dtype)) return plainDotProducts(x, x, dtype);
  const HalfKernels& half = halfKernels(isa);
  if (half.gram != nullptr && dtype == at::kFloat) return splitGram(x, half);
  return products(x, x, dtype, /*symmetric=*/true, isa);
}

}  // namespace adamerge
