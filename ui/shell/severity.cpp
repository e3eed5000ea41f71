// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/severity.h"

#include <QCoreApplication>
#include <QPainter>
#include <QPainterPath>
#include <cmath>
#include <numbers>

namespace adamerge::ui {
namespace {

QPolygonF octagon(const QRectF& rect) {
  QPolygonF polygon;
  for (int corner = 0; corner < 8; ++corner) {
    const double angle = std::numbers::pi * (corner + 0.5) / 4;
    polygon << rect.center() + QPointF(std::cos(angle), std::sin(angle)) * rect.width() * 0.52;
  }
  return polygon;
}

QPainterPath ground(const QRectF& rect, Severity severity) {
  QPainterPath path;
  if (severity == Severity::kWarning) {
    path.addPolygon(QPolygonF({{rect.center().x(), rect.top()},
                               {rect.right(), rect.bottom() - rect.height() * 0.06},
                               {rect.left(), rect.bottom() - rect.height() * 0.06}}));
    path.closeSubpath();
  } else if (severity == Severity::kError) {
    path.addPolygon(octagon(rect));
    path.closeSubpath();
  } else {
    path.addEllipse(rect);
  }
  return path;
}

/// In a unit square around the origin.
QPainterPath symbol(Severity severity) {
  QPainterPath path;
  switch (severity) {
    case Severity::kInfo:
      path.moveTo(0, -0.04);
      path.lineTo(0, 0.25);
      path.moveTo(0, -0.26);
      path.lineTo(0, -0.25);
      break;
    case Severity::kSuccess:
      path.moveTo(-0.22, 0.02);
      path.lineTo(-0.06, 0.19);
      path.lineTo(0.24, -0.17);
      break;
    case Severity::kWarning:
      path.moveTo(0, -0.12);
      path.lineTo(0, 0.12);
      path.moveTo(0, 0.30);
      path.lineTo(0, 0.31);
      break;
    case Severity::kError:
      path.moveTo(-0.17, -0.17);
      path.lineTo(0.17, 0.17);
      path.moveTo(0.17, -0.17);
      path.lineTo(-0.17, 0.17);
      break;
  }
  return path;
}

}  // namespace

QColor severityColor(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return {0x00, 0x72, 0xB2};
    case Severity::kSuccess:
      return {0x00, 0x9E, 0x73};
    case Severity::kWarning:
      return {0xE6, 0x9F, 0x00};
    case Severity::kError:
      return {0xD5, 0x5E, 0x00};
  }
  return {};
}

QString severityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return QCoreApplication::translate("Severity", "Note");
    case Severity::kSuccess:
      return QCoreApplication::translate("Severity", "Done");
    case Severity::kWarning:
      return QCoreApplication::translate("Severity", "Warning");
    case Severity::kError:
      return QCoreApplication::translate("Severity", "Error");
  }
  return {};
}

void paintSeverity(QPainter& painter, const QRectF& rect, Severity severity) {
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  const double width = rect.width() * 0.11;
  // Round joins: the triangle's and the octagon's corners are a little softened.
  painter.setPen(QPen(severityColor(severity), width, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter.setBrush(severityColor(severity));
  const double inset = width / 2;
  painter.drawPath(ground(rect.adjusted(inset, inset, -inset, -inset), severity));
  painter.translate(rect.center());
  painter.scale(rect.width(), rect.height());
  const QColor ink = severity == Severity::kWarning ? QColor(0x1E, 0x14, 0x00) : QColor(Qt::white);
  painter.setPen(QPen(ink, 0.12, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter.setBrush(Qt::NoBrush);
  painter.drawPath(symbol(severity));
  painter.restore();
}

QColor blend(const QColor& ground, const QColor& color, double share) {
  const auto mix = [share](float a, float b) { return static_cast<float>(a + (b - a) * share); };
  return QColor::fromRgbF(mix(ground.redF(), color.redF()), mix(ground.greenF(), color.greenF()),
                          mix(ground.blueF(), color.blueF()));
}

}  // namespace adamerge::ui
