// SPDX-License-Identifier: GPL-3.0-or-later
// The studio's window on one model and picture, used and timed as its user would.
#pragma once

#include <QSettings>
#include <QTemporaryDir>
#include <functional>
#include <string>

#include "bench/workbench.h"
#include "frame_watch.h"
#include "window/main_window.h"

class QDoubleSpinBox;
class QSlider;

namespace adamerge::ui {

struct Subject {
  std::string model;
  std::string image;
  std::string dtype;
};

class BenchWindow {
 public:
  BenchWindow(FrameWatch& watch, const Subject& subject);

  Workbench& workbench() { return workbench_; }
  MainWindow& window() { return window_; }
  CanvasView& canvas();
  QSlider& slider();
  QDoubleSpinBox& number();  ///< the slider's

  /// Waits for the result of every pane.
  void settle();
  /// Waits until nothing is computed in the background. Sweeps of slow models are broken off.
  void finishSweeps();
  /// Waits until the interface has nothing left to do.
  void calm();
  /// Milliseconds from `act` until a frame is on the screen whose canvas was painted when `shown`
  /// held. Ends the program where that takes too long.
  double untilPainted(const std::function<void()>& act, const std::function<bool()>& shown);
  /// Until the first pane's present choice has its result on the screen.
  double untilResultPainted(const std::function<void()>& act);

 private:
  void waitFor(const std::function<bool()>& condition);

  FrameWatch& watch_;
  QTemporaryDir folder_;
  QSettings settings_;
  Workbench workbench_;
  MainWindow window_;
};

/// Processor time that this thread has taken, in ms.
double threadTime();

}  // namespace adamerge::ui
