// SPDX-License-Identifier: GPL-3.0-or-later
#include "look/paint.h"

#include <cairo.h>
#include <fmt/format.h>

#include <QFontInfo>
#include <QPainter>
#include <QPalette>
#include <algorithm>
#include <cmath>
#include <memory>

#include "adamerge/error.h"
#include "look/theme.h"

namespace adamerge::ui {
namespace {

constexpr int kPanelAlpha = 232;
constexpr int kRadius = 4;
constexpr int kPaddingX = 8;
constexpr int kPaddingY = 5;
constexpr int kFrameWidth = 3;

QFont emphasis(const QFont& font) {
  QFont bold = font;
  bold.setWeight(QFont::DemiBold);
  return bold;
}

void strokeInside(QPainter& painter, const QRect& rect, double inset, double width,
                  const QColor& color) {
  painter.setPen(QPen(color, width, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
  painter.setBrush(Qt::NoBrush);
  const double middle = inset + width / 2;
  painter.drawRect(QRectF(rect).adjusted(middle, middle, -middle, -middle));
}

}  // namespace

QColor mutedText(const QPalette& palette) {
  return blend(palette.color(QPalette::WindowText), palette.color(QPalette::Window), 0.3);
}

QColor canvasBackground(const QPalette& palette) {
  return blend(palette.color(QPalette::Window), palette.color(QPalette::Shadow), 0.08);
}

void paintPanel(QPainter& painter, const QRect& rect, const QPalette& palette) {
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  QColor backing = palette.color(QPalette::Window);
  backing.setAlpha(kPanelAlpha);
  painter.setPen(Qt::NoPen);
  painter.setBrush(backing);
  painter.drawRoundedRect(rect, kRadius, kRadius);
  painter.restore();
}

QStringList brokenLines(const QString& text, const QFontMetrics& metrics, int room) {
  QStringList lines;
  const auto put = [&](const QString& part, const QString& between) {
    const QString joined = lines.isEmpty() ? part : lines.back() + between + part;
    if (lines.isEmpty()) {
      lines.append(part);
    } else if (metrics.horizontalAdvance(joined) <= room) {
      lines.back() = joined;
    } else {
      lines.append(part);
    }
  };
  const QString dot = QStringLiteral(" · ");
  for (const QString& part : text.split(dot)) {
    if (metrics.horizontalAdvance(part) <= room) {
      put(part, dot);
      continue;
    }
    // Longer than a line by itself: it begins one, and its words go on below.
    const QStringList words = part.split(QLatin1Char(' '));
    lines.append(metrics.elidedText(words.front(), Qt::ElideRight, room));
    for (const QString& word : words.mid(1)) {
      put(metrics.elidedText(word, Qt::ElideRight, room), QStringLiteral(" "));
    }
  }
  return lines;
}

QRect paintCaption(QPainter& painter, const QStringList& lines, bool emphasised, const QRect& area,
                   const QPalette& palette) {
  const QFont plain = painter.font();
  const QFont first = emphasised ? emphasis(plain) : plain;
  const int room = area.width() - 2 * kPaddingX;
  const int line = painter.fontMetrics().height();
  const int most = std::max(1, (area.height() - 2 * kPaddingY) / line);
  QStringList shown;
  qsizetype title = 0;  // lines of the first
  for (const QString& text : lines) {
    shown += brokenLines(text, QFontMetrics(shown.isEmpty() ? first : plain), room);
    if (title == 0) title = shown.size();
  }
  if (shown.size() > most) {
    shown = shown.mid(0, most);
    shown.back() += QStringLiteral("…");
  }
  int width = 0;
  for (qsizetype i = 0; i < shown.size(); ++i) {
    const QFontMetrics metrics(i < title ? first : plain);
    width = std::max(width, metrics.horizontalAdvance(shown[i]));
  }
  const QRect panel(area.left(), area.top(), width + 2 * kPaddingX,
                    static_cast<int>(shown.size()) * line + 2 * kPaddingY);
  paintPanel(painter, panel, palette);
  QRect row(panel.left() + kPaddingX, panel.top() + kPaddingY, width + 1, line);
  for (qsizetype i = 0; i < shown.size(); ++i) {
    painter.setFont(i < title ? first : plain);
    painter.setPen(i < title ? palette.color(QPalette::WindowText) : mutedText(palette));
    painter.drawText(row, Qt::AlignLeft | Qt::AlignVCenter, shown[i]);
    row.translate(0, line);
  }
  painter.setFont(plain);
  return panel;
}

int captionHeight(int lines, const QFontMetrics& metrics) {
  return lines * metrics.height() + 2 * kPaddingY;
}

void paintNotice(QPainter& painter, const QString& text, const QRect& area,
                 const QPalette& palette) {
  const QStringList lines = brokenLines(text, painter.fontMetrics(), area.width() - 2 * kPaddingX);
  const int height = captionHeight(static_cast<int>(lines.size()), painter.fontMetrics());
  const QRect place(area.left(), area.bottom() - height + 1, area.width(), height);
  paintCaption(painter, {text}, false, place, palette);
}

void paintEmptyState(QPainter& painter, const QString& title, const QString& hint,
                     const QRect& area, const QPalette& palette) {
  constexpr int kFlags = Qt::AlignHCenter | Qt::AlignTop | Qt::TextWordWrap;
  const QFont plain = painter.font();
  QFont large = emphasis(plain);
  large.setPointSizeF(QFontInfo(plain).pointSizeF() * 1.3);
  const QRect room = area.adjusted(24, 12, -24, -12);
  const QRect title_size = QFontMetrics(large).boundingRect(room, kFlags, title);
  const QRect hint_size = QFontMetrics(plain).boundingRect(room, kFlags, hint);
  const int gap = hint.isEmpty() ? 0 : painter.fontMetrics().height() / 2;
  QRect row(room.left(), 0, room.width(), title_size.height());
  row.moveTop(area.center().y() - (title_size.height() + gap + hint_size.height()) / 2);
  painter.setFont(large);
  painter.setPen(palette.color(QPalette::WindowText));
  painter.drawText(row, kFlags, title);
  row.translate(0, title_size.height() + gap);
  row.setHeight(hint_size.height());
  painter.setFont(plain);
  painter.setPen(mutedText(palette));
  painter.drawText(row, kFlags, hint);
}

void paintActiveFrame(QPainter& painter, const QRect& rect, const QPalette& palette) {
  strokeInside(painter, rect, 0, kFrameWidth, palette.color(QPalette::Highlight));
}

void paintFocusRing(QPainter& painter, const QRect& rect, const QPalette& palette,
                    bool within_frame) {
  const int inset = within_frame ? kFrameWidth + 1 : 0;
  if (within_frame) {
    strokeInside(painter, rect, kFrameWidth, 1, palette.color(QPalette::Window));
  }
  strokeInside(painter, rect, inset, 2, palette.color(QPalette::Highlight));
}

namespace {

constexpr double kMmPerInch = 25.4;
constexpr double kPointsPerInch = 72;

struct Release {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};

}  // namespace

int pixelsOf(double mm, double dpi) {
  return std::max(1, static_cast<int>(std::lround(mm / kMmPerInch * dpi)));
}

QImage drawToImage(const QSizeF& size_mm, double dpi, const std::function<void(cairo_t*)>& draw) {
  const int width = pixelsOf(size_mm.width(), dpi);
  const int height = pixelsOf(size_mm.height(), dpi);
  QImage image(width, height, QImage::Format_ARGB32_Premultiplied);
  if (image.isNull()) {
    throw Error(fmt::format("there is no memory for a picture of {} x {} pixels", width, height));
  }
  image.fill(Qt::transparent);
  const std::unique_ptr<cairo_surface_t, Release> surface(cairo_image_surface_create_for_data(
      image.bits(), CAIRO_FORMAT_ARGB32, width, height, static_cast<int>(image.bytesPerLine())));
  const std::unique_ptr<cairo_t, Release> context(cairo_create(surface.get()));
  cairo_scale(context.get(), dpi / kPointsPerInch, dpi / kPointsPerInch);
  draw(context.get());
  cairo_surface_flush(surface.get());
  return image;
}

}  // namespace adamerge::ui
