// SPDX-License-Identifier: GPL-3.0-or-later
// What the words in the window mean, in a few sentences each with the paper's equation, for
// tooltips and What's This. Plain text.
#pragma once

#include <QString>

namespace adamerge::ui {

/// Authors and title of the paper whose equations are named.
QString paperReference();

QString explainSalience();
QString explainRedundancy();
QString explainZ();
QString explainMerge();
QString explainGroup();
QString explainPaperFlops();
QString explainTotalFlops();
QString explainCalibration();
QString explainClassAttention();
QString explainSimilarity();
QString explainSurvivor();
QString explainFidelity();

}  // namespace adamerge::ui
