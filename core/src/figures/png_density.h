// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace adamerge {

/// Cairo's PNG files do not say how large they are on paper: adds the pHYs chunk that does.
void setPngDensity(std::string& png, double dpi);

}  // namespace adamerge
