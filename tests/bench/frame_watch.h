// SPDX-License-Identifier: GPL-3.0-or-later
// Tells when what a canvas shows has reached the screen: the frame, all of the window in it, is
// painted and flushed.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "window/start.h"

namespace adamerge::ui {

class CanvasView;

using Clock = std::chrono::steady_clock;

class FrameWatch : public Application {
 public:
  using Application::Application;

  /// From now on: the first frame that paints a canvas while `shown` holds. `arrived` is called
  /// when that frame is done.
  void expect(std::function<bool(CanvasView&)> shown, std::function<void()> arrived = {});
  /// When the expected frame was done; nullopt: not yet.
  std::optional<Clock::time_point> frame() const { return frame_; }

  bool notify(QObject* receiver, QEvent* event) override;

 private:
  std::function<bool(CanvasView&)> shown_;
  std::function<void()> arrived_;
  bool painted_ = false;
  std::optional<Clock::time_point> frame_;
};

}  // namespace adamerge::ui
