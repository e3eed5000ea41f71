// SPDX-License-Identifier: GPL-3.0-or-later
// The core's figures as things to export: every kind that the core knows, of the pane that is
// worked in, and of all panes side by side.
#pragma once

#include <vector>

#include "export/export_context.h"
#include "export/export_source.h"

namespace adamerge::ui {

/// A kind's name for people.
QString figureLabel(const FigureKind& kind);
/// One per kind of figure that can be drawn of the active pane; empty without a result.
std::vector<ExportSourcePtr> figureSources(const ExportContext& context);
/// One per kind that can show all panes side by side; empty with fewer than two results.
std::vector<ExportSourcePtr> comparisonSources(const ExportContext& context);

}  // namespace adamerge::ui
