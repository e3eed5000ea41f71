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
  /// `counts`: rows of each image, at least one. `starts`: where each image's begin among the
  /// padded ones; empty: at 0. What is needed on the device goes there in one copy, and nothing
  /// goes where all images have as many.
  Padding(std::span<const std::int64_t> counts, at::Device device,
          std::vector<std::int64_t> starts = {});

  std::int64_t images() const { return images_; }
  std::int64_t longest() const { return longest_; }
  bool even() const { return !from_.defined(); }

  std::int64_t start(std::size_t image) const { return starts_.empty() ? 0 : starts_[image]; }

  /// [rows of all images, ...] -> [images, longest, ...]. What is added repeats the image's first
  /// or last row, so that it is as finite as the rest.
  at::Tensor pad(const at::Tensor& packed) const;
  at::Tensor unpad(const at::Tensor& padded) const;

  /// [images, 1], integers.
  const at::Tensor& counts() const { return counts_; }
  /// [images, longest]: added, no row of an image. Undefined where even.
  const at::Tensor& absent() const { return absent_; }

 private:
  std::int64_t images_;
  std::int64_t longest_ = 0;
  std::vector<std::int64_t> starts_;
  at::Tensor from_;  ///< [images * longest] rows of the packed; undefined where even
  at::Tensor to_;    ///< [rows of all images] rows of the padded
  at::Tensor counts_;
  at::Tensor absent_;
};

}  // namespace adamerge
