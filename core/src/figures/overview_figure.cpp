// SPDX-License-Identifier: GPL-3.0-or-later
// The input, what the method saw at several depths, and the final groups, as a paper shows them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "figures/kinds.h"
#include "figures/panels.h"

namespace adamerge {
namespace {

constexpr std::size_t kDepths = 3;
/// Narrower panels would cut their captions short.
constexpr double kLeastPanel = 74;
constexpr double kCaptionSpace = 2;
constexpr double kCaptionHeight = 2 * kLineHeight;
constexpr double kRowSpace = 5;
constexpr double kBarWidth = 60;
constexpr double kBarHeight = 5;
constexpr double kBarSpace = 3;
constexpr double kLegendSpace = 4;

struct Panel {
  enum class Content { kInput, kSalience, kGroups };
  Content content = Content::kInput;
  std::size_t layer = 0;
};

/// `count` of `layers`, evenly spread from the first to the last.
std::vector<std::size_t> spread(const std::vector<std::size_t>& layers, std::size_t count) {
  if (layers.size() <= count) return layers;
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    const double place =
        static_cast<double>(i * (layers.size() - 1)) / static_cast<double>(count - 1);
    chosen.push_back(layers[static_cast<std::size_t>(std::lround(place))]);
  }
  return chosen;
}

/// Depths before the last block, which the final groups show: at a quarter, a half, ...
std::vector<std::size_t> depthsBeforeEnd(std::size_t layers) {
  std::vector<std::size_t> depths;
  for (std::size_t i = 1; i <= kDepths; ++i) {
    const std::size_t after = i * layers / (kDepths + 1);
    if (after >= 1 && (depths.empty() || depths.back() != after - 1)) depths.push_back(after - 1);
  }
  return depths;
}

std::vector<std::size_t> layersWithSalience(const Scene& scene) {
  const auto& layers = scene.input.result.layers;
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].salience.empty()) found.push_back(i);
  }
  return found;
}

std::vector<Panel> panelsOf(const Scene& scene) {
  const std::size_t layers = scene.input.result.layers.size();
  std::vector<Panel> panels{{Panel::Content::kInput, 0}};
  const std::vector<std::size_t> salient = layersWithSalience(scene);
  for (const std::size_t layer : spread(salient, kDepths)) {
    panels.push_back({Panel::Content::kSalience, layer});
  }
  if (salient.empty()) {
    for (const std::size_t layer : depthsBeforeEnd(layers)) {
      panels.push_back({Panel::Content::kGroups, layer});
    }
  }
  panels.push_back({Panel::Content::kGroups, layers - 1});
  return panels;
}

struct Layout {
  std::size_t columns = 1;
  std::size_t rows = 1;
  double panel_width = 0;
  double panel_height = 0;
  double top = 0;

  double rowHeight() const { return panel_height + kCaptionSpace + kCaptionHeight; }
  double bottom() const {
    return top + static_cast<double>(rows) * (rowHeight() + kRowSpace) - kRowSpace;
  }
  Box slot(std::size_t index) const {
    return {kMargin + static_cast<double>(index % columns) * (panel_width + kGap),
            top + static_cast<double>(index / columns) * (rowHeight() + kRowSpace), panel_width,
            panel_height};
  }
};

Layout layoutOf(const Scene& scene, std::size_t panels) {
  Layout layout;
  const auto fitting =
      static_cast<std::size_t>((scene.contentWidth() + kGap) / (kLeastPanel + kGap));
  layout.columns = std::clamp<std::size_t>(fitting, 1, panels);
  layout.rows = (panels + layout.columns - 1) / layout.columns;
  const auto columns = static_cast<double>(layout.columns);
  layout.panel_width = (scene.contentWidth() - (columns - 1) * kGap) / columns;
  layout.panel_height = panelHeight(scene, layout.panel_width);
  layout.top = kMargin + headingHeight(scene, runNote(scene));
  return layout;
}

bool showsSalience(const Scene& scene) { return !layersWithSalience(scene).empty(); }

void drawPanel(Canvas& canvas, const Scene& scene, const Panel& panel, const Box& slot) {
  const LayerTrace& trace = scene.input.result.layers[panel.layer];
  const Box box = panelBox(scene, slot);
  std::string name;
  std::string detail;
  switch (panel.content) {
    case Panel::Content::kInput:
      drawInput(canvas, scene, box);
      name = "input";
      detail = fmt::format("{} × {} patches", scene.grid.height, scene.grid.width);
      break;
    case Panel::Content::kSalience:
      drawHeat(canvas, scene, scaleSalience(trace.salience, scene.style.overlay.scale), box);
      name = fmt::format("salience, block {}", panel.layer + 1);
      detail = fmt::format("{} tokens", trace.tokens_in);
      break;
    case Panel::Content::kGroups:
      drawGroups(canvas, scene, trace.groups, box);
      name = fmt::format("groups, block {}", panel.layer + 1);
      detail = fmt::format("{} tokens", trace.tokens_out);
      break;
  }
  const Box caption{slot.x, slot.bottom() + kCaptionSpace, slot.width, kLineHeight};
  canvas.text(name, caption, scene.textStyle(Align::kCentre));
  canvas.text(detail, {caption.x, caption.bottom(), caption.width, kLineHeight},
              scene.mutedStyle(Align::kCentre));
}

/// One bar for all depths: each map is scaled on its own, so numbers would differ from map to map.
/// Its explanation stands beside it, or above it where the figure is narrow.
struct Legend {
  std::string text;
  double text_width = 0;
  double bar_width = 0;  ///< with "low" and "high"
  bool stacked = false;

  double height() const { return (stacked ? 2 : 1) * kLineHeight; }
};

Legend legendOf(const Scene& scene) {
  Legend legend;
  legend.text =
      fmt::format("salience, {} scale within each block", scaleName(scene.style.overlay.scale));
  const TextStyle muted = scene.mutedStyle();
  legend.text_width = textWidth(legend.text, muted) + 1;
  legend.bar_width = textWidth("low", muted) + textWidth("high", muted) + kBarWidth + 2 * kBarSpace;
  legend.stacked = legend.text_width + kGap + legend.bar_width > scene.contentWidth();
  return legend;
}

void drawLegend(Canvas& canvas, const Scene& scene, double top) {
  const Legend legend = legendOf(scene);
  const TextStyle muted = scene.mutedStyle();
  double x = (scene.width - legend.bar_width) / 2;
  if (legend.stacked) {
    canvas.text(legend.text, {kMargin, top, scene.contentWidth(), kLineHeight},
                scene.mutedStyle(Align::kCentre));
    top += kLineHeight;
  } else {
    x -= (legend.text_width + kGap) / 2;
    canvas.text(legend.text, {x, top, legend.text_width, kLineHeight}, muted);
    x += legend.text_width + kGap;
  }
  const Box line{x, top, legend.bar_width, kLineHeight};
  canvas.text("low", line, muted);
  canvas.text("high", line, scene.mutedStyle(Align::kRight));
  drawColorBar(canvas, scene,
               {x + textWidth("low", muted) + kBarSpace, top + (kLineHeight - kBarHeight) / 2,
                kBarWidth, kBarHeight});
}

double overviewHeight(const Scene& scene) {
  const double legend = showsSalience(scene) ? kLegendSpace + legendOf(scene).height() : 0;
  return layoutOf(scene, panelsOf(scene).size()).bottom() + legend + kMargin;
}

void drawOverviewFigure(Canvas& canvas, const Scene& scene) {
  const std::vector<Panel> panels = panelsOf(scene);
  const Layout layout = layoutOf(scene, panels.size());
  drawHeading(canvas, scene, runNote(scene));
  for (std::size_t i = 0; i < panels.size(); ++i) {
    drawPanel(canvas, scene, panels[i], layout.slot(i));
  }
  if (showsSalience(scene)) drawLegend(canvas, scene, layout.bottom() + kLegendSpace);
}

}  // namespace

FigureDrawing overviewFigure() {
  return {{{"overview", "The input, salience or groups at several depths, and the final groups.",
            false},
           kPageMm,
           true},
          overviewHeight,
          drawOverviewFigure};
}

}  // namespace adamerge
