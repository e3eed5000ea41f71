// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/picture_pyramid.h"

#include <QFuture>
#include <QPainter>
#include <QPromise>
#include <QThreadPool>
#include <algorithm>

namespace adamerge::ui {
namespace {

constexpr qint64 kHalvedAtOnce = 1'500'000;  ///< pixels; a few milliseconds
constexpr int kSmallestSide = 64;
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
  auto promise = std::make_shared<QPromise<QList<QImage>>>();
  promise->start();
  promise->future().then(this, [this](const QList<QImage>& levels) {
    levels_ = levels;
    emit ready();
  });
  QThreadPool::globalInstance()->start([promise, picture] {
    promise->addResult(halves(picture));
    promise->finish();
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

}  // namespace adamerge::ui
