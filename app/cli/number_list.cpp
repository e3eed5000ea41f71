// SPDX-License-Identifier: GPL-3.0-or-later
#include "number_list.h"

#include "adamerge/evaluation_choices.h"
#include "usage_error.h"

namespace adamerge::cli {

std::vector<int> parseNumberList(std::string_view option, std::string_view text) {
  return asUsage([&] { return parseCounts(option, text); });
}

}  // namespace adamerge::cli
