// SPDX-License-Identifier: GPL-3.0-or-later
// What explains a picture: its caption, and the colour bar or the samples under it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "figures/canvas.h"
#include "figures/scene.h"

namespace adamerge {

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
