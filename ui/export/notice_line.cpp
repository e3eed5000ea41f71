// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/notice_line.h"

#include <QDesktopServices>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QUrl>
#include <utility>

#include "controls/icons.h"

namespace adamerge::ui {
namespace {

constexpr int kMark = 18;

}  // namespace

NoticeLine::NoticeLine(QWidget* parent)
    : QWidget(parent), layout_(new QHBoxLayout(this)), mark_(new QLabel), text_(new QLabel) {
  layout_->setContentsMargins(0, 0, 0, 0);
  layout_->addWidget(mark_);
  layout_->addWidget(text_, 1);
  text_->setWordWrap(true);
  text_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  text_->setTextFormat(Qt::PlainText);
  clear();
}

void NoticeLine::clear() {
  for (QPushButton* button : findChildren<QPushButton*>()) {
    button->hide();
    button->deleteLater();
  }
  text_->clear();
  asking_ = false;
  hide();
}

void NoticeLine::showInfo(const QString& text) { show(text, QStringLiteral("info"), Tone::kMuted); }

void NoticeLine::showError(const QString& text) {
  show(text, QStringLiteral("warning"), Tone::kError);
}

void NoticeLine::showWritten(const QString& text, const QString& folder) {
  show(text, QStringLiteral("check"), Tone::kGood);
  addButton(tr("Open folder"),
            [folder] { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); });
}

void NoticeLine::ask(const QString& text, const QString& accept_label,
                     std::function<void()> accept) {
  show(text, QStringLiteral("help"), Tone::kWarning);
  asking_ = true;
  addButton(tr("Keep"), [this] { clear(); });
  addButton(accept_label, [this, accept = std::move(accept)] {
    clear();
    accept();
  });
}

QString NoticeLine::text() const { return text_->text(); }

void NoticeLine::show(const QString& text, const QString& mark, Tone tone) {
  clear();
  mark_->setPixmap(icon(mark, tone).pixmap(QSize(kMark, kMark), devicePixelRatioF()));
  text_->setText(text);
  setAccessibleName(text);
  setVisible(true);
}

void NoticeLine::addButton(const QString& label, std::function<void()> action) {
  auto* button = new QPushButton(label, this);
  button->setAutoDefault(false);
  connect(button, &QPushButton::clicked, this, std::move(action));
  layout_->addWidget(button);
  button->show();
}

}  // namespace adamerge::ui
