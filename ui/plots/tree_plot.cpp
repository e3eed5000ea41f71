// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/tree_plot.h"

#include <array>
#include <numeric>

#include "adamerge/methods.h"

namespace adamerge::ui {
namespace {

/// Of tokens on entry to a block, the first patch of each: ATC keeps tokens in that order.
std::vector<int> firstPatches(const Inspection& inspection, int block) {
  std::vector<int> patches;
  const auto count = static_cast<std::size_t>(inspection.gridHeight() * inspection.gridWidth());
  if (block == 0) {
    patches.resize(count);
    std::iota(patches.begin(), patches.end(), 0);
    return patches;
  }
  const auto& groups = inspection.result.layers[static_cast<std::size_t>(block) - 1].groups;
  for (std::size_t patch = 0; patch < groups.size(); ++patch) {
    if (groups[patch] == static_cast<int>(patches.size())) {
      patches.push_back(static_cast<int>(patch));
    }
  }
  return patches;
}

/// A leaf or a join, where it is drawn.
struct Node {
  double x = 0;
  double y = 0;
  int first = -1;  ///< what joined; -1: a leaf
  int second = -1;
  int tokens = 1;
};

/// Leaves, then joins; leaves stand side by side in the order in which the tree has them.
std::vector<Node> laidOut(std::size_t leaves, const std::vector<ClusterJoin>& joins) {
  std::vector<Node> nodes(leaves);
  // The node that a cluster, named by its lowest token, is now.
  std::vector<int> top(leaves);
  std::iota(top.begin(), top.end(), 0);
  std::vector<bool> inside(leaves + joins.size(), false);
  for (const ClusterJoin& join : joins) {
    int& first = top[static_cast<std::size_t>(join.first)];
    const int second = top[static_cast<std::size_t>(join.second)];
    Node node;
    node.y = join.distance;
    node.first = first;
    node.second = second;
    node.tokens = nodes[static_cast<std::size_t>(first)].tokens +
                  nodes[static_cast<std::size_t>(second)].tokens;
    inside[static_cast<std::size_t>(first)] = inside[static_cast<std::size_t>(second)] = true;
    first = static_cast<int>(nodes.size());
    nodes.push_back(node);
  }
  double next = 1;
  for (std::size_t root = 0; root < nodes.size(); ++root) {
    if (inside[root]) continue;
    std::vector<int> stack{static_cast<int>(root)};
    while (!stack.empty()) {
      Node& node = nodes[static_cast<std::size_t>(stack.back())];
      stack.pop_back();
      if (node.first < 0) {
        node.x = next++;
      } else {
        stack.push_back(node.second);
        stack.push_back(node.first);
      }
    }
  }
  for (std::size_t i = leaves; i < nodes.size(); ++i) {
    nodes[i].x = (nodes[static_cast<std::size_t>(nodes[i].first)].x +
                  nodes[static_cast<std::size_t>(nodes[i].second)].x) /
                 2;
  }
  return nodes;
}

QString placeOf(const Inspection& inspection, int patch) {
  return QObject::tr("row %1, column %2")
      .arg(patch / inspection.gridWidth() + 1)
      .arg(patch % inspection.gridWidth() + 1);
}

PlotSeries treeSeries(const Inspection& inspection, bool joined) {
  PlotSeries series;
  series.id = joined ? QStringLiteral("joined") : QStringLiteral("apart");
  series.name = joined ? QObject::tr("Joined in this block") : QObject::tr("Would join next");
  series.legend = series.name;
  series.quantity = QObject::tr("distance");
  series.kind = SeriesKind::kBrackets;
  if (joined) series.color = methodColor(inspection.choice.method);
  series.faint = !joined;
  return series;
}

}  // namespace

PlotContent treeContent(const InspectionPtr& inspection, int block, std::optional<int> selected) {
  PlotContent content;
  content.by_column = false;
  content.empty_text = QObject::tr(
      "Only ATC joins tokens along a tree. Choose it as the method to see which "
      "clusters join in each block.");
  if (inspection == nullptr || block >= inspection->depth()) return content;
  const LayerTrace& layer = inspection->result.layers[static_cast<std::size_t>(block)];
  const std::vector<ClusterJoin>& joins = layer.details.joins;
  if (joins.empty()) {
    if (inspection->choice.method == "atc") {
      content.empty_text = QObject::tr("Nothing joins in block %1.").arg(block + 1);
    }
    return content;
  }
  const std::vector<int> patches = firstPatches(*inspection, block);
  const std::vector<Node> nodes = laidOut(patches.size(), joins);
  const auto joined = static_cast<std::size_t>(layer.merged);
  std::array<PlotSeries, 2> series{treeSeries(*inspection, true), treeSeries(*inspection, false)};
  for (std::size_t i = 0; i < joins.size(); ++i) {
    const Node& node = nodes[patches.size() + i];
    const Node& first = nodes[static_cast<std::size_t>(node.first)];
    const Node& second = nodes[static_cast<std::size_t>(node.second)];
    PlotPoint point;
    point.x = node.x;
    point.y = node.y;
    point.bracket = PlotBracket{first.x, first.y, second.x, second.y};
    point.key = patches[static_cast<std::size_t>(joins[i].first)];
    point.title = QObject::tr("Join %1 of %2").arg(i + 1).arg(joins.size());
    point.text = QObject::tr("%1 at distance %2: %3 tokens\nthe first at %4, of the other at %5")
                     .arg(i < joined ? QObject::tr("joined") : QObject::tr("not joined"))
                     .arg(node.y, 0, 'f', 4)
                     .arg(node.tokens)
                     .arg(placeOf(*inspection, point.key),
                          placeOf(*inspection, patches[static_cast<std::size_t>(joins[i].second)]));
    series[i < joined ? 0 : 1].points.push_back(std::move(point));
  }
  // The rest lies behind.
  for (const std::size_t i : {1, 0}) {
    if (!series[i].points.empty()) content.series.push_back(std::move(series[i]));
  }
  content.x = {QObject::tr("Tokens on entry to block %1, in the tree's order").arg(block + 1), 0.0,
               static_cast<double>(patches.size()) + 1, true};
  content.y = {QObject::tr("Distance, 1 − cosine"), 0.0, std::nullopt, false};
  if (selected) {
    const auto& before = inspection->result.layers;
    const int token = block == 0 ? *selected
                                 : before[static_cast<std::size_t>(block) - 1]
                                       .groups[static_cast<std::size_t>(*selected)];
    content.guides.push_back({nodes[static_cast<std::size_t>(token)].x, {}, 0, {}});
  }
  return content;
}

TreePlot::TreePlot(QWidget* parent)
    : PlotPanel(QStringLiteral("tree"), tr("ATC's tree of a block"), parent) {
  connect(this, &PlotPanel::pointChosen, this,
          [this](const PlotPoint& point) { emit patchChosen(point.key); });
  connect(this, &PlotPanel::pointedAt, this, &TreePlot::patchPointed);
  setResult(nullptr, 0, std::nullopt);
}

void TreePlot::setResult(const InspectionPtr& inspection, int block, std::optional<int> selected) {
  setContent(treeContent(inspection, block, selected));
}

}  // namespace adamerge::ui
