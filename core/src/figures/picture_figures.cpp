// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/picture_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "figures/axes.h"
#include "figures/kinds.h"
#include "figures/page.h"
#include "figures/panel_grid.h"
#include "figures/panels.h"

namespace adamerge {
namespace {

constexpr double kLeastTile = 76;

/// "cat 0.91 → 0.60", "cat → dog 0.48": the top class without and with merging.
std::string predictionsText(const PictureFile& file, std::size_t picture, std::size_t point) {
  const PictureFile::Outcome& before = file.outcome(picture, 0);
  const PictureFile::Outcome& after = file.outcome(picture, point);
  if (before.top < 0) return fmt::format("{} merged", after.merged);
  const std::string name = file.className(before.top);
  if (before.top == after.top) {
    return fmt::format("{} {:.2f} → {:.2f}", name, before.top_probability, after.top_probability);
  }
  return fmt::format("{} → {} {:.2f}", name, file.className(after.top), after.top_probability);
}

}  // namespace

FigureInput sheetTile(const PictureFile& file, std::size_t picture, std::size_t point,
                      const ModelInfo& model, Image view, ImageResult result, int block) {
  FigureInput tile;
  tile.title = file.imageName(picture);
  tile.subtitle = predictionsText(file, picture, point);
  const auto original = std::make_shared<const Image>(std::move(view));
  tile.image.view = *original;
  tile.image.crop = {0, 0, static_cast<double>(original->width),
                     static_cast<double>(original->height)};
  tile.original = original;
  tile.grid_height = model.vit.gridHeight();
  tile.grid_width = model.vit.gridWidth();
  tile.prefix_tokens = model.vit.prefixTokens();
  tile.result = std::move(result);
  tile.layer = block;
  return tile;
}

namespace {

/// Tiles in rows below one heading.
class SheetDrawing {
 public:
  SheetDrawing(const ContactSheet& sheet, const FigureStyle& style)
      : sheet_(sheet), drawing_(findDrawing("canvas")) {
    if (sheet.tiles.empty() || sheet.tiles.size() > kMostTiles) {
      throw Error(fmt::format("a contact sheet shows 1 to {} images, not {}", kMostTiles,
                              sheet.tiles.size()));
    }
    FigureTraits traits = drawing_.traits;
    traits.width_mm = kPageMm;
    for (const FigureInput& tile : sheet.tiles) {
      scenes_.push_back(makeScene(traits, tile, style));
      proportion_ = std::max(proportion_, viewProportion(scenes_.back()));
    }
    // The heading is the sheet's.
    heading_.title = sheet.title;
    heading_.subtitle = sheet.subtitle;
    heading_.result.layers.resize(1);
    head_.emplace(makeScene({{"sheet", "", false}, kPageMm, {}}, heading_, style));
  }

  const Scene& head() const { return *head_; }
  double height() const { return grid().bottom() + kMargin; }

  void draw(Canvas& canvas) const {
    drawHeading(canvas, head(), sheet_.note);
    const PanelGrid panels = grid();
    for (std::size_t i = 0; i < scenes_.size(); ++i) {
      const Scene& scene = scenes_[i];
      const Box slot = panels.slot(i);
      drawing_.picture->draw(canvas, scene, panelBox(viewProportion(scene), slot));
      drawCaption(canvas, scene, slot, scene.input.title, scene.input.subtitle);
    }
  }

 private:
  PanelGrid grid() const {
    return {head(),
            scenes_.size(),
            kLeastTile,
            proportion_,
            kMargin + headingHeight(head(), sheet_.note),
            kCaptionHeight};
  }

  const ContactSheet& sheet_;
  const FigureDrawing& drawing_;
  std::vector<Scene> scenes_;
  FigureInput heading_;
  std::optional<Scene> head_;
  double proportion_ = 0;
};

}  // namespace

FigureSize contactSheetSize(const ContactSheet& sheet, const FigureStyle& style) {
  const SheetDrawing drawing(sheet, style);
  return sizeOnPaper(drawing.head(), drawing.height());
}

void drawContactSheet(const ContactSheet& sheet, const FigureStyle& style, cairo_t* context) {
  const SheetDrawing drawing(sheet, style);
  Canvas canvas(context);
  beginPage(canvas, drawing.head(), drawing.height());
  drawing.draw(canvas);
}

void writeContactSheet(const ContactSheet& sheet, const FigureStyle& style, FigureFormat format,
                       const std::filesystem::path& path) {
  const FigureSize size = contactSheetSize(sheet, style);
  writePage({[&](cairo_t* context) { drawContactSheet(sheet, style, context); }, style, size,
             sheet.title, sheet.provenance},
            format, path);
}

namespace {

constexpr double kCountsHeight = 70;
constexpr double kCountsSpace = 12;
constexpr double kBoxShare = 0.55;
constexpr double kWhisker = 0.6;
constexpr double kMedian = 1.4;
constexpr double kCountsHeadroom = 1.08;

std::string correlationText(const char* name, const std::optional<RankCorrelation>& correlation) {
  return correlation ? fmt::format("{} {:+.2f}", name, correlation->rho) : std::string();
}

class CountsDrawing {
 public:
  CountsDrawing(const CountsFigure& figure, const FigureStyle& style) : figure_(figure) {
    if (figure.settings.empty() || figure.settings.front().blocks.empty()) {
      throw Error("the figure of counts needs at least one setting that merges");
    }
    input_.title = figure.title;
    input_.result.layers.resize(figure.settings.front().blocks.size());
    scene_.emplace(makeScene({{"counts", "", false}, kPageMm, {}}, input_, style));
  }

  const Scene& scene() const { return *scene_; }
  double height() const {
    return top() + static_cast<double>(figure_.settings.size()) * rowHeight() + kBlockAxisSpace +
           kMargin - kCountsSpace;
  }

  void draw(Canvas& canvas) const {
    drawHeading(canvas, scene(), figure_.note);
    for (std::size_t i = 0; i < figure_.settings.size(); ++i) {
      drawSetting(canvas, figure_.settings[i], top() + static_cast<double>(i) * rowHeight(),
                  i + 1 == figure_.settings.size());
    }
  }

 private:
  double top() const { return kMargin + headingHeight(scene(), figure_.note); }
  double rowHeight() const { return kLineHeight + kCountsHeight + kCountsSpace; }

  /// One for all plots, so that they compare.
  double highest() const {
    double most = 1;
    for (const CountsFigure::Setting& setting : figure_.settings) {
      for (const Distribution& block : setting.blocks) {
        most = std::max(most, block.spread.maximum);
      }
    }
    return most * kCountsHeadroom;
  }

  void drawSetting(Canvas& canvas, const CountsFigure::Setting& setting, double y,
                   bool lowest) const {
    const Theme& theme = scene().theme;
    const Box line{kMargin, y, scene().contentWidth(), kLineHeight};
    canvas.text(setting.name, line, scene().textStyle());
    canvas.text(setting.detail, line, scene().mutedStyle(Align::kRight));
    Plot plot{{kMargin + kAxisSpace, y + kLineHeight + 2, scene().contentWidth() - kAxisSpace,
               kCountsHeight - 2},
              static_cast<int>(setting.blocks.size())};
    plot.high = highest();
    drawValueAxis(canvas, scene(), plot, "merged", 4);
    const double width = plot.slot() * kBoxShare;
    for (std::size_t block = 0; block < setting.blocks.size(); ++block) {
      const Spread& spread = setting.blocks[block].spread;
      const double x = plot.x(static_cast<double>(block));
      const std::array<Segment, 4> whiskers{
          {{{x, plot.y(spread.minimum)}, {x, plot.y(spread.lower_quartile)}},
           {{x, plot.y(spread.upper_quartile)}, {x, plot.y(spread.maximum)}},
           {{x - width / 4, plot.y(spread.minimum)}, {x + width / 4, plot.y(spread.minimum)}},
           {{x - width / 4, plot.y(spread.maximum)}, {x + width / 4, plot.y(spread.maximum)}}}};
      canvas.lines(whiskers, kWhisker, theme.ink);
      const Box box{x - width / 2, plot.y(spread.upper_quartile), width,
                    plot.y(spread.lower_quartile) - plot.y(spread.upper_quartile)};
      canvas.fill(box, theme.band);
      canvas.frame(box, kWhisker, theme.line);
      const std::array<Segment, 1> median{
          {{{box.x, plot.y(spread.median)}, {box.right(), plot.y(spread.median)}}}};
      canvas.lines(median, kMedian, theme.line);
      canvas.dot({x, plot.y(setting.blocks[block].mean)}, 1.4, theme.point, theme.background);
    }
    drawBlockAxis(canvas, scene(), plot, lowest);
  }

  const CountsFigure& figure_;
  FigureInput input_;
  std::optional<Scene> scene_;
};

}  // namespace

CountsFigure countsFigure(const PictureFile& file, std::span<const std::size_t> points,
                          const std::stop_token& stop) {
  CountsFigure figure;
  figure.title = fmt::format("Tokens merged per block: {}", file.model());
  figure.note = fmt::format("{} images", file.pictures());
  for (const std::size_t point : points) {
    const Adaptation adaptation = adaptationOf(file, point, stop);
    std::string detail;
    for (const std::string& text : {correlationText("edges", adaptation.edges),
                                    correlationText("entropy", adaptation.entropy),
                                    correlationText("confidence", adaptation.confidence)}) {
      if (text.empty()) continue;
      detail += (detail.empty() ? "rank correlation with " : ", ") + text;
    }
    if (detail.empty()) detail = "every image alike";
    figure.settings.push_back({describe(file.choices()[point]), detail, adaptation.blocks});
  }
  return figure;
}

FigureSize countsFigureSize(const CountsFigure& figure, const FigureStyle& style) {
  const CountsDrawing drawing(figure, style);
  return sizeOnPaper(drawing.scene(), drawing.height());
}

void drawCountsFigure(const CountsFigure& figure, const FigureStyle& style, cairo_t* context) {
  const CountsDrawing drawing(figure, style);
  Canvas canvas(context);
  beginPage(canvas, drawing.scene(), drawing.height());
  drawing.draw(canvas);
}

void writeCountsFigure(const CountsFigure& figure, const FigureStyle& style, FigureFormat format,
                       const std::filesystem::path& path) {
  const FigureSize size = countsFigureSize(figure, style);
  writePage({[&](cairo_t* context) { drawCountsFigure(figure, style, context); },
             style,
             size,
             figure.title,
             {}},
            format, path);
}

}  // namespace adamerge
