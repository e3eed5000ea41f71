// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers of things in sentences.
#pragma once

#include <QLocale>
#include <QString>

namespace adamerge::ui {

/// `one` or `many`, with %1 as the number: "1 image", "2,340 images".
inline QString counted(qint64 count, const QString& one, const QString& many) {
  return (count == 1 ? one : many).arg(QLocale().toString(count));
}

}  // namespace adamerge::ui
