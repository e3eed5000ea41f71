// SPDX-License-Identifier: GPL-3.0-or-later
// What makes a device train fast.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace adamerge::training {

/// "bfloat16" where the device multiplies it in hardware, else "float32".
std::string fastestDtype(const at::Device& device);

/// From here on memory of tensors stays with the program once they are gone. Each step asks for the
/// same large ones, and what was given back costs a page fault for every 4 KiB.
void keepFreedMemory();

}  // namespace adamerge::training
