// SPDX-License-Identifier: GPL-3.0-or-later
// Device and precision as the user writes them.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "adamerge/engine.h"

namespace adamerge {

/// auto: CUDA where there is one, else the CPU. Throws Error: unknown, CUDA absent, no such GPU.
at::Device parseDevice(const std::string& text);
std::string deviceId(const at::Device& device);

/// auto: the fastest that the device has arithmetic for, as EngineOptions says; float64 is for
/// checking numbers. Throws Error: unknown, float16 on the CPU, int8 elsewhere.
at::ScalarType parseDtype(const std::string& text, const at::Device& device);
std::string dtypeName(at::ScalarType dtype);

struct Placement {
  at::Device device;
  at::ScalarType dtype;
};

/// What every engine needs before its weights; sets LibTorch's threads. Throws Error.
Placement placementFor(const EngineOptions& options);

}  // namespace adamerge
