// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamw.h"

#include <c10/core/GradMode.h>

#include <charconv>
#include <cmath>
#include <utility>

namespace adamerge::training {
namespace {

std::vector<at::Tensor> gradientsOf(const std::vector<Parameter>& parameters) {
  std::vector<at::Tensor> gradients;
  gradients.reserve(parameters.size());
  for (const Parameter& parameter : parameters) gradients.push_back(parameter.value.grad());
  return gradients;
}

}  // namespace

AdamW::AdamW(const std::vector<Parameter>& parameters, const Settings& settings,
             std::vector<double> rates)
    : parameters_(parameters), settings_(settings), rates_(std::move(rates)) {
  rates_.resize(parameters.size(), 1.0);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    values_.push_back(parameter.value);
    if (parameter.decays) {
      decaying_.push_back(parameter.value);
      decaying_rates_.push_back(rates_[i]);
    }
    first_.push_back(at::zeros_like(parameter.value.detach()));
    second_.push_back(at::zeros_like(parameter.value.detach()));
  }
}

void AdamW::update(double learning_rate, std::int64_t number) {
  const c10::NoGradGuard guard;
  const std::vector<at::Tensor> gradients = gradientsOf(parameters_);
  const auto& [beta1, beta2, weight_decay, epsilon] = settings_;
  const double bias1 = 1.0 - std::pow(beta1, static_cast<double>(number));
  const double bias2 = 1.0 - std::pow(beta2, static_cast<double>(number));

  std::vector<at::Scalar> shrinking;
  for (const double rate : decaying_rates_) {
    shrinking.emplace_back(1.0 - learning_rate * rate * weight_decay);
  }
  std::vector<at::Scalar> steps;
  for (const double rate : rates_) steps.emplace_back(-learning_rate * rate / bias1);
  at::_foreach_mul_(decaying_, shrinking);
  at::_foreach_mul_(first_, beta1);
  at::_foreach_add_(first_, gradients, 1.0 - beta1);
  at::_foreach_mul_(second_, beta2);
  at::_foreach_addcmul_(second_, gradients, gradients, 1.0 - beta2);
  std::vector<at::Tensor> divisors = at::_foreach_sqrt(second_);
  at::_foreach_mul_(divisors, 1.0 / std::sqrt(bias2));
  at::_foreach_add_(divisors, epsilon);
  at::_foreach_addcdiv_(values_, first_, divisors, steps);
  for (const Parameter& parameter : parameters_) parameter.value.mutable_grad().reset();
}

std::vector<double> layerRates(const std::vector<Parameter>& parameters, double decay, int depth) {
  constexpr std::string_view kBlocks = "blocks.";
  std::vector<double> rates;
  for (const Parameter& parameter : parameters) {
    const std::string_view name = parameter.name;
    int after = depth + 1;  // blocks between it and the head, itself included
    if (name.starts_with(kBlocks)) {
      int block = 0;
      std::from_chars(name.data() + kBlocks.size(), name.data() + name.size(), block);
      after = depth - block;
    } else if (name.starts_with("norm.") || name.starts_with("head.")) {
      after = 0;
    }
    rates.push_back(std::pow(decay, after));
  }
  return rates;
}

at::Tensor clipGradients(const std::vector<Parameter>& parameters, double limit) {
  const c10::NoGradGuard guard;
  const std::vector<at::Tensor> gradients = gradientsOf(parameters);
  const at::Tensor norm = at::stack(at::_foreach_norm(gradients)).norm();
  if (limit > 0) {
    const at::Tensor factor = (limit / (norm + 1e-6)).clamp_max(1.0);
    for (const at::Tensor& gradient : gradients) gradient.mul_(factor);
  }
  return norm;
}

}  // namespace adamerge::training
