// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/plot_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "adamerge/error.h"
#include "export/figure_source.h"
#include "plots/plot_export.h"
#include "plots/plot_panel.h"

namespace adamerge::ui {
namespace {

constexpr double kOwnWidthMm = 86;
constexpr double kHeightOfWidth = 0.62;
constexpr double kLowestDpi = 36;

void makeFolder(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) {
    throw Error(fmt::format("{}: the folder cannot be made: {}", folder.string(), code.message()));
  }
}

class PlotSource : public ExportSource {
 public:
  PlotSource(PlotPanel& panel, QString provenance)
      : ExportSource(panel.id(), panel.title(),
                     QObject::tr("The plot as it is seen now, its zoom and hidden "
                                 "series included")),
        plot_(panel.snapshot()),
        provenance_(std::move(provenance)) {}

  bool anyThread() const override { return false; }

  bool hasTable() const override { return true; }
  void writeTable(const std::filesystem::path& path) const override {
    makeFolder(path.parent_path());
    exportPlotData(plot_, path);
  }

  QSizeF size(const ExportStyle& style) const override {
    const PlotExportStyle plot = plotStyle(style);
    return {plot.width_mm, plot.height_mm};
  }

  QImage render(const ExportStyle& style, double dpi) const override {
    PlotExportStyle plot = plotStyle(style);
    plot.dpi = std::max(dpi, kLowestDpi);
    return plotImage(plot_, plot);
  }

  void write(const std::filesystem::path& path, FigureFormat format,
             const ExportStyle& style) const override {
    makeFolder(path.parent_path());
    exportPlot(plot_, plotStyle(style), format, path, label(), provenance_);
  }

 private:
  static PlotExportStyle plotStyle(const ExportStyle& style) {
    const FigureStyle& page = style.page;
    PlotExportStyle plot;
    plot.width_mm = page.width_mm > 0 ? page.width_mm : kOwnWidthMm;
    plot.height_mm = plot.width_mm * kHeightOfWidth;
    plot.dpi = page.dpi;
    plot.font_pt = page.font_size;
    plot.dark = page.background == Background::kDark;
    plot.transparent = page.background == Background::kTransparent;
    return plot;
  }

  PlotSnapshot plot_;
  QString provenance_;
};

}  // namespace

std::vector<ExportSourcePtr> plotSources(const std::vector<PlotPanel*>& plots,
                                         const ExportContext& context) {
  std::vector<ExportSourcePtr> sources;
  const InspectionPtr pane = context.activePane();
  const QString provenance =
      pane == nullptr ? QString()
                      : QString::fromStdString(makeFigureInput(*pane, -1, {}).provenance);
  for (PlotPanel* plot : plots) {
    if (!plot->isEmpty()) sources.push_back(std::make_shared<PlotSource>(*plot, provenance));
  }
  return sources;
}

}  // namespace adamerge::ui
