// SPDX-License-Identifier: GPL-3.0-or-later
// Figures of many panels: the strip of every block's overlay, as the studio shows it; the overview
// of a paper, with the input, what the method saw at several depths and the final groups; and the
// attention of one token in every head of a block, in one range.
#include <fmt/format.h>

#include <cmath>
#include <string>

#include "figures/panels.h"
#include "figures/salience_scale.h"
#include "figures/scene.h"

namespace adamerge {
namespace {

/// Narrower panels would cut their captions short.
constexpr double kLeastStripPanel = 50;
constexpr double kStripLegendSpace = 4;

PanelGrid gridOf(const Scene& scene) {
  return {scene,
          scene.input.result.layers.size(),
          kLeastStripPanel,
          viewProportion(scene),
          kMargin + headingHeight(scene, runNote(scene)),
          kCaptionHeight};
}

double stripHeight(const Scene& scene) {
  const double legend = sharedLegendHeight(scene, scene.content);
  return gridOf(scene).bottom() + (legend > 0 ? kStripLegendSpace + legend : 0) + kMargin;
}

void drawStripFigure(Canvas& canvas, const Scene& scene) {
  drawHeading(canvas, scene, runNote(scene));
  const PanelGrid grid = gridOf(scene);
  const Image& view = scene.input.image.view;
  const PreparedImage seen{
      view, {0, 0, static_cast<double>(view.width), static_cast<double>(view.height)}, {}};
  const auto& layers = scene.input.result.layers;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const Box slot = grid.slot(layer);
    drawOverlaid(canvas, scene, layer, view, seen, panelBox(viewProportion(scene), slot));
    drawCaption(canvas, scene, slot, fmt::format("block {}", layer + 1),
                fmt::format("{} tokens", layers[layer].tokens_out));
  }
  drawSharedLegend(canvas, scene, scene.content, grid.bottom() + kStripLegendSpace);
}

constexpr std::size_t kDepths = 3;
/// Narrower panels would cut their captions short.
constexpr double kLeastPanel = 74;
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

PanelGrid gridOf(const Scene& scene, std::size_t panels) {
  return {scene,
          panels,
          kLeastPanel,
          viewProportion(scene),
          kMargin + headingHeight(scene, runNote(scene)),
          kCaptionHeight};
}

bool showsSalience(const Scene& scene) { return !layersWithSalience(scene).empty(); }

void drawPanel(Canvas& canvas, const Scene& scene, const Panel& panel, const Box& slot) {
  const LayerTrace& trace = scene.input.result.layers[panel.layer];
  const Box box = panelBox(viewProportion(scene), slot);
  std::string name;
  std::string detail;
  switch (panel.content) {
    case Panel::Content::kInput:
      drawInput(canvas, scene, box);
      name = "input";
      detail = fmt::format("{} × {} patches", scene.grid.height, scene.grid.width);
      break;
    case Panel::Content::kSalience:
      drawHeat(canvas, scene, trace.salience, box);
      name = fmt::format("salience, block {}", panel.layer + 1);
      detail = fmt::format("{} tokens", trace.tokens_in);
      break;
    case Panel::Content::kGroups:
      drawGroups(canvas, scene, static_cast<std::size_t>(panel.layer), box);
      name = fmt::format("groups, block {}", panel.layer + 1);
      detail = fmt::format("{} tokens", trace.tokens_out);
      break;
  }
  drawCaption(canvas, scene, slot, name, detail);
}

double overviewHeight(const Scene& scene) {
  const double legend =
      showsSalience(scene) ? kLegendSpace + sharedLegendHeight(scene, OverlayKind::kSalience) : 0;
  return gridOf(scene, panelsOf(scene).size()).bottom() + legend + kMargin;
}

void drawOverviewFigure(Canvas& canvas, const Scene& scene) {
  const std::vector<Panel> panels = panelsOf(scene);
  const PanelGrid grid = gridOf(scene, panels.size());
  drawHeading(canvas, scene, runNote(scene));
  for (std::size_t i = 0; i < panels.size(); ++i) {
    drawPanel(canvas, scene, panels[i], grid.slot(i));
  }
  if (showsSalience(scene)) {
    drawSharedLegend(canvas, scene, OverlayKind::kSalience, grid.bottom() + kLegendSpace);
  }
}

constexpr double kLeastHeadPanel = 60;
constexpr double kHeadsLegendSpace = 4;

std::string subjectOf(const Scene& scene) {
  const std::string& subject = scene.input.lens->heads_subject;
  return subject.empty() ? "attention of every head" : subject;
}

PanelGrid headGrid(const Scene& scene) {
  return {scene,
          scene.input.lens->heads.size(),
          kLeastHeadPanel,
          viewProportion(scene),
          kMargin + headingHeight(scene, blockNote(scene)) + kLineHeight,
          kCaptionHeight};
}

std::vector<float> valuesOfAll(const Scene& scene) {
  std::vector<float> values;
  for (const LensMap& map : scene.input.lens->heads) {
    values.insert(values.end(), map.values.begin(), map.values.end());
  }
  return values;
}

double headsHeight(const Scene& scene) {
  return headGrid(scene).bottom() + kHeadsLegendSpace + rangeLegendHeight() + kMargin;
}

void drawHeadsFigure(Canvas& canvas, const Scene& scene) {
  const PanelGrid grid = headGrid(scene);
  const LensPictures& lens = *scene.input.lens;
  const std::vector<float> values = valuesOfAll(scene);
  const SalienceScale scale = scene.style.overlay.scale;
  std::optional<ValueRange> range;  // ranks have none
  if (scale != SalienceScale::kRank) range = rangeOf(values, scale);
  drawHeading(canvas, scene, blockNote(scene));
  canvas.text(subjectOf(scene),
              {kMargin, kMargin + headingHeight(scene, blockNote(scene)) - kCaptionSpace,
               scene.contentWidth(), kLineHeight},
              scene.textStyle());
  for (std::size_t head = 0; head < lens.heads.size(); ++head) {
    const Box slot = grid.slot(head);
    drawLens(canvas, scene, lens.heads[head], panelBox(viewProportion(scene), slot), range);
    drawCaption(canvas, scene, slot, fmt::format("head {}", head),
                fmt::format("entropy {:.2f}", lens.entropy[head]));
  }
  drawRangeLegend(
      canvas, scene, values, range,
      {kMargin, grid.bottom() + kHeadsLegendSpace, scene.contentWidth(), rangeLegendHeight()});
}

}  // namespace

FigureDrawing stripFigure() {
  return {{{"strip", "The chosen overlay of every block, as small pictures."},
           kPageMm,
           {.picture = true},
           std::nullopt},
          stripHeight,
          drawStripFigure,
          {}};
}

FigureDrawing overviewFigure() {
  return {{{"overview", "The input, salience or groups at several depths, and the final groups."},
           kPageMm,
           {.picture = true}},
          overviewHeight,
          drawOverviewFigure,
          {}};
}

FigureDrawing headsFigure() {
  return {{{"heads",
            "The attention of one token in every head of a block, with each one's entropy.", true},
           kPageMm,
           {.picture = true, .heads = true},
           OverlayKind::kAttention},
          headsHeight,
          drawHeadsFigure,
          {}};
}

}  // namespace adamerge
