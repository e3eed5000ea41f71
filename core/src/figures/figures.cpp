// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "adamerge/error.h"
#include "figures/kinds.h"
#include "figures/page.h"
#include "figures/scene.h"

namespace adamerge {
namespace {

const std::array<FigureDrawing, 15>& drawings() {
  static const std::array<FigureDrawing, 15> all{
      salienceFigure(),   attentionFigure(), headsFigure(),  rolloutFigure(),  componentsFigure(),
      similarityFigure(), normFigure(),      changeFigure(), groupsFigure(),   survivorsFigure(),
      canvasFigure(),     stripFigure(),     layersFigure(), overviewFigure(), mapFigure()};
  return all;
}

}  // namespace

const FigureDrawing& findDrawing(std::string_view id) {
  const auto found = std::find_if(drawings().begin(), drawings().end(),
                                  [&](const FigureDrawing& d) { return d.traits.kind.id == id; });
  if (found != drawings().end()) return *found;
  std::string known;
  for (const FigureDrawing& drawing : drawings()) {
    if (!known.empty()) known += ", ";
    known += drawing.traits.kind.id;
  }
  throw Error(fmt::format("there is no figure \"{}\"; known are {}", id, known));
}

const std::vector<FigureKind>& figureKinds() {
  static const std::vector<FigureKind> kinds = [] {
    std::vector<FigureKind> list;
    for (const FigureDrawing& drawing : drawings()) list.push_back(drawing.traits.kind);
    return list;
  }();
  return kinds;
}

std::optional<OverlayKind> figureContent(std::string_view kind) {
  return findDrawing(kind).traits.content;
}

FigureSize figureSize(std::string_view kind, const FigureInput& input, const FigureStyle& style) {
  const FigureDrawing& drawing = findDrawing(kind);
  const Scene scene = makeScene(drawing.traits, input, style);
  return sizeOnPaper(scene, drawing.height(scene));
}

void drawFigure(std::string_view kind, const FigureInput& input, const FigureStyle& style,
                cairo_t* context) {
  const FigureDrawing& drawing = findDrawing(kind);
  const Scene scene = makeScene(drawing.traits, input, style);
  Canvas canvas(context);
  beginPage(canvas, scene, drawing.height(scene));
  drawing.draw(canvas, scene);
}

void writeFigure(std::string_view kind, const FigureInput& input, const FigureStyle& style,
                 FigureFormat format, const std::filesystem::path& path) {
  const FigureSize size = figureSize(kind, input, style);
  writePage({[&](cairo_t* context) { drawFigure(kind, input, style, context); }, style, size,
             input.title, input.provenance},
            format, path);
}

}  // namespace adamerge
