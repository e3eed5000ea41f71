// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_content.h"

#include <QStringList>
#include <algorithm>
#include <array>

#include "look/theme.h"

namespace adamerge::ui {

Marker methodMarker(std::string_view method) {
  constexpr std::array<Marker, 6> kMarkers{Marker::kCircle,   Marker::kSquare,
                                           Marker::kTriangle, Marker::kTriangleDown,
                                           Marker::kDiamond,  Marker::kPlusCircle};
  const int place = methodPlace(method);
  return place < 0 ? Marker::kStar : kMarkers[static_cast<std::size_t>(place) % kMarkers.size()];
}

Qt::PenStyle lineStyle(int variant) {
  constexpr std::array<Qt::PenStyle, 4> kStyles{Qt::SolidLine, Qt::DashLine, Qt::DotLine,
                                                Qt::DashDotLine};
  return kStyles[static_cast<std::size_t>(variant) % kStyles.size()];
}

namespace {

QString exactNumber(double value) { return QString::number(value, 'g', 10); }

QString quoted(QString text, QChar separator) {
  if (!text.contains(separator) && !text.contains('"') && !text.contains('\n')) return text;
  return '"' + text.replace('"', QStringLiteral("\"\"")) + '"';
}

}  // namespace

bool PlotContent::isEmpty() const {
  return std::all_of(series.begin(), series.end(),
                     [](const PlotSeries& one) { return one.points.empty(); });
}

QString plotTable(const PlotContent& content, const QSet<QString>& hidden, QChar separator) {
  const auto line = [separator](const QStringList& cells) {
    QStringList safe;
    for (const QString& cell : cells) safe << quoted(cell, separator);
    return safe.join(separator) + '\n';
  };
  QString table = line({"series", "quantity", content.x.label, "value", "low", "high", "note"});
  for (const PlotSeries& series : content.series) {
    if (hidden.contains(series.id)) continue;
    for (const PlotPoint& point : series.points) {
      table += line({series.name, series.quantity, exactNumber(point.x), exactNumber(point.y),
                     point.interval ? exactNumber(point.interval->low) : QString(),
                     point.interval ? exactNumber(point.interval->high) : QString(),
                     QString(point.text).replace('\n', QStringLiteral(", "))});
    }
  }
  return table;
}

QString describePlot(const PlotContent& content) {
  if (content.isEmpty()) return content.empty_text;
  QStringList parts{QObject::tr("%1 against %2.").arg(content.y.label, content.x.label)};
  for (const PlotSeries& series : content.series) {
    if (series.points.empty()) continue;
    const auto [low, high] =
        std::minmax_element(series.points.begin(), series.points.end(),
                            [](const PlotPoint& a, const PlotPoint& b) { return a.y < b.y; });
    parts << QObject::tr("%1: %2 points from %3 to %4.")
                 .arg(series.name)
                 .arg(series.points.size())
                 .arg(QString::number(low->y, 'g', 4), QString::number(high->y, 'g', 4));
  }
  if (!content.note.isEmpty()) parts << content.note;
  return parts.join(' ');
}

namespace {

PlotTheme makeTheme(const QColor& background, const QColor& ink, const QColor& accent) {
  PlotTheme theme;
  theme.background = background;
  theme.ink = ink;
  theme.muted = blend(background, ink, 0.68);
  theme.rule = blend(background, ink, 0.5);
  theme.grid = blend(background, ink, 0.1);
  theme.band = blend(background, ink, 0.11);
  theme.accent = accent;
  return theme;
}

}  // namespace

QColor onGround(const PlotTheme& theme, const QColor& color) {
  const bool dark = theme.background.lightness() < 128;
  return legibleOn(theme.background, color, dark ? 4.5 : 3);
}

PlotTheme screenTheme(const QPalette& palette, const QFont& font) {
  PlotTheme theme = makeTheme(palette.color(QPalette::Base), palette.color(QPalette::Text),
                              palette.color(QPalette::Highlight));
  theme.font = font;
  return theme;
}

PlotTheme paperTheme(bool dark, bool transparent, double font_pt) {
  PlotTheme theme = dark ? makeTheme(QColor(0x15171B), QColor(0xECEFF4), QColor(0x56B4E9))
                         : makeTheme(QColor(0xFFFFFF), QColor(0x1A1A1A), QColor(0x0072B2));
  theme.transparent = transparent;
  theme.font = QFont(QStringLiteral("DejaVu Sans"));
  theme.font.setPointSizeF(font_pt);
  theme.font.setHintingPreference(QFont::PreferNoHinting);
  return theme;
}

}  // namespace adamerge::ui
