// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "adamerge/error.h"
#include "figures/kinds.h"
#include "figures/scene.h"

namespace adamerge {
namespace {

const std::array<FigureDrawing, 5>& drawings() {
  static const std::array<FigureDrawing, 5> all{salienceFigure(), groupsFigure(), survivorsFigure(),
                                                layersFigure(), overviewFigure()};
  return all;
}

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

}  // namespace

const std::vector<FigureKind>& figureKinds() {
  static const std::vector<FigureKind> kinds = [] {
    std::vector<FigureKind> list;
    for (const FigureDrawing& drawing : drawings()) list.push_back(drawing.traits.kind);
    return list;
  }();
  return kinds;
}

FigureSize figureSize(std::string_view kind, const FigureInput& input, const FigureStyle& style) {
  const FigureDrawing& drawing = findDrawing(kind);
  const Scene scene = makeScene(drawing.traits, input, style);
  const double mm = scene.scale / kPointsPerInch * kMmPerInch;
  return {scene.width * mm, drawing.height(scene) * mm};
}

void drawFigure(std::string_view kind, const FigureInput& input, const FigureStyle& style,
                cairo_t* context) {
  const FigureDrawing& drawing = findDrawing(kind);
  const Scene scene = makeScene(drawing.traits, input, style);
  Canvas canvas(context);
  canvas.scale(scene.scale);
  if (style.background != Background::kTransparent) {
    canvas.fill({0, 0, scene.width, drawing.height(scene)}, scene.theme.background);
  }
  drawing.draw(canvas, scene);
}

}  // namespace adamerge
