// SPDX-License-Identifier: GPL-3.0-or-later
// The status bar: the model, where it runs, loading, computing, a hint.
#pragma once

#include <QString>
#include <QWidget>
#include <vector>

#include "adamerge/engine.h"
#include "bench/data.h"
#include "bench/jobs.h"

class QComboBox;
class QProgressBar;
class QStackedWidget;
class QToolButton;

namespace adamerge::ui {

// Where the model runs and how precisely it calculates: two boxes that offer what is there.

class DevicePicker : public QWidget {
  Q_OBJECT
 public:
  explicit DevicePicker(QWidget* parent = nullptr);

  /// CPU first, as availableDevices() gives them.
  void setDevices(const std::vector<Device>& devices);
  /// As Engine names them; shows without emitting changed(). `automatic`: `dtype` is what "auto"
  /// came out as.
  void show(const std::string& device, const std::string& dtype, bool automatic = false);
  using QWidget::show;

  std::string device() const;
  std::string dtype() const;  ///< "auto" is one

 signals:
  /// A person chose.
  void changed();

 private:
  void deviceChosen();
  void offerPrecisions();
  void tellDevice();

  QComboBox* device_;
  QComboBox* dtype_;
};

// A model on its way: what is done just now, how far it is, and a button to give it up.

class ElidedLabel;

class LoadProgress : public QWidget {
  Q_OBJECT
 public:
  explicit LoadProgress(QWidget* parent = nullptr);

  void start(const QString& name);
  /// A `total` of 0: nobody knows how far.
  void report(const QString& stage, qint64 done, qint64 total);

 signals:
  void cancelled();

 private:
  QString name_;
  ElidedLabel* label_;
  QProgressBar* bar_;
  QToolButton* cancel_;
};

// A model in a few lines, for tooltips.

/// Rich text: architecture, parameters, input, precision, calibration, path, notes.
QString modelSummary(const LoadedModel& model);
/// "5.39 M".
QString parameterCount(std::int64_t parameters);

// The status bar's content: the model, where it runs and how precisely, loading, computing, a hint.
// For QStatusBar::addPermanentWidget(strip, 1).

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
  /// What is looked at: viewText().
  void setView(const QString& text);

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
  ElidedLabel* view_;
  ElidedLabel* hint_;
  Jobs jobs_{this};
};

/// "bird.png, 512 × 512, 75 %": the picture, its size, the zoom. Empty: nothing is open.
QString viewText(const Workbench& workbench, double zoom);

}  // namespace adamerge::ui
