// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/file_name.h"

#include <QRegularExpression>

namespace adamerge::ui {
namespace {

/// File systems take 255 bytes; this leaves room for the extension and a temporary name.
constexpr qsizetype kLongestName = 180;

const QRegularExpression& placePattern() {
  static const QRegularExpression pattern(QStringLiteral("\\{([^{}]*)\\}"));
  return pattern;
}

QString valueOf(const QString& place, const FileNameParts& parts) {
  if (place == QLatin1String("image")) return parts.image;
  if (place == QLatin1String("figure")) return parts.figure;
  if (place == QLatin1String("block")) {
    return parts.block < 0 ? QString()
                           : QStringLiteral("-block%1").arg(parts.block + 1, 2, 10, QChar('0'));
  }
  if (place == QLatin1String("model")) return parts.model;
  if (place == QLatin1String("method")) return parts.method;
  if (place == QLatin1String("settings")) return slug(parts.settings);
  return {};
}

/// Whole characters up to a number of bytes.
QString cut(QString text, qsizetype bytes) {
  while (text.toUtf8().size() > bytes) {
    text.chop(text.size() > 1 && text.back().isLowSurrogate() ? 2 : 1);
  }
  return text;
}

}  // namespace

QString defaultFileName() { return QStringLiteral("{image}-{figure}{block}"); }

const QStringList& fileNamePlaces() {
  static const QStringList places{QStringLiteral("image"),  QStringLiteral("figure"),
                                  QStringLiteral("block"),  QStringLiteral("model"),
                                  QStringLiteral("method"), QStringLiteral("settings")};
  return places;
}

QString unknownPlace(const QString& name) {
  auto matches = placePattern().globalMatch(name);
  while (matches.hasNext()) {
    const QString place = matches.next().captured(1);
    if (!fileNamePlaces().contains(place)) return place;
  }
  return {};
}

QString expandFileName(const QString& name, const FileNameParts& parts) {
  QString filled;
  qsizetype at = 0;
  auto matches = placePattern().globalMatch(name);
  while (matches.hasNext()) {
    const QRegularExpressionMatch match = matches.next();
    filled += name.mid(at, match.capturedStart() - at);
    filled += valueOf(match.captured(1), parts);
    at = match.capturedEnd();
  }
  filled += name.mid(at);
  static const QRegularExpression unsafe(QStringLiteral("[/\\\\:*?\"<>|\\x00-\\x1f]+"));
  filled.replace(unsafe, QStringLiteral("_"));
  filled = cut(filled.trimmed(), kLongestName);
  // A leading dot would hide the file, a hyphen looks like an option.
  static const QRegularExpression start(QStringLiteral("^[.\\-\\s]+"));
  filled.remove(start);
  return filled.isEmpty() ? QStringLiteral("figure") : filled;
}

QString slug(const QString& text) {
  QString result = text.toLower();
  static const QRegularExpression gap(QStringLiteral("[^\\w.]+"),
                                      QRegularExpression::UseUnicodePropertiesOption);
  result.replace(gap, QStringLiteral("-"));
  while (result.endsWith(QChar('-'))) result.chop(1);
  while (result.startsWith(QChar('-'))) result.remove(0, 1);
  return result;
}

}  // namespace adamerge::ui
