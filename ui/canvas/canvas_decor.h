// SPDX-License-Identifier: GPL-3.0-or-later
// What is painted around and over a canvas's picture: panels with text, frames, the empty state.
#pragma once

#include <QColor>
#include <QRect>
#include <QStringList>

class QPainter;
class QPalette;

namespace adamerge::ui {

/// Secondary text on the window's colour, still well readable.
QColor mutedText(const QPalette& palette);
/// Behind pictures: a shade off the window's colour.
QColor canvasBackground(const QPalette& palette);

/// A backing that keeps text readable on any picture.
void paintPanel(QPainter& painter, const QRect& rect, const QPalette& palette);
/// Lines of text at the top left of `area`, the first one emphasised; shortened to its width.
/// Returns the panel's rectangle.
QRect paintCaption(QPainter& painter, const QStringList& lines, bool emphasised, const QRect& area,
                   const QPalette& palette);
/// One line at the bottom left of `area`.
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

}  // namespace adamerge::ui
