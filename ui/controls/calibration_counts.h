// SPDX-License-Identifier: GPL-3.0-or-later
// The values of r_max to calibrate for, as typed.
#pragma once

#include <QString>
#include <vector>

#include "state/inspection.h"

namespace adamerge::ui {

/// "4,8,16" -> 4, 8, 16. Throws Error in words for people: no value, not ascending, not from 1 to
/// `limit`.
std::vector<int> parseCounts(const QString& text, int limit);

/// What the model's statistics were made for; without any, a range that suits the model. nullptr:
/// one that suits most.
QString suggestedCounts(const LoadedModelPtr& model);

}  // namespace adamerge::ui
