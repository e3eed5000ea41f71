// SPDX-License-Identifier: GPL-3.0-or-later
// How serious a message is: by colour (Okabe-Ito) and by shape, for those who do not see the
// colour.
#pragma once

#include <QColor>
#include <QRectF>
#include <QString>

class QPainter;

namespace adamerge::ui {

enum class Severity { kInfo, kSuccess, kWarning, kError };

QColor severityColor(Severity severity);
/// "Error", for screen readers.
QString severityName(Severity severity);
/// A disc with i or tick, a triangle with !, an octagon with a cross.
void paintSeverity(QPainter& painter, const QRectF& rect, Severity severity);

/// `share` of `color` laid over `ground`.
QColor blend(const QColor& ground, const QColor& color, double share);

}  // namespace adamerge::ui
