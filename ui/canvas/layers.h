// SPDX-License-Identifier: GPL-3.0-or-later
// A canvas's picture, overlay and highlights, each kept as an image until what it shows changes.
#pragma once

#include <QImage>
#include <QList>
#include <QObject>
#include <memory>
#include <optional>

#include "adamerge/figures.h"
#include "bench/data.h"
#include "bench/jobs.h"
#include "canvas/navigation.h"

class QPainter;

namespace adamerge::ui {

// A picture in halves of its size, so that showing a large one small is smooth and quick.

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
  std::unique_ptr<Jobs> jobs_;
};

/// The same for all canvases that show the picture.
std::shared_ptr<PicturePyramid> pyramidOf(const PicturePtr& picture);

// The core's overlay, drawn by Cairo, in an image that Qt paints.

/// Draws the core's overlay by Cairo onto `image`, which shows what lies at `place` (device pixels
/// of the canvas). Opaque images and transparent ones alike.
void drawOverlayOn(QImage& image, const QPoint& place, const OverlayInput& input,
                   const OverlayStyle& style, const QSize& picture, const ViewMapping& mapping,
                   double ratio);

// A canvas's picture, overlay and highlights, each kept as an image until what it shows changes, so
// that moving the pointer does not draw the overlay again.

/// All that a canvas shows of a picture.
struct CanvasScene {
  PicturePtr picture;
  InspectionPtr inspection;  ///< of this picture; nullptr: the picture alone
  InspectionPtr reference;   ///< of the same picture and grid; what kDifference compares with
  LensShownPtr lens;         ///< what the overlay's lens shows; nullptr: nothing
  OverlayStyle style;
  int block = 0;
  std::optional<int> selected;
  std::optional<int> hovered;
  Prompts prompts;  ///< those wanted, which the inspection may not know yet
  ViewMapping mapping;
  QSize canvas;               ///< logical pixels
  QColor ground = Qt::black;  ///< behind the picture
  double ratio = 1;           ///< device pixels per logical pixel
};

class CanvasLayers {
 public:
  void paint(QPainter& painter, const CanvasScene& scene);
  /// The picture is to be painted anew: its pyramid got better levels.
  void forgetPicture() { picture_ = {}; }

 private:
  void updatePicture(const CanvasScene& scene);
  void updateOverlaid(const CanvasScene& scene);
  void updateHighlight(const CanvasScene& scene);

  std::optional<CanvasScene> drawn_;
  std::shared_ptr<PicturePyramid> pyramid_;
  QRect seen_;        ///< what the canvas shows of the picture, in its device pixels
  QImage picture_;    ///< of seen_, as are the others
  QImage overlaid_;   ///< with the overlay; null: without
  QImage highlight_;  ///< transparent, over it
  QPoint highlight_at_;
};

/// The patch under the pointer within its group, and where patches are large their numbers, of a
/// scene with an inspection.
void paintPatches(QPainter& painter, const CanvasScene& scene);
/// The input of drawOverlay() for a scene with an inspection.
OverlayInput overlayInput(const CanvasScene& scene);
/// `reference` where it can be compared with `inspection`, else nullptr.
InspectionPtr comparable(const InspectionPtr& inspection, const InspectionPtr& reference);

}  // namespace adamerge::ui
