// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/picture_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/image.h"
#include "adamerge/report.h"
#include "figures/axes.h"
#include "figures/page.h"
#include "figures/panels.h"
#include "figures/scene.h"

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

FigureInput sheetTile(const Engine& engine, const PictureFile& file, std::size_t picture,
                      std::size_t point, const std::stop_token& stop) {
  PreparedImage prepared = prepareImage(file.load(picture), engine.info().preprocessing);
  const VitConfig& vit = engine.info().vit;
  FigureInput tile;
  tile.title = file.imageName(picture);
  tile.subtitle = predictionsText(file, picture, point);
  tile.result =
      engine.run(std::span(&prepared.input, 1), file.choices()[point], {.trace = true}, stop)
          .front();
  const auto original = std::make_shared<const Image>(std::move(prepared.view));
  tile.image.view = *original;
  tile.image.crop = {0, 0, static_cast<double>(original->width),
                     static_cast<double>(original->height)};
  tile.original = original;
  tile.grid_height = vit.gridHeight();
  tile.grid_width = vit.gridWidth();
  tile.prefix_tokens = vit.prefixTokens();
  return tile;
}

ContactSheet contactSheet(const Engine& engine, const PictureFile& file, std::size_t point,
                          const PictureFilter& filter, std::span<const std::uint32_t> pictures,
                          std::size_t tiles, std::vector<std::string>& missing,
                          const ProgressCallback& progress, const std::stop_token& stop) {
  const auto shows = pictureShows();
  const auto show = std::find_if(shows.begin(), shows.end(),
                                 [&](const auto& name) { return name.show == filter.show; });
  const MethodChoice& choice = file.choices()[point];
  if (pictures.empty()) {
    throw Error(
        fmt::format("{}: no image is {} by {}", file.path().string(), show->id, describe(choice)));
  }
  ContactSheet sheet;
  const std::size_t wanted = std::min({tiles, kMostTiles, pictures.size()});
  for (const std::uint32_t picture : pictures) {
    if (sheet.tiles.size() == wanted) break;
    throwIfStopped(stop);
    try {
      sheet.tiles.push_back(sheetTile(engine, file, picture, point, stop));
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      missing.emplace_back(error.what());
    }
    if (!progress) continue;
    progress({"drawing", static_cast<std::int64_t>(sheet.tiles.size()),
              static_cast<std::int64_t>(wanted)});
  }
  if (sheet.tiles.empty()) {
    throw Error(fmt::format("no image of the sheet could be read: {}", missing.front()));
  }
  sheet.title = fmt::format("{} · {}", show->label, describe(choice));
  sheet.subtitle = fmt::format("{} on {}", file.model(), file.dataset().filename().string());
  if (filter.label >= 0) sheet.subtitle += ", class " + file.className(filter.label);
  if (filter.predicted >= 0) sheet.subtitle += ", taken for " + file.className(filter.predicted);
  sheet.note = fmt::format("{} of {} images", sheet.tiles.size(), pictures.size());
  sheet.provenance = provenanceJson(engine.info(), engine.device(), engine.dtype(),
                                    file.dataset().string(), choice, -1);
  return sheet;
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

  const Scene& scene() const { return *head_; }
  double height() const { return grid().bottom() + kMargin; }

  void draw(Canvas& canvas) const {
    drawHeading(canvas, scene(), sheet_.note);
    const PanelGrid panels = grid();
    for (std::size_t i = 0; i < scenes_.size(); ++i) {
      const Scene& tile = scenes_[i];
      const Box slot = panels.slot(i);
      drawing_.picture->draw(canvas, tile, panelBox(viewProportion(tile), slot));
      drawCaption(canvas, tile, slot, tile.input.title, tile.input.subtitle);
    }
  }

 private:
  PanelGrid grid() const {
    return {scene(),
            scenes_.size(),
            kLeastTile,
            proportion_,
            kMargin + headingHeight(scene(), sheet_.note),
            kCaptionHeight};
  }

  const ContactSheet& sheet_;
  const FigureDrawing& drawing_;
  std::vector<Scene> scenes_;
  FigureInput heading_;
  std::optional<Scene> head_;
  double proportion_ = 0;
};

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
    const MethodChoice& choice = file.choices()[point];
    figure.settings.push_back({choice.method, describe(choice), detail, adaptation.blocks});
  }
  return figure;
}

namespace {

/// What `use` makes of the figure's drawing.
template <class Use>
auto withDrawing(const PictureFigure& figure, const FigureStyle& style, const Use& use) {
  if (const auto* sheet = std::get_if<ContactSheet>(&figure)) {
    return use(SheetDrawing(*sheet, style));
  }
  return use(CountsDrawing(std::get<CountsFigure>(figure), style));
}

}  // namespace

FigureSize figureSize(const PictureFigure& figure, const FigureStyle& style) {
  return withDrawing(figure, style, [](const auto& drawing) {
    return sizeOnPaper(drawing.scene(), drawing.height());
  });
}

void drawFigure(const PictureFigure& figure, const FigureStyle& style, cairo_t* context) {
  withDrawing(figure, style, [&](const auto& drawing) {
    Canvas canvas(context);
    beginPage(canvas, drawing.scene(), drawing.height());
    drawing.draw(canvas);
  });
}

void writeFigure(const PictureFigure& figure, const FigureStyle& style, FigureFormat format,
                 const std::filesystem::path& path) {
  const FigureSize size = figureSize(figure, style);
  const auto& [title, provenance] =
      std::visit([](const auto& own) { return std::pair(own.title, own.provenance); }, figure);
  writePage({[&](cairo_t* context) { drawFigure(figure, style, context); }, style, size, title,
             provenance},
            format, path);
}

}  // namespace adamerge
