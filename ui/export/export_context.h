// SPDX-License-Identifier: GPL-3.0-or-later
// What there is to export when a dialog opens: results do not change under it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "adamerge/engine.h"
#include "adamerge/figures.h"
#include "state/inspection.h"

namespace adamerge::ui {

class Workbench;

struct ExportContext {
  std::shared_ptr<const Engine> engine;
  std::vector<InspectionPtr> panes;  ///< of the panes shown, those with a result
  std::size_t active = 0;            ///< which of them is worked in
  OverlayStyle overlay;
  int block = 0;
  std::optional<int> selected_patch;

  /// nullptr: there is no result yet.
  InspectionPtr activePane() const { return panes.empty() ? nullptr : panes[active]; }
};

ExportContext exportContext(Workbench& workbench);

}  // namespace adamerge::ui
