// SPDX-License-Identifier: GPL-3.0-or-later
// Tokens, merges and redundancy over the blocks: charts that share one horizontal axis.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "figures/axes.h"
#include "figures/scene.h"

namespace adamerge {
namespace {

constexpr double kTokensHeight = 68;
constexpr double kMergesHeight = 42;
constexpr double kRedundancyHeight = 62;
constexpr double kPlotSpace = 10;
constexpr double kLayersLegendSpace = 14;
constexpr double kEndLabelSpace = 18;
constexpr double kCurveWidth = 1.2;
constexpr double kMeanWidth = 0.8;
constexpr double kHeadroom = 1.12;

const std::vector<LayerTrace>& layersOf(const Scene& scene) { return scene.input.result.layers; }

bool usable(const std::optional<double>& value) { return value && std::isfinite(*value); }

bool hasBand(const LayerTrace& trace) { return usable(trace.mu) && usable(trace.sigma); }

bool hasRedundancy(const Scene& scene) {
  return std::any_of(layersOf(scene).begin(), layersOf(scene).end(),
                     [](const LayerTrace& trace) { return usable(trace.redundancy); });
}

Plot plotAt(const Scene& scene, double top, double height) {
  return {{kMargin + kAxisSpace, top, scene.contentWidth() - kAxisSpace - kEndLabelSpace, height},
          static_cast<int>(layersOf(scene).size())};
}

void drawTokens(Canvas& canvas, const Scene& scene, Plot plot) {
  const auto& layers = layersOf(scene);
  plot.high = 4;  // ticks of less than one token would be nonsense
  for (const LayerTrace& trace : layers) {
    plot.high = std::max(plot.high, std::max(trace.tokens_in, trace.tokens_out) * kHeadroom);
  }
  drawValueAxis(canvas, scene, plot, "tokens", 4);
  drawBlockAxis(canvas, scene, plot, false);
  std::vector<Point> steps{{plot.x(-0.5), plot.y(layers.front().tokens_in)}};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const double middle = plot.x(static_cast<double>(i));
    steps.push_back({middle, plot.y(layers[i].tokens_in)});
    steps.push_back({middle, plot.y(layers[i].tokens_out)});
  }
  steps.push_back({plot.area.right(), plot.y(layers.back().tokens_out)});
  canvas.polyline(steps, kCurveWidth, scene.theme.line);
  canvas.text(
      fmt::format("{}", layers.back().tokens_out),
      {plot.area.right() + 2, steps.back().y - kLineHeight / 2, kEndLabelSpace - 2, kLineHeight},
      {scene.theme.line});
}

void drawMerges(Canvas& canvas, const Scene& scene, Plot plot) {
  constexpr double kBarShare = 0.62;
  const auto& layers = layersOf(scene);
  int most = 0;
  for (const LayerTrace& trace : layers) most = std::max(most, trace.merged);
  double widest = 0;
  for (const LayerTrace& trace : layers) {
    widest = std::max(widest, textWidth(fmt::format("{}", trace.merged), scene.textStyle()));
  }
  const bool numbered = widest + 2 <= plot.slot();
  plot.high = std::max(most, 1) * (numbered ? 1.35 : kHeadroom);
  // Grid lines would cross the numbers on the bars.
  drawValueAxis(canvas, scene, plot, "merged", std::min(most + 1, 2), !numbered);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const double middle = plot.x(static_cast<double>(i));
    const double y = plot.y(layers[i].merged);
    const double width = plot.slot() * kBarShare;
    canvas.fill({middle - width / 2, y, width, plot.area.bottom() - y}, scene.theme.bar);
    if (!numbered) continue;
    canvas.text(fmt::format("{}", layers[i].merged),
                {middle - plot.slot() / 2, y - kLineHeight, plot.slot(), kLineHeight},
                scene.textStyle(Align::kCentre));
  }
  drawBlockAxis(canvas, scene, plot, !hasRedundancy(scene));
}

void fitRedundancy(const Scene& scene, Plot& plot) {
  bool first = true;
  const auto include = [&](double value) {
    plot.low = first ? value : std::min(plot.low, value);
    plot.high = first ? value : std::max(plot.high, value);
    first = false;
  };
  for (const LayerTrace& trace : layersOf(scene)) {
    if (usable(trace.redundancy)) include(*trace.redundancy);
    if (hasBand(trace)) {
      include(*trace.mu - *trace.sigma);
      include(*trace.mu + *trace.sigma);
    }
  }
  const double span = std::max(plot.high - plot.low, 1e-3);
  plot.low -= 0.1 * span;
  plot.high += 0.1 * span;
}

void drawRedundancyLegend(Canvas& canvas, const Scene& scene, const Plot& plot, bool band) {
  constexpr double kSample = 12;
  constexpr double kSampleSpace = 3;
  constexpr double kEntrySpace = 10;
  constexpr std::string_view kMeasured = "this image";
  const std::string_view other = band                            ? "calibrated µ ± σ"
                                 : scene.input.result.calibrated ? ""
                                                                 : "not calibrated";
  const double first = kSample + kSampleSpace + textWidth(kMeasured, scene.textStyle());
  const double second = (band ? kSample + kSampleSpace : 0) + textWidth(other, scene.textStyle());
  const double middle = plot.area.y - kLayersLegendSpace / 2;
  double x = std::clamp(scene.width - kMargin - first - kEntrySpace - second, kMargin, plot.area.x);
  const auto label = [&](std::string_view text, double left) {
    canvas.text(text, {left, middle - kLineHeight / 2, scene.width - left, kLineHeight},
                scene.textStyle());
  };
  const auto line = [&](double width, const Color& color) {
    canvas.polyline(std::array<Point, 2>{{{x, middle}, {x + kSample, middle}}}, width, color);
  };
  line(kCurveWidth, scene.theme.point);
  canvas.dot({x + kSample / 2, middle}, 1.8, scene.theme.point, scene.theme.background);
  label(kMeasured, x + kSample + kSampleSpace);
  x += first + kEntrySpace;
  if (band) {
    canvas.fill({x, middle - 3.5, kSample, 7}, scene.theme.band);
    line(kMeanWidth, scene.theme.line);
    label(other, x + kSample + kSampleSpace);
  } else {
    label(other, x);
  }
}

void drawRedundancy(Canvas& canvas, const Scene& scene, Plot plot) {
  const auto& layers = layersOf(scene);
  fitRedundancy(scene, plot);
  bool band = false;
  std::vector<Segment> means;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!hasBand(layers[i])) continue;
    band = true;
    const double left = plot.x(static_cast<double>(i) - 0.5);
    const double top = plot.y(*layers[i].mu + *layers[i].sigma);
    canvas.fill({left, top, plot.slot(), plot.y(*layers[i].mu - *layers[i].sigma) - top},
                scene.theme.band);
    const double y = plot.y(*layers[i].mu);
    means.push_back({{left + plot.slot() * 0.15, y}, {left + plot.slot() * 0.85, y}});
  }
  drawValueAxis(canvas, scene, plot, "redundancy", 4);
  canvas.lines(means, kMeanWidth, scene.theme.line);
  std::vector<Point> run;
  for (std::size_t i = 0; i <= layers.size(); ++i) {
    if (i < layers.size() && usable(layers[i].redundancy)) {
      run.push_back({plot.x(static_cast<double>(i)), plot.y(*layers[i].redundancy)});
      continue;
    }
    if (run.size() > 1) canvas.polyline(run, kCurveWidth, scene.theme.point);
    const double radius = std::clamp(plot.slot() * 0.18, 0.8, 1.8);
    for (const Point& point : run) {
      canvas.dot(point, radius, scene.theme.point, scene.theme.background);
    }
    run.clear();
  }
  drawRedundancyLegend(canvas, scene, plot, band);
  drawBlockAxis(canvas, scene, plot, true);
}

double mergesTop(const Scene& scene) {
  return kMargin + headingHeight(scene, runNote(scene)) + kTokensHeight + kPlotSpace;
}

double layersHeight(const Scene& scene) {
  const double redundancy =
      hasRedundancy(scene) ? kPlotSpace + kLayersLegendSpace + kRedundancyHeight : 0;
  return mergesTop(scene) + kMergesHeight + redundancy + kBlockAxisSpace + kMargin;
}

void drawLayersFigure(Canvas& canvas, const Scene& scene) {
  drawHeading(canvas, scene, runNote(scene));
  double top = kMargin + headingHeight(scene, runNote(scene));
  drawTokens(canvas, scene, plotAt(scene, top, kTokensHeight));
  top = mergesTop(scene);
  drawMerges(canvas, scene, plotAt(scene, top, kMergesHeight));
  if (!hasRedundancy(scene)) return;
  top += kMergesHeight + kPlotSpace + kLayersLegendSpace;
  drawRedundancy(canvas, scene, plotAt(scene, top, kRedundancyHeight));
}

}  // namespace

FigureDrawing layersFigure() {
  return {{{"layers", "Tokens, merges and, where measured, redundancy over the blocks."},
           kColumnMm,
           {}},
          layersHeight,
          drawLayersFigure,
          {}};
}

}  // namespace adamerge
