// SPDX-License-Identifier: GPL-3.0-or-later
// Plots as things to export.
#pragma once

#include <vector>

#include "export/export_source.h"

namespace adamerge::ui {

class PlotPanel;

/// One per plot that shows something, as it is seen now: zoom and hidden series included.
std::vector<ExportSourcePtr> plotSources(const std::vector<PlotPanel*>& plots,
                                         const ExportContext& context);

}  // namespace adamerge::ui
