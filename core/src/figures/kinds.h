// SPDX-License-Identifier: GPL-3.0-or-later
// The kinds of figure. Each knows its height for a scene and draws itself at that height.
#pragma once

#include <vector>

#include "figures/canvas.h"
#include "figures/scene.h"

namespace adamerge {

struct FigureDrawing {
  FigureTraits traits;
  double (*height)(const Scene& scene) = nullptr;
  void (*draw)(Canvas& canvas, const Scene& scene) = nullptr;
};

FigureDrawing salienceFigure();
FigureDrawing groupsFigure();
FigureDrawing survivorsFigure();
FigureDrawing layersFigure();
FigureDrawing overviewFigure();

inline constexpr double kColumnMm = 86;
inline constexpr double kPageMm = 178;

/// Two panels side by side, the input on the left, under the heading.
struct PanelPair {
  Box input;
  Box result;
  double caption_y = 0;  ///< below the panels
};
PanelPair panelPair(const Scene& scene);
/// The heading, the input and its caption.
void drawPairInput(Canvas& canvas, const Scene& scene, const PanelPair& pair);

}  // namespace adamerge
