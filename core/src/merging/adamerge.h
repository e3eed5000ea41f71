// SPDX-License-Identifier: GPL-3.0-or-later
// AdaMerge with its settings, for the methods that are named after one choice of them.
#pragma once

#include <memory>
#include <vector>

#include "merging/method.h"

namespace adamerge {

/// The published method's settings, defaults and all.
std::vector<SettingInfo> adaMergeSettings();

/// Of these, the keys that layer statistics belong to.
std::vector<std::string> adaMergeStatisticsSettings();

/// `settings` are complete. Throws Error where counts do not suit the model.
std::unique_ptr<MergeMethod> makeAdaMerge(const Settings& settings, const MethodContext& context);

}  // namespace adamerge
