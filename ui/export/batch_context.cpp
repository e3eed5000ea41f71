// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_dialog.h"
#include "state/workbench.h"

namespace adamerge::ui {

BatchContext batchContext(Workbench& workbench) {
  BatchContext context;
  context.engine = workbench.engine();
  for (int pane = 0; pane < workbench.paneCount(); ++pane) {
    context.choices.push_back(workbench.pane(pane).choice());
  }
  context.overlay = workbench.view().overlay();
  context.block = workbench.view().block();
  return context;
}

}  // namespace adamerge::ui
