// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/tokens_plot.h"

#include <algorithm>
#include <cmath>

namespace adamerge::ui {
namespace {

constexpr double kColumn = 0.8;  ///< of a block's width is covered by bars

QString columnTitle(int block, int depth) {
  return QObject::tr("Block %1 of %2").arg(block + 1).arg(depth);
}

template <class T>
T setting(const MethodChoice& choice, const char* key) {
  return std::get<T>(choice.settings.find(key)->second);
}

PlotSeries tokensLeft(const Inspection& inspection, const QString& prefix) {
  PlotSeries series;
  series.quantity = QObject::tr("tokens left");
  series.kind = SeriesKind::kSteps;
  for (const LayerTrace& layer : inspection.result.layers) {
    PlotPoint point;
    point.x = layer.index + 1;
    point.y = layer.restored ? layer.tokens_inside : layer.tokens_out;
    point.key = layer.index;
    point.title = columnTitle(layer.index, inspection.depth());
    point.text = (layer.restored ? QObject::tr("%1%2 of %3 tokens inside, all restored")
                                 : QObject::tr("%1%2 of %3 tokens left"))
                     .arg(prefix)
                     .arg(point.y)
                     .arg(layer.tokens_in);
    series.points.push_back(point);
  }
  return series;
}

PlotSeries merges(const Inspection& inspection, const QString& prefix) {
  PlotSeries series;
  series.quantity = QObject::tr("merged");
  series.kind = SeriesKind::kBars;
  series.second_axis = true;
  for (const LayerTrace& layer : inspection.result.layers) {
    PlotPoint point;
    point.x = layer.index + 1;
    point.y = layer.merged;
    point.key = layer.index;
    point.title = columnTitle(layer.index, inspection.depth());
    point.text = QObject::tr("%1%2 merged").arg(prefix).arg(layer.merged);
    series.points.push_back(point);
  }
  return series;
}

/// Where the group of `patch` took part in merges, and how large it was afterwards.
PlotSeries selectedGroup(const Inspection& inspection, int patch, const QString& prefix) {
  PlotSeries series;
  series.quantity = QObject::tr("selected group, patches");
  series.kind = SeriesKind::kMarkers;
  series.marker = Marker::kDiamond;
  int group = patch;
  for (const LayerTrace& layer : inspection.result.layers) {
    const bool merged =
        std::any_of(layer.merges.begin(), layer.merges.end(), [group](const GroupMerge& merge) {
          return merge.source == group || merge.destination == group;
        });
    group = layer.groups[static_cast<std::size_t>(patch)];
    if (!merged) continue;
    const auto size = std::count(layer.groups.begin(), layer.groups.end(), group);
    PlotPoint point;
    point.x = layer.index + 1;
    point.y = layer.tokens_out;
    point.hollow = true;
    point.key = layer.index;
    point.title = columnTitle(layer.index, inspection.depth());
    point.text = QObject::tr("%1selected group grows to %2 patches").arg(prefix).arg(size);
    point.label = QString::number(size);
    series.points.push_back(point);
  }
  return series;
}

/// What calibration says of a picture whose redundancy is exactly mu, and of mu +- sigma.
struct Typical {
  std::vector<double> tokens;
  std::vector<PlotRange> merges;
  std::vector<double> merges_at_mean;
};

std::optional<Typical> typical(const Inspection& inspection) {
  const MethodChoice& choice = inspection.choice;
  const auto& layers = inspection.result.layers;
  // Windows have a count each.
  if (inspection.model->info.vit.restores()) return std::nullopt;
  // How a budget spreads the counts, the core knows.
  const bool calibrated =
      usesStatistics(choice) && setting<std::string>(choice, "schedule") == "decay" &&
      std::all_of(layers.begin(), layers.end(),
                  [](const LayerTrace& layer) { return layer.mu && layer.sigma; });
  if (!calibrated) return std::nullopt;
  const auto r_max = static_cast<double>(setting<std::int64_t>(choice, "r_max"));
  const double slope = setting<double>(choice, "alpha") / setting<double>(choice, "temperature");
  const double decay = setting<double>(choice, "decay");
  const int prefix = inspection.model->info.vit.prefixTokens();
  int tokens = layers.front().tokens_in;
  Typical typical;
  for (std::size_t block = 0; block < layers.size(); ++block) {
    const double depth = static_cast<double>(block) / static_cast<double>(layers.size());
    const double most = r_max * std::pow(1 - depth, decay);
    const auto at = [&](double z) {
      const double count = std::floor(most / (1 + std::exp(-slope * z)));
      return std::min(count, std::floor((tokens - prefix) / 2.0));
    };
    typical.merges.push_back({at(-1), at(1)});
    typical.merges_at_mean.push_back(at(0));
    tokens -= static_cast<int>(at(0));
    typical.tokens.push_back(tokens);
  }
  return typical;
}

void addTypical(PlotContent& content, const Inspection& inspection) {
  const std::optional<Typical> found = typical(inspection);
  if (!found) return;
  PlotSeries band;
  band.id = QStringLiteral("calibration");
  band.name = QObject::tr("Calibration: merged at μ ± σ");
  band.legend = QObject::tr("Calibration");
  band.quantity = QObject::tr("merged");
  band.kind = SeriesKind::kBand;
  band.second_axis = true;
  PlotSeries line;
  line.id = band.id;
  line.name = QObject::tr("Calibration: tokens left at μ");
  line.quantity = QObject::tr("tokens left");
  line.kind = SeriesKind::kSteps;
  line.faint = true;
  for (std::size_t block = 0; block < found->tokens.size(); ++block) {
    PlotPoint point;
    point.x = static_cast<double>(block) + 1;
    point.key = static_cast<int>(block);
    point.title = columnTitle(static_cast<int>(block), inspection.depth());
    point.y = found->merges_at_mean[block];
    point.interval = found->merges[block];
    point.text = QObject::tr("calibration: %1 merged (%2 to %3)")
                     .arg(point.y)
                     .arg(found->merges[block].low)
                     .arg(found->merges[block].high);
    band.points.push_back(point);
    point.interval.reset();
    point.y = found->tokens[block];
    point.text = QObject::tr("calibration: %1 tokens left").arg(point.y);
    line.points.push_back(point);
  }
  content.series.push_back(std::move(band));
  content.series.push_back(std::move(line));
}

void setAxes(PlotContent& content, int depth) {
  content.x = {QObject::tr("Block"), 0.5, depth + 0.5, true};
  content.y = {QObject::tr("Tokens left (line)"), 0.0, std::nullopt, true};
  content.y2 = {QObject::tr("Merged (bars)"), 0.0, std::nullopt, true};
  double most = 1;
  for (const PlotSeries& series : content.series) {
    if (!series.second_axis) continue;
    for (const PlotPoint& point : series.points) {
      most = std::max(most, point.interval ? point.interval->high : point.y);
    }
  }
  // Bars keep to the lower half, under the lines.
  content.y2.high = 2 * most;
}

}  // namespace

PlotContent tokensContent(const std::vector<PaneResult>& all, int active, int block,
                          std::optional<int> selected_patch) {
  PlotContent content;
  content.empty_text =
      QObject::tr("How many tokens each block merges, once a picture is open and computed.");
  std::vector<PaneResult> panes;
  for (const PaneResult& pane : all) {
    if (pane.inspection == nullptr) continue;
    panes.push_back(pane);
    panes.back().choice = pane.inspection->choice;
  }
  if (panes.empty()) return content;
  const std::vector<PaneStyle> styles = paneStyles(panes);
  for (const PaneResult& pane : panes) {
    if (pane.pane == active) addTypical(content, *pane.inspection);
  }
  const double width = kColumn / static_cast<double>(panes.size());
  for (std::size_t i = 0; i < panes.size(); ++i) {
    PlotSeries bars = merges(*panes[i].inspection, styles[i].prefix);
    assign(bars, panes[i], styles[i], panes.size(), false);
    bars.bar_width = width;
    bars.bar_offset =
        (static_cast<double>(i) - (static_cast<double>(panes.size()) - 1) / 2) * width;
    content.series.push_back(std::move(bars));
  }
  for (std::size_t i = 0; i < panes.size(); ++i) {
    PlotSeries line = tokensLeft(*panes[i].inspection, styles[i].prefix);
    assign(line, panes[i], styles[i], panes.size(), true);
    content.series.push_back(std::move(line));
  }
  for (std::size_t i = 0; i < panes.size() && selected_patch; ++i) {
    PlotSeries group = selectedGroup(*panes[i].inspection, *selected_patch, styles[i].prefix);
    if (group.points.empty()) continue;
    assign(group, panes[i], styles[i], panes.size(), false);
    // Sizes of several panes' groups would be written over each other.
    if (panes[i].pane != active) {
      for (PlotPoint& point : group.points) point.label.clear();
    }
    content.series.push_back(std::move(group));
  }
  content.highlight = PlotRange{block + 0.5, block + 1.5};
  setAxes(content, panes.front().inspection->depth());
  return content;
}

TokensPlot::TokensPlot(QWidget* parent)
    : PlotPanel(QStringLiteral("tokens"), tr("Tokens per block"), parent) {
  connect(this, &PlotPanel::pointChosen, this,
          [this](const PlotPoint& point) { emit blockChosen(point.key); });
  setResults({}, 0, 0, std::nullopt);
}

void TokensPlot::setResults(const std::vector<PaneResult>& panes, int active, int block,
                            std::optional<int> selected_patch) {
  setContent(tokensContent(panes, active, block, selected_patch));
}

}  // namespace adamerge::ui
