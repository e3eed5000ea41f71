// SPDX-License-Identifier: GPL-3.0-or-later
// ATC's tree of one block: which clusters of tokens join at which distance, and how far it went.
#pragma once

#include "bench/inspector.h"
#include "plots/plot_panel.h"

namespace adamerge::ui {

class TreePlot : public PlotPanel {
  Q_OBJECT
 public:
  explicit TreePlot(QWidget* parent = nullptr);

  void setResult(const InspectionPtr& inspection, int block, std::optional<int> selected);

 signals:
  void patchChosen(int patch);
  /// -1: none.
  void patchPointed(int patch);
};

/// What TreePlot shows. A point is a join; its key is the first patch of the token that comes
/// first. `selected`: a patch, whose leaf is marked.
PlotContent treeContent(const InspectionPtr& inspection, int block, std::optional<int> selected);

}  // namespace adamerge::ui
