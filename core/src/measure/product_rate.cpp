// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/product_rate.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <chrono>
#include <vector>

#include "adamerge/benchmark.h"
#include "engine/device.h"
#include "kernels/linear.h"

namespace adamerge {
namespace {

constexpr int kUntimed = 2;
constexpr int kTimed = 7;

}  // namespace

struct ProductRate::Operands {
  at::Tensor x;
  PackedLinear linear;

  /// Until the result is there: a GPU goes on by itself.
  void multiply() const {
    const at::Tensor result = linear(x);
    if (!result.is_cpu()) result.flatten()[0].item();
  }
};

ProductRate::ProductRate(const std::string& device, const std::string& dtype)
    : operands_(std::make_unique<Operands>()) {
  const c10::InferenceMode guard;
  const at::Device place = parseDevice(device);
  const at::ScalarType type = parseDtype(dtype, place);
  const at::Generator generator = at::detail::createCPUGenerator(1);
  const auto noise = [&](std::int64_t rows, std::int64_t columns) {
    return at::empty({rows, columns}, at::kFloat)
        .normal_(0, 1, generator)
        .to(at::TensorOptions().device(place).dtype(type));
  };
  operands_->x = noise(kProductShape.rows, kProductShape.depth);
  operands_->linear = PackedLinear(noise(kProductShape.columns, kProductShape.depth), at::Tensor());
}

ProductRate::ProductRate(ProductRate&&) noexcept = default;
ProductRate::~ProductRate() = default;

double ProductRate::measure() const {
  const c10::InferenceMode guard;
  for (int i = 0; i < kUntimed; ++i) operands_->multiply();
  std::vector<double> seconds;
  for (int i = 0; i < kTimed; ++i) {
    const auto start = std::chrono::steady_clock::now();
    operands_->multiply();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    seconds.push_back(took.count());
  }
  const double flops = 2.0 * kProductShape.rows * kProductShape.depth * kProductShape.columns;
  return flops / spreadOf(seconds).median * 1e-9;
}

int threadsInUse() { return at::get_num_threads(); }

std::size_t bytesOf(const std::string& dtype) {
  return c10::elementSize(parseDtype(dtype, at::Device(at::kCUDA)));
}

}  // namespace adamerge
