// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/figure_source.h"

#include <algorithm>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "bench/traces.h"
#include "look/paint.h"

namespace adamerge::ui {

FigureInput makeFigureInput(const FigureSubject& subject, ImageResult result, int block,
                            const FigureExtras& extras) {
  const VitConfig& vit = subject.model.vit;
  FigureInput input;
  input.title = subject.name.toStdString();
  const TracedRun* const traced = subject.traced.get();
  input.subtitle = traced != nullptr ? titleOf(*traced->info) : describe(subject.choice, vit);
  if (!extras.note.isEmpty()) input.subtitle += " (" + extras.note.toStdString() + ")";
  input.image = *subject.prepared;
  input.original = subject.original;
  input.grid_height = vit.gridHeight();
  input.grid_width = vit.gridWidth();
  input.prefix_tokens = vit.prefixTokens();
  input.result = std::move(result);
  input.layer = block;
  input.selected_patch = extras.selected_patch;
  if (extras.other != nullptr) {
    input.other = std::shared_ptr<const ImageResult>(extras.other, &extras.other->result);
  }
  input.lens = extras.lens;
  if (traced == nullptr || subject.unmerged_flops > 0) {
    input.unmerged_flops = subject.unmerged_flops;
  }
  if (traced == nullptr) input.prompts = promptsOf(subject.choice.settings);
  input.provenance =
      traced != nullptr ? provenanceJson(*traced->info, traced->image.name, block)
                        : provenanceJson(subject.model, subject.device, subject.dtype,
                                         subject.file.empty() ? input.title : subject.file.string(),
                                         subject.choice, block);
  return input;
}

FigureInput makeFigureInput(const Inspection& inspection, int block, const FigureExtras& extras) {
  const LoadedModel& model = *inspection.model;
  const Picture& picture = *inspection.picture;
  const FigureSubject subject{
      model.info,        picture.path, picture.name, picture.original,     inspection.prepared,
      inspection.choice, model.device, model.dtype,  model.unmerged.paper, inspection.traced};
  return makeFigureInput(subject, inspection.result, block, extras);
}

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

/// Whether the kind is no lens's, or the one on the canvas: a lens's figures are of what it shows
/// now: of the overlay's kind, and heads of attention.
bool showsLens(const FigureKind& kind, const FigureExtras& extras) {
  const std::optional<OverlayKind> content = figureContent(kind.id);
  return !content || !lensOf(*content) || *content == extras.overlay.kind;
}

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
  if (pane < context.notes.size()) extras.note = context.notes[pane];
  if (context.panes.size() > 1) extras.other = context.panes[pane == 0 ? 1 : 0];
  if (pane < context.lenses.size() && context.lenses[pane] != nullptr &&
      context.lenses[pane]->kind == context.overlay.kind) {
    extras.lens = context.lenses[pane]->pictures;
  }
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
    if (!showsLens(kind, extrasOf(context, context.active))) continue;
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
    if (!showsLens(kind, extras.front())) continue;
    auto source = std::make_shared<ComparisonSource>(kind, context.panes, extras);
    if (canBeDrawn(*source, context)) sources.push_back(std::move(source));
  }
  return sources;
}

ExportSourcePtr canvasFigure(const ExportContext& context) {
  const QString id =
      context.panes.size() > 1 ? QStringLiteral("comparison-canvas") : QStringLiteral("canvas");
  const auto sources =
      context.panes.size() > 1 ? comparisonSources(context) : figureSources(context);
  const auto found = std::find_if(sources.begin(), sources.end(),
                                  [&](const auto& source) { return source->id() == id; });
  if (found == sources.end()) throw Error("what the canvases show cannot be drawn as a figure");
  return *found;
}

}  // namespace adamerge::ui
