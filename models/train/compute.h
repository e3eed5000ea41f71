// SPDX-License-Identifier: GPL-3.0-or-later
// In what precision a device multiplies fastest.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace adamerge::training {

/// "bfloat16" where the device multiplies it in hardware, else "float32".
std::string fastestDtype(const at::Device& device);

}  // namespace adamerge::training
