// SPDX-License-Identifier: GPL-3.0-or-later
// Every block's overlay as a small picture, as the studio's block strip shows them.
#include <fmt/format.h>

#include "figures/kinds.h"
#include "figures/legends.h"
#include "figures/panel_grid.h"
#include "figures/panels.h"

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

}  // namespace adamerge
