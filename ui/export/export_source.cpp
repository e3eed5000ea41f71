// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/export_source.h"

#include "bench/workbench.h"

namespace adamerge::ui {

ExportContext exportContext(Workbench& workbench) {
  ExportContext context;
  context.engine = workbench.engine();
  context.overlay = workbench.view().overlay();
  context.block = workbench.view().block();
  context.selected_patch = workbench.view().selectedPatch();
  for (int index = 0; index < workbench.paneCount(); ++index) {
    InspectionPtr inspection = workbench.pane(index).inspection();
    if (inspection == nullptr) continue;
    if (index == workbench.activeIndex()) context.active = context.panes.size();
    context.panes.push_back(std::move(inspection));
    context.lenses.push_back(workbench.pane(index).lens());
    context.notes.push_back(unequalFlops(workbench, index));
  }
  return context;
}

}  // namespace adamerge::ui
