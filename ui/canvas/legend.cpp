// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/legend.h"

#include <QLinearGradient>
#include <QObject>
#include <QPainter>
#include <QPalette>
#include <algorithm>

#include "adamerge/figures.h"
#include "bench/overlay_table.h"
#include "canvas/layers.h"
#include "look/paint.h"

namespace adamerge::ui {
namespace {

constexpr int kTicks = 5;
constexpr int kStripWidth = 12;
constexpr int kPadding = 8;
constexpr int kSample = 18;
constexpr int kTickGap = 6;
constexpr int kSmallestStrip = 48;
constexpr int kLargestStrip = 132;

QLinearGradient gradient(Colormap colormap, const QRectF& strip) {
  QLinearGradient gradient(strip.bottomLeft(), strip.topLeft());
  constexpr int kStops = 32;
  for (int i = 0; i <= kStops; ++i) {
    const double t = static_cast<double>(i) / kStops;
    const auto rgb = colormapColor(colormap, t);
    gradient.setColorAt(t, QColor(rgb[0], rgb[1], rgb[2]));
  }
  return gradient;
}

/// Marks of a run of two patches that became one: of the one that took the other in, and of that.
/// Drawn by the core, as on the picture.
std::vector<QImage> drawnSamples(OverlayKind kind, double ratio) {
  PreparedImage view;
  view.crop = {0, 0, 2, 1};
  view.view = {2, 1, std::vector<std::uint8_t>(6, 128)};
  LayerTrace merged;
  merged.tokens_in = 2;
  merged.tokens_out = 1;
  merged.merged = 1;
  merged.groups = {0, 0};
  merged.merges = {{1, 0, 1.0F}};
  if (kind == OverlayKind::kGroups) {
    merged.groups = {0, 1};
    merged.dropped = {1};
  }
  const std::vector<LayerTrace> layers{merged};
  const std::vector<int> apart{0, 1};
  OverlayInput input;
  input.image = &view;
  input.grid_height = 1;
  input.grid_width = 2;
  input.layers = &layers;
  input.other_groups = &apart;
  OverlayStyle style;
  style.kind = kind;
  style.opacity = 1;
  style.dim_outside = false;
  ViewMapping mapping;
  mapping.scale = kSample;
  QImage both((QSizeF(2 * kSample, kSample) * ratio).toSize(), QImage::Format_RGB32);
  both.fill(QColor(0x9A, 0xA4, 0xAE));
  drawOverlayOn(both, {0, 0}, input, style, {2, 1}, mapping, ratio);
  const int side = both.width() / 2;
  std::vector<QImage> samples;
  for (const int x : {0, side}) {
    samples.push_back(both.copy(x, 0, side, both.height()));
    samples.back().setDevicePixelRatio(ratio);
  }
  return samples;
}

std::vector<ColorBar::Sample> survivorSamples(const Inspection& inspection, int block,
                                              double ratio) {
  const std::vector<int>& survivors = inspection.survivors[static_cast<std::size_t>(block)];
  std::vector<int> members(survivors.size(), 0);
  for (const int survivor : survivors) ++members[static_cast<std::size_t>(survivor)];
  int untouched = 0;
  int absorbed = 0;
  for (const int count : members) (count == 1 ? untouched : absorbed) += count == 0 ? 0 : 1;
  const std::size_t merged = survivors.size() - static_cast<std::size_t>(untouched + absorbed);
  const std::vector<QImage> drawn = drawnSamples(OverlayKind::kSurvivors, ratio);
  QImage plain = drawn.front();
  plain.fill(QColor(0x9A, 0xA4, 0xAE));
  return {{plain, QObject::tr("%1 untouched").arg(untouched)},
          {drawn.front(), QObject::tr("%1 absorbed others").arg(absorbed)},
          {drawn.back(), QObject::tr("%1 merged away").arg(merged)}};
}

bool fits(const QSize& size, const QRect& area, bool free) {
  return size.width() <= area.width() && size.height() <= area.height() * (free ? 4 : 3) / 4;
}

void paintSamples(QPainter& painter, const ColorBar& bar, const QRect& area, bool free,
                  const QPalette& palette) {
  const QFontMetrics metrics = painter.fontMetrics();
  const int row = std::max(metrics.height(), kSample) + 4;
  int labels = metrics.horizontalAdvance(bar.title) - kSample - kTickGap;
  for (const ColorBar::Sample& sample : bar.samples) {
    labels = std::max(labels, metrics.horizontalAdvance(sample.label));
  }
  const QSize size(
      kSample + kTickGap + labels + 2 * kPadding,
      metrics.height() + 4 + row * static_cast<int>(bar.samples.size()) + 2 * kPadding);
  if (!fits(size, area, free)) return;
  const QRect panel(QPoint(area.right() - size.width() + 1, area.bottom() - size.height() + 1),
                    size);
  paintPanel(painter, panel, palette);
  QRect line(panel.left() + kPadding, panel.top() + kPadding, size.width() - 2 * kPadding,
             metrics.height());
  painter.setPen(palette.color(QPalette::WindowText));
  painter.drawText(line, Qt::AlignLeft, bar.title);
  line.translate(0, metrics.height() + 4);
  line.setHeight(row);
  for (const ColorBar::Sample& sample : bar.samples) {
    painter.drawImage(QPoint(line.left(), line.center().y() - kSample / 2), sample.image);
    painter.drawText(line.adjusted(kSample + kTickGap, 0, 2, 0), Qt::AlignLeft | Qt::AlignVCenter,
                     sample.label);
    line.translate(0, row);
  }
}

}  // namespace

std::optional<ColorBar> colorBar(const Inspection& inspection, const InspectionPtr& reference,
                                 const OverlayStyle& style, int block, double ratio,
                                 const LensShownPtr& lens) {
  const LayerTrace& layer = inspection.result.layers[static_cast<std::size_t>(block)];
  ColorBar bar;
  bar.title = entryOf(overlays(), style.kind).label;
  if (style.kind == OverlayKind::kSurvivors) {
    bar.samples = survivorSamples(inspection, block, ratio);
    return bar;
  }
  if (style.kind == OverlayKind::kGroups) {
    const std::vector<bool> dropped = droppedPatches(inspection.result.layers, block);
    const auto count = std::count(dropped.begin(), dropped.end(), true);
    if (count == 0) return std::nullopt;
    bar.samples = {
        {drawnSamples(style.kind, ratio).back(), QObject::tr("%1 patches dropped").arg(count)}};
    return bar;
  }
  if (style.kind == OverlayKind::kDifference) {
    if (reference == nullptr || block >= reference->depth()) return std::nullopt;
    const auto otherwise = groupedOtherwise(
        layer.groups, reference->result.layers[static_cast<std::size_t>(block)].groups);
    bar.samples = {{drawnSamples(style.kind, ratio).front(),
                    QObject::tr("%1 of %2 differ").arg(otherwise).arg(layer.groups.size())}};
    return bar;
  }
  if (!isHeatMap(style.kind)) return std::nullopt;
  const LensMap* map = lens == nullptr ? nullptr : lens->map(inspection, style.kind, block);
  if (lensOf(style.kind) && map == nullptr) return std::nullopt;
  const std::vector<float>& values = map != nullptr ? map->values : layer.salience;
  if (values.empty()) return std::nullopt;
  const std::optional<ValueRange> held = style.heldRange(style.kind);
  bar.scale = QString::fromStdString(scaleName(style.scale));
  if (held) bar.scale += QObject::tr(", held");
  bar.colormap = style.colormap;
  bar.ticks = scaleTicks(values, style.scale, kTicks, held);
  return bar;
}

int colorBarWidth(OverlayKind kind, const QFontMetrics& metrics) {
  switch (kind) {
    case OverlayKind::kSalience:
    case OverlayKind::kAttention:
    case OverlayKind::kRollout:
    case OverlayKind::kSimilarity:
    case OverlayKind::kNorm:
    case OverlayKind::kChange:
      return kStripWidth + kTickGap + 2 * kPadding +
             metrics.horizontalAdvance(QStringLiteral("median 0.0000"));
    case OverlayKind::kSurvivors:
      return kSample + kTickGap + 2 * kPadding +
             metrics.horizontalAdvance(QStringLiteral("000 absorbed others"));
    case OverlayKind::kDifference:
      return kSample + kTickGap + 2 * kPadding +
             metrics.horizontalAdvance(QStringLiteral("000 of 000 differ"));
    case OverlayKind::kNone:
    case OverlayKind::kGroups:
    case OverlayKind::kComponents:
    case OverlayKind::kClasses:
      break;
  }
  return 0;
}

void paintColorBar(QPainter& painter, const ColorBar& bar, const QRect& area, bool free,
                   const QPalette& palette) {
  if (!bar.samples.empty()) return paintSamples(painter, bar, area, free, palette);
  const QFontMetrics metrics = painter.fontMetrics();
  const int line = metrics.height();
  const int heading = 2 * line + kPadding / 2;
  const int room = free ? area.height() - heading - line - 2 * kPadding : area.height() / 4;
  const int strip_height = std::clamp(room, kSmallestStrip, kLargestStrip);
  // Numbers stand apart by at least their own height.
  const std::size_t step = strip_height >= 5 * line ? 1 : 2;
  int labels = 0;
  for (const ScaleTick& tick : bar.ticks) {
    labels = std::max(labels, metrics.horizontalAdvance(QString::fromStdString(tick.label)));
  }
  const int content =
      std::max({metrics.horizontalAdvance(bar.title), metrics.horizontalAdvance(bar.scale),
                kStripWidth + kTickGap + labels});
  const QSize size(content + 2 * kPadding, heading + strip_height + line + 2 * kPadding);
  if (!fits(size, area, free) || (!free && 2 * size.width() > area.width())) return;

  const QRect panel(QPoint(area.right() - size.width() + 1, area.bottom() - size.height() + 1),
                    size);
  paintPanel(painter, panel, palette);
  const QRect inside = panel.adjusted(kPadding, kPadding, -kPadding, -kPadding);
  painter.setPen(palette.color(QPalette::WindowText));
  painter.drawText(QRect(inside.left(), inside.top(), inside.width(), line), Qt::AlignLeft,
                   bar.title);
  painter.setPen(mutedText(palette));
  painter.drawText(QRect(inside.left(), inside.top() + line, inside.width(), line), Qt::AlignLeft,
                   bar.scale);
  const QRectF strip(inside.left() + 0.5, inside.top() + heading + line / 2.0, kStripWidth,
                     strip_height);
  painter.setBrush(gradient(bar.colormap, strip));
  painter.setPen(QPen(mutedText(palette), 1));
  painter.drawRect(strip);
  painter.setPen(palette.color(QPalette::WindowText));
  for (std::size_t i = 0; i < bar.ticks.size(); i += step) {
    const double y = strip.bottom() - bar.ticks[i].position * strip.height();
    painter.drawLine(QPointF(strip.right(), y), QPointF(strip.right() + 3, y));
    const QRectF label(strip.right() + kTickGap, y - line / 2.0, labels + 1.0, line);
    painter.drawText(label, Qt::AlignLeft | Qt::AlignVCenter,
                     QString::fromStdString(bar.ticks[i].label));
  }
}

}  // namespace adamerge::ui
