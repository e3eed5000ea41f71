// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace adamerge::cli {

/// "8,12,16", "1:23" or "1:23:2" (both ends included), also mixed: ascending, without repeats.
/// Throws UsageError naming `option`.
std::vector<int> parseNumberList(std::string_view option, std::string_view text);

}  // namespace adamerge::cli
