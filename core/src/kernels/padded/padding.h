// SPDX-License-Identifier: GPL-3.0-or-later
// Packed rows of several images as a batch of equal lengths, for functions that take batches.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

namespace adamerge {

/// A copy on `device`, or `host` itself where that is the CPU, which does not wait for the copy.
at::Tensor sentTo(at::Device device, const at::Tensor& host);

class Padding {
 public:
  /// `counts`: rows of each image, at least one. What is needed on the device goes there in one
  /// copy, and nothing goes where all images have as many.
  Padding(std::span<const std::int64_t> counts, at::Device device);

  std::int64_t images() const { return images_; }
  std::int64_t longest() const { return longest_; }
  bool even() const { return !from_.defined(); }

  /// [rows of all images, ...] -> [images, longest, ...]. What is added repeats the image's last
  /// row, so that it is as finite as the rest.
  at::Tensor pad(const at::Tensor& packed) const;
  at::Tensor unpad(const at::Tensor& padded) const;

  /// [images, 1] and [1, longest], integers.
  const at::Tensor& counts() const { return counts_; }
  const at::Tensor& positions() const { return positions_; }
  /// [images, longest]: an image's row, not added.
  at::Tensor present() const { return positions_ < counts_; }

 private:
  std::int64_t images_;
  std::int64_t longest_ = 0;
  at::Tensor from_;  ///< [images * longest] rows of the packed; undefined where even
  at::Tensor to_;    ///< [rows of all images] rows of the padded
  at::Tensor counts_;
  at::Tensor positions_;
};

}  // namespace adamerge
