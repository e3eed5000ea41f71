// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/notice_line.h"

#include <QDesktopServices>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QUrl>
#include <utility>

namespace adamerge::ui {
namespace {

// Okabe and Ito's; the mark's shape says the same as its colour.
const QColor kGood(0x00, 0x9E, 0x73);
const QColor kBad(0xD5, 0x5E, 0x00);
const QColor kQuestion(0xE6, 0x9F, 0x00);

}  // namespace

NoticeLine::NoticeLine(QWidget* parent)
    : QWidget(parent), layout_(new QHBoxLayout(this)), mark_(new QLabel), text_(new QLabel) {
  layout_->setContentsMargins(0, 0, 0, 0);
  layout_->addWidget(mark_, 0, Qt::AlignTop);
  layout_->addWidget(text_, 1);
  text_->setWordWrap(true);
  text_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  text_->setTextFormat(Qt::PlainText);
  QFont bold = mark_->font();
  bold.setBold(true);
  mark_->setFont(bold);
  clear();
}

void NoticeLine::clear() {
  for (QPushButton* button : findChildren<QPushButton*>()) {
    button->hide();
    button->deleteLater();
  }
  mark_->clear();
  text_->clear();
  asking_ = false;
}

void NoticeLine::showInfo(const QString& text) {
  clear();
  text_->setText(text);
  setAccessibleName(text);
}

void NoticeLine::showError(const QString& text) { show(text, QStringLiteral("✕"), kBad); }

void NoticeLine::showWritten(const QString& text, const QString& folder) {
  show(text, QStringLiteral("✓"), kGood);
  addButton(tr("Open folder"),
            [folder] { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); });
}

void NoticeLine::ask(const QString& text, const QString& accept_label,
                     std::function<void()> accept) {
  show(text, QStringLiteral("?"), kQuestion);
  asking_ = true;
  addButton(tr("Keep"), [this] { clear(); });
  addButton(accept_label, [this, accept = std::move(accept)] {
    clear();
    accept();
  });
}

QString NoticeLine::text() const { return text_->text(); }

void NoticeLine::show(const QString& text, const QString& mark, const QColor& colour) {
  clear();
  QPalette marked = palette();
  marked.setColor(QPalette::WindowText, colour);
  mark_->setPalette(marked);
  mark_->setText(mark);
  text_->setText(text);
  setAccessibleName(text);
}

void NoticeLine::addButton(const QString& label, std::function<void()> action) {
  auto* button = new QPushButton(label, this);
  button->setAutoDefault(false);
  connect(button, &QPushButton::clicked, this, std::move(action));
  layout_->addWidget(button);
}

}  // namespace adamerge::ui
