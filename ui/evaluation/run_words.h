// SPDX-License-Identifier: GPL-3.0-or-later
// What the panel says of an evaluation: before, while and after it runs.
#pragma once

#include <QString>

#include "compute/evaluation_report.h"
#include "compute/evaluation_surveyor.h"

namespace adamerge::ui {

/// "26 points · 1,000 of 10,000 images · about 4 min", as far as it is known.
QString describePlan(std::size_t points, const EvaluationSurvey& survey);
QString describeProgress(qint64 done, qint64 total, double images_per_second, double seconds_left);
/// Of one that took `seconds`; `model_changed`: since it began.
QString describeEnd(const Evaluation& evaluation, double seconds, bool model_changed);

}  // namespace adamerge::ui
