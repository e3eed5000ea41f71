// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/fourier.h"

#include <algorithm>

namespace adamerge {
namespace {

/// w [2, B, in, out], real and imaginary part, as the matrix that multiplies rows [real,
/// imaginary]: [B, 2 in, 2 out].
at::Tensor realMatrix(const at::Tensor& w) {
  const at::Tensor real = w.select(0, 0);
  const at::Tensor imaginary = w.select(0, 1);
  return at::cat({at::cat({real, imaginary}, 2), at::cat({-imaginary, real}, 2)}, 1).contiguous();
}

/// b [2, B, out] -> [B, 1, 2 out].
at::Tensor realRow(const at::Tensor& b) {
  return at::cat({b.select(0, 0), b.select(0, 1)}, 1).unsqueeze(1).contiguous();
}

}  // namespace

KeptModes keptModes(const FourierFilter& filter, int grid_height, int grid_width) {
  const int columns = grid_width / 2 + 1;
  if (!filter.rows_and_columns) {
    const int half = grid_height * grid_width / 2 + 1;
    return {0, grid_height, std::min(static_cast<int>(half * filter.fraction), columns)};
  }
  // The public code counts both from the rows, around a middle that is that of shifted modes,
  // though they are not: where rows are few, columns go too, and low rows before high ones.
  const int middle = grid_height / 2 + 1;
  const int kept = static_cast<int>(middle * filter.fraction);
  const int first = middle - kept;
  return {first, std::min(middle + kept, grid_height) - first, std::min(kept, columns)};
}

FourierMixer::FourierMixer(const FourierFilter& filter, int grid_height, int grid_width,
                           const Weights& weights, at::Device device, at::ScalarType type)
    : filter_(filter),
      height_(grid_height),
      width_(grid_width),
      kept_(keptModes(filter, grid_height, grid_width)) {
  const auto placed = [&](const at::Tensor& tensor) {
    return tensor.to(at::TensorOptions().device(device).dtype(type));
  };
  w1_ = realMatrix(placed(weights.w1));
  b1_ = realRow(placed(weights.b1));
  w2_ = realMatrix(placed(weights.w2));
  b2_ = realRow(placed(weights.b2));
}

at::Tensor FourierMixer::operator()(const at::Tensor& tokens) const {
  const at::Tensor grids =
      tokens.to(w1_.scalar_type()).reshape({-1, height_, width_, tokens.size(1)});
  if (!grids.is_cpu()) return mix(grids).reshape(tokens.sizes());
  const at::Tensor mixed = at::empty(grids.sizes(), grids.options());
  for (std::int64_t image = 0; image < grids.size(0); ++image) {
    mixed.narrow(0, image, 1).copy_(mix(grids.narrow(0, image, 1)));
  }
  return mixed.reshape(tokens.sizes());
}

at::Tensor FourierMixer::mix(const at::Tensor& grids) const {
  const std::int64_t images = grids.size(0);
  const std::int64_t dim = grids.size(3);
  const std::int64_t groups = filter_.groups;
  const at::Tensor modes = at::fft_rfft2(grids, {}, {1, 2}, "ortho");
  // [images, rows, columns, B, w, 2] -> [B, images * rows * columns, 2 w], real parts first.
  const at::Tensor kept =
      at::view_as_real(
          modes.narrow(1, kept_.first_row, kept_.rows).narrow(2, 0, kept_.columns).contiguous())
          .reshape({images * kept_.count(), groups, dim / groups, 2})
          .permute({1, 0, 3, 2})
          .reshape({groups, images * kept_.count(), -1});
  const at::Tensor hidden = at::baddbmm(b1_, kept, w1_).relu_();
  const at::Tensor out = at::softshrink(at::baddbmm(b2_, hidden, w2_), filter_.threshold);
  const at::Tensor filtered = at::zeros_like(modes);
  filtered.narrow(1, kept_.first_row, kept_.rows)
      .narrow(2, 0, kept_.columns)
      .copy_(at::view_as_complex(out.reshape({groups, images * kept_.count(), 2, dim / groups})
                                     .permute({1, 0, 3, 2})
                                     .reshape({images, kept_.rows, kept_.columns, dim, 2})
                                     .contiguous()));
  // A real inverse has no use for the imaginary parts of the first and, of an even width, the last
  // column. These are not 0 here, and libraries differ in what they do then, so they are removed.
  const at::Tensor rows = at::fft_ifft(filtered, c10::nullopt, 1, "ortho");
  const at::Tensor parts = at::view_as_real(rows);
  parts.select(2, 0).select(-1, 1).zero_();
  if (width_ % 2 == 0) parts.select(2, width_ / 2).select(-1, 1).zero_();
  return at::fft_irfft(rows, width_, 2, "ortho") + grids;
}

}  // namespace adamerge
