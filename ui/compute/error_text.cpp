// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/error_text.h"

#include <QRegularExpression>
#include <new>

#include "adamerge/methods.h"

namespace adamerge::ui {
namespace {

QString settingLabel(const QString& option) {
  if (option == "dtype") return QStringLiteral("precision");
  for (const MethodInfo& method : methods()) {
    for (const SettingInfo& setting : method.settings) {
      if (option == QString::fromStdString(optionName(setting.key))) {
        return QString::fromStdString(setting.label);
      }
    }
  }
  return QString(option).replace('-', ' ');
}

}  // namespace

QString errorText(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    return QStringLiteral(
        "There is not enough memory for this; a smaller input or model is "
        "expected");
  }
  // LibTorch appends a stack trace on lines of its own.
  QString text = QString::fromUtf8(error.what()).section('\n', 0, 0).trimmed();
  static const QRegularExpression option(QStringLiteral("(^|\\s)--([a-z][a-z-]*)"));
  for (auto match = option.match(text); match.hasMatch(); match = option.match(text)) {
    text.replace(match.capturedStart(), match.capturedLength(),
                 match.captured(1) + settingLabel(match.captured(2)));
  }
  return text;
}

}  // namespace adamerge::ui
