// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/figure_source.h"

#include <fmt/format.h>

#include "adamerge/error.h"
#include "export/cairo_image.h"
#include "export/figure_input.h"

namespace adamerge::ui {
namespace {

class FigureSource : public ExportSource {
 public:
  FigureSource(const FigureKind& kind, InspectionPtr inspection, FigureExtras extras)
      : ExportSource(QString::fromStdString(kind.id), figureLabel(kind),
                     QString::fromStdString(kind.description)),
        kind_(kind),
        inspection_(std::move(inspection)),
        extras_(std::move(extras)) {}

  bool perBlock() const override { return kind_.per_layer; }

  QSizeF size(const ExportStyle& style) const override {
    const FigureSize size = figureSize(kind_.id, input(style), style.page);
    return {size.width_mm, size.height_mm};
  }

  QImage render(const ExportStyle& style, double dpi) const override {
    return drawToImage(size(style), dpi, [&](cairo_t* context) {
      drawFigure(kind_.id, input(style), style.page, context);
    });
  }

  void write(const std::filesystem::path& path, FigureFormat format,
             const ExportStyle& style) const override {
    writeFigure(kind_.id, input(style), style.page, format, path);
  }

 private:
  FigureInput input(const ExportStyle& style) const {
    return makeFigureInput(*inspection_, kind_.per_layer ? style.block : -1, extras_);
  }

  FigureKind kind_;
  InspectionPtr inspection_;
  FigureExtras extras_;
};

class ComparisonSource : public ExportSource {
 public:
  ComparisonSource(const FigureKind& kind, std::vector<InspectionPtr> panes,
                   std::vector<FigureExtras> extras)
      : ExportSource(QStringLiteral("comparison-") + QString::fromStdString(kind.id),
                     figureLabel(kind), QString::fromStdString(kind.description)),
        kind_(kind),
        panes_(std::move(panes)),
        extras_(std::move(extras)) {}

  bool perBlock() const override { return kind_.per_layer; }

  QSizeF size(const ExportStyle& style) const override {
    const FigureSize size = comparisonSize(kind_.id, inputs(style), style.page);
    return {size.width_mm, size.height_mm};
  }

  QImage render(const ExportStyle& style, double dpi) const override {
    return drawToImage(size(style), dpi, [&](cairo_t* context) {
      drawComparison(kind_.id, inputs(style), style.page, context);
    });
  }

  void write(const std::filesystem::path& path, FigureFormat format,
             const ExportStyle& style) const override {
    writeComparison(kind_.id, inputs(style), style.page, format, path);
  }

 private:
  std::vector<FigureInput> inputs(const ExportStyle& style) const {
    std::vector<FigureInput> list;
    for (std::size_t pane = 0; pane < panes_.size(); ++pane) {
      list.push_back(
          makeFigureInput(*panes_[pane], kind_.per_layer ? style.block : -1, extras_[pane]));
    }
    return list;
  }

  FigureKind kind_;
  std::vector<InspectionPtr> panes_;
  std::vector<FigureExtras> extras_;
};

/// Not every method gives every kind (no salience, say), nor can every kind be compared.
bool canBeDrawn(const ExportSource& source, const ExportContext& context) {
  try {
    ExportStyle style;
    style.page.overlay = context.overlay;
    style.block = context.block;
    source.size(style);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Differences are those to the first pane; the first pane's own are to the second.
FigureExtras extrasOf(const ExportContext& context, std::size_t pane) {
  FigureExtras extras;
  extras.selected_patch = context.selected_patch;
  extras.overlay = context.overlay;
  if (context.panes.size() > 1) extras.other = context.panes[pane == 0 ? 1 : 0];
  return extras;
}

}  // namespace

QString figureLabel(const FigureKind& kind) {
  QString label = QString::fromStdString(kind.id);
  label[0] = label[0].toUpper();
  return label;
}

std::vector<ExportSourcePtr> figureSources(const ExportContext& context) {
  std::vector<ExportSourcePtr> sources;
  const InspectionPtr inspection = context.activePane();
  if (inspection == nullptr) return sources;
  for (const FigureKind& kind : figureKinds()) {
    auto source =
        std::make_shared<FigureSource>(kind, inspection, extrasOf(context, context.active));
    if (canBeDrawn(*source, context)) sources.push_back(std::move(source));
  }
  return sources;
}

std::vector<ExportSourcePtr> comparisonSources(const ExportContext& context) {
  std::vector<ExportSourcePtr> sources;
  if (context.panes.size() < 2) return sources;
  std::vector<FigureExtras> extras;
  for (std::size_t pane = 0; pane < context.panes.size(); ++pane) {
    extras.push_back(extrasOf(context, pane));
  }
  for (const FigureKind& kind : figureKinds()) {
    auto source = std::make_shared<ComparisonSource>(kind, context.panes, extras);
    if (canBeDrawn(*source, context)) sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace adamerge::ui
