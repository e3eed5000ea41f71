// SPDX-License-Identifier: GPL-3.0-or-later
// What `inspect` says of runs and of traces alike.
#pragma once

#include <string>
#include <vector>

#include "adamerge/result.h"

namespace adamerge::cli {

/// "ship 79.4 %"
std::string predictionText(const std::vector<float>& logits,
                           const std::vector<std::string>& labels);
/// "197 > 189 > 181": tokens before each block and after the last.
std::string tokensText(const std::vector<LayerTrace>& layers);

}  // namespace adamerge::cli
