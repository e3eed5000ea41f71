// SPDX-License-Identifier: GPL-3.0-or-later
// AdaMerge under any settings, for the methods that are named after one choice of them.
#pragma once

#include <memory>

#include "merging/method.h"

namespace adamerge {

/// `settings` are complete. Throws Error where counts do not suit the model.
std::unique_ptr<MergeMethod> makeAdaMerge(const Settings& settings, const MethodContext& context);

}  // namespace adamerge
