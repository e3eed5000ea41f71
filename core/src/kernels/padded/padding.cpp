// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/padded/padding.h"

#include <algorithm>

namespace adamerge {

at::Tensor sentTo(at::Device device, const at::Tensor& host) {
  // Only from pinned memory does a copy go on by itself.
  return device.is_cpu() ? host : host.pin_memory().to(device, /*non_blocking=*/true);
}

Padding::Padding(std::span<const std::int64_t> counts, at::Device device)
    : images_(static_cast<std::int64_t>(counts.size())) {
  const auto integers = at::TensorOptions().device(device).dtype(at::kLong);
  longest_ = *std::max_element(counts.begin(), counts.end());
  positions_ = at::arange(longest_, integers).unsqueeze(0);
  if (std::all_of(counts.begin(), counts.end(), [&](auto count) { return count == longest_; })) {
    counts_ = at::full({images_, 1}, longest_, integers);
    return;
  }
  std::vector<std::int64_t> numbers(counts.begin(), counts.end());
  std::vector<std::int64_t> to;
  std::int64_t offset = 0;
  for (std::int64_t image = 0; image < images_; ++image) {
    const std::int64_t count = counts[static_cast<std::size_t>(image)];
    for (std::int64_t k = 0; k < longest_; ++k) numbers.push_back(offset + std::min(k, count - 1));
    for (std::int64_t k = 0; k < count; ++k) to.push_back(image * longest_ + k);
    offset += count;
  }
  numbers.insert(numbers.end(), to.begin(), to.end());
  const at::Tensor sent = sentTo(device, at::tensor(numbers));
  counts_ = sent.narrow(0, 0, images_).unsqueeze(1);
  from_ = sent.narrow(0, images_, images_ * longest_);
  to_ = sent.narrow(0, images_ + images_ * longest_, offset);
}

at::Tensor Padding::pad(const at::Tensor& packed) const {
  const at::Tensor rows = even() ? packed : packed.index_select(0, from_);
  return rows.unflatten(0, {images_, longest_});
}

at::Tensor Padding::unpad(const at::Tensor& padded) const {
  const at::Tensor rows = padded.flatten(0, 1);
  return even() ? rows : rows.index_select(0, to_);
}

}  // namespace adamerge
