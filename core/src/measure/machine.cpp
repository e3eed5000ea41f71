// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/machine.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "adamerge/benchmark.h"
#include "engine/device.h"
#include "kernels/cpu/isa.h"
#include "kernels/linear.h"

namespace adamerge {
namespace {

std::string processorName(const utsname& system) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return system.machine;
}

/// Of a line such as "VmHWM:    123456 kB".
std::optional<std::uint64_t> statusBytes(std::string_view key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == key && file >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

constexpr int kUntimed = 2;
constexpr int kTimed = 7;

}  // namespace

Machine thisMachine() {
  utsname system{};
  ::uname(&system);
  Machine machine;
  machine.processor = processorName(system);
  machine.cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  machine.instruction_set = isaName(bestIsa());
  machine.system = fmt::format("{} {}", system.sysname, system.release);
  double load = 0;
  if (::getloadavg(&load, 1) == 1) machine.load = load;
  return machine;
}

void releaseFreedMemory() {
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
}

std::optional<std::uint64_t> residentBytes() { return statusBytes("VmRSS:"); }

bool restartPeak() {
  std::ofstream file("/proc/self/clear_refs");
  return static_cast<bool>(file << '5' << std::flush);
}

std::optional<std::uint64_t> peakBytes() { return statusBytes("VmHWM:"); }

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
  const bool int8 = type == at::kChar;
  const at::Generator generator = at::detail::createCPUGenerator(1);
  const auto noise = [&](std::int64_t rows, std::int64_t columns) {
    return at::empty({rows, columns}, at::kFloat)
        .normal_(0, 1, generator)
        .to(at::TensorOptions().device(place).dtype(int8 ? at::kFloat : type));
  };
  operands_->x = noise(kProductShape.rows, kProductShape.depth);
  const at::Tensor weight = noise(kProductShape.columns, kProductShape.depth);
  operands_->linear = int8 ? PackedLinear::int8(weight, {}) : PackedLinear(weight, {});
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
  const at::Device place(dtype == "int8" ? at::kCPU : at::kCUDA);  // where there is any such
  return c10::elementSize(parseDtype(dtype, place));
}

}  // namespace adamerge
