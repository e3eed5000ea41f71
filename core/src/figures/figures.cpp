// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "adamerge/error.h"
#include "figures/page.h"
#include "figures/patches.h"
#include "figures/scene.h"

namespace adamerge {
namespace {

constexpr double kNarrowestMm = 60;
constexpr double kWidestMm = 1000;
constexpr double kHeadingSpace = 4;
/// A title keeps at least this much beside the note; otherwise the note gets a line of its own.
constexpr double kLeastTitle = 70;

constexpr double kSmallestFont = 5;
constexpr double kLargestFont = 14;

double figureWidth(const FigureStyle& style, double default_width_mm) {
  if (style.width_mm == 0) return default_width_mm;
  if (!(style.width_mm >= kNarrowestMm && style.width_mm <= kWidestMm)) {
    throw Error(fmt::format("a figure cannot be {:g} mm wide; {:g} to {:g} mm is possible",
                            style.width_mm, kNarrowestMm, kWidestMm));
  }
  return style.width_mm;
}

/// How much larger than designed a figure is drawn.
double figureScale(const FigureStyle& style) {
  if (!(style.font_size >= kSmallestFont && style.font_size <= kLargestFont)) {
    throw Error(fmt::format("a font of {:g} points is not possible; {:g} to {:g} points are",
                            style.font_size, kSmallestFont, kLargestFont));
  }
  return style.font_size / kTextSize;
}

bool isWhole(const Image& image) {
  return image.width >= 1 && image.height >= 1 &&
         image.pixels.size() == static_cast<std::size_t>(image.width) * image.height * 3;
}

void checkPicture(std::string_view figure, const FigureInput& input) {
  if (!isWhole(input.image.view)) {
    throw Error(fmt::format("the {} figure needs the picture the model saw", figure));
  }
  requireGrid(input.grid_height, input.grid_width);
}

void checkOriginal(std::string_view figure, const FigureInput& input) {
  const Rectangle& crop = input.image.crop;
  if (input.original != nullptr && isWhole(*input.original) && crop.width > 0 && crop.height > 0) {
    return;
  }
  throw Error(fmt::format(
      "the {} figure needs the whole picture and the part of it that the model saw", figure));
}

void checkOther(std::string_view figure, const Scene& scene) {
  const auto& other = scene.input.other;
  if (other == nullptr || other->layers.size() != scene.input.result.layers.size()) {
    throw Error(fmt::format(
        "the {} figure cannot show differences: it needs a second run of the same model", figure));
  }
  for (std::size_t i = 0; i < other->layers.size(); ++i) {
    requireTrace(other->layers[i], i, scene.grid);
  }
}

void checkLens(std::string_view figure, const Scene& scene, std::span<const LayerTrace> shown) {
  const auto& lens = scene.input.lens;
  const auto has = [&](const LayerTrace& trace) {
    const auto block = static_cast<std::size_t>(&trace - scene.input.result.layers.data());
    if (lens == nullptr || block >= lens->blocks.size()) return false;
    const LensMap& map = lens->blocks[block];
    requireLensMap(map, scene.grid);
    return !map.values.empty() || !map.colors.empty();
  };
  bool compares = true;  // class maps are shown beside the unmerged run's
  if (scene.content == OverlayKind::kClasses && lens != nullptr) {
    requireLensMap(lens->unmerged, scene.grid);
    compares = !lens->unmerged.values.empty() || !lens->unmerged.colors.empty();
  }
  if (compares && std::any_of(shown.begin(), shown.end(), has)) return;
  throw Error(fmt::format(
      "the {} figure needs what its lens shows of the run, which was not computed", figure));
}

void checkHeads(std::string_view figure, const Scene& scene) {
  const auto& lens = scene.input.lens;
  const int layer = static_cast<int>(scene.layer);
  if (lens == nullptr || lens->heads.empty() || lens->entropy.size() != lens->heads.size() ||
      lens->heads_block != layer) {
    throw Error(fmt::format(
        "the {} figure needs the attention of every head of layer {}, which was not computed",
        figure, layer));
  }
  for (const LensMap& map : lens->heads) requireLensMap(map, scene.grid);
}

/// `shown`: the blocks that the figure shows; one of them must have what it shows of them.
void checkContent(std::string_view figure, const Scene& scene, std::span<const LayerTrace> shown) {
  const auto none = [&](const std::vector<float> LayerTrace::*values) {
    return std::all_of(shown.begin(), shown.end(),
                       [&](const LayerTrace& trace) { return (trace.*values).empty(); });
  };
  if (scene.content == OverlayKind::kSalience && none(&LayerTrace::salience)) {
    throw Error(
        fmt::format("the {} figure cannot be drawn: the method computes no salience in layer {}",
                    figure, scene.layer));
  }
  if (scene.content == OverlayKind::kDifference) checkOther(figure, scene);
  if (lensOf(scene.content)) checkLens(figure, scene, shown);
}

[[noreturn]] void failUntraced(std::string_view figure) {
  throw Error(
      fmt::format("the {} figure needs the trace of every layer; run with tracing on", figure));
}

void checkTraces(std::string_view figure, const FigureInput& input) {
  for (std::size_t i = 0; i < input.result.layers.size(); ++i) {
    const LayerTrace& trace = input.result.layers[i];
    if (trace.groups.empty()) failUntraced(figure);
    requireTrace(trace, i, {input.grid_height, input.grid_width});
  }
}

std::size_t chosenLayer(bool per_layer, const FigureInput& input) {
  const int count = static_cast<int>(input.result.layers.size());
  if (!per_layer || input.layer == -1) return static_cast<std::size_t>(count - 1);
  requireLayer(input.layer, input.result.layers.size());
  return static_cast<std::size_t>(input.layer);
}

struct Heading {
  std::string_view first;
  std::string_view second;
  bool note_below = false;
  int lines = 1;
};

Heading arrange(const Scene& scene, const std::string& note, bool with_subtitle) {
  Heading heading;
  const std::string_view subtitle = with_subtitle ? scene.input.subtitle : std::string_view();
  const bool titled = !scene.input.title.empty();
  heading.first = titled ? scene.input.title : subtitle;
  if (titled) heading.second = subtitle;
  const double beside = scene.contentWidth() - textWidth(note, scene.mutedStyle()) - kGap;
  heading.note_below = !heading.first.empty() && beside < kLeastTitle;
  heading.lines = 1 + (heading.second.empty() ? 0 : 1) + (heading.note_below ? 1 : 0);
  return heading;
}

}  // namespace

const Theme& themeOf(const FigureStyle& style) {
  return style.background == Background::kDark ? kDarkTheme : kLightTheme;
}

Scene makeScene(const FigureTraits& traits, const FigureInput& input, const FigureStyle& style) {
  const std::string& figure = traits.kind.id;
  const double width_mm = figureWidth(style, traits.width_mm);
  const double scale = figureScale(style);
  if (input.result.layers.empty()) failUntraced(figure);
  if (traits.needs.picture) {
    checkPicture(figure, input);
    checkTraces(figure, input);
  }
  if (traits.needs.original) checkOriginal(figure, input);
  const Scene scene{input,
                    style,
                    themeOf(style),
                    {input.grid_height, input.grid_width},
                    chosenLayer(traits.kind.per_layer, input),
                    traits.content.value_or(style.overlay.kind),
                    width_mm / kMmPerInch * kPointsPerInch / scale,
                    scale};
  const auto& layers = input.result.layers;
  if (traits.needs.heads) checkHeads(figure, scene);
  checkContent(figure, scene,
               traits.kind.per_layer ? std::span(&layers[scene.layer], 1) : std::span(layers));
  return scene;
}

std::string blockNote(const Scene& scene) {
  const LayerTrace& trace = scene.trace();
  const std::string block =
      fmt::format("block {} of {}", scene.layer + 1, scene.input.result.layers.size());
  if (trace.restored) {
    return fmt::format("{} · {} of {} tokens inside", block, trace.tokens_inside, trace.tokens_in);
  }
  return fmt::format("{} · {} → {} tokens", block, trace.tokens_in, trace.tokens_out);
}

std::string runNote(const Scene& scene) {
  const auto& layers = scene.input.result.layers;
  return fmt::format("{} block{} · {} → {} tokens", layers.size(), layers.size() == 1 ? "" : "s",
                     layers.front().tokens_in, layers.back().tokens_out);
}

double headingHeight(const Scene& scene, const std::string& note, bool with_subtitle) {
  return arrange(scene, note, with_subtitle).lines * kLineHeight + kHeadingSpace;
}

void drawHeading(Canvas& canvas, const Scene& scene, const std::string& note, bool with_subtitle) {
  const Heading heading = arrange(scene, note, with_subtitle);
  Box line{kMargin, kMargin, scene.contentWidth(), kLineHeight};
  Box first = line;
  if (heading.first.empty()) {
    canvas.text(note, line, scene.mutedStyle());
    return;
  }
  if (!heading.note_below) {
    canvas.text(note, line, scene.mutedStyle(Align::kRight));
    first.width -= textWidth(note, scene.mutedStyle()) + kGap;
  }
  if (scene.input.title.empty()) {
    canvas.text(heading.first, first, scene.mutedStyle());
  } else {
    TextStyle title{scene.theme.ink, Align::kLeft, kTitleSize, true, true};
    canvas.text(heading.first, first, title);
  }
  if (!heading.second.empty()) {
    line.y += kLineHeight;
    canvas.text(heading.second, line, scene.mutedStyle());
  }
  if (heading.note_below) {
    line.y += kLineHeight;
    canvas.text(note, line, scene.mutedStyle());
  }
}

namespace {

const std::array<FigureDrawing, 15>& drawings() {
  static const std::array<FigureDrawing, 15> all{
      salienceFigure(),   attentionFigure(), headsFigure(),  rolloutFigure(),  componentsFigure(),
      similarityFigure(), normFigure(),      changeFigure(), groupsFigure(),   survivorsFigure(),
      canvasFigure(),     stripFigure(),     layersFigure(), overviewFigure(), mapFigure()};
  return all;
}

}  // namespace

const FigureDrawing& findDrawing(std::string_view id) {
  const auto found = std::find_if(drawings().begin(), drawings().end(),
                                  [&](const FigureDrawing& d) { return d.traits.kind.id == id; });
  if (found != drawings().end()) return *found;
  std::string known;
  for (const FigureDrawing& drawing : drawings()) {
    if (!known.empty()) known += ", ";
    known += drawing.traits.kind.id;
  }
  throw Error(fmt::format("there is no figure \"{}\"; known are {}", id, known));
}

const std::vector<FigureKind>& figureKinds() {
  static const std::vector<FigureKind> kinds = [] {
    std::vector<FigureKind> list;
    for (const FigureDrawing& drawing : drawings()) list.push_back(drawing.traits.kind);
    return list;
  }();
  return kinds;
}

std::optional<OverlayKind> figureContent(std::string_view kind) {
  return findDrawing(kind).traits.content;
}

FigureSize figureSize(std::string_view kind, const FigureInput& input, const FigureStyle& style) {
  const FigureDrawing& drawing = findDrawing(kind);
  const Scene scene = makeScene(drawing.traits, input, style);
  return sizeOnPaper(scene, drawing.height(scene));
}

void drawFigure(std::string_view kind, const FigureInput& input, const FigureStyle& style,
                cairo_t* context) {
  const FigureDrawing& drawing = findDrawing(kind);
  const Scene scene = makeScene(drawing.traits, input, style);
  Canvas canvas(context);
  beginPage(canvas, scene, drawing.height(scene));
  drawing.draw(canvas, scene);
}

void writeFigure(std::string_view kind, const FigureInput& input, const FigureStyle& style,
                 FigureFormat format, const std::filesystem::path& path) {
  const FigureSize size = figureSize(kind, input, style);
  writePage({[&](cairo_t* context) { drawFigure(kind, input, style, context); }, style, size,
             input.title, input.provenance},
            format, path);
}

}  // namespace adamerge
