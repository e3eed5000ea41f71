// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/padded/padding.h"

#include <algorithm>
#include <utility>

namespace adamerge {

at::Tensor sentTo(at::Device device, const at::Tensor& host) {
  if (device.is_cpu()) return host;
  // Only from pinned memory does a copy go on by itself.
  const bool pin = device.is_cuda() && !host.is_pinned();
  return (pin ? host.pin_memory() : host).to(device, /*non_blocking=*/true);
}

Padding::Padding(std::span<const std::int64_t> counts, at::Device device,
                 std::vector<std::int64_t> starts)
    : images_(static_cast<std::int64_t>(counts.size())), starts_(std::move(starts)) {
  const auto integers = at::TensorOptions().device(device).dtype(at::kLong);
  bool even = true;
  for (std::size_t image = 0; image < counts.size(); ++image) {
    longest_ = std::max(longest_, start(image) + counts[image]);
    even = even && counts[image] == counts.front() && start(image) == 0;
  }
  if (even) {
    counts_ = at::full({images_, 1}, longest_, integers);
    return;
  }
  std::vector<std::int64_t> numbers(counts.begin(), counts.end());
  for (std::size_t image = 0; image < counts.size(); ++image) numbers.push_back(start(image));
  std::vector<std::int64_t> to;
  std::int64_t offset = 0;
  for (std::int64_t image = 0; image < images_; ++image) {
    const std::int64_t count = counts[static_cast<std::size_t>(image)];
    const std::int64_t first = start(static_cast<std::size_t>(image));
    for (std::int64_t k = 0; k < longest_; ++k) {
      numbers.push_back(offset + std::clamp<std::int64_t>(k - first, 0, count - 1));
    }
    for (std::int64_t k = 0; k < count; ++k) to.push_back(image * longest_ + first + k);
    offset += count;
  }
  numbers.insert(numbers.end(), to.begin(), to.end());
  const at::Tensor sent = sentTo(device, at::tensor(numbers));
  counts_ = sent.narrow(0, 0, images_).unsqueeze(1);
  const at::Tensor firsts = sent.narrow(0, images_, images_).unsqueeze(1);
  from_ = sent.narrow(0, 2 * images_, images_ * longest_);
  to_ = sent.narrow(0, 2 * images_ + images_ * longest_, offset);
  const at::Tensor position = at::arange(longest_, integers).unsqueeze(0) - firsts;
  absent_ = (position < 0).logical_or(position >= counts_);
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
