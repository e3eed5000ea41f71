// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers, times and file names as people read them.
#pragma once

#include <QLocale>
#include <QString>
#include <cmath>
#include <filesystem>

namespace adamerge::ui {

// Numbers of things in sentences.

/// The program speaks English on every machine: a point before decimals.
inline const QLocale& english() {
  static const QLocale locale(QLocale::English, QLocale::UnitedStates);
  return locale;
}

/// `one` or `many`, with %1 as the number: "1 image", "2,340 images".
inline QString counted(qint64 count, const char* one, const char* many) {
  return QString::fromUtf8(count == 1 ? one : many).arg(english().toString(count));
}

// Numbers of G as people read them, however small the model.

/// So that a number of `g` G keeps three significant digits: 2 from 10 G on, else at least 3.
inline int flopsDecimals(double g) {
  if (g >= 10) return 2;
  return g >= 0.1 || !(g > 1e-9) ? 3 : 2 - static_cast<int>(std::floor(std::log10(g)));
}

/// Without the unit.
inline QString flopsNumber(double g) { return QString::number(g, 'f', flopsDecimals(g)); }

/// Without its folders.
inline QString fileName(const std::filesystem::path& path) {
  return QString::fromStdString(path.filename().string());
}

/// As a paragraph: tooltips break its lines.
inline QString richText(const QString& text) {
  return QStringLiteral("<p>%1</p>").arg(text.toHtmlEscaped());
}

// Times as people read them.

/// "0:07", "12:30", "1:05:00".
QString clockTime(double seconds);
/// Of an estimate: "a few seconds", "about 40 s", "about 12 min", "about 3 h 20 min".
QString roughTime(double seconds);
/// " · 12.3 images/s · 0:07 left": behind how much is done; empty while the pace is not known.
QString paceText(double images_per_second, double seconds_left);

}  // namespace adamerge::ui
