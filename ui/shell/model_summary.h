// SPDX-License-Identifier: GPL-3.0-or-later
// A model in a few lines, for tooltips.
#pragma once

#include <QString>

#include "state/inspection.h"

namespace adamerge::ui {

/// Rich text: architecture, parameters, input, precision, calibration, path, notes.
QString modelSummary(const LoadedModel& model);
/// "5.39 M".
QString parameterCount(std::int64_t parameters);

}  // namespace adamerge::ui
