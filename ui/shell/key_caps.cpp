// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/key_caps.h"

#include <QPainter>
#include <algorithm>

#include "shell/severity.h"

namespace adamerge::ui {
namespace {

constexpr int kPadding = 6;  ///< left and right of a key's name
constexpr int kGap = 3;

/// "Ctrl++" and "+" have the key "+" at their end.
QStringList keysOf(const QString& shortcut) {
  const bool ends_with_plus = shortcut.endsWith(QLatin1Char('+'));
  QStringList keys;
  for (const QString& key : shortcut.split('+', Qt::SkipEmptyParts)) keys << key.trimmed();
  return ends_with_plus ? keys << QStringLiteral("+") : keys;
}

}  // namespace

KeyCaps::KeyCaps(const std::vector<QString>& shortcuts, QWidget* parent) : QWidget(parent) {
  for (const QString& shortcut : shortcuts) {
    if (!pieces_.empty()) pieces_.push_back({tr("or"), false});
    for (const QString& key : keysOf(shortcut)) pieces_.push_back({key, true});
  }
  QStringList spoken;
  for (const QString& shortcut : shortcuts) spoken << shortcut;
  setAccessibleName(spoken.join(tr(" or ")));
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

int KeyCaps::pieceWidth(const Piece& piece) const {
  const int text = fontMetrics().horizontalAdvance(piece.text);
  const int smallest = fontMetrics().height() + 4;  // A single letter is a square key.
  return piece.is_key ? std::max(text + 2 * kPadding, smallest) : text + 4;
}

QSize KeyCaps::sizeHint() const {
  int width = 0;
  for (const Piece& piece : pieces_) width += pieceWidth(piece) + kGap;
  return {std::max(0, width - kGap), fontMetrics().height() + 6};
}

void KeyCaps::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  const QColor window = palette().color(QPalette::Window);
  const QColor text = palette().color(QPalette::WindowText);
  double x = 0;
  for (const Piece& piece : pieces_) {
    const QRectF box(x, 0, pieceWidth(piece), height());
    if (piece.is_key) {
      const QRectF cap = box.adjusted(0.5, 0.5, -0.5, -1.5);
      painter.setPen(Qt::NoPen);
      painter.setBrush(blend(window, text, 0.35));
      painter.drawRoundedRect(cap.translated(0, 1), 4, 4);
      painter.setPen(QPen(blend(window, text, 0.35), 1));
      painter.setBrush(blend(window, text, 0.06));
      painter.drawRoundedRect(cap, 4, 4);
    }
    painter.setPen(piece.is_key ? text : palette().color(QPalette::PlaceholderText));
    painter.drawText(box.adjusted(0, 0, 0, -1), Qt::AlignCenter, piece.text);
    x += box.width() + kGap;
  }
}

}  // namespace adamerge::ui
