// SPDX-License-Identifier: GPL-3.0-or-later
// The attention of one token in every head of a block, each with its entropy, in one range.
#include <fmt/format.h>

#include "figures/kinds.h"
#include "figures/legends.h"
#include "figures/panel_grid.h"
#include "figures/panels.h"
#include "figures/salience_scale.h"

namespace adamerge {
namespace {

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
