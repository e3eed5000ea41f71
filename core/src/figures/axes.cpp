// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace adamerge {
namespace {

constexpr double kAxisWidth = 0.6;
constexpr double kGridWidth = 0.5;
constexpr double kTickLength = 2.5;
constexpr double kLabelSpace = 3;

double niceStep(double rough) {
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (rough <= factor * power * (1 + 1e-9)) return factor * power;
  }
  return 10 * power;
}

}  // namespace

std::vector<double> niceTicks(double low, double high, int count) {
  if (!(high > low)) return {low};
  const double step = niceStep((high - low) / std::max(count, 1));
  std::vector<double> ticks;
  const double slack = step * 1e-6;
  for (double i = std::ceil((low - slack) / step); i * step <= high + slack; ++i) {
    ticks.push_back(i * step);
  }
  return ticks;
}

std::string tickLabel(double tick, const std::vector<double>& ticks) {
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : std::max(std::abs(tick), 1.0);
  const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 9);
  // Rounding may leave "-0".
  const double shown = std::abs(tick) < step / 2 ? 0.0 : tick;
  return fmt::format("{:.{}f}", shown, decimals);
}

std::vector<int> blockTicks(int blocks, double width) {
  constexpr double kLeastSpace = 13;
  int step = 1;
  for (const int candidate : {1, 2, 5, 10, 20, 50, 100}) {
    step = candidate;
    if (width / blocks * step >= kLeastSpace) break;
  }
  std::vector<int> ticks;
  for (int block = step; block <= blocks; block += step) ticks.push_back(block);
  return ticks;
}

void drawValueAxis(Canvas& canvas, const Scene& scene, const Plot& plot, std::string_view label,
                   int tick_count, bool with_grid) {
  const Box& area = plot.area;
  const std::vector<double> ticks = niceTicks(plot.low, plot.high, tick_count);
  std::vector<Segment> grid;
  std::vector<Segment> marks;
  for (const double tick : ticks) {
    const double y = plot.y(tick);
    if (y < area.bottom() - 0.1) grid.push_back({{area.x, y}, {area.right(), y}});
    marks.push_back({{area.x - kTickLength, y}, {area.x, y}});
  }
  if (with_grid) canvas.lines(grid, kGridWidth, scene.theme.grid);
  canvas.lines(marks, kAxisWidth, scene.theme.rule);
  const std::array<Segment, 1> axis{{{{area.x, area.y}, {area.x, area.bottom()}}}};
  canvas.lines(axis, kAxisWidth, scene.theme.rule);
  const double numbers = kAxisSpace - kLineHeight - kTickLength - kLabelSpace;
  for (const double tick : ticks) {
    canvas.text(tickLabel(tick, ticks),
                {area.x - kTickLength - 1.5 - numbers, plot.y(tick) - kLineHeight / 2, numbers,
                 kLineHeight},
                scene.mutedStyle(Align::kRight));
  }
  canvas.verticalText(label, {area.x - kAxisSpace, area.y - 6, kLineHeight, area.height + 12},
                      scene.textStyle());
}

void drawBlockAxis(Canvas& canvas, const Scene& scene, const Plot& plot, bool labelled) {
  const Box& area = plot.area;
  std::vector<Segment> marks{{{area.x, area.bottom()}, {area.right(), area.bottom()}}};
  for (const int block : blockTicks(plot.blocks, area.width)) {
    const double x = plot.x(block - 1);
    marks.push_back({{x, area.bottom()}, {x, area.bottom() + kTickLength}});
    if (!labelled) continue;
    canvas.text(fmt::format("{}", block), {x - 10, area.bottom() + kTickLength, 20, kLineHeight},
                scene.mutedStyle(Align::kCentre));
  }
  canvas.lines(marks, kAxisWidth, scene.theme.rule);
  if (!labelled) return;
  canvas.text("block",
              {area.x, area.bottom() + kBlockAxisSpace - kLineHeight, area.width, kLineHeight},
              scene.textStyle(Align::kCentre));
}

}  // namespace adamerge
