// SPDX-License-Identifier: GPL-3.0-or-later
// A picture in halves of its size, so that showing a large one small is smooth and quick.
#pragma once

#include <QImage>
#include <QList>
#include <QObject>
#include <memory>

#include "canvas/view_port.h"
#include "state/inspection.h"

class QPainter;

namespace adamerge::ui {

class PicturePyramid : public QObject {
  Q_OBJECT
 public:
  /// Large pictures are halved in the background; they are painted rougher until ready().
  explicit PicturePyramid(const QImage& picture);

  /// Paints onto device pixels. Sharp squares where pixels are large enough to be told apart.
  void paint(QPainter& painter, const ViewMapping& mapping, double ratio) const;

 signals:
  void ready();

 private:
  QList<QImage> levels_;  ///< the picture, its half, its quarter, ...
};

/// The same for all canvases that show the picture.
std::shared_ptr<PicturePyramid> pyramidOf(const PicturePtr& picture);

}  // namespace adamerge::ui
