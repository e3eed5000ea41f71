// SPDX-License-Identifier: GPL-3.0-or-later
// Figures of one block: the input beside what became of it, and the whole picture with its overlay.
#include <algorithm>

#include "figures/panels.h"
#include "figures/scene.h"

namespace adamerge {
namespace {

double slotWidth(const Scene& scene) { return (scene.contentWidth() - kGap) / 2; }

/// Under the result.
std::vector<std::string> captionOf(const Scene& scene) {
  return wrapped(legendCaption(scene), slotWidth(scene), scene.textStyle(), " ");
}

/// Under the result where it fits there as well, else under both panels.
Box pairLegendBox(const Scene& scene) {
  const auto lines = static_cast<double>(std::max<std::size_t>(1, captionOf(scene).size()));
  const double top = panelPair(scene).caption_y + 2 * kCaptionSpace + lines * kLineHeight;
  const double slot = legendHeight(scene, slotWidth(scene));
  const double full = legendHeight(scene, scene.contentWidth());
  if (full < slot || leastLegendWidth(scene) > slotWidth(scene))
    return {kMargin, top, scene.contentWidth(), full};
  return {kMargin + slotWidth(scene) + kGap, top, slotWidth(scene), slot};
}

Box mapLegendBox(const Scene& scene) {
  const double top = panelPair(scene).caption_y + 2 * kCaptionSpace + 2 * kLineHeight;
  return {kMargin, top, scene.contentWidth(), legendHeight(scene, scene.contentWidth())};
}

double pairHeight(const Scene& scene) { return pairLegendBox(scene).bottom() + kMargin; }

void drawPair(Canvas& canvas, const Scene& scene, const PictureDrawing& picture) {
  const PanelPair pair = panelPair(scene);
  drawHeading(canvas, scene, blockNote(scene));
  drawInput(canvas, scene, pair.input);
  picture.draw(canvas, scene, pair.result);
  Box caption{kMargin, pair.caption_y + kCaptionSpace, slotWidth(scene), kLineHeight};
  canvas.text("input", caption, scene.textStyle(Align::kCentre));
  caption.x += slotWidth(scene) + kGap;
  for (const std::string& line : captionOf(scene)) {
    canvas.text(line, caption, scene.textStyle(Align::kCentre));
    caption.y += kLineHeight;
  }
  drawLegend(canvas, scene, pairLegendBox(scene));
}

FigureDrawing pairFigure(FigureKind kind, OverlayKind content, const PictureDrawing& picture) {
  return {{std::move(kind), kColumnMm, {.picture = true}, content},
          pairHeight,
          [picture](Canvas& canvas, const Scene& scene) { drawPair(canvas, scene, picture); },
          picture};
}

/// The unmerged class map beside the merged one, in place of the input.
void drawMapPair(Canvas& canvas, const Scene& scene) {
  const PanelPair pair = panelPair(scene);
  drawHeading(canvas, scene, blockNote(scene));
  drawLens(canvas, scene, scene.input.lens->unmerged, pair.input);
  drawLens(canvas, scene, lensMapOf(scene), pair.result);
  Box caption{kMargin, pair.caption_y + kCaptionSpace, slotWidth(scene), kLineHeight};
  canvas.text("unmerged", caption, scene.textStyle(Align::kCentre));
  caption.x += slotWidth(scene) + kGap;
  canvas.text("merged", caption, scene.textStyle(Align::kCentre));
  caption = {kMargin, caption.bottom(), scene.contentWidth(), kLineHeight};
  canvas.text(legendCaption(scene), caption, scene.mutedStyle(Align::kCentre));
  drawLegend(canvas, scene, mapLegendBox(scene));
}

void drawSaliencePicture(Canvas& canvas, const Scene& scene, const Box& box) {
  drawHeat(canvas, scene, scene.trace().salience, box);
}

void drawLensPicture(Canvas& canvas, const Scene& scene, const Box& box) {
  drawLens(canvas, scene, lensMapOf(scene), box);
}

FigureDrawing lensFigure(FigureKind kind, OverlayKind content) {
  return pairFigure(std::move(kind), content, {viewProportion, drawLensPicture});
}

void drawGroupsPicture(Canvas& canvas, const Scene& scene, const Box& box) {
  drawGroups(canvas, scene, scene.layer, box);
}

void drawSurvivorsPicture(Canvas& canvas, const Scene& scene, const Box& box) {
  drawFates(canvas, scene, fatesOf(scene), box);
}

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

PanelPair panelPair(const Scene& scene) {
  const double width = slotWidth(scene);
  const double proportion = viewProportion(scene);
  const double height = panelHeight(proportion, width);
  const double top = kMargin + headingHeight(scene, blockNote(scene));
  return {panelBox(proportion, {kMargin, top, width, height}),
          panelBox(proportion, {kMargin + width + kGap, top, width, height}), top + height};
}

FigureDrawing salienceFigure() {
  return pairFigure({"salience", "How salient each patch's token is on entry to a block.", true},
                    OverlayKind::kSalience, {viewProportion, drawSaliencePicture});
}

FigureDrawing attentionFigure() {
  return lensFigure({"attention", "Where a token looks in a block, or who looks at it.", true},
                    OverlayKind::kAttention);
}

FigureDrawing rolloutFigure() {
  return lensFigure({"rollout", "What the result is made of: attention through all blocks.", false},
                    OverlayKind::kRollout);
}

FigureDrawing componentsFigure() {
  return lensFigure(
      {"components", "The first three principal components of a block's features as colours.",
       true},
      OverlayKind::kComponents);
}

FigureDrawing similarityFigure() {
  return lensFigure({"similarity", "How alike each patch's features are to one patch's.", true},
                    OverlayKind::kSimilarity);
}

FigureDrawing normFigure() {
  return lensFigure({"norm", "How long each patch's features are; outliers stand out.", true},
                    OverlayKind::kNorm);
}

FigureDrawing changeFigure() {
  return lensFigure({"change", "How far merging moved each patch's features.", true},
                    OverlayKind::kChange);
}

FigureDrawing mapFigure() {
  return {{{"map",
            "The dense head's classes, unmerged and merged, with the patches that merging changed.",
            false},
           kColumnMm,
           {.picture = true},
           OverlayKind::kClasses},
          [](const Scene& scene) { return mapLegendBox(scene).bottom() + kMargin; },
          drawMapPair,
          {}};
}

FigureDrawing groupsFigure() {
  return pairFigure(
      {"groups", "Patches that are one token after a block, in their mean colour.", true},
      OverlayKind::kGroups, {viewProportion, drawGroupsPicture});
}

FigureDrawing survivorsFigure() {
  return pairFigure(
      {"survivors", "Which patches' tokens survive up to a block and which were merged.", true},
      OverlayKind::kSurvivors, {viewProportion, drawSurvivorsPicture});
}

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
