// SPDX-License-Identifier: GPL-3.0-or-later
// A canvas's picture, overlay and highlights, each kept as an image until what it shows changes, so
// that moving the pointer does not draw the overlay again.
#pragma once

#include <QImage>
#include <memory>
#include <optional>

#include "adamerge/figures.h"
#include "canvas/picture_pyramid.h"
#include "canvas/view_port.h"
#include "state/inspection.h"

class QPainter;

namespace adamerge::ui {

/// All that a canvas shows of a picture.
struct CanvasScene {
  PicturePtr picture;
  InspectionPtr inspection;  ///< of this picture; nullptr: the picture alone
  InspectionPtr reference;   ///< of the same picture and grid; what kDifference compares with
  OverlayStyle style;
  int block = 0;
  std::optional<int> selected;
  std::optional<int> hovered;
  ViewMapping mapping;
  QSize canvas;      ///< logical pixels
  double ratio = 1;  ///< device pixels per logical pixel
};

class CanvasLayers {
 public:
  void paint(QPainter& painter, const CanvasScene& scene);
  /// The picture is to be painted anew: its pyramid got better levels.
  void forgetPicture() { picture_ = {}; }

 private:
  void updatePicture(const CanvasScene& scene);
  void updateOverlay(const CanvasScene& scene);
  void updateHighlight(const CanvasScene& scene);

  std::optional<CanvasScene> drawn_;
  std::shared_ptr<PicturePyramid> pyramid_;
  QImage picture_;
  QImage overlay_;
  QImage highlight_;
};

/// The input of drawOverlay() for a scene with an inspection.
OverlayInput overlayInput(const CanvasScene& scene);
/// `reference` where it can be compared with `inspection`, else nullptr.
InspectionPtr comparable(const InspectionPtr& inspection, const InspectionPtr& reference);

}  // namespace adamerge::ui
