// SPDX-License-Identifier: GPL-3.0-or-later
// A second device for tests where there is no GPU. Its tensors lie in the computer's memory and the
// CPU computes with them, but to LibTorch they are not on the CPU, so the engine takes the ways it
// takes on a GPU, and what a GPU refuses, mixing its tensors with the CPU's, is refused here too.
// It counts what costs time on a GPU and can be short of memory. A program that links
// stand_in_device.cpp has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace adamerge::test {

/// As EngineOptions::device and at::Device take it.
inline constexpr const char* kStandIn = "privateuseone:0";

/// Since resetStandIn(), of all threads.
struct StandInTraffic {
  std::int64_t operations = 0;  ///< a GPU launches a kernel or more for each
  std::int64_t to_device = 0;   ///< copies from the computer's memory
  std::int64_t to_host = 0;     ///< copies and numbers read, for each of which the computer waits
  std::size_t peak_bytes = 0;   ///< of the device's memory
};
StandInTraffic standInTraffic();
void resetStandIn();

std::size_t standInBytes();  ///< in use
/// What would exceed it fails as it does on CUDA.
void limitStandIn(std::size_t bytes = std::numeric_limits<std::size_t>::max());

}  // namespace adamerge::test
