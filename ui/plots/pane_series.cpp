// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/pane_series.h"

#include <algorithm>

#include "adamerge/report.h"
#include "bench/traces.h"

namespace adamerge::ui {

std::vector<PaneStyle> paneStyles(const std::vector<PaneResult>& panes) {
  std::vector<PaneStyle> styles;
  for (std::size_t i = 0; i < panes.size(); ++i) {
    PaneStyle style;
    const InspectionPtr& shown = panes[i].inspection;
    const bool traced = shown != nullptr && shown->traced != nullptr;
    const MethodChoice& choice = panes[i].choice;
    style.name =
        QString::fromStdString(traced             ? runTitle(*shown)
                               : shown != nullptr ? describe(choice, shown->model->info.vit)
                                                  : describe(choice));
    style.variant = static_cast<int>(std::count_if(
        panes.begin(), panes.begin() + static_cast<std::ptrdiff_t>(i),
        [&](const PaneResult& before) { return before.choice.method == panes[i].choice.method; }));
    styles.push_back(style);
  }
  std::vector<PaneStyle> unique = styles;
  for (std::size_t i = 0; i < styles.size(); ++i) {
    const auto same = std::count_if(styles.begin(), styles.end(), [&](const PaneStyle& other) {
      return other.name == styles[i].name;
    });
    if (same > 1) {
      unique[i].name += QObject::tr(" (canvas %1)").arg(panes[i].pane + 1);
    }
    if (styles.size() > 1) unique[i].prefix = unique[i].name + QStringLiteral(": ");
  }
  return unique;
}

void assign(PlotSeries& series, const PaneResult& pane, const PaneStyle& style, std::size_t panes,
            bool leads) {
  series.color = paperColor(pane.choice.method);
  series.variant = style.variant;
  series.source = pane.pane;
  series.name = QStringLiteral("%1: %2").arg(style.name, series.quantity);
  if (panes > 1) {
    series.id = QStringLiteral("pane-%1").arg(pane.pane);
    if (leads) series.legend = style.name;
  } else {
    series.id = series.quantity;
    series.legend = series.quantity.left(1).toUpper() + series.quantity.mid(1);
  }
}

}  // namespace adamerge::ui
