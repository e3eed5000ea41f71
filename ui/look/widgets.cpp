// SPDX-License-Identifier: GPL-3.0-or-later
#include "look/widgets.h"

#include <QEvent>
#include <QFocusEvent>
#include <QHelpEvent>
#include <QLayout>
#include <QPainter>
#include <QStyle>
#include <QToolTip>
#include <QWidget>
#include <algorithm>
#include <cmath>

#include "look/text.h"

namespace adamerge::ui {

NumberLabel::NumberLabel(QWidget* parent) : QLabel(parent) { setTextFormat(Qt::PlainText); }

int NumberLabel::cellWidth(QChar character) const {
  const QFontMetrics metrics = fontMetrics();
  if (!character.isDigit()) return metrics.horizontalAdvance(character);
  int widest = 0;
  for (char digit = '0'; digit <= '9'; ++digit) {
    widest = std::max(widest, metrics.horizontalAdvance(QLatin1Char(digit)));
  }
  return widest;
}

int NumberLabel::textWidth() const {
  int width = 0;
  for (const QChar character : text()) width += cellWidth(character);
  return width;
}

QSize NumberLabel::sizeHint() const { return {textWidth() + 2, fontMetrics().height()}; }

QSize NumberLabel::minimumSizeHint() const { return sizeHint(); }

void NumberLabel::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setPen(
      palette().color(isEnabled() ? QPalette::Active : QPalette::Disabled, foregroundRole()));
  const QRect area = QStyle::alignedRect(layoutDirection(), alignment(),
                                         {textWidth(), fontMetrics().height()}, rect());
  int x = area.left();
  for (const QChar character : text()) {
    const int width = cellWidth(character);
    painter.drawText(QRect(x, area.top(), width, area.height()),
                     Qt::AlignHCenter | Qt::AlignVCenter | Qt::TextDontClip, character);
    x += width;
  }
}

ElidedLabel::ElidedLabel(QWidget* parent) : QLabel(parent) {
  setTextFormat(Qt::PlainText);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
}

void ElidedLabel::setExplanation(const QString& explanation) { explanation_ = explanation; }

void ElidedLabel::setElideMode(Qt::TextElideMode mode) {
  mode_ = mode;
  update();
}

QString ElidedLabel::shownText() const { return fontMetrics().elidedText(text(), mode_, width()); }

QSize ElidedLabel::minimumSizeHint() const {
  return {fontMetrics().horizontalAdvance(QStringLiteral("abc…")), fontMetrics().height()};
}

void ElidedLabel::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setPen(
      palette().color(isEnabled() ? QPalette::Active : QPalette::Disabled, foregroundRole()));
  painter.drawText(rect(), static_cast<int>(alignment()) | Qt::TextSingleLine, shownText());
}

bool ElidedLabel::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip || !toolTip().isEmpty()) return QLabel::event(event);
  QStringList parts;
  if (fontMetrics().horizontalAdvance(text()) > width()) parts << text();
  if (!explanation_.isEmpty()) parts << explanation_;
  const auto* help = static_cast<QHelpEvent*>(event);
  QToolTip::showText(help->globalPos(), parts.join(QLatin1Char('\n')), this);
  return true;
}

namespace {

class WheelGuard : public QObject {
 public:
  explicit WheelGuard(QWidget& widget) : QObject(&widget) {
    widget.setFocusPolicy(Qt::StrongFocus);
    widget.installEventFilter(this);
  }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override {
    if (event->type() != QEvent::Wheel || static_cast<QWidget*>(watched)->hasFocus()) return false;
    event->ignore();
    return true;
  }
};

}  // namespace

CountBox::CountBox(QWidget* parent) : QSpinBox(parent) {
  setLocale(english());
  setKeyboardTracking(false);
  setCorrectionMode(QAbstractSpinBox::CorrectToNearestValue);
}

NumberBox::NumberBox(QWidget* parent) : QDoubleSpinBox(parent) {
  setLocale(english());
  setKeyboardTracking(false);
  setCorrectionMode(QAbstractSpinBox::CorrectToNearestValue);
}

QValidator::State NumberBox::validate(QString& text, int& position) const {
  text.replace(QLatin1Char(','), QLatin1Char('.'));
  const QValidator::State state = QDoubleSpinBox::validate(text, position);
  if (state != QValidator::Invalid) return state;
  // Out of the range, but a number: on leaving it becomes the nearest end.
  return typed(text) ? QValidator::Intermediate : QValidator::Invalid;
}

void NumberBox::fixup(QString& text) const {
  if (const auto number = typed(text)) {
    text = textFromValue(std::clamp(*number, minimum(), maximum())) + suffix();
  }
}

std::optional<double> NumberBox::typed(QString text) const {
  text.remove(suffix());
  bool is_number = false;
  const double number = english().toDouble(text.trimmed(), &is_number);
  return is_number ? std::optional(number) : std::nullopt;
}

RealBox::RealBox(QWidget* parent) : NumberBox(parent) { setDecimals(6); }

QString RealBox::textFromValue(double value) const {
  return english().toString(value, 'f', QLocale::FloatingPointShortest);
}

void RealBox::stepBy(int steps) {
  if (stepType() == AdaptiveDecimalStepType) return NumberBox::stepBy(steps);
  const double size = std::max(std::abs(value()), 1.0);
  const double by_size = std::pow(10.0, std::floor(std::log10(size)) - 1);
  const double step = std::min(by_size, (maximum() - minimum()) / 10);
  setValue(std::round((value() + steps * step) / step) * step);
  selectAll();
}

void ignoreWheelWithoutFocus(QWidget& widget) { new WheelGuard(widget); }

namespace {

constexpr int kDelay = 150;  ///< ms; most results come sooner
constexpr int kFrame = 80;   ///< ms
constexpr int kStep = 36;    ///< degrees
constexpr int kSide = 20;

}  // namespace

BusyIndicator::BusyIndicator(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  setAccessibleName(tr("Idle"));
  delay_.setSingleShot(true);
  delay_.setInterval(kDelay);
  frames_.setInterval(kFrame);
  connect(&delay_, &QTimer::timeout, this, [this] {
    frames_.start();
    update();
  });
  connect(&frames_, &QTimer::timeout, this, [this] {
    angle_ = (angle_ + kStep) % 360;
    update();
  });
}

void BusyIndicator::setBusy(bool busy) {
  const bool was = delay_.isActive() || frames_.isActive();
  if (busy == was) return;
  setAccessibleName(busy ? tr("Computing") : tr("Idle"));
  setToolTip(busy ? tr("The model runs on the picture; the newest setting comes first.")
                  : QString());
  if (busy) return delay_.start();
  const bool drawn = turning();
  delay_.stop();
  frames_.stop();
  // Most results come before it is drawn, and its place is a part of the canvas.
  if (drawn) update();
}

QSize BusyIndicator::sizeHint() const { return {kSide, kSide}; }

void BusyIndicator::paintEvent(QPaintEvent* /*event*/) {
  constexpr int kSixteenths = 16;
  if (!turning()) return;
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  if (backing_) {
    QColor disc = palette().color(QPalette::Window);
    disc.setAlpha(232);
    painter.setPen(Qt::NoPen);
    painter.setBrush(disc);
    painter.drawEllipse(rect());
  }
  painter.setPen(QPen(palette().color(QPalette::Highlight), 2.2, Qt::SolidLine, Qt::RoundCap));
  painter.drawArc(QRectF(rect()).adjusted(4, 4, -4, -4), -angle_ * kSixteenths, 270 * kSixteenths);
}

KeyboardFocus::KeyboardFocus(QWidget& widget) : QObject(&widget) {
  widget.installEventFilter(this);
}

bool KeyboardFocus::eventFilter(QObject* /*watched*/, QEvent* event) {
  switch (event->type()) {
    case QEvent::FocusIn: {
      const Qt::FocusReason reason = static_cast<const QFocusEvent*>(event)->reason();
      setShown(reason == Qt::TabFocusReason || reason == Qt::BacktabFocusReason ||
               reason == Qt::ShortcutFocusReason);
      break;
    }
    case QEvent::KeyPress:
      setShown(true);
      break;
    case QEvent::FocusOut:
    case QEvent::MouseButtonPress:
      setShown(false);
      break;
    default:
      break;
  }
  return false;
}

void KeyboardFocus::setShown(bool shown) {
  if (shown == shown_) return;
  shown_ = shown;
  emit changed();
}

bool isSeen(const QWidget& widget) {
  return widget.isVisible() && !widget.visibleRegion().isEmpty();
}

LayoutIsland::LayoutIsland(QWidget* content, QWidget* parent)
    : QWidget(parent), content_(content), told_{} {
  content_->setParent(this);
  setSizePolicy(content_->sizePolicy());
}

QSize LayoutIsland::sizeHint() const { return content_->sizeHint(); }

QSize LayoutIsland::minimumSizeHint() const { return content_->minimumSizeHint(); }

bool LayoutIsland::hasHeightForWidth() const { return content_->hasHeightForWidth(); }

int LayoutIsland::heightForWidth(int width) const { return content_->heightForWidth(width); }

LayoutIsland::Wish LayoutIsland::wish() const {
  return {sizeHint(), minimumSizeHint(), hasHeightForWidth() ? heightForWidth(width()) : 0};
}

bool LayoutIsland::event(QEvent* event) {
  if (event->type() == QEvent::LayoutRequest || event->type() == QEvent::Show) {
    if (Wish now = wish(); now != told_) {
      told_ = now;
      updateGeometry();
    }
  }
  return QWidget::event(event);
}

void LayoutIsland::resizeEvent(QResizeEvent* /*event*/) { content_->resize(size()); }

bool FittingDialog::event(QEvent* event) {
  const bool handled = QDialog::event(event);
  if (event->type() != QEvent::LayoutRequest) return handled;
  const int needed = layout()->totalHeightForWidth(width());
  if (height() < needed) resize(width(), needed);
  return handled;
}

}  // namespace adamerge::ui
