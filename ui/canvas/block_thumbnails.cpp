// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/block_thumbnails.h"

#include <QElapsedTimer>
#include <QPainter>
#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "canvas/layers.h"

namespace adamerge::ui {
namespace {

constexpr qint64 kSlice = 4;  ///< ms between looks at the event queue

}  // namespace

BlockThumbnails::BlockThumbnails(QObject* parent) : QObject(parent) {
  timer_.setSingleShot(true);
  timer_.setInterval(0);
  connect(&timer_, &QTimer::timeout, this, &BlockThumbnails::drawSome);
}

void BlockThumbnails::show(const ThumbnailScene& scene, int first) {
  if (scene == scene_) return;
  const bool other_picture = scene_.inspection == nullptr || scene.inspection == nullptr ||
                             scene_.inspection->picture != scene.inspection->picture;
  scene_ = scene;
  const int depth = scene_.inspection == nullptr ? 0 : scene_.inspection->depth();
  if (other_picture) images_.clear();
  images_.resize(static_cast<std::size_t>(depth));
  stale_.resize(static_cast<std::size_t>(depth));
  std::iota(stale_.begin(), stale_.end(), 0);
  std::stable_sort(stale_.begin(), stale_.end(),
                   [first](int a, int b) { return std::abs(a - first) > std::abs(b - first); });
  if (stale_.empty() || scene_.size.isEmpty()) {
    timer_.stop();
  } else {
    timer_.start();
  }
}

QImage BlockThumbnails::image(int block) const {
  const auto index = static_cast<std::size_t>(block);
  return index < images_.size() ? images_[index] : QImage();
}

void BlockThumbnails::drawSome() {
  QElapsedTimer clock;
  clock.start();
  while (!stale_.empty() && clock.elapsed() < kSlice) {
    const int block = stale_.back();
    stale_.pop_back();
    images_[static_cast<std::size_t>(block)] = draw(block);
    emit drawn(block);
  }
  if (!stale_.empty()) timer_.start();
}

QImage BlockThumbnails::draw(int block) const {
  const Inspection& inspection = *scene_.inspection;
  const Image& view = inspection.prepared->view;
  const Rectangle& crop = inspection.prepared->crop;
  ViewMapping mapping;
  mapping.scale = scene_.size.width() / crop.width;
  mapping.origin = QPointF(-crop.x, -crop.y) * mapping.scale;

  QImage image((QSizeF(scene_.size) * scene_.ratio).toSize(), QImage::Format_RGB32);
  image.setDevicePixelRatio(scene_.ratio);
  QPainter painter(&image);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  const QImage seen(view.pixels.data(), view.width, view.height, view.width * 3,
                    QImage::Format_RGB888);
  painter.drawImage(QRectF(QPointF(0, 0), QSizeF(scene_.size)), seen);

  CanvasScene scene;
  scene.inspection = scene_.inspection;
  scene.reference = scene_.reference;
  scene.lens = scene_.lens;
  scene.style = scene_.style;
  scene.block = block;
  OverlayInput input = overlayInput(scene);
  input.selected_patch = scene_.selected;
  painter.end();
  drawOverlayOn(image, {0, 0}, input, scene_.style, inspection.picture->pixels.size(), mapping,
                scene_.ratio);
  return image;
}

}  // namespace adamerge::ui
