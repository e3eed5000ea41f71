// SPDX-License-Identifier: GPL-3.0-or-later
// The pictures that figures are made of, each drawn into a box of the view's proportions.
#pragma once

#include <string>
#include <vector>

#include "figures/canvas.h"
#include "figures/salience_scale.h"
#include "figures/scene.h"

namespace adamerge {

/// The height of a panel of that width; a slender view is bounded, and drawn narrower.
double panelHeight(const Scene& scene, double width);
/// The largest box of the view's proportions centred in `slot`.
Box panelBox(const Scene& scene, const Box& slot);

void drawInput(Canvas& canvas, const Scene& scene, const Box& box);
/// A heat map through which the picture still shows.
void drawHeat(Canvas& canvas, const Scene& scene, const std::vector<float>& positions,
              const Box& box);
/// ToMe's picture: each group in its mean colour, outlined.
void drawGroups(Canvas& canvas, const Scene& scene, const std::vector<int>& groups, const Box& box);
void drawFates(Canvas& canvas, const Scene& scene, const std::vector<PatchFate>& fates,
               const Box& box);
/// A legend's sample of a fate, in the same strokes.
void drawFateSample(Canvas& canvas, const Scene& scene, PatchFate fate, const Box& box);

void drawColorBar(Canvas& canvas, const Scene& scene, const Box& box);

/// The patch tokens left: the number of different groups.
int countGroups(const std::vector<int>& groups);

}  // namespace adamerge
