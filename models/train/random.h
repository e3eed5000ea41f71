// SPDX-License-Identifier: GPL-3.0-or-later
// The one source of chance of a training run. Draws are made on the CPU whatever the device, so
// that a run draws the same everywhere, and its state is part of the checkpoint.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace adamerge::training {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  at::Tensor uniform(at::IntArrayRef shape);                   ///< fp32, from 0 to below 1
  at::Tensor normal(at::IntArrayRef shape, double deviation);  ///< fp32, mean 0
  /// int64, from `low` to below `high`.
  at::Tensor integers(std::int64_t low, std::int64_t high, at::IntArrayRef shape);
  at::Tensor permutation(std::int64_t count);  ///< int64
  double beta(double alpha);                   ///< Beta(alpha, alpha)

  at::Tensor state() const;
  /// Throws c10::Error for what is no state.
  void setState(const at::Tensor& state);

 private:
  at::Generator generator_;
};

}  // namespace adamerge::training
