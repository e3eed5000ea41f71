// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/canvas_layers.h"

#include <QPainter>

#include "canvas/overlay_image.h"

namespace adamerge::ui {
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
  updateOverlay(scene);
  updateHighlight(scene);
  drawn_ = scene;
  for (const QImage* layer : {&picture_, &overlay_, &highlight_}) {
    if (!layer->isNull()) painter.drawImage(0, 0, *layer);
  }
}

void CanvasLayers::updatePicture(const CanvasScene& scene) {
  if (pyramid_ == nullptr || !drawn_ || drawn_->picture != scene.picture) {
    pyramid_ = pyramidOf(scene.picture);
  }
  if (!picture_.isNull() && drawn_ && samePlace(*drawn_, scene)) return;
  const QSize size = (QSizeF(scene.canvas) * scene.ratio).toSize();
  if (picture_.size() != size) picture_ = QImage(size, QImage::Format_ARGB32_Premultiplied);
  picture_.setDevicePixelRatio(1);
  picture_.fill(Qt::transparent);
  QPainter painter(&picture_);
  pyramid_->paint(painter, scene.mapping, scene.ratio);
  painter.end();
  picture_.setDevicePixelRatio(scene.ratio);
}

void CanvasLayers::updateOverlay(const CanvasScene& scene) {
  if (scene.inspection == nullptr) {
    overlay_ = {};
    return;
  }
  if (!overlay_.isNull() && samePlace(*drawn_, scene) && sameResult(*drawn_, scene) &&
      drawn_->reference == scene.reference && drawn_->style == scene.style) {
    return;
  }
  overlay_ = overlayImage(overlayInput(scene), scene.style, scene.picture->pixels.size(),
                          scene.mapping, scene.canvas, scene.ratio);
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
  OverlayInput input = scene.inspection->overlayInput(scene.block);
  input.selected_patch = scene.selected;
  input.hovered_patch = scene.hovered;
  OverlayStyle style = scene.style;
  style.kind = OverlayKind::kNone;
  style.dim_outside = false;
  highlight_ = overlayImage(input, style, scene.picture->pixels.size(), scene.mapping, scene.canvas,
                            scene.ratio);
}

}  // namespace adamerge::ui
