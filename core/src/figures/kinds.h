// SPDX-License-Identifier: GPL-3.0-or-later
// The kinds of figure. Each knows its height for a scene and draws itself at that height.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "figures/canvas.h"
#include "figures/scene.h"

namespace adamerge {

/// One picture of one block: what single figures and comparisons of a kind share.
struct PictureDrawing {
  /// Height in widths.
  double (*proportion)(const Scene& scene) = nullptr;
  void (*draw)(Canvas& canvas, const Scene& scene, const Box& box) = nullptr;
};

struct FigureDrawing {
  FigureTraits traits;
  std::function<double(const Scene& scene)> height;
  std::function<void(Canvas& canvas, const Scene& scene)> draw;
  std::optional<PictureDrawing> picture;
};

FigureDrawing salienceFigure();
FigureDrawing attentionFigure();
FigureDrawing headsFigure();
FigureDrawing rolloutFigure();
FigureDrawing componentsFigure();
FigureDrawing similarityFigure();
FigureDrawing normFigure();
FigureDrawing changeFigure();
FigureDrawing groupsFigure();
FigureDrawing survivorsFigure();
FigureDrawing canvasFigure();
FigureDrawing stripFigure();
FigureDrawing layersFigure();
FigureDrawing overviewFigure();
FigureDrawing mapFigure();

/// Throws Error that lists the known ids.
const FigureDrawing& findDrawing(std::string_view id);

inline constexpr double kColumnMm = 86;
inline constexpr double kPageMm = 178;

/// Two panels side by side, the input on the left, under the heading.
struct PanelPair {
  Box input;
  Box result;
  double caption_y = 0;  ///< below the panels
};
PanelPair panelPair(const Scene& scene);

}  // namespace adamerge
