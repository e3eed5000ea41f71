// SPDX-License-Identifier: GPL-3.0-or-later
#include "random.h"

#include <ATen/CPUGeneratorImpl.h>

namespace adamerge::training {

Random::Random(std::uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

at::Tensor Random::uniform(at::IntArrayRef shape) {
  return at::empty(shape, at::kFloat).uniform_(0.0, 1.0, generator_);
}

at::Tensor Random::normal(at::IntArrayRef shape, double deviation) {
  return at::empty(shape, at::kFloat).normal_(0.0, deviation, generator_);
}

at::Tensor Random::integers(std::int64_t low, std::int64_t high, at::IntArrayRef shape) {
  return at::empty(shape, at::kLong).random_(low, high, generator_);
}

at::Tensor Random::permutation(std::int64_t count) {
  return at::randperm(count, generator_, at::kLong);
}

double Random::beta(double alpha) {
  const at::Tensor gammas = at::_standard_gamma(at::full({2}, alpha, at::kDouble), generator_);
  const double first = gammas[0].item<double>();
  const double sum = first + gammas[1].item<double>();
  // Both underflow together only for an alpha that puts all weight on 0 and 1.
  return sum > 0 ? first / sum : 1.0;
}

at::Tensor Random::state() const { return generator_.get_state(); }

void Random::setState(const at::Tensor& state) { generator_.set_state(state); }

}  // namespace adamerge::training
