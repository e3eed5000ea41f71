// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/message_bar.h"

#include <QAccessible>
#include <QApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QStyle>
#include <QTimer>
#include <QToolButton>
#include <algorithm>
#include <utility>

#include "controls/icons.h"
#include "shell/wrapped_text.h"

namespace adamerge::ui {
namespace {

constexpr std::size_t kMost = 20;  ///< older messages are forgotten
constexpr int kLongest = 600;      ///< characters shown; the tooltip tells the rest
constexpr int kLeaveAfter = 8000;  ///< ms
constexpr int kSlideTime = 160;    ///< ms
constexpr int kAccentWidth = 4;

class Glyph : public QWidget {
 public:
  using QWidget::QWidget;
  void setSeverity(Severity severity) {
    severity_ = severity;
    update();
  }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    paintSeverity(painter, QRectF(rect()).adjusted(1, 1, -1, -1), severity_);
  }

 private:
  Severity severity_ = Severity::kInfo;
};

}  // namespace

MessageBar::MessageBar(QWidget* parent)
    : QWidget(parent),
      content_(new QWidget(this)),
      glyph_(new Glyph(content_)),
      label_(new WrappedText(content_)),
      buttons_(new QHBoxLayout),
      counter_(new QLabel(content_)),
      close_(new QToolButton(content_)),
      leave_(new QTimer(this)) {
  QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);

  const int side = fontMetrics().height() + 4;
  glyph_->setFixedSize(side, side);
  close_->setAutoRaise(true);
  close_->setIcon(icon(QStringLiteral("close")));
  close_->setToolTip(tr("Close this message (Esc)"));
  close_->setAccessibleName(tr("Close this message"));
  close_->setFocusPolicy(Qt::TabFocus);

  auto* row = new QHBoxLayout(content_);
  row->setContentsMargins(kAccentWidth + 10, 6, 8, 6);
  row->setSpacing(10);
  row->addWidget(glyph_, 0, Qt::AlignVCenter);
  row->addWidget(label_, 1, Qt::AlignVCenter);
  row->addLayout(buttons_);
  row->addWidget(counter_, 0, Qt::AlignVCenter);
  row->addWidget(close_, 0, Qt::AlignVCenter);
  buttons_->setSpacing(6);

  leave_->setSingleShot(true);
  leave_->setInterval(kLeaveAfter);
  connect(leave_, &QTimer::timeout, this, [this] { underMouse() ? leave_->start() : dismiss(); });
  connect(close_, &QToolButton::clicked, this, &MessageBar::dismiss);
  slide_.setDuration(kSlideTime);
  slide_.setEasingCurve(QEasingCurve::OutCubic);
  connect(&slide_, &QVariantAnimation::valueChanged, this, [this](const QVariant& value) {
    openness_ = value.toDouble();
    updateGeometry();
    placeContent();
  });
  connect(&slide_, &QVariantAnimation::finished, this, [this] {
    if (messages_.empty()) hide();
  });
  hide();
}

void MessageBar::show(Severity severity, const QString& text, std::vector<MessageAction> actions) {
  std::erase_if(messages_, [&](const Message& message) {
    return message.severity == severity && message.text == text;
  });
  messages_.push_back({severity, text, std::move(actions)});
  if (messages_.size() > kMost) messages_.pop_front();
  window()->removeEventFilter(this);
  window()->installEventFilter(this);
  showTop();
  QWidget::show();
  slide(1);
  QAccessibleEvent alert(this, QAccessible::Alert);
  QAccessible::updateAccessibility(&alert);
  emit shown(severity, text);
}

QString MessageBar::text() const { return messages_.empty() ? QString() : messages_.back().text; }

void MessageBar::dismiss() {
  if (messages_.empty()) return;
  messages_.pop_back();
  if (!messages_.empty()) return showTop();
  leave_->stop();
  giveFocusBack();
  slide(0);
}

void MessageBar::dismissAll() {
  if (messages_.empty()) return;
  messages_.resize(1);
  dismiss();
}

bool MessageBar::leavesByItself() const {
  const Message& message = messages_.back();
  return message.actions.empty() &&
         (message.severity == Severity::kInfo || message.severity == Severity::kSuccess);
}

void MessageBar::showTop() {
  const Message& message = messages_.back();
  severity_ = message.severity;
  static_cast<Glyph*>(glyph_)->setSeverity(severity_);
  const bool too_long = message.text.size() > kLongest;
  label_->setPlainText(too_long ? message.text.left(kLongest) + QStringLiteral(" …")
                                : message.text);
  label_->setToolTip(too_long ? message.text : QString());
  const QString name = QStringLiteral("%1: %2").arg(severityName(message.severity), message.text);
  setAccessibleName(name);
  label_->setAccessibleName(name);
  addActions(message);
  counter_->setText(tr("1 of %1").arg(messages_.size()));
  counter_->setToolTip(tr("More messages wait behind this one; close it to read them."));
  counter_->setVisible(messages_.size() > 1);
  leavesByItself() ? leave_->start() : leave_->stop();
  updateGeometry();
  placeContent();
  update();
}

void MessageBar::addActions(const Message& message) {
  if (content_->isAncestorOf(QApplication::focusWidget())) giveFocusBack();
  while (QLayoutItem* item = buttons_->takeAt(0)) {
    item->widget()->hide();
    item->widget()->deleteLater();
    delete item;
  }
  for (const MessageAction& action : message.actions) {
    auto* button = new QPushButton(action.text, content_);
    button->setFocusPolicy(Qt::TabFocus);
    button->setAutoDefault(false);
    buttons_->addWidget(button, 0, Qt::AlignVCenter);
    connect(button, &QPushButton::clicked, this, [this, run = action.run] {
      dismiss();
      if (run) run();
    });
    button->show();
    setTabOrder(button, close_);
  }
}

void MessageBar::giveFocusBack() {
  QWidget* focused = QApplication::focusWidget();
  if (focused == nullptr || !isAncestorOf(focused)) return;
  for (QWidget* next = nextInFocusChain(); next != this; next = next->nextInFocusChain()) {
    const bool takes = next->isEnabled() && next->isVisible() && !isAncestorOf(next) &&
                       (next->focusPolicy() & Qt::TabFocus) != 0;
    if (takes) return next->setFocus(Qt::OtherFocusReason);
  }
  focused->clearFocus();
}

void MessageBar::slide(double to) {
  slide_.stop();
  const bool animated = style()->styleHint(QStyle::SH_Widget_Animation_Duration, nullptr, this) > 0;
  slide_.setDuration(animated && isVisible() ? kSlideTime : 0);
  slide_.setStartValue(openness_);
  slide_.setEndValue(to);
  slide_.start();
}

int MessageBar::heightForWidth(int width) const {
  return qRound(openness_ * content_->layout()->heightForWidth(width));
}

QSize MessageBar::sizeHint() const {
  const int width = content_->sizeHint().width();
  return {width, heightForWidth(width)};
}

QSize MessageBar::minimumSizeHint() const { return {content_->minimumSizeHint().width(), 0}; }

void MessageBar::placeContent() {
  const int full = content_->layout()->heightForWidth(width());
  content_->setGeometry(0, height() - full, width(), full);
}

void MessageBar::resizeEvent(QResizeEvent*) { placeContent(); }

bool MessageBar::eventFilter(QObject* watched, QEvent* event) {
  if (watched == window() && event->type() == QEvent::KeyPress && !messages_.empty() &&
      static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
    dismiss();
    return true;
  }
  return QWidget::eventFilter(watched, event);
}

void MessageBar::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape && !messages_.empty()) return dismiss();
  QWidget::keyPressEvent(event);
}

void MessageBar::changeEvent(QEvent* event) {
  if (event->type() == QEvent::FontChange) {
    const int side = fontMetrics().height() + 4;
    glyph_->setFixedSize(side, side);
    updateGeometry();
  }
  QWidget::changeEvent(event);
}

void MessageBar::paintEvent(QPaintEvent*) {
  const QColor color = severityColor(severity_);
  const QColor window = palette().color(QPalette::Window);
  QPainter painter(this);
  painter.fillRect(rect(), blend(window, color, isDark(palette()) ? 0.24 : 0.14));
  painter.fillRect(QRect(0, 0, kAccentWidth, height()), color);
  painter.fillRect(QRect(0, height() - 1, width(), 1), blend(window, color, 0.5));
}

}  // namespace adamerge::ui
