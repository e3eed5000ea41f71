// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_content.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>

namespace adamerge::ui {
namespace {

QString number(double value) { return QString::number(value, 'g', 10); }

QString quoted(QString text, QChar separator) {
  if (!text.contains(separator) && !text.contains('"') && !text.contains('\n')) return text;
  return '"' + text.replace('"', QStringLiteral("\"\"")) + '"';
}

QString tr(const char* text) { return QCoreApplication::translate("Plot", text); }

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
      table += line({series.name, series.quantity, number(point.x), number(point.y),
                     point.interval ? number(point.interval->low) : QString(),
                     point.interval ? number(point.interval->high) : QString(),
                     QString(point.text).replace('\n', QStringLiteral(", "))});
    }
  }
  return table;
}

QString describePlot(const PlotContent& content) {
  if (content.isEmpty()) return content.empty_text;
  QStringList parts{tr("%1 against %2.").arg(content.y.label, content.x.label)};
  for (const PlotSeries& series : content.series) {
    if (series.points.empty()) continue;
    const auto [low, high] =
        std::minmax_element(series.points.begin(), series.points.end(),
                            [](const PlotPoint& a, const PlotPoint& b) { return a.y < b.y; });
    parts << tr("%1: %2 points from %3 to %4.")
                 .arg(series.name)
                 .arg(series.points.size())
                 .arg(QString::number(low->y, 'g', 4), QString::number(high->y, 'g', 4));
  }
  if (!content.note.isEmpty()) parts << content.note;
  return parts.join(' ');
}

}  // namespace adamerge::ui
