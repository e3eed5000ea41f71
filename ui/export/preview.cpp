// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/preview.h"

#include <QPainter>
#include <QResizeEvent>
#include <algorithm>
#include <cmath>
#include <exception>

#include "bench/data.h"
#include "look/text.h"

namespace adamerge::ui {
namespace {

constexpr int kMargin = 24;
constexpr int kCaptionSpace = 32;
constexpr int kShadow = 8;
constexpr int kShadowShade = 5;  ///< of 255, for each of the layers
constexpr int kCheck = 8;
constexpr double kStaleOpacity = 0.6;

/// Paper is light in every theme, so these do not come from the palette.
constexpr QRgb kCheckLight = 0xFFFFFFFF;
constexpr QRgb kCheckDark = 0xFFE2E2E2;

void paintShadow(QPainter& painter, const QRectF& page) {
  painter.setPen(Qt::NoPen);
  painter.setBrush(QColor(0, 0, 0, kShadowShade));
  for (int grown = kShadow; grown > 0; --grown) {
    painter.drawRoundedRect(page.adjusted(-grown, -grown + 2, grown, grown + 2), grown, grown);
  }
}

QPixmap checkerboard() {
  QPixmap tile(2 * kCheck, 2 * kCheck);
  tile.fill(QColor::fromRgba(kCheckLight));
  QPainter painter(&tile);
  painter.fillRect(0, 0, kCheck, kCheck, QColor::fromRgba(kCheckDark));
  painter.fillRect(kCheck, kCheck, kCheck, kCheck, QColor::fromRgba(kCheckDark));
  return tile;
}

}  // namespace

PreviewView::PreviewView(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
  setAccessibleName(tr("Preview"));
}

QRect PreviewView::desk() const {
  return rect().adjusted(kMargin, kMargin, -kMargin, -kMargin - kCaptionSpace + kShadow);
}

QSizeF PreviewView::room() const { return QSizeF(desk().size()) * devicePixelRatioF(); }

void PreviewView::showPage(const QImage& page, bool transparent, const QString& caption) {
  page_ = page;
  page_.setDevicePixelRatio(devicePixelRatioF());
  transparent_ = transparent;
  caption_ = caption;
  message_.clear();
  stale_ = false;
  setAccessibleDescription(caption);
  update();
}

void PreviewView::showMessage(const QString& message) {
  message_ = message;
  page_ = {};
  stale_ = false;
  setAccessibleDescription(message);
  update();
}

void PreviewView::setStale(bool stale) {
  if (stale == stale_) return;
  stale_ = stale;
  update();
}

void PreviewView::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  painter.fillRect(rect(), palette().color(QPalette::AlternateBase));
  painter.setPen(palette().color(QPalette::Mid));
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
  if (!message_.isEmpty()) {
    painter.setPen(palette().color(QPalette::Text));
    painter.drawText(rect().adjusted(kMargin, kMargin, -kMargin, -kMargin),
                     Qt::AlignCenter | Qt::TextWordWrap, message_);
  } else if (!page_.isNull()) {
    paintPage(painter);
  }
}

void PreviewView::paintPage(QPainter& painter) const {
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  // While the window is resized the old page stands in at the new size.
  const QSizeF size = QSizeF(page_.size()).scaled(desk().size(), Qt::KeepAspectRatio);
  QRectF page(QPointF(), size);
  page.moveCenter(QRectF(desk()).center());
  // On whole device pixels a page drawn for this size is copied, not resampled.
  const double ratio = devicePixelRatioF();
  page.moveTopLeft(QPointF(std::round(page.x() * ratio), std::round(page.y() * ratio)) / ratio);
  paintShadow(painter, page);
  if (transparent_) painter.drawTiledPixmap(page, checkerboard());
  painter.setOpacity(stale_ ? kStaleOpacity : 1);
  painter.drawImage(page, page_, QRectF(page_.rect()));
  painter.setOpacity(1);
  QRect caption = rect();
  caption.setTop(
      std::min(static_cast<int>(page.bottom()) + kShadow, rect().bottom() - kCaptionSpace));
  caption.setHeight(kCaptionSpace);
  painter.setPen(palette().color(QPalette::Text));
  painter.drawText(caption, Qt::AlignCenter, caption_);
}

void PreviewView::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  emit resized();
}

namespace {

constexpr double kMillimetresPerInch = 25.4;
constexpr int kDelayMs = 40;
constexpr const char* kKey = "preview";

}  // namespace

PagePreview::PagePreview(QWidget* parent) : PreviewView(parent) {
  delay_.setSingleShot(true);
  delay_.setInterval(kDelayMs);
  connect(&delay_, &QTimer::timeout, this, &PagePreview::render);
  connect(this, &PreviewView::resized, this, [this] {
    if (source_ != nullptr) delay_.start();
  });
}

void PagePreview::preview(ExportSourcePtr source, const ExportStyle& style, const QString& reason) {
  source_ = std::move(source);
  style_ = style;
  if (source_ != nullptr) {
    delay_.start();
    return;
  }
  delay_.stop();
  jobs_.cancel(kKey);
  showMessage(reason);
  emit measured({});
}

void PagePreview::render() {
  setStale(true);
  const bool transparent = style_.page.background == Background::kTransparent;
  if (!source_->anyThread()) {
    jobs_.cancel(kKey);
    show(draw(*source_, style_, room()), transparent);
    return;
  }
  jobs_.run(
      kKey, Urgency::kInteractive,
      [this, source = source_, style = style_, room = room(), transparent](
          const std::stop_token& /*stop*/, const Jobs::Tell& tell) {
        tell([this, drawn = draw(*source, style, room), transparent] { show(drawn, transparent); });
      });
}

PagePreview::Drawn PagePreview::draw(const ExportSource& source, const ExportStyle& style,
                                     const QSizeF& room) {
  Drawn drawn;
  try {
    drawn.size = source.size(style);
    const double dpi = kMillimetresPerInch * std::min(room.width() / drawn.size.width(),
                                                      room.height() / drawn.size.height());
    drawn.image = source.render(style, dpi);
  } catch (const std::exception& error) {
    drawn = {};
    drawn.problem = errorText(error);
  }
  return drawn;
}

void PagePreview::show(const Drawn& drawn, bool transparent) {
  if (!drawn.problem.isEmpty()) {
    showMessage(drawn.problem);
  } else {
    showPage(drawn.image, transparent,
             tr("%1 × %2 mm")
                 .arg(english().toString(drawn.size.width(), 'f', 1),
                      english().toString(drawn.size.height(), 'f', 1)));
  }
  emit measured(drawn.size);
}

}  // namespace adamerge::ui
