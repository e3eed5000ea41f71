// SPDX-License-Identifier: GPL-3.0-or-later
// The fields of the evaluation panel as an object of a session file.
#pragma once

#include <nlohmann/json.hpp>

#include "state/evaluation_setup.h"
#include "state/session_fields.h"

namespace adamerge::ui {

nlohmann::ordered_json toJson(const EvaluationSetup& setup);
/// Throws Error.
EvaluationSetup readEvaluationSetup(SessionFields fields);

}  // namespace adamerge::ui
