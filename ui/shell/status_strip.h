// SPDX-License-Identifier: GPL-3.0-or-later
// The status bar's content: the model, where it runs and how precisely, loading, computing, a hint.
// For QStatusBar::addPermanentWidget(strip, 1).
#pragma once

#include <QWidget>
#include <thread>

#include "adamerge/engine.h"

class QStackedWidget;

namespace adamerge::ui {

class BusyIndicator;
class DevicePicker;
class ElidedLabel;
class LoadProgress;
class Workbench;

class StatusStrip : public QWidget {
  Q_OBJECT
 public:
  /// Looks for devices on a thread of its own: starting CUDA takes a while.
  explicit StatusStrip(Workbench& workbench, QWidget* parent = nullptr);

  /// What the next model is to be loaded with: device and precision as chosen here, the rest as the
  /// present model.
  EngineOptions options() const;
  void setHint(const QString& text);

 private:
  void connectLoader();
  void reload();
  void showModel();
  void watchPanes();
  void tellBusy();

  Workbench& workbench_;
  QStackedWidget* pages_;
  ElidedLabel* model_;
  LoadProgress* progress_;
  BusyIndicator* busy_;
  DevicePicker* devices_;
  ElidedLabel* hint_;
  std::jthread probe_;
};

}  // namespace adamerge::ui
