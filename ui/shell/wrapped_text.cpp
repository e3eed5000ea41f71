// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/wrapped_text.h"

#include <QTextDocument>
#include <QWheelEvent>
#include <cmath>
#include <memory>

namespace adamerge::ui {

WrappedText::WrappedText(QWidget* parent) : QTextEdit(parent) {
  setReadOnly(true);
  setAcceptRichText(false);
  setUndoRedoEnabled(false);
  setFrameStyle(QFrame::NoFrame);
  setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  setTabChangesFocus(true);
  setFocusPolicy(Qt::ClickFocus);
  setAcceptDrops(false);
  // It is a label: no frame and no ground of a text field, whatever the theme gives those.
  setStyleSheet(QStringLiteral("background: transparent; border: none; padding: 0;"));
  document()->setDocumentMargin(0);
  QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
  connect(this, &QTextEdit::textChanged, this, [this] { updateGeometry(); });
}

int WrappedText::heightForWidth(int width) const {
  const std::unique_ptr<QTextDocument> copy(document()->clone());
  copy->setDefaultFont(font());
  copy->setTextWidth(std::max(width, 1));
  return static_cast<int>(std::ceil(copy->size().height()));
}

QSize WrappedText::sizeHint() const {
  const int width = fontMetrics().horizontalAdvance(toPlainText()) + 4;
  return {std::min(width, fontMetrics().averageCharWidth() * 80), fontMetrics().height()};
}

QSize WrappedText::minimumSizeHint() const {
  return {fontMetrics().averageCharWidth() * 12, fontMetrics().height()};
}

void WrappedText::wheelEvent(QWheelEvent* event) { event->ignore(); }

}  // namespace adamerge::ui
