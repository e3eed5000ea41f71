// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/device.h"

#include <ATen/Parallel.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <thread>

#include "adamerge/engine.h"
#include "adamerge/error.h"
#include "engine/huge_pages.h"
#include "kernels/cpu/isa.h"

namespace adamerge {
namespace {

/// oneDNN's code for AMX, 2.6 in LibTorch 1.13 like 3.6 in 2.6, dies of an illegal instruction in
/// virtual machines that hide the tiles' CPUID leaf. It reads the variable at its first product;
/// what the user set stays. Our own kernels use the tiles all the same. Set before main(), since
/// later another thread may be reading the environment.
[[maybe_unused]] const bool kEnvironmentIsSet =
    ::setenv("DNNL_MAX_CPU_ISA", "AVX512_CORE_BF16", /*overwrite=*/0) == 0;
[[maybe_unused]] const bool kPagesAreHuge = useHugePages();

/// PyTorch's name for the device type of backends that are no part of it. Ours run by them, but
/// none is offered.
constexpr std::string_view kOtherBackend = "privateuseone:0";

int cudaDevices() {
  if (!at::hasCUDA() || !c10::impl::hasDeviceGuardImpl(at::kCUDA)) return 0;
  return static_cast<int>(c10::impl::getDeviceGuardImpl(at::kCUDA)->deviceCount());
}

/// The major number, 8 for Ampere; 0 where it cannot be had. The driver is asked, which LibTorch
/// has loaded by now, since LibTorch itself tells only those who compile with CUDA's headers.
int computeCapability(const at::Device& device) {
  constexpr int kComputeCapabilityMajor = 75;
  void* driver = ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr) return 0;
  const auto handle =
      reinterpret_cast<int (*)(int* handle, int ordinal)>(::dlsym(driver, "cuDeviceGet"));
  const auto attribute = reinterpret_cast<int (*)(int* value, int attribute, int handle)>(
      ::dlsym(driver, "cuDeviceGetAttribute"));
  int gpu = 0;
  int major = 0;
  const bool told = handle != nullptr && attribute != nullptr &&
                    handle(&gpu, device.index()) == 0 &&
                    attribute(&major, kComputeCapabilityMajor, gpu) == 0;
  ::dlclose(driver);
  return told ? major : 0;
}

/// On a CPU with AVX-512-bf16 alone LibTorch would have to multiply in bf16, more slowly than our
/// own kernels do in fp32.
at::ScalarType fastestDtype(const at::Device& device) {
  if (device.is_cpu()) return multipliesBFloat16(bestIsa()) ? at::kBFloat16 : at::kFloat;
  if (!device.is_cuda()) return at::kFloat;
  const int capability = computeCapability(device);
  if (capability >= 8) return at::kBFloat16;
  return capability == 7 ? at::kHalf : at::kFloat;
}

}  // namespace

std::vector<Device> availableDevices() {
  std::vector<Device> devices{{"cpu", fmt::format("CPU, {} threads", at::get_num_threads())}};
  for (int index = 0; index < cudaDevices(); ++index) {
    devices.push_back({fmt::format("cuda:{}", index), fmt::format("CUDA device {}", index)});
  }
  return devices;
}

std::string torchVersion() { return fmt::format("LibTorch {}", TORCH_VERSION); }

at::Device parseDevice(const std::string& text) {
  const int count = cudaDevices();
  if (text == "cpu") return at::Device(at::kCPU);
  if (text == "auto") return count > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  if (text == kOtherBackend && c10::impl::hasDeviceGuardImpl(at::kPrivateUse1)) {
    return {at::kPrivateUse1, 0};
  }
  int index = 0;
  bool known = text == "cuda";
  if (text.rfind("cuda:", 0) == 0) {
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + 5, end, index);
    const bool beyond = error == std::errc::result_out_of_range && text[5] != '-';
    if (beyond) index = std::numeric_limits<int>::max();
    known = (error == std::errc() || beyond) && rest == end && index >= 0;
  }
  if (!known) {
    throw Error(fmt::format("--device takes auto, cpu, cuda or cuda:N, not '{}'", text));
  }
  if (count == 0) {
    throw Error(fmt::format(
        "--device {}: no CUDA device is usable here ({}); --device auto would run on the CPU", text,
        at::hasCUDA() ? "LibTorch finds no GPU" : "this LibTorch is built without CUDA"));
  }
  if (index >= count) {
    throw Error(fmt::format(
        "--device {}: there are {} CUDA devices, cuda:0 to cuda:{}; --device auto would use cuda:0",
        text, count, count - 1));
  }
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

std::string deviceId(const at::Device& device) { return device.str(); }

at::ScalarType parseDtype(const std::string& text, const at::Device& device) {
  if (text == "auto") return fastestDtype(device);
  if (text == "float32") return at::kFloat;
  if (text == "bfloat16") return at::kBFloat16;
  if (text == "float64") return at::kDouble;
  if (text == "float16") {
    if (device.is_cpu()) {
      throw Error("--dtype float16 needs a CUDA device; on the CPU use bfloat16 or float32");
    }
    return at::kHalf;
  }
  if (text == "int8") {
    if (!device.is_cpu()) {
      throw Error("--dtype int8 needs the CPU (--device cpu); on a GPU use float16 or bfloat16");
    }
    return at::kChar;
  }
  throw Error(fmt::format(
      "--dtype takes auto, float32, bfloat16, float16, int8 or float64, not '{}'", text));
}

std::string dtypeName(at::ScalarType dtype) {
  switch (dtype) {
    case at::kBFloat16:
      return "bfloat16";
    case at::kHalf:
      return "float16";
    case at::kChar:
      return "int8";
    case at::kDouble:
      return "float64";
    default:
      return "float32";
  }
}

Placement placementFor(const EngineOptions& options) {
  const at::Device device = parseDevice(options.device);
  const at::ScalarType dtype = parseDtype(options.dtype, device);
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (options.threads < 0 || options.threads > 4096) {
    throw Error(fmt::format("--threads takes 0 (all cores) to 4096, not {}", options.threads));
  }
  at::set_num_threads(options.threads > 0 ? options.threads : cores);
  return {device, dtype};
}

}  // namespace adamerge
