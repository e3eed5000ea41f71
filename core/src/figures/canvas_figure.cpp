// SPDX-License-Identifier: GPL-3.0-or-later
// The whole picture with the overlay of one block, as the studio's canvas shows it.
#include "figures/kinds.h"
#include "figures/legends.h"
#include "figures/panels.h"

namespace adamerge {
namespace {

double proportionOf(const Scene& scene) {
  const Box region = overlaidRegion(*scene.input.original, scene.input.image.crop);
  return region.height / region.width;
}

Box pictureSlot(const Scene& scene) {
  return {kMargin, kMargin + headingHeight(scene, blockNote(scene)), scene.contentWidth(),
          panelHeight(proportionOf(scene), scene.contentWidth())};
}

Box legendBox(const Scene& scene) {
  const double caption = legendCaption(scene).empty() ? 0 : kCaptionSpace + kLineHeight;
  const double height = legendHeight(scene, scene.contentWidth());
  return {kMargin, pictureSlot(scene).bottom() + caption + (height > 0 ? kCaptionSpace : 0),
          scene.contentWidth(), height};
}

double canvasHeight(const Scene& scene) { return legendBox(scene).bottom() + kMargin; }

void drawPicture(Canvas& canvas, const Scene& scene, const Box& box) {
  drawOverlaid(canvas, scene, scene.layer, *scene.input.original, scene.input.image, box);
}

void drawCanvasFigure(Canvas& canvas, const Scene& scene) {
  drawHeading(canvas, scene, blockNote(scene));
  const Box slot = pictureSlot(scene);
  drawPicture(canvas, scene, panelBox(proportionOf(scene), slot));
  canvas.text(legendCaption(scene),
              {slot.x, slot.bottom() + kCaptionSpace, slot.width, kLineHeight},
              scene.textStyle(Align::kCentre));
  drawLegend(canvas, scene, legendBox(scene));
}

}  // namespace

FigureDrawing canvasFigure() {
  return {{{"canvas", "The whole picture with the chosen overlay of a block.", true},
           kColumnMm,
           {.picture = true, .original = true},
           std::nullopt},
          canvasHeight,
          drawCanvasFigure,
          PictureDrawing{proportionOf, drawPicture}};
}

}  // namespace adamerge
