// SPDX-License-Identifier: GPL-3.0-or-later
// What the colours of a heat map mean, drawn in a corner of the canvas.
#pragma once

#include <QRect>
#include <QString>
#include <optional>
#include <vector>

#include "adamerge/figures.h"
#include "state/inspection.h"

class QPainter;
class QPalette;

namespace adamerge::ui {

struct ColorBar {
  QString title;  ///< "Salience"
  QString scale;  ///< "percentile scale"
  Colormap colormap = Colormap::kViridis;
  std::vector<ScaleTick> ticks;  ///< from low to high
};

/// nullopt: the overlay is no heat map, or the block has nothing for it.
std::optional<ColorBar> colorBar(const Inspection& inspection, const OverlayStyle& style,
                                 int block);

/// In the bottom right corner of `area`; nothing where it would cover most of it.
void paintColorBar(QPainter& painter, const ColorBar& bar, const QRect& area,
                   const QPalette& palette);

}  // namespace adamerge::ui
