// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/heads_view.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <iterator>

#include "adamerge/figures.h"
#include "canvas/layers.h"
#include "look/paint.h"

namespace adamerge::ui {
namespace {

constexpr int kHeadMargin = 6;
constexpr int kLeastPicture = 56;
constexpr int kMostPicture = 220;

}  // namespace

HeadsView::HeadsView(Pane& pane, ViewState& view, QWidget* parent) : QWidget(parent), view_(view) {
  setObjectName(QStringLiteral("heads"));
  setFocusPolicy(Qt::StrongFocus);
  setAccessibleName(tr("Attention of every head"));
  connect(&view_, &ViewState::overlayChanged, this, &HeadsView::draw);
  setPane(pane);
}

void HeadsView::setPane(Pane& pane) {
  if (pane_ != nullptr) pane_->disconnect(this);
  pane_ = &pane;
  connect(pane_, &Pane::lensChanged, this, &HeadsView::draw);
  draw();
}

QSize HeadsView::sizeHint() const { return {340, 300}; }
QSize HeadsView::minimumSizeHint() const { return {120, 100}; }

/// As many beside each other as make the pictures largest.
int HeadsView::columns() const {
  const int heads = std::max(headCount(), 1);
  const int text = fontMetrics().height();
  int best = 1;
  int largest = 0;
  for (int columns = 1; columns <= heads; ++columns) {
    const int rows = (heads + columns - 1) / columns;
    const int side =
        std::min(width() / columns - kHeadMargin, height() / rows - kHeadMargin - text);
    if (side <= largest) continue;
    largest = side;
    best = columns;
  }
  return best;
}

QSize HeadsView::pictureSize() const {
  const InspectionPtr inspection = pane_->inspection();
  if (inspection == nullptr || pictures_.empty()) return {};
  const int rows = (headCount() + columns() - 1) / columns();
  const double proportion = inspection->prepared->crop.height / inspection->prepared->crop.width;
  const int room_width = width() / columns() - kHeadMargin;
  const int room_height = height() / rows - kHeadMargin - fontMetrics().height();
  const double fitting = std::min<double>(room_width, room_height / proportion);
  const int side = std::clamp(static_cast<int>(fitting), kLeastPicture, kMostPicture);
  return {side, static_cast<int>(std::lround(side * proportion))};
}

QRect HeadsView::tile(int head) const {
  const QSize picture = pictureSize();
  const QSize step(picture.width() + kHeadMargin,
                   picture.height() + fontMetrics().height() + kHeadMargin);
  return {QPoint(head % columns() * step.width(), head / columns() * step.height()) +
              QPoint(kHeadMargin / 2, kHeadMargin / 2),
          QSize(picture.width(), picture.height() + fontMetrics().height())};
}

void HeadsView::draw() {
  const LensShownPtr lens = pane_->lens();
  const InspectionPtr inspection = pane_->inspection();
  const bool shows = lens != nullptr && inspection != nullptr && lens->pictures->heads_block >= 0 &&
                     lens->kind == view_.overlay().kind &&
                     lens->inspection->picture == inspection->picture;
  const std::size_t heads = shows ? lens->pictures->heads.size() : 0;
  pictures_.assign(heads, QImage());
  entropy_ = shows ? lens->pictures->entropy : std::vector<float>();
  setAccessibleDescription(shows ? QString::fromStdString(lens->pictures->subject) : QString());
  const QSize size = pictureSize();
  if (!shows || size.isEmpty()) return update();

  const Image& seen = inspection->prepared->view;
  const Rectangle& crop = inspection->prepared->crop;
  const double ratio = devicePixelRatioF();
  ViewMapping mapping;
  mapping.scale = size.width() / crop.width;
  mapping.origin = QPointF(-crop.x, -crop.y) * mapping.scale;
  OverlayStyle style = view_.overlay();
  style.dim_outside = false;
  // One range, so that heads compare.
  std::vector<float> all;
  for (const LensMap& map : lens->pictures->heads) {
    std::copy_if(map.values.begin(), map.values.end(), std::back_inserter(all),
                 [](float value) { return std::isfinite(value); });
  }
  const ValueRange range = all.empty() ? ValueRange() : rangeOf(all, style.scale);
  if (range.lowest < range.highest) style.held.try_emplace(style.kind, range);
  for (std::size_t head = 0; head < heads; ++head) {
    QImage& image = pictures_[head];
    image = QImage((QSizeF(size) * ratio).toSize(), QImage::Format_RGB32);
    image.setDevicePixelRatio(ratio);
    QPainter painter(&image);
    painter.setRenderHint(QPainter::SmoothPixmapTransform);
    painter.drawImage(
        QRectF(QPointF(0, 0), QSizeF(size)),
        QImage(seen.pixels.data(), seen.width, seen.height, seen.width * 3, QImage::Format_RGB888));
    painter.end();
    OverlayInput input = inspection->overlayInput(lens->pictures->heads_block);
    input.lens = &lens->pictures->heads[head];
    drawOverlayOn(image, {0, 0}, input, style, inspection->picture->pixels.size(), mapping, ratio);
  }
  update();
}

void HeadsView::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  if (pictures_.empty()) {
    painter.setPen(mutedText(palette()));
    painter.drawText(rect().adjusted(kHeadMargin, kHeadMargin, -kHeadMargin, -kHeadMargin),
                     Qt::AlignCenter | Qt::TextWordWrap,
                     tr("Choose the overlay Attention to see all heads side by side"));
    return;
  }
  const int chosen = view_.overlay().head;
  for (int head = 0; head < headCount(); ++head) {
    const QRect place = tile(head);
    painter.drawImage(place.topLeft(), pictures_[static_cast<std::size_t>(head)]);
    const bool own = head == chosen;
    painter.setPen(own ? palette().color(QPalette::Highlight)
                       : palette().color(QPalette::WindowText));
    if (own) painter.drawRect(place.adjusted(-1, -1, 0, -fontMetrics().height()));
    painter.drawText(
        place, Qt::AlignHCenter | Qt::AlignBottom,
        fontMetrics().elidedText(
            tr("%1 · entropy %2")
                .arg(head)
                .arg(static_cast<double>(entropy_[static_cast<std::size_t>(head)]), 0, 'f', 2),
            Qt::ElideRight, place.width()));
  }
}

void HeadsView::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  draw();
}

/// The same head again: the mean of all.
void HeadsView::choose(int head) {
  OverlayStyle style = view_.overlay();
  style.head = style.head == head ? -1 : head;
  view_.editOverlay(style);
}

void HeadsView::mousePressEvent(QMouseEvent* event) {
  for (int head = 0; head < headCount(); ++head) {
    if (tile(head).contains(event->pos())) return choose(head);
  }
}

void HeadsView::keyPressEvent(QKeyEvent* event) {
  const int step = event->key() == Qt::Key_Right ? 1 : event->key() == Qt::Key_Left ? -1 : 0;
  if (step == 0 || pictures_.empty()) return QWidget::keyPressEvent(event);
  OverlayStyle style = view_.overlay();
  style.head = std::clamp(style.head + step, -1, headCount() - 1);
  view_.editOverlay(style);
}

}  // namespace adamerge::ui
