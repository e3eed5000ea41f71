// SPDX-License-Identifier: GPL-3.0-or-later
// What to calibrate: the values of r_max as typed, and the settings statistics belong to.
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

/// Of the choice in use only what statistics belong to, with counts that follow them; for a method
/// without statistics, one that has them, at its defaults.
MethodChoice calibrationChoice(const MethodChoice& active);

/// That choice for people: the method and what differs from its defaults.
QString describeConditions(const MethodChoice& choice);

}  // namespace adamerge::ui
