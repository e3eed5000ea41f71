// SPDX-License-Identifier: GPL-3.0-or-later
// The status bar's content: the model, where it runs and how precisely, loading, computing, a hint.
// For QStatusBar::addPermanentWidget(strip, 1).
#pragma once

#include <QWidget>
#include <thread>

#include "adamerge/engine.h"

class QStackedWidget;

namespace adamerge::ui {

class BusyRing;
class DevicePicker;
class ElidedLabel;
class LoadProgress;
class Workbench;

class StatusStrip : public QWidget {
  Q_OBJECT
 public:
  /// Looks for devices on a thread of its own: starting CUDA takes a while.
  explicit StatusStrip(Workbench& workbench, QWidget* parent = nullptr);

  /// What the next model is to be loaded with: device and precision as chosen here.
  EngineOptions options() const;
  /// The command line's: threads and input size are kept for every load from here.
  void setOptions(const EngineOptions& options);
  void setHint(const QString& text);

 private:
  void connectLoader();
  void reload();
  void modelChanged();
  void loadEnded();
  void showModel(const std::string& chosen_dtype);
  void watchPanes();
  void tellBusy();

  Workbench& workbench_;
  EngineOptions options_;  ///< the present model's
  QStackedWidget* pages_;
  ElidedLabel* model_;
  LoadProgress* progress_;
  BusyRing* busy_;
  DevicePicker* devices_;
  ElidedLabel* hint_;
  std::jthread probe_;
};

}  // namespace adamerge::ui
