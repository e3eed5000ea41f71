// SPDX-License-Identifier: GPL-3.0-or-later
#include "look/text.h"

#include <cmath>

namespace adamerge::ui {
namespace {

constexpr double kFew = 8;
constexpr qint64 kLongestTime = 1000L * 3600;

qint64 whole(double seconds) {
  return seconds < kLongestTime ? static_cast<qint64>(std::ceil(seconds)) : kLongestTime;
}

}  // namespace

QString clockTime(double seconds) {
  const qint64 time = whole(seconds);
  const QString rest = QStringLiteral(":%1").arg(time % 60, 2, 10, QLatin1Char('0'));
  if (time < 3600) return QString::number(time / 60) + rest;
  return QStringLiteral("%1:%2").arg(time / 3600).arg(time / 60 % 60, 2, 10, QLatin1Char('0')) +
         rest;
}

QString roughTime(double seconds) {
  if (seconds < kFew) return QObject::tr("a few seconds");
  if (seconds < 55) return QObject::tr("about %1 s").arg(5 * std::lround(seconds / 5));
  const qint64 minutes = (whole(seconds) + 30) / 60;
  if (minutes < 60) return QObject::tr("about %1 min").arg(minutes);
  if (minutes >= 600) return QObject::tr("about %1 h").arg((minutes + 30) / 60);
  return QObject::tr("about %1 h %2 min").arg(minutes / 60).arg(minutes % 60);
}

QString paceText(double images_per_second, double seconds_left) {
  if (!(images_per_second > 0)) return {};
  return QObject::tr(" · %1 images/s · %2 left")
      .arg(english().toString(images_per_second, 'f', 1), clockTime(seconds_left));
}

}  // namespace adamerge::ui
