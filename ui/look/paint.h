// SPDX-License-Identifier: GPL-3.0-or-later
// What is painted around and over pictures, and the core's drawing as an image.
#pragma once

#include <QColor>
#include <QImage>
#include <QRect>
#include <QSizeF>
#include <QStringList>
#include <functional>

#include "adamerge/figures.h"

class QPainter;
class QPalette;

namespace adamerge::ui {

// What is painted around and over a canvas's picture: panels with text, frames, the empty state.

/// Secondary text on the window's colour, still well readable.
QColor mutedText(const QPalette& palette);
/// Behind pictures: a shade off the window's colour.
QColor canvasBackground(const QPalette& palette);

/// A backing that keeps text readable on any picture.
void paintPanel(QPainter& painter, const QRect& rect, const QPalette& palette);
/// Of at most `room` pixels each: broken between parts (" · ") where that suffices, else between
/// words.
QStringList brokenLines(const QString& text, const QFontMetrics& metrics, int room);
/// Lines of text at the top left of `area`, the first one emphasised; broken to its width. Returns
/// the panel's rectangle.
QRect paintCaption(QPainter& painter, const QStringList& lines, bool emphasised, const QRect& area,
                   const QPalette& palette);
/// Of a caption of so many lines.
int captionHeight(int lines, const QFontMetrics& metrics);
/// At the bottom left of `area`.
void paintNotice(QPainter& painter, const QString& text, const QRect& area,
                 const QPalette& palette);
/// A large quiet sentence with a smaller one below it, in the middle of `area`.
void paintEmptyState(QPainter& painter, const QString& title, const QString& hint,
                     const QRect& area, const QPalette& palette);
/// Marks the active one of several canvases.
void paintActiveFrame(QPainter& painter, const QRect& rect, const QPalette& palette);
/// At the edge of `rect`; `within_frame`: within the active frame, so that both can be seen.
void paintFocusRing(QPainter& painter, const QRect& rect, const QPalette& palette,
                    bool within_frame = false);

// The core's drawing in a QImage.

/// A page of `size_mm` at `dpi`, transparent where nothing is drawn; `draw` works in points.
/// Throws Error where there is no memory for it.
QImage drawToImage(const QSizeF& size_mm, double dpi, const std::function<void(cairo_t*)>& draw);

/// Pixels along a side of `mm` at `dpi`, as files have them.
int pixelsOf(double mm, double dpi);

}  // namespace adamerge::ui
