// SPDX-License-Identifier: GPL-3.0-or-later
// Where the tests of the engine run it: on the device that ADAMERGE_TEST_DEVICE names, "cpu" where
// it names none, a GPU as "cuda" or "cuda:1", or "stand-in", see stand_in_device.h.
#pragma once

#include <cstdlib>
#include <string>

#include "stand_in_device.h"

namespace adamerge::test {

inline std::string testDevice() {
  const char* const named = std::getenv("ADAMERGE_TEST_DEVICE");
  const std::string device = named == nullptr ? "cpu" : named;
  if (device == "cuda") return "cuda:0";
  return device == "stand-in" ? kStandIn : device;
}

/// Only there do all images of a batch get the bits that each gets alone, and are merges of fp32
/// models decided in fp64.
inline bool onCpu() { return testDevice() == "cpu"; }

/// Between numbers about 1 whose sums were taken in another order.
inline double deviceTolerance(double on_cpu) { return onCpu() ? on_cpu : 1e-4; }

}  // namespace adamerge::test
