// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <vector>

#include "adamerge/figures.h"
#include "figures/panels.h"
#include "figures/patch_marks.h"
#include "figures/salience_scale.h"

namespace adamerge {
namespace {

constexpr double kBarHeight = 5;
constexpr double kScaleTickLength = 2;
constexpr double kSharedBarWidth = 60;
constexpr double kBarSpace = 3;
constexpr double kSampleSize = 8;
constexpr double kSampleSpace = 3;
constexpr double kEntrySpace = 7;

std::vector<double> tickPlaces(const Scene& scene, const ScaledSalience& values, double width) {
  if (values.constant()) return {0.5};
  std::vector<double> ticks{0, 0.25, 0.5, 0.75, 1};
  double widest = 0;
  for (const double t : ticks) {
    widest = std::max(widest, textWidth(values.labelAt(t), scene.textStyle()));
  }
  // The labels at the ends lie inside the bar's width, so the outer gaps are the tight ones.
  if (widest * 1.5 + 4 > width / 4) ticks = {0, 0.5, 1};
  if (widest * 1.5 + 4 > width / 2) ticks = {0, 1};
  return ticks;
}

void drawHeatScale(Canvas& canvas, const Scene& scene, const ScaledSalience& values,
                   const Box& area) {
  const Box bar{area.x, area.y, area.width, kBarHeight};
  const OverlayStyle& style = scene.style.overlay;
  drawColorBar(canvas, scene, bar);
  for (const double t : tickPlaces(scene, values, bar.width)) {
    const double x = bar.x + t * bar.width;
    const std::array<Segment, 1> tick{{{{x, bar.bottom()}, {x, bar.bottom() + kScaleTickLength}}}};
    canvas.lines(tick, 0.5, scene.theme.rule);
    Box label{bar.x, bar.bottom() + kScaleTickLength, bar.width, kLineHeight};
    if (t > 0 && t < 1) label = {x - bar.width / 4, label.y, bar.width / 2, kLineHeight};
    const Align align = t <= 0 ? Align::kLeft : t >= 1 ? Align::kRight : Align::kCentre;
    canvas.text(values.labelAt(t), label, scene.textStyle(align));
  }
  canvas.text(fmt::format("{} scale", scaleName(style.scale)),
              {bar.x, bar.bottom() + kScaleTickLength + kLineHeight, bar.width, kLineHeight},
              scene.mutedStyle(Align::kCentre));
}

/// A sample of what patches look like, and what it means.
struct Entry {
  std::string label;
  std::function<void(Canvas& canvas, const Scene& scene, const Box& box)> sample;
  double x = 0;
  double row = 0;
};

template <PatchFate kFate>
void fateSample(Canvas& canvas, const Scene& scene, const Box& box) {
  drawFateSample(canvas, scene, kFate, box);
}

/// Patches whose token is gone: in the block of a legend that counts, else in any.
std::int64_t droppedCount(const Scene& scene, bool counted) {
  const std::vector<LayerTrace>& layers = scene.input.result.layers;
  if (!counted) {
    return std::count_if(layers.begin(), layers.end(),
                         [](const LayerTrace& layer) { return !layer.dropped.empty(); });
  }
  const std::vector<bool> dropped = droppedPatches(layers, static_cast<int>(scene.layer));
  return std::count(dropped.begin(), dropped.end(), true);
}

/// The most frequent classes and, where merging changed any, the mark of that.
std::vector<Entry> mapEntries(const Scene& scene) {
  constexpr std::size_t kMostEntries = 12;
  const std::vector<ClassEntry>& classes = scene.input.lens->classes;
  std::vector<Entry> entries;
  for (const ClassEntry& one : classes) {
    if (entries.size() == kMostEntries) {
      entries.push_back({fmt::format("and {} more", classes.size() - kMostEntries), {}});
      break;
    }
    const auto [red, green, blue] = one.color;
    entries.push_back({one.name, [=](Canvas& canvas, const Scene& /*scene*/, const Box& box) {
                         canvas.fill(box, rgb(red << 16U | green << 8U | blue));
                       }});
  }
  const std::vector<bool>& changed = lensMapOf(scene).hatched;
  const auto count = std::count(changed.begin(), changed.end(), true);
  if (count > 0) {
    entries.push_back({fmt::format("changed by merging: {}", count), drawDifferenceSample});
  }
  return entries;
}

/// Patches that a lens hatches: of one block, counted, or of any.
std::vector<Entry> lensEntries(const Scene& scene, OverlayKind content, bool counted) {
  if (scene.input.lens == nullptr) return {};
  const auto hatchedIn = [](const LensMap& map) {
    return std::count(map.hatched.begin(), map.hatched.end(), true);
  };
  const std::vector<LensMap>& blocks = scene.input.lens->blocks;
  const std::int64_t count = counted ? hatchedIn(lensMapOf(scene))
                                     : std::count_if(blocks.begin(), blocks.end(), hatchedIn);
  if (count == 0) return {};
  const bool split =
      content == OverlayKind::kComponents && scene.style.overlay.foreground != Foreground::kAll;
  const std::string name = split ? "background or dropped" : "dropped";
  return {{counted ? fmt::format("{}: {}", name, count) : name, drawDroppedSample}};
}

/// Windows and prompts, where they are drawn.
std::vector<Entry> placeEntries(const Scene& scene, bool counted) {
  std::vector<Entry> entries;
  const std::vector<LayerTrace>& layers = scene.input.result.layers;
  const auto windowed = [&](const LayerTrace& layer) {
    return hasSeveralWindows(scene.grid, layer.window);
  };
  const auto shown = counted ? layers.begin() + static_cast<std::ptrdiff_t>(scene.layer)
                             : std::find_if(layers.begin(), layers.end(), windowed);
  if (scene.style.overlay.windows && shown != layers.end() && windowed(*shown)) {
    entries.push_back(
        {fmt::format("windows of {} × {}", shown->window[0], shown->window[1]), drawWindowSample});
  }
  if (!scene.input.prompts.any()) return entries;
  entries.push_back({"prompt", drawPromptSample});
  const std::size_t protects = scene.trace().details.prompted.size();
  if (protects > 0) {
    entries.push_back(
        {counted ? fmt::format("protected: {}", protects) : "protected", drawProtectedSample});
  }
  return entries;
}

std::vector<Entry> kindEntries(const Scene& scene, OverlayKind content, bool counted) {
  const auto label = [&](std::string_view name, auto count) {
    return counted ? fmt::format("{}: {}", name, count()) : std::string(name);
  };
  if (content == OverlayKind::kDifference) {
    const auto otherwise = [&] {
      return groupedOtherwise(scene.trace().groups, otherGroups(scene));
    };
    return {{label("grouped otherwise", otherwise), drawDifferenceSample}};
  }
  if (content == OverlayKind::kClasses) return mapEntries(scene);
  if (content == OverlayKind::kGroups) {
    const std::int64_t dropped = droppedCount(scene, counted);
    if (dropped == 0) return {};
    return {{label("dropped", [dropped] { return dropped; }), drawDroppedSample}};
  }
  if (lensOf(content)) return lensEntries(scene, content, counted);
  if (content != OverlayKind::kSurvivors) return {};
  const std::vector<PatchFate> fates = fatesOf(scene);
  const auto of = [&](PatchFate fate) {
    return [&fates, fate] { return std::count(fates.begin(), fates.end(), fate); };
  };
  return {{label("untouched", of(PatchFate::kUntouched)), fateSample<PatchFate::kUntouched>},
          {label("absorbed others", of(PatchFate::kAbsorbed)), fateSample<PatchFate::kAbsorbed>},
          {label("merged away", of(PatchFate::kMerged)), fateSample<PatchFate::kMerged>}};
}

std::vector<Entry> entriesOf(const Scene& scene, OverlayKind content, bool counted) {
  std::vector<Entry> entries = kindEntries(scene, content, counted);
  std::vector<Entry> places = placeEntries(scene, counted);
  std::move(places.begin(), places.end(), std::back_inserter(entries));
  return entries;
}

/// From left to right, continued on a new row where a row is full.
std::vector<Entry> laidOut(std::vector<Entry> entries, const Scene& scene, double width) {
  double x = 0;
  double row = 0;
  for (Entry& entry : entries) {
    const double own = kSampleSize + kSampleSpace + textWidth(entry.label, scene.textStyle());
    if (x > 0 && x + own > width) {
      x = 0;
      ++row;
    }
    entry.x = x;
    entry.row = row;
    x += own + kEntrySpace;
  }
  return entries;
}

double entriesHeight(const std::vector<Entry>& entries) {
  return entries.empty() ? 0 : (entries.back().row + 1) * kLineHeight;
}

void drawEntries(Canvas& canvas, const Scene& scene, const std::vector<Entry>& entries,
                 const Box& area) {
  for (const Entry& entry : entries) {
    const Box line{area.x + entry.x, area.y + entry.row * kLineHeight, area.width - entry.x,
                   kLineHeight};
    if (entry.sample) {
      entry.sample(canvas, scene,
                   {line.x, line.y + (kLineHeight - kSampleSize) / 2, kSampleSize, kSampleSize});
    }
    const double indent = entry.sample ? kSampleSize + kSampleSpace : 0;
    canvas.text(entry.label, {line.x + indent, line.y, line.width - indent, kLineHeight},
                scene.textStyle());
  }
}

/// "low" bar "high", explained beside it, or above it in one or two lines where the figure is
/// narrow.
struct SharedBar {
  std::vector<std::string> above;
  std::string beside;
  double bar_width = 0;  ///< with "low" and "high"

  double height() const { return static_cast<double>(above.size() + 1) * kLineHeight; }
};

SharedBar sharedBar(const Scene& scene, OverlayKind content) {
  SharedBar bar;
  const std::string name(contentName(content));
  const OverlayStyle& style = scene.style.overlay;
  const std::optional<ValueRange> held = style.heldRange(content);
  const std::string scale =
      held ? fmt::format("{} scale from {} to {} in all blocks", scaleName(style.scale),
                         shortNumber(held->lowest), shortNumber(held->highest))
           : fmt::format("{} scale within each block", scaleName(style.scale));
  const std::string text = name + ", " + scale;
  const TextStyle muted = scene.mutedStyle();
  const double width = textWidth(text, muted);
  bar.bar_width =
      textWidth("low", muted) + textWidth("high", muted) + kSharedBarWidth + 2 * kBarSpace;
  if (width + kGap + bar.bar_width <= scene.contentWidth()) {
    bar.beside = text;
  } else if (width <= scene.contentWidth()) {
    bar.above = {text};
  } else {
    bar.above = {name, scale};
  }
  return bar;
}

void drawSharedBar(Canvas& canvas, const Scene& scene, OverlayKind content, double top) {
  const SharedBar bar = sharedBar(scene, content);
  const TextStyle muted = scene.mutedStyle();
  for (const std::string& text : bar.above) {
    canvas.text(text, {kMargin, top, scene.contentWidth(), kLineHeight},
                scene.mutedStyle(Align::kCentre));
    top += kLineHeight;
  }
  double x = (scene.width - bar.bar_width) / 2;
  if (!bar.beside.empty()) {
    const double width = textWidth(bar.beside, muted) + 1;
    x -= (width + kGap) / 2;
    canvas.text(bar.beside, {x, top, width, kLineHeight}, muted);
    x += width + kGap;
  }
  const Box line{x, top, bar.bar_width, kLineHeight};
  canvas.text("low", line, muted);
  canvas.text("high", line, scene.mutedStyle(Align::kRight));
  drawColorBar(canvas, scene,
               {x + textWidth("low", muted) + kBarSpace, top + (kLineHeight - kBarHeight) / 2,
                kSharedBarWidth, kBarHeight});
}

std::string lensCaption(const Scene& scene) {
  const std::string& subject = scene.input.lens->subject;
  return subject.empty() ? std::string(contentName(scene.content)) : subject;
}

}  // namespace

std::string_view contentName(OverlayKind content) {
  switch (content) {
    case OverlayKind::kSalience:
      return "salience";
    case OverlayKind::kAttention:
      return "attention";
    case OverlayKind::kRollout:
      return "rollout";
    case OverlayKind::kComponents:
      return "components";
    case OverlayKind::kSimilarity:
      return "similarity";
    case OverlayKind::kNorm:
      return "norm";
    case OverlayKind::kChange:
      return "change";
    case OverlayKind::kGroups:
      return "groups";
    case OverlayKind::kSurvivors:
      return "survivors";
    case OverlayKind::kDifference:
      return "differences";
    case OverlayKind::kClasses:
      return "classes";
    case OverlayKind::kNone:
      break;
  }
  return {};
}

double leastLegendWidth(const Scene& scene) {
  double widest = 0;
  for (const Entry& entry : entriesOf(scene, scene.content, true)) {
    const double own = kSampleSize + kSampleSpace + textWidth(entry.label, scene.textStyle());
    widest = std::max(widest, own);
  }
  return widest;
}

std::string legendCaption(const Scene& scene) {
  if (lensOf(scene.content)) return lensCaption(scene);
  switch (scene.content) {
    case OverlayKind::kSalience:
      return std::string(contentName(scene.content));
    case OverlayKind::kGroups: {
      const int tokens = countGroups(scene.trace().groups);
      return fmt::format("{} patch token{}", tokens, tokens == 1 ? "" : "s");
    }
    case OverlayKind::kSurvivors:
    case OverlayKind::kDifference:
      return fmt::format("after block {}", scene.layer + 1);
    default:
      break;
  }
  return {};
}

double legendHeight(const Scene& scene, double width) {
  const double range = isHeatMap(scene.content) ? rangeLegendHeight() : 0;
  return range + entriesHeight(laidOut(entriesOf(scene, scene.content, true), scene, width));
}

void drawLegend(Canvas& canvas, const Scene& scene, const Box& area) {
  Box below = area;
  if (isHeatMap(scene.content)) {
    const OverlayStyle& style = scene.style.overlay;
    drawHeatScale(canvas, scene, {heatOf(scene), style.scale, style.heldRange(scene.content)},
                  area);
    below.y += rangeLegendHeight();
  }
  drawEntries(canvas, scene, laidOut(entriesOf(scene, scene.content, true), scene, area.width),
              below);
}

double sharedLegendHeight(const Scene& scene, OverlayKind content) {
  const double bar = isHeatMap(content) ? sharedBar(scene, content).height() : 0;
  return bar +
         entriesHeight(laidOut(entriesOf(scene, content, false), scene, scene.contentWidth()));
}

void drawSharedLegend(Canvas& canvas, const Scene& scene, OverlayKind content, double top) {
  if (isHeatMap(content)) {
    drawSharedBar(canvas, scene, content, top);
    top += sharedBar(scene, content).height();
  }
  const Box area{kMargin, top, scene.contentWidth(), kLineHeight};
  drawEntries(canvas, scene, laidOut(entriesOf(scene, content, false), scene, area.width), area);
}

double rangeLegendHeight() { return kBarHeight + kScaleTickLength + 2 * kLineHeight; }

void drawRangeLegend(Canvas& canvas, const Scene& scene, const std::vector<float>& values,
                     const std::optional<ValueRange>& range, const Box& area) {
  drawHeatScale(canvas, scene, {values, scene.style.overlay.scale, range}, area);
}

}  // namespace adamerge
