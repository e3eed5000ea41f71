// SPDX-License-Identifier: GPL-3.0-or-later
// One pane with a real result, and what widgets over it need.
#pragma once

#include <QImage>
#include <QWidget>

#include "bench/pane.h"
#include "canvas/canvas_view.h"
#include "sample_inspection.h"

namespace adamerge::ui::test {

/// The sample with bands of `band` pixels of grey (level kBandLevel) left and right, which the
/// model's centre crop leaves out.
inline constexpr int kBandLevel = 200;
PicturePtr widePicture(int band);
/// Like inspectSample(), of any picture.
InspectionPtr inspectPicture(const PicturePtr& picture, const MethodChoice& choice);
MethodChoice adaMerge(int r_max = 16);

/// Group fill in full strength and nothing else: a pixel's colour is its group's.
OverlayStyle plainFill();

/// The widget as painted at `ratio` device pixels per logical pixel.
QImage painted(QWidget& widget, double ratio = 1);
QColor colorAt(const QImage& image, const QPointF& position);
QColor toColor(const std::array<std::uint8_t, 3>& rgb);
/// The largest difference of a channel.
int difference(const QColor& a, const QColor& b);

/// A shown pane: its choice and result agree, the view knows its depth.
struct ShownPane {
  explicit ShownPane(InspectionPtr inspection = inspectSample(), int index = 0);
  Pane pane;
  ViewState view;
};

struct ShownCanvas : ShownPane {
  explicit ShownCanvas(InspectionPtr inspection = inspectSample(),
                       const QSize& size = QSize(600, 500));
  ViewPort port;
  CanvasView canvas;

  /// Where the centre of a patch is, in the widget.
  QPointF centreOf(int patch) const;
};

}  // namespace adamerge::ui::test
