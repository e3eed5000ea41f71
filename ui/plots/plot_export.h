// SPDX-License-Identifier: GPL-3.0-or-later
// Plots on paper: PNG, SVG and PDF, text as text and lines as lines.
#pragma once

#include <QImage>
#include <QString>
#include <filesystem>

#include "adamerge/figures.h"
#include "plots/plot_content.h"

class QPainter;

namespace adamerge::ui {

struct PlotExportStyle {
  double width_mm = 85;
  double height_mm = 55;
  double dpi = 300;  ///< PNG only
  double font_pt = 7;
  bool dark = false;
  bool transparent = false;
};

/// Draws from the origin of `painter`, whose unit must be the point (1/72 inch), as in the other
/// figures. On the UI thread, like all of this header.
void drawPlot(const PlotSnapshot& plot, const PlotExportStyle& style, QPainter& painter);

/// width_mm x height_mm at `dpi`, which the image carries.
QImage plotImage(const PlotSnapshot& plot, const PlotExportStyle& style);

/// Writes the file, whole or not at all. `provenance` goes into its metadata where
/// readProvenance() looks for it. Throws Error: a size or resolution out of range, a file that
/// cannot be written.
void exportPlot(const PlotSnapshot& plot, const PlotExportStyle& style, FigureFormat format,
                const std::filesystem::path& path, const QString& title = {},
                const QString& provenance = {});

/// plotTable() as CSV. Throws Error.
void exportPlotData(const PlotSnapshot& plot, const std::filesystem::path& path);

}  // namespace adamerge::ui
