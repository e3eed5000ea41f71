// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "adamerge/evaluate.h"

namespace adamerge::cli {

/// An evaluation for people: one line per point, and what the columns mean.
std::string evaluationTable(const Evaluation& evaluation);

}  // namespace adamerge::cli
