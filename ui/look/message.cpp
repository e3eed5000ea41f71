// SPDX-License-Identifier: GPL-3.0-or-later
#include "look/message.h"

#include <QAccessible>
#include <QApplication>
#include <QDesktopServices>
#include <QGridLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPainterPath>
#include <QPushButton>
#include <QTextDocument>
#include <QToolButton>
#include <QUrl>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <utility>

#include "look/icons.h"
#include "look/theme.h"

namespace adamerge::ui {
namespace {

constexpr std::size_t kMost = 20;  ///< older messages are forgotten
constexpr int kLongest = 600;      ///< characters shown; the tooltip tells the rest
constexpr int kLeaveAfter = 8000;  ///< ms
/// What offers something stays long enough to be thought about.
constexpr int kOfferLeavesAfter = 45'000;
constexpr int kAccentWidth = 4;

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
      return toneColor(Tone::kAccent);
    case Severity::kSuccess:
      return toneColor(Tone::kGood);
    case Severity::kWarning:
      return toneColor(Tone::kWarning);
    case Severity::kError:
      return toneColor(Tone::kError);
  }
  return {};
}

QString severityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return QObject::tr("Note");
    case Severity::kSuccess:
      return QObject::tr("Done");
    case Severity::kWarning:
      return QObject::tr("Warning");
    case Severity::kError:
      return QObject::tr("Error");
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
  const QColor ink = contrastRatio(severityColor(severity), Qt::white) >= 3
                         ? QColor(Qt::white)
                         : QColor(0x1E, 0x14, 0x00);
  painter.setPen(QPen(ink, 0.12, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  painter.setBrush(Qt::NoBrush);
  painter.drawPath(symbol(severity));
  painter.restore();
}

MessageAction openFolderAction(const QString& folder) {
  return {QObject::tr("Open folder"),
          [folder] { QDesktopServices::openUrl(QUrl::fromLocalFile(folder)); }};
}

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

void WrappedText::resizeEvent(QResizeEvent* event) {
  QTextEdit::resizeEvent(event);
  // A narrower column needs more lines, which layouts ask for only when they are told.
  if (event->size().width() != event->oldSize().width()) updateGeometry();
}

void WrappedText::wheelEvent(QWheelEvent* event) { event->ignore(); }

class MessageLine::Mark : public QWidget {
 public:
  using QWidget::QWidget;
  void setSeverity(Severity severity) {
    severity_ = severity;
    update();
  }

 protected:
  void paintEvent(QPaintEvent* /*event*/) override {
    QPainter painter(this);
    paintSeverity(painter, QRectF(rect()).adjusted(1, 1, -1, -1), severity_);
  }

 private:
  Severity severity_ = Severity::kInfo;
};

MessageLine::MessageLine(Buttons buttons, QWidget* parent)
    : QFrame(parent), mark_(new Mark), text_(new WrappedText), buttons_(new QHBoxLayout) {
  const int side = fontMetrics().height() + 4;
  mark_->setFixedSize(side, side);
  buttons_->setSpacing(6);
  const bool below = buttons == Buttons::kBelow;
  if (below) buttons_->setAlignment(Qt::AlignLeft);
  auto* layout = new QGridLayout(this);
  layout->setContentsMargins(kAccentWidth + 8, 6, 8, 6);
  layout->setHorizontalSpacing(8);
  layout->setVerticalSpacing(6);
  layout->addWidget(mark_, 0, 0, below ? Qt::AlignTop : Qt::AlignVCenter);
  layout->addWidget(text_, 0, 1, below ? Qt::Alignment() : Qt::AlignVCenter);
  layout->addLayout(buttons_, below ? 1 : 0, below ? 1 : 2);
  layout->setColumnStretch(1, 1);
  QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
  hide();
}

void MessageLine::show(Severity severity, const QString& text, std::vector<MessageAction> actions) {
  removeButtons();
  asking_ = false;
  severity_ = severity;
  whole_ = text;
  mark_->setSeverity(severity);
  const bool too_long = text.size() > kLongest;
  text_->setPlainText(too_long ? text.left(kLongest) + QStringLiteral(" …") : text);
  text_->setToolTip(too_long ? text : QString());
  const QString name = QStringLiteral("%1: %2").arg(severityName(severity), text);
  setAccessibleName(name);
  text_->setAccessibleName(name);
  for (MessageAction& action : actions) {
    auto* button = new QPushButton(action.text, this);
    button->setFocusPolicy(Qt::TabFocus);
    button->setAutoDefault(false);
    button->setToolTip(action.tip);
    buttons_->addWidget(button, 0, Qt::AlignVCenter);
    connect(button, &QPushButton::clicked, this, [run = std::move(action.run)] {
      // A copy: running it may take the button away.
      if (const auto own = run) own();
    });
    button->show();
  }
  setVisible(true);
  update();
}

void MessageLine::ask(const QString& text, const QString& accept_label,
                      std::function<void()> accept) {
  show(Severity::kWarning, text,
       {{tr("Keep"), [this] { clear(); }}, {accept_label, [this, accept = std::move(accept)] {
                                              clear();
                                              accept();
                                            }}});
  asking_ = true;
}

void MessageLine::clear() {
  removeButtons();
  asking_ = false;
  whole_.clear();
  text_->clear();
  hide();
}

QString MessageLine::text() const { return whole_; }

void MessageLine::removeButtons() {
  while (QLayoutItem* item = buttons_->takeAt(0)) {
    item->widget()->hide();
    item->widget()->deleteLater();
    delete item;
  }
}

void MessageLine::paintEvent(QPaintEvent* /*event*/) {
  const QColor color = severityColor(severity_);
  QColor ground = color;
  ground.setAlphaF(isDark(palette()) ? 0.24F : 0.12F);
  QPainter painter(this);
  painter.fillRect(rect(), ground);
  painter.fillRect(QRect(0, 0, kAccentWidth, height()), color);
}

void MessageLine::changeEvent(QEvent* event) {
  if (event->type() == QEvent::FontChange) {
    const int side = fontMetrics().height() + 4;
    mark_->setFixedSize(side, side);
  }
  QFrame::changeEvent(event);
}

MessageBar::MessageBar(QWidget* parent)
    : QWidget(parent), line_(new MessageLine), counter_(new QLabel), close_(new QToolButton) {
  close_->setAutoRaise(true);
  close_->setIcon(icon(QStringLiteral("close")));
  close_->setToolTip(tr("Close this message (Esc)"));
  close_->setAccessibleName(tr("Close this message"));
  close_->setFocusPolicy(Qt::TabFocus);
  counter_->setToolTip(tr("More messages wait behind this one; close it to read them."));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 8, 0);
  row->setSpacing(8);
  row->addWidget(line_, 1);
  row->addWidget(counter_, 0, Qt::AlignVCenter);
  row->addWidget(close_, 0, Qt::AlignVCenter);
  QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
  leave_.setSingleShot(true);
  connect(&leave_, &QTimer::timeout, this, [this] { underMouse() ? leave_.start() : dismiss(); });
  connect(close_, &QToolButton::clicked, this, &MessageBar::dismiss);
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
  QAccessibleEvent alert(this, QAccessible::Alert);
  QAccessible::updateAccessibility(&alert);
  emit shown(severity, text);
}

QString MessageBar::text() const { return messages_.empty() ? QString() : messages_.back().text; }

void MessageBar::dismiss() {
  if (messages_.empty()) return;
  messages_.pop_back();
  if (!messages_.empty()) return showTop();
  leave_.stop();
  giveFocusBack();
  hide();
}

void MessageBar::dismissAll() {
  if (messages_.empty()) return;
  messages_.resize(1);
  dismiss();
}

void MessageBar::showTop() {
  const Message& message = messages_.back();
  giveFocusBack();
  std::vector<MessageAction> actions = message.actions;
  for (MessageAction& action : actions) {
    action.run = [this, run = action.run] {
      dismiss();
      if (run) run();
    };
  }
  line_->show(message.severity, message.text, std::move(actions));
  setAccessibleName(line_->accessibleName());
  counter_->setText(tr("1 of %1").arg(messages_.size()));
  counter_->setVisible(messages_.size() > 1);
  const bool leaves = message.severity == Severity::kInfo || message.severity == Severity::kSuccess;
  leave_.setInterval(message.actions.empty() ? kLeaveAfter : kOfferLeavesAfter);
  leaves ? leave_.start() : leave_.stop();
}

/// A button that goes takes the focus with it: to the next widget outside.
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

bool MessageBar::eventFilter(QObject* watched, QEvent* event) {
  if (watched == window() && event->type() == QEvent::KeyPress && !messages_.empty() &&
      static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
    dismiss();
    return true;
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace adamerge::ui
