// SPDX-License-Identifier: GPL-3.0-or-later
// What the colours of a heat map mean, drawn in a corner of the canvas.
#pragma once

#include <QFontMetrics>
#include <QImage>
#include <QRect>
#include <QString>
#include <optional>
#include <vector>

#include "adamerge/figures.h"
#include "bench/data.h"

class QPainter;
class QPalette;

namespace adamerge::ui {

struct ColorBar {
  QString title;  ///< "Salience"
  QString scale;  ///< "percentile scale"
  Colormap colormap = Colormap::kViridis;
  std::vector<ScaleTick> ticks;  ///< from low to high; empty: no bar, but samples
  struct Sample {
    QImage image;
    QString label;
  };
  std::vector<Sample> samples;
};

/// What explains the overlay: a colour bar, or samples of its marks with their counts. nullopt: it
/// explains itself, or the block has nothing for it. `ratio`: of the samples' pixels.
std::optional<ColorBar> colorBar(const Inspection& inspection, const InspectionPtr& reference,
                                 const OverlayStyle& style, int block, double ratio = 1,
                                 const LensShownPtr& lens = nullptr);

/// Room for any of them beside a picture; 0 for overlays without.
int colorBarWidth(OverlayKind kind, const QFontMetrics& metrics);

/// In the bottom right corner of `area`; nothing where it does not fit, or would cover most of what
/// lies there. `free`: nothing does.
void paintColorBar(QPainter& painter, const ColorBar& bar, const QRect& area, bool free,
                   const QPalette& palette);

}  // namespace adamerge::ui
