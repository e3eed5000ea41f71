// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/block_thumbnails.h"

#include <fmt/format.h>

#include <QPainter>
#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "adamerge/error.h"
#include "canvas/layers.h"

namespace adamerge::ui {

QImage drawBlock(const ThumbnailScene& shown, int block) {
  const Inspection& inspection = *shown.inspection;
  const Image& view = inspection.prepared->view;
  const Rectangle& crop = inspection.prepared->crop;
  ViewMapping mapping;
  mapping.scale = shown.size.width() / crop.width;
  mapping.origin = QPointF(-crop.x, -crop.y) * mapping.scale;

  QImage image((QSizeF(shown.size) * shown.ratio).toSize(), QImage::Format_RGB32);
  image.setDevicePixelRatio(shown.ratio);
  QPainter painter(&image);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  const QImage seen(view.pixels.data(), view.width, view.height, view.width * 3,
                    QImage::Format_RGB888);
  painter.drawImage(QRectF(QPointF(0, 0), QSizeF(shown.size)), seen);

  CanvasScene scene;
  scene.inspection = shown.inspection;
  scene.reference = shown.reference;
  scene.lens = shown.lens;
  scene.style = shown.style;
  scene.block = block;
  OverlayInput input = overlayInput(scene);
  input.selected_patch = shown.selected;
  painter.end();
  drawOverlayOn(image, {0, 0}, input, shown.style, inspection.picture->pixels.size(), mapping,
                shown.ratio);
  return image;
}

BlockThumbnails::BlockThumbnails(QObject* parent)
    : QObject(parent),
      key_(fmt::format("thumbnails {}", fmt::ptr(this))),
      jobs_(this, drawingWorker()) {}

void BlockThumbnails::show(const ThumbnailScene& scene, int first) {
  if (scene == scene_) return;
  const bool other_picture = scene_.inspection == nullptr || scene.inspection == nullptr ||
                             scene_.inspection->picture != scene.inspection->picture;
  scene_ = scene;
  const int depth = scene_.inspection == nullptr ? 0 : scene_.inspection->depth();
  if (other_picture) images_.clear();
  images_.resize(static_cast<std::size_t>(depth));
  if (depth == 0 || scene_.size.isEmpty()) return jobs_.cancel(key_);
  std::vector<int> blocks(static_cast<std::size_t>(depth));
  std::iota(blocks.begin(), blocks.end(), 0);
  std::stable_sort(blocks.begin(), blocks.end(),
                   [first](int a, int b) { return std::abs(a - first) < std::abs(b - first); });
  jobs_.run(key_, Urgency::kInteractive,
            [this, scene, blocks](const std::stop_token& stop, const Jobs::Tell& tell) {
              for (const int block : blocks) {
                throwIfStopped(stop);
                tell([this, block, image = drawBlock(scene, block)] {
                  images_[static_cast<std::size_t>(block)] = image;
                  emit drawn(block);
                });
              }
            });
}

QImage BlockThumbnails::image(int block) const {
  const auto index = static_cast<std::size_t>(block);
  return index < images_.size() ? images_[index] : QImage();
}

}  // namespace adamerge::ui
