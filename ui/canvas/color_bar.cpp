// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/color_bar.h"

#include <QLinearGradient>
#include <QObject>
#include <QPainter>
#include <QPalette>
#include <algorithm>

#include "canvas/canvas_decor.h"

namespace adamerge::ui {
namespace {

constexpr int kTicks = 5;
constexpr int kStripWidth = 12;
constexpr int kPadding = 8;
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

}  // namespace

std::optional<ColorBar> colorBar(const Inspection& inspection, const OverlayStyle& style,
                                 int block) {
  const LayerTrace& layer = inspection.result.layers[static_cast<std::size_t>(block)];
  const bool salience = style.kind == OverlayKind::kSalience;
  if (!salience && style.kind != OverlayKind::kAttention) return std::nullopt;
  const std::vector<float>& values = salience ? layer.salience : layer.attention;
  if (values.empty()) return std::nullopt;
  ColorBar bar;
  bar.title = salience ? QObject::tr("Salience") : QObject::tr("Attention");
  bar.scale = QString::fromStdString(scaleName(style.scale));
  bar.colormap = style.colormap;
  bar.ticks = scaleTicks(values, style.scale, kTicks);
  return bar;
}

void paintColorBar(QPainter& painter, const ColorBar& bar, const QRect& area,
                   const QPalette& palette) {
  const QFontMetrics metrics = painter.fontMetrics();
  const int line = metrics.height();
  const int heading = 2 * line + kPadding / 2;
  const int strip_height = std::clamp(area.height() / 4, kSmallestStrip, kLargestStrip);
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
  if (size.width() > area.width() / 2 || size.height() > area.height() * 3 / 4) return;

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
