// SPDX-License-Identifier: GPL-3.0-or-later
// The pictures that figures are made of, each drawn into a box of the view's proportions, and
// panels in rows of equal width, as many beside each other as fit; and what explains a picture: its
// caption, and the colour bar or the samples under it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "figures/canvas.h"
#include "figures/salience_scale.h"
#include "figures/scene.h"

namespace adamerge {

/// A figure's pixel, in points: what a line's width in pixels means on paper.
inline constexpr double kFigurePixel = 0.4;

/// The view's height in widths.
double viewProportion(const Scene& scene);
/// The height of a panel of that width; a slender picture is bounded, and drawn narrower.
double panelHeight(double proportion, double width);
/// The largest box of that proportion centred in `slot`.
Box panelBox(double proportion, const Box& slot);

/// Two centred lines under a panel.
inline constexpr double kCaptionHeight = 2 + 2 * kLineHeight;
void drawCaption(Canvas& canvas, const Scene& scene, const Box& panel, std::string_view name,
                 std::string_view detail);

/// `text` in lines of that width, broken after `separator`s, whose blanks are left out.
std::vector<std::string> wrapped(std::string_view text, double width, const TextStyle& style,
                                 std::string_view separator);

void drawInput(Canvas& canvas, const Scene& scene, const Box& box);
/// A heat map through which the picture still shows.
/// `range`: of the colours, in place of that which the style holds or the values have.
void drawHeat(Canvas& canvas, const Scene& scene, const std::vector<float>& values, const Box& box,
              const std::optional<ValueRange>& range = {});
/// A lens's values or colours; patches that have none of their own are hatched.
void drawLens(Canvas& canvas, const Scene& scene, const LensMap& map, const Box& box,
              const std::optional<ValueRange>& range = {});
/// ToMe's picture: each group in its mean colour, outlined.
/// Groups after block `layer`; patches whose token was dropped are hatched.
void drawGroups(Canvas& canvas, const Scene& scene, std::size_t layer, const Box& box);
void drawFates(Canvas& canvas, const Scene& scene, const std::vector<PatchFate>& fates,
               const Box& box);
/// The style's overlay after block `layer` on `picture`, of which `prepared` is a part.
void drawOverlaid(Canvas& canvas, const Scene& scene, std::size_t layer, const Image& picture,
                  const PreparedImage& prepared, const Box& box);
/// The picture and what of the prepared part lies beyond it, in the picture's pixels.
Box overlaidRegion(const Image& picture, const Rectangle& crop);

/// Samples for legends, in the strokes of the pictures.
void drawFateSample(Canvas& canvas, const Scene& scene, PatchFate fate, const Box& box);
void drawDroppedSample(Canvas& canvas, const Scene& scene, const Box& box);
void drawDifferenceSample(Canvas& canvas, const Scene& scene, const Box& box);
void drawWindowSample(Canvas& canvas, const Scene& scene, const Box& box);
void drawPromptSample(Canvas& canvas, const Scene& scene, const Box& box);
void drawProtectedSample(Canvas& canvas, const Scene& scene, const Box& box);

/// What the chosen block has to show.
const std::vector<float>& heatOf(const Scene& scene);
const LensMap& lensMapOf(const Scene& scene);
std::vector<PatchFate> fatesOf(const Scene& scene);
/// The groups after the chosen block in the run compared with.
const std::vector<int>& otherGroups(const Scene& scene);

void drawColorBar(Canvas& canvas, const Scene& scene, const Box& box);

/// The patch tokens left: the number of different groups.
int countGroups(const std::vector<int>& groups);

class PanelGrid {
 public:
  /// `below`: room for captions under each panel; `top`: where the first row begins.
  PanelGrid(const Scene& scene, std::size_t panels, double least_width, double proportion,
            double top, double below);

  double panelWidth() const { return panel_width_; }
  double bottom() const;
  /// Without the room below.
  Box slot(std::size_t index) const;

 private:
  double rowHeight() const { return panel_height_ + below_; }

  std::size_t columns_ = 1;
  std::size_t rows_ = 1;
  double panel_width_ = 0;
  double panel_height_ = 0;
  double top_ = 0;
  double below_ = 0;
};

/// How wide a panel of such a grid becomes.
double gridPanelWidth(const Scene& scene, std::size_t panels, double least_width);

/// What is shown, in a word or two: "groups"; empty for nothing.
std::string_view contentName(OverlayKind content);
/// One line on the chosen block: "146 patch tokens". Empty where there is nothing to say.
std::string legendCaption(const Scene& scene);
/// The width below which entries are cut short; 0 where everything adapts.
double leastLegendWidth(const Scene& scene);
/// Of the chosen block, for what the scene shows; 0 where a caption says it all.
double legendHeight(const Scene& scene, double width);
void drawLegend(Canvas& canvas, const Scene& scene, const Box& area);

/// One legend for pictures of several blocks. Heat maps are scaled each on its own, so that their
/// bar has no numbers.
double sharedLegendHeight(const Scene& scene, OverlayKind content);
void drawSharedLegend(Canvas& canvas, const Scene& scene, OverlayKind content, double top);
/// Of pictures that have one range in common: a bar with its numbers.
double rangeLegendHeight();
void drawRangeLegend(Canvas& canvas, const Scene& scene, const std::vector<float>& values,
                     const std::optional<ValueRange>& range, const Box& area);

}  // namespace adamerge
