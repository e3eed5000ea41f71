// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/block_strip.h"

#include <QHBoxLayout>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollArea>
#include <QScrollBar>
#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <utility>

#include "canvas/layers.h"
#include "look/icons.h"
#include "look/paint.h"

namespace adamerge::ui {
namespace {

constexpr int kGap = 8;
constexpr int kFrame = 3;         ///< around the chosen picture
constexpr int kMarkerHeight = 7;  ///< the triangle above the chosen picture
constexpr int kTextGap = 3;
constexpr int kSmallestPicture = 40;
constexpr int kReadablePicture = 56;
constexpr int kUsualPicture = 84;
constexpr double kSlenderest = 0.5;  ///< width over height of a tile
constexpr double kWidest = 2.0;
constexpr int kDrawnTogether = 20;  ///< ms
constexpr int kStepTime = 450;      ///< ms per block: long enough to see what merged
constexpr int kMargin = 4;          ///< around the strip

/// Of the two lines under a picture.
int textHeight(const QWidget& tiles) { return 2 * tiles.fontMetrics().height() + kTextGap; }

}  // namespace

BlockTiles::BlockTiles(Pane& pane, ViewState& view, QWidget* parent)
    : QWidget(parent), view_(view), focus_(*this) {
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Expanding);
  setAccessibleName(tr("Blocks"));
  connect(&view_, &ViewState::overlayChanged, this, &BlockTiles::refresh);
  connect(&view_, &ViewState::selectionChanged, this, &BlockTiles::refresh);
  connect(&view_, &ViewState::blockChanged, this, [this] {
    describe();
    update();
  });
  connect(&focus_, &KeyboardFocus::changed, this, [this] { update(); });
  // Several in one frame: each is a pass through all of the window.
  drawn_delay_.setSingleShot(true);
  drawn_delay_.setInterval(kDrawnTogether);
  connect(&drawn_delay_, &QTimer::timeout, this, [this] { update(std::exchange(drawn_, {})); });
  connect(&thumbnails_, &BlockThumbnails::drawn, this, [this](int block) {
    drawn_ |= tileRect(block);
    if (!drawn_delay_.isActive()) drawn_delay_.start();
  });
  text_width_ = widestText();
  setPane(pane);
}

int BlockTiles::widestText() const { return fontMetrics().horizontalAdvance(tr("000 tokens")); }

void BlockTiles::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) {
    text_width_ = widestText();
    relayout();
  }
}

void BlockTiles::setPane(Pane& pane) {
  disconnect(pane_connection_);
  pane_ = &pane;
  pane_connection_ = connect(pane_, &Pane::inspectionChanged, this, &BlockTiles::relayout);
  disconnect(lens_connection_);
  lens_connection_ = connect(pane_, &Pane::lensChanged, this, &BlockTiles::refresh);
  relayout();
}

void BlockTiles::setReference(Pane* reference) {
  disconnect(reference_connection_);
  reference_ = reference;
  if (reference_ != nullptr) {
    reference_connection_ =
        connect(reference_, &Pane::inspectionChanged, this, &BlockTiles::refresh);
  }
  refresh();
}

int BlockTiles::tileCount() const {
  return pane_ == nullptr || pane_->inspection() == nullptr ? 0 : pane_->inspection()->depth();
}

void BlockTiles::relayout() {
  // A layout of the whole window follows, which moves of the slider shall not wait for.
  if (const QSize hint = sizeHint(); hint != hinted_) {
    hinted_ = hint;
    updateGeometry();
  }
  refresh();
  describe();
  update();
}

ThumbnailScene BlockTiles::scene() const {
  ThumbnailScene scene;
  if (pane_ != nullptr) scene.inspection = pane_->inspection();
  if (scene.inspection != nullptr) {
    scene.reference =
        comparable(scene.inspection, reference_ == nullptr ? nullptr : reference_->inspection());
    scene.style = view_.overlay();
    scene.style.dim_outside = false;
    scene.style.windows = false;
    scene.lens = pane_->lens();
    const int patches = scene.inspection->gridHeight() * scene.inspection->gridWidth();
    if (view_.selectedPatch() < patches) scene.selected = view_.selectedPatch();
    scene.size = pictureSize();
    scene.ratio = devicePixelRatioF();
  }
  return scene;
}

void BlockTiles::refresh() { thumbnails_.show(scene(), view_.block()); }

QImage BlockTiles::chosenPicture(int longest) const {
  ThumbnailScene shown = scene();
  if (shown.inspection == nullptr) return {};
  const Rectangle& crop = shown.inspection->prepared->crop;
  shown.size =
      QSizeF(crop.width, crop.height).scaled(longest, longest, Qt::KeepAspectRatio).toSize();
  shown.ratio = 1;
  return drawBlock(shown, std::min(view_.block(), tileCount() - 1));
}

void BlockTiles::describe() {
  const int count = tileCount();
  if (count == 0) {
    setAccessibleDescription(tr("No blocks yet"));
    return;
  }
  const int block = std::min(view_.block(), count - 1);
  const LayerTrace& layer = layerOf(block);
  setAccessibleDescription(tr("Block %1 of %2, %3 tokens")
                               .arg(block + 1)
                               .arg(count)
                               .arg(layer.restored ? layer.tokens_inside : layer.tokens_out));
}

QSize BlockTiles::pictureSize() const {
  int height =
      std::max(kSmallestPicture, room_.height() - textHeight(*this) - kMarkerHeight - 2 * kFrame);
  if (tileCount() == 0) return {height, height};
  const Rectangle& crop = pane_->inspection()->prepared->crop;
  const double aspect = std::clamp(crop.width / crop.height, kSlenderest, kWidest);
  const int share = room_.width() / tileCount() - kGap - 2 * kFrame;
  const int fitting = static_cast<int>(share / aspect);
  if (fitting >= kReadablePicture && share + 2 * kFrame >= text_width_) {
    height = std::min(height, fitting);
  }
  return {static_cast<int>(std::lround(height * aspect)), height};
}

QRect BlockTiles::tileRect(int block) const {
  const QSize picture = pictureSize();
  const int width = std::max(picture.width() + 2 * kFrame, text_width_);
  const int tile_height = kMarkerHeight + 2 * kFrame + picture.height() + textHeight(*this);
  const int top = std::max(0, (height() - tile_height) / 2);
  return {kGap / 2 + block * (width + kGap), top, width, tile_height};
}

QRect BlockTiles::pictureRect(int block) const {
  const QRect tile = tileRect(block);
  const QSize picture = pictureSize();
  return {{tile.left() + (tile.width() - picture.width()) / 2, tile.top() + kMarkerHeight + kFrame},
          picture};
}

QSize BlockTiles::sizeHint() const {
  const int count = tileCount();
  const int width = count == 0 ? 240 : tileRect(count - 1).right() + 1 + kGap / 2;
  return {width, kMarkerHeight + 2 * kFrame + kUsualPicture + textHeight(*this)};
}

QSize BlockTiles::minimumSizeHint() const {
  return sizeHint() - QSize(0, kUsualPicture - kSmallestPicture);
}

void BlockTiles::setRoom(const QSize& room) {
  if (room == room_) return;
  room_ = room;
  relayout();
}

void BlockTiles::paintEvent(QPaintEvent* event) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  if (tileCount() == 0) {
    painter.setPen(mutedText(palette()));
    painter.drawText(
        rect().adjusted(kGap, 0, -kGap, 0), Qt::AlignLeft | Qt::AlignVCenter | Qt::TextWordWrap,
        tr("Every block of the network appears here once an image is open and computed."));
    return;
  }
  for (int block = 0; block < tileCount(); ++block) {
    if (tileRect(block).intersects(event->rect())) paintTile(painter, block);
  }
}

void BlockTiles::paintTile(QPainter& painter, int block) {
  const QRect picture = pictureRect(block);
  const bool chosen = block == std::min(view_.block(), tileCount() - 1);
  const QImage image = thumbnails_.image(block);
  if (image.isNull()) {
    painter.fillRect(picture, canvasBackground(palette()));
  } else {
    painter.drawImage(picture, image);
  }
  if (chosen) {
    const QColor accent = palette().color(QPalette::Highlight);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(accent, kFrame, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
    constexpr double kHalf = kFrame / 2.0;
    painter.drawRect(QRectF(picture).adjusted(-kHalf, -kHalf, kHalf, kHalf));
    const double middle = picture.left() + picture.width() / 2.0;
    const double tip = picture.top() - kFrame;
    painter.setPen(Qt::NoPen);
    painter.setBrush(accent);
    painter.drawPolygon(QPolygonF{{middle - 7, tip - kMarkerHeight + 1},
                                  {middle + 7, tip - kMarkerHeight + 1},
                                  {middle, tip}});
    if (focus_.shown()) {
      painter.setBrush(Qt::NoBrush);
      painter.setPen(QPen(palette().color(QPalette::Window), 1));
      painter.drawRect(QRectF(picture).adjusted(0.5, 0.5, -0.5, -0.5));
      painter.setPen(QPen(accent, 2));
      painter.drawRect(QRectF(picture).adjusted(2, 2, -2, -2));
    }
  }
  const LayerTrace& layer = layerOf(block);
  const QRect tile = tileRect(block);
  const int line = fontMetrics().height();
  QRect row(tile.left(), picture.bottom() + 1 + kFrame + kTextGap, tile.width(), line);
  QFont font = this->font();
  font.setBold(chosen);
  painter.setFont(font);
  painter.setPen(palette().color(QPalette::WindowText));
  painter.drawText(row, Qt::AlignCenter, QString::number(block + 1));
  painter.setFont(this->font());
  painter.setPen(mutedText(palette()));
  row.translate(0, line);
  painter.drawText(row, Qt::AlignCenter,
                   layer.restored ? tr("%1 inside").arg(layer.tokens_inside)
                                  : tr("%1 tokens").arg(layer.tokens_out));
}

std::optional<int> BlockTiles::blockAt(const QPoint& position) const {
  for (int block = 0; block < tileCount(); ++block) {
    if (tileRect(block).adjusted(-kGap / 2, 0, kGap / 2, 0).contains(position)) return block;
  }
  return std::nullopt;
}

void BlockTiles::choose(int block) {
  view_.setBlock(block);
  emit chosen(view_.block());
}

void BlockTiles::mousePressEvent(QMouseEvent* event) {
  const std::optional<int> block = blockAt(event->position().toPoint());
  if (event->button() != Qt::LeftButton || !block) return QWidget::mousePressEvent(event);
  choose(*block);
}

void BlockTiles::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Left:
      return choose(view_.block() - 1);
    case Qt::Key_Right:
      return choose(view_.block() + 1);
    case Qt::Key_Home:
      return choose(0);
    case Qt::Key_End:
      return choose(view_.depth() - 1);
    case Qt::Key_Space:
      return emit playToggled();
    default:
      QWidget::keyPressEvent(event);
  }
}

bool BlockTiles::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    const std::optional<int> block = blockAt(help->pos());
    QToolTip::showText(help->globalPos(), block ? toolTipOf(*block) : QString(), this,
                       block ? tileRect(*block) : QRect());
    return true;
  }
  return QWidget::event(event);
}

QString BlockTiles::toolTipOf(int block) const {
  const LayerTrace& layer = layerOf(block);
  QString text = tr("Block %1 of %2: ").arg(block + 1).arg(tileCount());
  text +=
      layer.restored
          ? tr("%1 of %2 tokens inside, all restored").arg(layer.tokens_inside).arg(layer.tokens_in)
          : tr("%1 tokens in, %2 merged, %3 out")
                .arg(layer.tokens_in)
                .arg(layer.merged)
                .arg(layer.tokens_out);
  if (layer.redundancy) text += tr("\nRedundancy S̄ %1").arg(*layer.redundancy, 0, 'f', 3);
  if (layer.z) text += tr(", z %1").arg(*layer.z, 0, 'f', 2);
  return text;
}

BlockStrip::BlockStrip(Pane& pane, ViewState& view, QWidget* parent)
    : QWidget(parent),
      view_(view),
      tiles_(new BlockTiles(pane, view)),
      scroll_(new QScrollArea),
      button_(new QToolButton) {
  button_->setAutoRaise(true);
  scroll_->setFrameShape(QFrame::NoFrame);
  scroll_->setWidgetResizable(true);
  scroll_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll_->setFocusPolicy(Qt::NoFocus);
  scroll_->setWidget(tiles_);
  // The window's own colour shows through.
  scroll_->viewport()->setAutoFillBackground(false);
  tiles_->setAutoFillBackground(false);

  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(kMargin, kMargin, kMargin, kMargin);
  layout->setSpacing(kMargin);
  layout->addWidget(button_, 0, Qt::AlignVCenter);
  layout->addWidget(scroll_, 1);
  setMinimumHeight(tiles_->minimumSizeHint().height() + scrollBarHeight() + 2 * kMargin);

  timer_.setInterval(kStepTime);
  connect(&timer_, &QTimer::timeout, this, &BlockStrip::step);
  connect(button_, &QToolButton::clicked, this, [this] { playing() ? stop() : play(); });
  connect(tiles_, &BlockTiles::playToggled, this, [this] { playing() ? stop() : play(); });
  connect(tiles_, &BlockTiles::chosen, this, &BlockStrip::stop);
  connect(&view_, &ViewState::blockChanged, this, &BlockStrip::follow);
  // The tiles take their new places after the strip does.
  connect(scroll_->horizontalScrollBar(), &QScrollBar::rangeChanged, this, &BlockStrip::reveal);
  connect(&view_, &ViewState::depthChanged, this, &BlockStrip::showState);
  showState();
}

int BlockStrip::scrollBarHeight() const {
  return scroll_->horizontalScrollBar()->sizeHint().height();
}

void BlockStrip::play() {
  if (playing() || view_.depth() < 2) return;
  timer_.start();
  step();
  showState();
  emit playingChanged(true);
}

void BlockStrip::stop() {
  if (!playing()) return;
  timer_.stop();
  showState();
  emit playingChanged(false);
}

void BlockStrip::step() {
  stepping_ = true;
  view_.setBlock((view_.block() + 1) % std::max(1, view_.depth()));
  stepping_ = false;
}

void BlockStrip::follow() {
  if (!stepping_) stop();
  reveal();
}

void BlockStrip::reveal() {
  const QRect tile = tiles_->tileRect(view_.block());
  scroll_->ensureVisible(tile.center().x(), 0, tile.width(), 0);
  // The first one seen is seen whole.
  QScrollBar& bar = *scroll_->horizontalScrollBar();
  int first = 0;
  while (tiles_->tileRect(first).left() < bar.value()) ++first;
  bar.setValue(tiles_->tileRect(first).left() - kGap / 2);
}

void BlockStrip::showState() {
  button_->setEnabled(view_.depth() > 1);
  const QString action = playing() ? tr("Stop") : tr("Play through the blocks");
  button_->setAccessibleName(action);
  button_->setToolTip(tr("%1 (Space in the strip)").arg(action));
  button_->setIcon(icon(playing() ? QStringLiteral("pause") : QStringLiteral("play")));
}

void BlockStrip::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  tiles_->setRoom({scroll_->width(), height() - 2 * kMargin - scrollBarHeight()});
}

}  // namespace adamerge::ui
