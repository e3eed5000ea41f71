// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/canvas_view.h"

#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>

#include "canvas/legend.h"
#include "canvas/navigation.h"
#include "canvas/patch_readout.h"
#include "look/paint.h"

namespace adamerge::ui {
namespace {

constexpr double kKeyZoom = 1.25;
constexpr double kKeyPan = 48;  ///< logical pixels
constexpr int kDecorMargin = 8;
constexpr int kRoomyHeight = 340;  ///< from here on captions have room of their own
constexpr int kRoomyWidth = 420;   ///< and legends
/// A low canvas has them beside the picture, which gives way to them as far as this share of its
/// size.
constexpr double kLeastBeside = 0.85;
/// How long the picture before stays while the next one is computed, in ms: a video's frame waits
/// for its result, another file is shown soon in any case.
constexpr int kGrace = 80;
constexpr int kFrameGrace = 500;

}  // namespace

CanvasView::CanvasView(Pane& pane, ViewState& view, ViewPort& port, QWidget* parent)
    : QWidget(parent), pane_(pane), view_(view), port_(port), busy_(this), focus_(*this) {
  busy_.setBacking(true);
  busy_.setAttribute(Qt::WA_TransparentForMouseEvents);
  busy_.resize(busy_.sizeHint());
  setFocusPolicy(Qt::StrongFocus);
  // Else all that lies behind it is painted first.
  setAttribute(Qt::WA_OpaquePaintEvent);
  setMouseTracking(true);
  setAccessibleName(tr("Canvas %1").arg(pane.index() + 1));
  navigator_ = new CanvasNavigator(*this, port_, [this] { return frame(); });
  connect(navigator_, &CanvasNavigator::clicked, this, &CanvasView::selectAt);
  connect(navigator_, &CanvasNavigator::spaceTapped, this, &CanvasView::spaceTapped);
  const auto repaint = [this] { update(); };
  connect(&focus_, &KeyboardFocus::changed, this, repaint);
  connect(&port_, &ViewPort::changed, this, repaint);
  connect(&view_, &ViewState::overlayChanged, this, repaint);
  connect(&view_, &ViewState::blockChanged, this, repaint);
  connect(&view_, &ViewState::blockChanged, this, &CanvasView::describeSelection);
  connect(&view_, &ViewState::hoverChanged, this, repaint);
  connect(&view_, &ViewState::selectionChanged, this, repaint);
  connect(&view_, &ViewState::selectionChanged, this, &CanvasView::describeSelection);
  connect(&pane_, &Pane::inspectionChanged, this, &CanvasView::adoptInspection);
  connect(&pane_, &Pane::lensChanged, this, repaint);
  connect(&pane_, &Pane::choiceChanged, this, &CanvasView::showPrompting);
  connect(&view_, &ViewState::promptingChanged, this, &CanvasView::showPrompting);
  connect(&pane_, &Pane::busyChanged, &busy_, &BusyIndicator::setBusy);
  grace_.setSingleShot(true);
  connect(&grace_, &QTimer::timeout, this, [this] { present(picture_, nullptr); });
  showPrompting();
  adoptInspection();
  busy_.setBusy(pane_.busy());
}

void CanvasView::setPicture(const PicturePtr& picture) {
  picture_ = picture;
  const InspectionPtr inspection = pane_.inspection();
  if (picture != nullptr && inspection != nullptr && inspection->picture == picture) {
    present(picture, inspection);
  } else if (picture == nullptr || inspection_ == nullptr) {
    present(picture, nullptr);
  } else if (!grace_.isActive()) {
    grace_.start(sameStream(*shown_, *picture) ? kFrameGrace : kGrace);
  }
}

void CanvasView::adoptInspection() {
  const InspectionPtr inspection = pane_.inspection();
  if (inspection == nullptr) {
    present(picture_, nullptr);
    return;
  }
  // A late result of the picture before is still worth showing, but nothing goes back.
  const bool wanted = picture_ == nullptr || inspection->picture == picture_;
  if (!wanted && shown_ == picture_) return;
  const bool waiting = grace_.isActive();
  present(inspection->picture, inspection);
  if (!wanted && waiting) grace_.start(kFrameGrace);
}

void CanvasView::present(const PicturePtr& picture, const InspectionPtr& inspection) {
  grace_.stop();
  const QSize before = shown_ == nullptr ? QSize() : shown_->pixels.size();
  shown_ = picture;
  inspection_ = inspection;
  if (pyramid_ != nullptr) pyramid_->disconnect(this);
  pyramid_ = picture == nullptr ? nullptr : pyramidOf(picture);
  if (pyramid_ != nullptr) {
    connect(pyramid_.get(), &PicturePyramid::ready, this, [this] {
      layers_.forgetPicture();
      update();
    });
    if (picture->pixels.size() != before) port_.fit();
  }
  describeSelection();
  update();
}

void CanvasView::setReference(Pane* reference) {
  if (reference_ == reference) return;
  if (reference_ != nullptr) reference_->disconnect(this);
  reference_ = reference;
  if (reference_ != nullptr) {
    connect(reference_, &Pane::inspectionChanged, this, [this] { update(); });
  }
  update();
}

QSize CanvasView::sizeHint() const { return {640, 520}; }
QSize CanvasView::minimumSizeHint() const { return {160, 120}; }

ViewFrame CanvasView::frame() const {
  return {shown_ == nullptr ? QSizeF() : QSizeF(shown_->pixels.size()), QSizeF(size()),
          devicePixelRatioF(), beside()};
}

/// Captions and legends stand beside a fitted picture as far as there is room. The same in all
/// canvases of one size, whatever they say, so that they show the same place.
QMarginsF CanvasView::beside() const {
  if (shown_ == nullptr || inspection_ == nullptr) return {};
  QMarginsF room;
  const QSizeF picture = QSizeF(shown_->pixels.size()).scaled(size(), Qt::KeepAspectRatio);
  if (caption_visible_) {
    const int texts = 2 + (class_shown_ ? 1 : 0) + (lensOf(view_.overlay().kind) ? 1 : 0);
    // In a narrow canvas all but the first are broken.
    const int lines = width() < kRoomyWidth ? 2 * texts - 1 : texts;
    const double caption = captionHeight(lines, fontMetrics()) + kDecorMargin;
    if (height() >= kRoomyHeight) {
      room.setTop(caption);
    } else if (picture.height() < height() - 1) {
      room.setTop(std::min(caption, height() - picture.height()));
    } else {
      const double most = width() - kLeastBeside * picture.width();
      room.setLeft(std::min<double>(captionColumn() + kDecorMargin, most));
      return room;
    }
  }
  const int legend = colorBarWidth(view_.overlay().kind, fontMetrics());
  const double scale = (height() - room.top()) / shown_->pixels.height();
  const bool covers = shown_->pixels.width() * scale + 2 * (legend + kDecorMargin) > width();
  if (legend > 0 && width() >= kRoomyWidth && covers) room.setRight(legend + kDecorMargin);
  return room;
}

/// Of a low canvas, at the left: as wide as its lines where that costs the picture nothing, else as
/// the parts of them, or the legend.
int CanvasView::captionColumn() const {
  const QFontMetrics metrics = fontMetrics();
  const QString tokens = QStringLiteral("000 tokens left");
  const QString cost = QStringLiteral("0.000 G (00.0 %)");
  const int whole = metrics.horizontalAdvance(tokens + QStringLiteral(" · ") + cost);
  const int part = std::max(metrics.horizontalAdvance(tokens), metrics.horizontalAdvance(cost));
  const int frame = 3 * kDecorMargin;
  const double slack =
      width() - QSizeF(shown_->pixels.size()).scaled(size(), Qt::KeepAspectRatio).width();
  if (whole + frame + kDecorMargin <= slack) return whole + frame;
  return std::max(part + frame, colorBarWidth(view_.overlay().kind, metrics) + kDecorMargin);
}

ViewMapping CanvasView::mapping() const { return port_.mapping(frame()); }

CanvasScene CanvasView::scene() const {
  CanvasScene scene;
  scene.picture = shown_;
  scene.mapping = mapping();
  scene.canvas = size();
  scene.ratio = devicePixelRatioF();
  scene.ground = canvasBackground(palette());
  scene.prompts = prompts_;
  if (inspection_ == nullptr || inspection_->depth() == 0) return scene;
  scene.inspection = inspection_;
  scene.reference =
      comparable(inspection_, reference_ == nullptr ? nullptr : reference_->inspection());
  scene.style = view_.overlay();
  scene.lens = pane_.lens();
  scene.block = std::clamp(view_.block(), 0, inspection_->depth() - 1);
  const int patches = inspection_->gridHeight() * inspection_->gridWidth();
  if (view_.selectedPatch() < patches) scene.selected = view_.selectedPatch();
  if (view_.hoveredPatch() < patches) scene.hovered = view_.hoveredPatch();
  return scene;
}

void CanvasView::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  const QColor ground = canvasBackground(palette());
  if (shown_ == nullptr) {
    painter.fillRect(rect(), ground);
    paintEmptyState(painter, empty_title_, empty_hint_, rect(), palette());
  } else {
    CanvasScene now = scene();
    // Of what is really painted on: the widget may be rendered finer than its screen.
    now.ratio = painter.deviceTransform().m11();
    const QRectF covered(now.mapping.origin, QSizeF(shown_->pixels.size()) * now.mapping.scale);
    for (const QRect& beside : QRegion(rect()) - covered.toRect().adjusted(1, 1, -1, -1)) {
      painter.fillRect(beside, ground);
    }
    layers_.paint(painter, now);
    if (now.inspection != nullptr) paintPatches(painter, now);
    paintDecor(painter, now);
    prompt_tool_.paint(painter);
  }
  if (active_) paintActiveFrame(painter, rect(), palette());
  if (focus_.shown()) paintFocusRing(painter, rect(), palette(), active_);
}

void CanvasView::paintDecor(QPainter& painter, const CanvasScene& scene) {
  if (scene.inspection == nullptr) return;
  const QRect area = rect().adjusted(kDecorMargin, kDecorMargin, -kDecorMargin, -kDecorMargin);
  QRect legend = area;
  if (caption_visible_) {
    QRect room = area.adjusted(0, 0, -busy_.width() - kDecorMargin, 0);
    const bool low = height() < kRoomyHeight;
    // A note is worth some of the picture.
    if (low && note_.isEmpty()) room.setWidth(std::min(room.width(), captionColumn()));
    QStringList lines = captionLines(*scene.inspection);
    if (!note_.isEmpty()) lines.back() += QStringLiteral(" · ") + note_;
    const int column = static_cast<int>(beside().left()) - kDecorMargin;
    if (class_shown_) {
      const QString line = classLine(*scene.inspection);
      // On the picture no more than has to be.
      const bool covers = low && column < captionColumn();
      lines.append(covers ? line.section(QStringLiteral(" · "), 0, 0) : line);
    }
    if (lensOf(scene.style.kind)) {
      lines.append(lensLine(*scene.inspection, scene.style.kind, scene.block, scene.lens));
    }
    const QRect caption = paintCaption(painter, lines, active_, room, palette());
    if (column >= colorBarWidth(scene.style.kind, fontMetrics())) {
      legend.setWidth(column - kDecorMargin);
      legend.setTop(caption.bottom() + kDecorMargin);
    }
  }
  const QString notice = overlayNotice(*scene.inspection, scene.style, scene.block,
                                       scene.reference != nullptr, scene.lens);
  if (!notice.isEmpty()) paintNotice(painter, notice, area, palette());
  const std::optional<ColorBar> bar = colorBar(*scene.inspection, scene.reference, scene.style,
                                               scene.block, scene.ratio, scene.lens);
  if (bar) paintColorBar(painter, *bar, legend, legend != area, palette());
}

void CanvasView::contextMenuEvent(QContextMenuEvent* event) {
  emit activated();
  emit menuRequested(event->globalPos());
}

void CanvasView::setEmptyText(const QString& title, const QString& hint) {
  empty_title_ = title;
  empty_hint_ = hint;
  update();
}

void CanvasView::fitCrop() {
  if (inspection_ == nullptr) return;
  const Rectangle& crop = inspection_->prepared->crop;
  port_.showPart(frame(), {crop.x, crop.y, crop.width, crop.height});
}

void CanvasView::resizeEvent(QResizeEvent* /*event*/) {
  busy_.move(width() - busy_.width() - kDecorMargin, kDecorMargin);
}

void CanvasView::mousePressEvent(QMouseEvent* event) {
  emit activated();
  if (!prompting_ || shown_ == nullptr || event->button() != Qt::LeftButton) return;
  prompt_tool_.press(event->position());
}

void CanvasView::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton || !prompt_tool_.drawing()) return;
  const auto edit =
      prompt_tool_.release(event->position(), prompts_, mapping(),
                           shown_ == nullptr ? QSizeF() : QSizeF(shown_->pixels.size()));
  update();
  if (edit) emit promptsEdited(edit->prompts, edit->what);
}

void CanvasView::showPrompting() {
  if (Prompts now = promptsOf(pane_.choice().settings); now != prompts_) {
    prompts_ = std::move(now);
    update();
  }
  prompting_ = view_.prompting() && takesPrompts(pane_.choice());
  navigator_->setDrawing(prompting_);
  if (prompting_ || !prompt_tool_.drawing()) return;
  prompt_tool_.cancel();
  update();
}

void CanvasView::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  emit activated();
}

void CanvasView::mouseMoveEvent(QMouseEvent* event) {
  if (prompt_tool_.drawing()) {
    prompt_tool_.move(event->position());
    update();
  }
  if (inspection_ == nullptr) return;
  view_.hover(inspection_->patchAt(mapping().toPicture(event->position())));
}

void CanvasView::leaveEvent(QEvent* /*event*/) { view_.hover(std::nullopt); }

void CanvasView::selectAt(const QPointF& position) {
  if (inspection_ == nullptr) return;
  view_.select(inspection_->patchAt(mapping().toPicture(position)));
}

void CanvasView::describeSelection() {
  const CanvasScene now = scene();
  const bool selected = now.inspection != nullptr && now.selected;
  setAccessibleDescription(
      selected ? describePatch(*now.inspection, *now.selected, now.block)
               : tr("The picture with the chosen overlay. Click a patch to follow its token; "
                    "left and right change the block."));
}

void CanvasView::zoomIn() { port_.zoom(frame(), QRectF(rect()).center(), kKeyZoom); }
void CanvasView::zoomOut() { port_.zoom(frame(), QRectF(rect()).center(), 1 / kKeyZoom); }
void CanvasView::fit() { port_.fit(); }
void CanvasView::showActualSize() { port_.showActualSize(frame(), QRectF(rect()).center()); }

void CanvasView::keyPressEvent(QKeyEvent* event) {
  if (moveView(*event)) return;
  switch (event->key()) {
    case Qt::Key_Left:
      return view_.setBlock(view_.block() - 1);
    case Qt::Key_Right:
      return view_.setBlock(view_.block() + 1);
    case Qt::Key_Home:
      return view_.setBlock(0);
    case Qt::Key_End:
      return view_.setBlock(view_.depth() - 1);
    default:
      break;
  }
  event->ignore();
}

bool CanvasView::moveView(const QKeyEvent& event) {
  static const std::map<int, QPoint> kDirections{{Qt::Key_Left, {-1, 0}},
                                                 {Qt::Key_Right, {1, 0}},
                                                 {Qt::Key_Up, {0, -1}},
                                                 {Qt::Key_Down, {0, 1}}};
  const auto found = kDirections.find(event.key());
  if (found == kDirections.end()) return false;
  const QPoint direction = found->second;
  if (event.modifiers() == Qt::ShiftModifier) {
    moveSelection(direction.y(), direction.x());
    return true;
  }
  if (event.modifiers() == Qt::ControlModifier) {
    port_.pan(frame(), -QPointF(direction) * kKeyPan);
    return true;
  }
  return false;
}

void CanvasView::moveSelection(int rows, int columns) {
  if (inspection_ == nullptr) return;
  const int height = inspection_->gridHeight();
  const int width = inspection_->gridWidth();
  const std::optional<int> selected = scene().selected;
  if (!selected) return view_.select(height / 2 * width + width / 2);
  const int row = std::clamp(*selected / width + rows, 0, height - 1);
  const int column = std::clamp(*selected % width + columns, 0, width - 1);
  view_.select(row * width + column);
}

}  // namespace adamerge::ui
