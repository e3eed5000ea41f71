// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/notice.h"

#include <QEvent>
#include <QGridLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>

#include "controls/theme.h"

namespace adamerge::ui {
namespace {

constexpr int kIconSize = 18;

QString iconOf(Tone tone) {
  if (tone == Tone::kGood) return QStringLiteral("check");
  if (tone == Tone::kWarning || tone == Tone::kError) return QStringLiteral("warning");
  return QStringLiteral("info");
}

}  // namespace

Notice::Notice(QWidget* parent)
    : QFrame(parent), icon_(new QLabel), text_(new QLabel), action_(new QPushButton) {
  text_->setWordWrap(true);
  text_->setTextFormat(Qt::PlainText);
  text_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  icon_->setFixedSize(kIconSize, kIconSize);
  auto* layout = new QGridLayout(this);
  layout->setContentsMargins(10, 8, 10, 8);
  layout->setHorizontalSpacing(8);
  layout->setVerticalSpacing(8);
  layout->addWidget(icon_, 0, 0, Qt::AlignTop);
  layout->addWidget(text_, 0, 1);
  layout->addWidget(action_, 1, 1, Qt::AlignLeft);
  layout->setColumnStretch(1, 1);
  action_->hide();
  hide();
  connect(action_, &QPushButton::clicked, this, &Notice::actionTriggered);
}

void Notice::show(Tone tone, const QString& text) {
  tone_ = tone;
  text_->setText(text);
  setAccessibleName(text);
  showIcon();
  update();
  setVisible(true);
}

void Notice::showIcon() {
  icon_->setPixmap(
      icon(iconOf(tone_), tone_).pixmap(QSize(kIconSize, kIconSize), devicePixelRatioF()));
}

void Notice::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) showIcon();
}

void Notice::clear() {
  text_->clear();
  setVisible(false);
}

QString Notice::text() const { return text_->text(); }

void Notice::setAction(const QString& label, const QString& tip) {
  action_->setText(label);
  action_->setToolTip(tip);
  action_->setVisible(!label.isEmpty());
}

void Notice::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  QColor color = toneColor(tone_);
  QColor fill = color;
  fill.setAlphaF(0.10F);
  color.setAlphaF(0.55F);
  painter.setPen(color);
  painter.setBrush(fill);
  painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
}

}  // namespace adamerge::ui
