// SPDX-License-Identifier: GPL-3.0-or-later
// What all kinds of figure share: the checked input, the page's measures, the heading; and the
// kinds. Each knows its height for a scene and draws itself at that height.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "adamerge/figures.h"
#include "figures/canvas.h"
#include "figures/patches.h"

namespace adamerge {

inline constexpr double kMargin = 4;
inline constexpr double kGap = 6;
/// Between a panel and its caption.
inline constexpr double kCaptionSpace = 2;

/// Pictures that a kind cannot do without.
struct FigureNeeds {
  bool picture = false;   ///< the view, its patch grid and the traced groups
  bool original = false;  ///< the whole picture
  bool heads = false;     ///< the lens's maps of all heads
};

struct FigureTraits {
  FigureKind kind;
  double width_mm = 0;  ///< where the style names none
  FigureNeeds needs;
  /// What is shown of the chosen block, or of every block; nullopt: the style's overlay.
  std::optional<OverlayKind> content = OverlayKind::kNone;
};

struct Scene {
  const FigureInput& input;
  const FigureStyle& style;
  Theme theme;
  Grid grid;
  std::size_t layer = 0;  ///< the chosen block
  OverlayKind content = OverlayKind::kNone;
  double width = 0;  ///< of the whole figure, in units of `scale` points
  double scale = 1;  ///< figures are designed for 7 point text

  const LayerTrace& trace() const { return input.result.layers[layer]; }
  double contentWidth() const { return width - 2 * kMargin; }
  TextStyle textStyle(Align align = Align::kLeft) const { return {theme.ink, align}; }
  TextStyle mutedStyle(Align align = Align::kLeft) const { return {theme.muted, align}; }
};

const Theme& themeOf(const FigureStyle& style);

/// Checks all that the kind needs. Throws Error.
Scene makeScene(const FigureTraits& traits, const FigureInput& input, const FigureStyle& style);

/// "block 6 of 12 · 197 → 181 tokens", "block 3 of 12 · 2773 of 4096 tokens inside"
std::string blockNote(const Scene& scene);
/// "12 blocks · 197 → 133 tokens"
std::string runNote(const Scene& scene);

/// Title, note and subtitle at the top of the figure; `with_subtitle`: comparisons have their own.
double headingHeight(const Scene& scene, const std::string& note, bool with_subtitle = true);
void drawHeading(Canvas& canvas, const Scene& scene, const std::string& note,
                 bool with_subtitle = true);

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
