// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/view_port.h"

#include <algorithm>
#include <cmath>

namespace adamerge::ui {
namespace {

constexpr double kFitMargin = 8;  ///< logical pixels around a fitted picture
constexpr double kLargestScale = 64;
constexpr double kLargestOverFit = 16;  ///< tiny pictures may be larger than that already

QPointF toDevicePixel(const QPointF& point, double ratio) {
  return QPointF(std::round(point.x() * ratio), std::round(point.y() * ratio)) / ratio;
}

}  // namespace

double ViewPort::fittingScale(const ViewFrame& frame) const {
  const double width = std::max(1.0, frame.canvas.width() - 2 * kFitMargin);
  const double height = std::max(1.0, frame.canvas.height() - 2 * kFitMargin);
  return std::min(width / frame.picture.width(), height / frame.picture.height()) * frame.ratio;
}

double ViewPort::deviceScale(const ViewFrame& frame) const {
  return scale_ ? *scale_ : fittingScale(frame);
}

ViewMapping ViewPort::mapping(const ViewFrame& frame) const {
  if (frame.picture.isEmpty()) return {};
  ViewMapping mapping;
  mapping.scale = deviceScale(frame) / frame.ratio;
  const QPointF middle(frame.canvas.width() / 2, frame.canvas.height() / 2);
  const QPointF shown(centre_.x() * frame.picture.width(), centre_.y() * frame.picture.height());
  mapping.origin = toDevicePixel(middle - shown * mapping.scale, frame.ratio);
  return mapping;
}

void ViewPort::zoom(const ViewFrame& frame, const QPointF& about, double factor) {
  if (frame.picture.isEmpty() || !(factor > 0)) return;
  const double fitting = fittingScale(frame);
  const double scale = deviceScale(frame) * factor;
  if (scale <= fitting && factor < 1 && fitting <= 1) {
    fit();
    return;
  }
  const double largest = std::max(kLargestScale, fitting * kLargestOverFit);
  setScale(frame, about, std::clamp(scale, std::min(fitting, 1.0), largest));
}

void ViewPort::showActualSize(const ViewFrame& frame, const QPointF& about) {
  if (!frame.picture.isEmpty()) setScale(frame, about, 1);
}

void ViewPort::setScale(const ViewFrame& frame, const QPointF& about, double scale) {
  const QPointF held = mapping(frame).toPicture(about);
  const QPointF middle(frame.canvas.width() / 2, frame.canvas.height() / 2);
  const QPointF shown = held + (middle - about) / (scale / frame.ratio);
  scale_ = scale;
  setCentre({shown.x() / frame.picture.width(), shown.y() / frame.picture.height()});
}

void ViewPort::pan(const ViewFrame& frame, const QPointF& delta) {
  if (frame.picture.isEmpty()) return;
  if (!scale_) scale_ = fittingScale(frame);
  const QPointF shift = delta * frame.ratio / *scale_;
  setCentre(centre_ -
            QPointF(shift.x() / frame.picture.width(), shift.y() / frame.picture.height()));
}

void ViewPort::fit() {
  scale_.reset();
  setCentre({0.5, 0.5});
}

void ViewPort::setCentre(const QPointF& centre) {
  // Something of the picture stays at the canvas's middle, so that it cannot get lost.
  centre_ = {std::clamp(centre.x(), 0.0, 1.0), std::clamp(centre.y(), 0.0, 1.0)};
  emit changed();
}

}  // namespace adamerge::ui
