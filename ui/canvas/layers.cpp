// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/layers.h"

#include <cairo.h>

#include <QPainter>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>

#include "canvas/patch_readout.h"

namespace adamerge::ui {
namespace {

constexpr qint64 kHalvedAtOnce = 1'500'000;  ///< pixels; a few milliseconds
constexpr int kSmallestSide = 64;
constexpr double kOutline = 8;  ///< logical pixels that an outline reaches over its group, at most
constexpr double kSharpFrom = 3;  ///< device pixels per picture pixel

QList<QImage> halves(const QImage& picture) {
  QList<QImage> levels{picture};
  while (std::min(levels.back().width(), levels.back().height()) >= 2 * kSmallestSide) {
    const QImage& last = levels.back();
    levels.append(last.scaled((last.width() + 1) / 2, (last.height() + 1) / 2,
                              Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
  }
  return levels;
}

}  // namespace

PicturePyramid::PicturePyramid(const QImage& picture) : levels_{picture} {
  if (static_cast<qint64>(picture.width()) * picture.height() <= kHalvedAtOnce) {
    levels_ = halves(picture);
    return;
  }
  jobs_ = std::make_unique<Jobs>(this, drawingWorker());
  jobs_->run("halves " + std::to_string(picture.cacheKey()), Urgency::kInteractive,
             [this, picture](const std::stop_token& /*stop*/, const Jobs::Tell& tell) {
               tell([this, levels = halves(picture)] {
                 levels_ = levels;
                 emit ready();
               });
             });
}

void PicturePyramid::paint(QPainter& painter, const ViewMapping& mapping, double ratio) const {
  const double scale = mapping.scale * ratio;
  qsizetype level = 0;
  double shrink = 1;
  while (level + 1 < levels_.size() && scale / shrink <= 0.5) {
    ++level;
    shrink /= 2;
  }
  const QImage& image = levels_[level];
  const QSizeF size = QSizeF(levels_.front().size()) * scale;
  const QPointF origin = mapping.origin * ratio;
  painter.save();
  painter.setRenderHint(QPainter::SmoothPixmapTransform, scale < kSharpFrom);
  painter.translate(origin);
  painter.scale(size.width() / image.width(), size.height() / image.height());
  painter.drawImage(QPointF(0, 0), image);
  painter.restore();
}

std::shared_ptr<PicturePyramid> pyramidOf(const PicturePtr& picture) {
  static std::weak_ptr<PicturePyramid> last;
  static std::weak_ptr<const Picture> last_picture;
  std::shared_ptr<PicturePyramid> kept = last.lock();
  if (kept == nullptr || last_picture.lock() != picture) {
    kept = std::make_shared<PicturePyramid>(picture->pixels);
    last = kept;
    last_picture = picture;
  }
  return kept;
}

namespace {

/// Calls `draw` with a context whose units are the picture's pixels.
void drawByCairo(QImage& image, const QPoint& place, const ViewMapping& mapping, double ratio,
                 const std::function<void(cairo_t*)>& draw) {
  const cairo_format_t format =
      image.format() == QImage::Format_RGB32 ? CAIRO_FORMAT_RGB24 : CAIRO_FORMAT_ARGB32;
  const std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface(
      cairo_image_surface_create_for_data(image.bits(), format, image.width(), image.height(),
                                          static_cast<int>(image.bytesPerLine())),
      cairo_surface_destroy);
  const std::unique_ptr<cairo_t, decltype(&cairo_destroy)> context(cairo_create(surface.get()),
                                                                   cairo_destroy);
  cairo_translate(context.get(), -place.x(), -place.y());
  cairo_scale(context.get(), ratio, ratio);
  cairo_translate(context.get(), mapping.origin.x(), mapping.origin.y());
  cairo_scale(context.get(), mapping.scale, mapping.scale);
  draw(context.get());
  cairo_surface_flush(surface.get());
}

}  // namespace

void drawOverlayOn(QImage& image, const QPoint& place, const OverlayInput& input,
                   const OverlayStyle& style, const QSize& picture, const ViewMapping& mapping,
                   double ratio) {
  drawByCairo(image, place, mapping, ratio, [&](cairo_t* context) {
    // Lines are meant in logical pixels, so that they are as wide to the eye on every screen.
    drawOverlay(input, style, picture.width(), picture.height(), mapping.scale, context);
  });
}

namespace {

bool samePlace(const CanvasScene& a, const CanvasScene& b) {
  return a.picture == b.picture && a.mapping == b.mapping && a.canvas == b.canvas &&
         a.ratio == b.ratio;
}

bool sameResult(const CanvasScene& a, const CanvasScene& b) {
  return a.inspection == b.inspection && a.block == b.block;
}

}  // namespace

OverlayInput overlayInput(const CanvasScene& scene) {
  OverlayInput input = scene.inspection->overlayInput(scene.block);
  if (scene.reference != nullptr && scene.block < scene.reference->depth()) {
    input.other_groups =
        &scene.reference->result.layers[static_cast<std::size_t>(scene.block)].groups;
  }
  if (scene.prompts.any()) input.prompts = &scene.prompts;
  if (scene.lens != nullptr) {
    input.lens = scene.lens->map(*scene.inspection, scene.style.kind, scene.block);
  }
  return input;
}

InspectionPtr comparable(const InspectionPtr& inspection, const InspectionPtr& reference) {
  const bool fits = inspection != nullptr && reference != nullptr &&
                    inspection->picture == reference->picture &&
                    inspection->gridHeight() == reference->gridHeight() &&
                    inspection->gridWidth() == reference->gridWidth();
  return fits ? reference : nullptr;
}

void CanvasLayers::paint(QPainter& painter, const CanvasScene& scene) {
  updatePicture(scene);
  updateOverlaid(scene);
  updateHighlight(scene);
  drawn_ = scene;
  const auto draw = [&](const QImage& image, const QPoint& place) {
    if (!image.isNull()) painter.drawImage(QPointF(place) / scene.ratio, image);
  };
  draw(overlaid_.isNull() ? picture_ : overlaid_, seen_.topLeft());
  draw(highlight_, highlight_at_);
}

void CanvasLayers::updatePicture(const CanvasScene& scene) {
  if (pyramid_ == nullptr || !drawn_ || drawn_->picture != scene.picture) {
    pyramid_ = pyramidOf(scene.picture);
  }
  if (!picture_.isNull() && drawn_ && samePlace(*drawn_, scene)) return;
  const QRectF whole(scene.mapping.origin * scene.ratio,
                     QSizeF(scene.picture->pixels.size()) * scene.mapping.scale * scene.ratio);
  seen_ = whole.toAlignedRect() & QRect({0, 0}, (QSizeF(scene.canvas) * scene.ratio).toSize());
  overlaid_ = {};
  if (seen_.isEmpty()) {
    picture_ = {};
    return;
  }
  if (picture_.size() != seen_.size()) picture_ = QImage(seen_.size(), QImage::Format_RGB32);
  picture_.setDevicePixelRatio(1);
  picture_.fill(scene.ground);
  QPainter painter(&picture_);
  painter.translate(-seen_.topLeft());
  pyramid_->paint(painter, scene.mapping, scene.ratio);
  painter.end();
  picture_.setDevicePixelRatio(scene.ratio);
}

void CanvasLayers::updateOverlaid(const CanvasScene& scene) {
  const bool something = scene.inspection != nullptr || scene.prompts.any();
  if (!something || picture_.isNull()) {
    overlaid_ = {};
    return;
  }
  if (!overlaid_.isNull() && sameResult(*drawn_, scene) && drawn_->reference == scene.reference &&
      drawn_->lens == scene.lens && drawn_->style == scene.style &&
      drawn_->prompts == scene.prompts) {
    return;
  }
  // Into the image of before: no pages are to be had and cleared anew.
  if (overlaid_.size() == picture_.size()) {
    std::memcpy(overlaid_.bits(), picture_.constBits(),
                static_cast<std::size_t>(picture_.sizeInBytes()));
  } else {
    overlaid_ = picture_.copy();
  }
  const QSize size = scene.picture->pixels.size();
  if (scene.inspection != nullptr) {
    drawOverlayOn(overlaid_, seen_.topLeft(), overlayInput(scene), scene.style, size, scene.mapping,
                  scene.ratio);
  } else {
    drawByCairo(overlaid_, seen_.topLeft(), scene.mapping, scene.ratio, [&](cairo_t* context) {
      drawPrompts(scene.prompts, size.width(), size.height(), scene.mapping.scale, context);
    });
  }
  overlaid_.setDevicePixelRatio(scene.ratio);
}

void CanvasLayers::updateHighlight(const CanvasScene& scene) {
  if (scene.inspection == nullptr || (!scene.selected && !scene.hovered)) {
    highlight_ = {};
    return;
  }
  if (!highlight_.isNull() && samePlace(*drawn_, scene) && sameResult(*drawn_, scene) &&
      drawn_->selected == scene.selected && drawn_->hovered == scene.hovered) {
    return;
  }
  // What is selected dims all the rest; what is pointed at only outlines its group.
  QRect place = seen_;
  if (!scene.selected) {
    QRectF group;
    for (const int patch : scene.inspection->groupOf(*scene.hovered, scene.block)) {
      group |= scene.inspection->patchRect(patch);
    }
    const QRectF shown(scene.mapping.toWidget(group.topLeft()) * scene.ratio,
                       group.size() * scene.mapping.scale * scene.ratio);
    const int line = static_cast<int>(std::ceil(kOutline * scene.ratio));
    place &= shown.toAlignedRect().adjusted(-line, -line, line, line);
  }
  if (place.isEmpty()) {
    highlight_ = {};
    return;
  }
  OverlayInput input = scene.inspection->overlayInput(scene.block);
  input.selected_patch = scene.selected;
  input.hovered_patch = scene.hovered;
  OverlayStyle style = scene.style;
  style.kind = OverlayKind::kNone;
  style.dim_outside = false;
  style.windows = false;
  if (highlight_.size() != place.size()) {
    highlight_ = QImage(place.size(), QImage::Format_ARGB32_Premultiplied);
  }
  highlight_.setDevicePixelRatio(1);
  highlight_.fill(Qt::transparent);
  highlight_at_ = place.topLeft();
  drawOverlayOn(highlight_, highlight_at_, input, style, scene.picture->pixels.size(),
                scene.mapping, scene.ratio);
  highlight_.setDevicePixelRatio(scene.ratio);
}

void paintPatches(QPainter& painter, const CanvasScene& scene) {
  const auto place = [&](int patch) {
    const QRectF patch_rect = scene.inspection->patchRect(patch);
    return QRectF(scene.mapping.toWidget(patch_rect.topLeft()),
                  patch_rect.size() * scene.mapping.scale);
  };
  if (scene.hovered) {
    const QRectF own = place(*scene.hovered).adjusted(2.5, 2.5, -2.5, -2.5);
    if (own.width() > 4 && own.height() > 4) {
      painter.setBrush(Qt::NoBrush);
      painter.setPen(QPen(QColor(0, 0, 0, 160), 3));
      painter.drawRect(own);
      painter.setPen(QPen(Qt::white, 1.2, Qt::DotLine));
      painter.drawRect(own);
    }
  }
  if (place(0).width() < painter.fontMetrics().horizontalAdvance(QStringLiteral("0.0000 "))) return;
  const QRectF seen({}, scene.canvas);
  const int patches = scene.inspection->gridHeight() * scene.inspection->gridWidth();
  for (int patch = 0; patch < patches; ++patch) {
    const QRectF box = place(patch);
    if (!seen.intersects(box)) continue;
    const QString number =
        patchNumber(*scene.inspection, patch, scene.block, scene.style.kind, scene.lens);
    if (number.isEmpty()) continue;
    const QRectF text = painter.fontMetrics().boundingRect(number).adjusted(-3, -1, 3, 1);
    QRectF panel(0, 0, text.width(), text.height());
    panel.moveBottomRight(box.bottomRight() - QPointF(3, 3));
    painter.setPen(Qt::NoPen);
    painter.setBrush(QColor(0, 0, 0, 150));
    painter.drawRoundedRect(panel, 2, 2);
    painter.setPen(Qt::white);
    painter.drawText(panel, Qt::AlignCenter, number);
  }
}

}  // namespace adamerge::ui
