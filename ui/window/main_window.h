// SPDX-License-Identifier: GPL-3.0-or-later
// Puts the parts of the studio together, and nothing else.
#pragma once

#include <QMainWindow>
#include <QPointer>
#include <QSettings>
#include <filesystem>
#include <memory>
#include <vector>

#include "bench/jobs.h"
#include "look/theme.h"
#include "sources/recent.h"

namespace adamerge::ui {

class Actions;
class CalibrationDialog;
class Docks;
class Sources;
class SessionKeeper;
class Stage;
class StatusStrip;
class VideoSource;
class Workbench;

class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  /// `settings` keeps recent files, theme and the last session; must outlive the window.
  MainWindow(Workbench& workbench, QSettings& settings);
  ~MainWindow() override;

  Actions& actions() { return *actions_; }
  Docks& docks() { return *docks_; }
  Sources& sources() { return *sources_; }
  SessionKeeper& sessions() { return *sessions_; }
  Stage& stage() { return *stage_; }
  StatusStrip& status() { return *status_; }
  VideoSource& video() { return *video_; }

  void setTheme(Theme theme);
  /// Models to have in the menu always.
  void offerModels(std::vector<std::filesystem::path> folders);
  /// Leave the last session alone at the end.
  void forgetSession() { keeps_session_ = false; }

 protected:
  void closeEvent(QCloseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void connectFiles();
  void connectView();
  void connectCompare();
  void connectPrompts();
  void connectTools();
  void followVideo();
  void showTitle();
  void letGo();
  void copyFigure();
  void stepBlock(int by);
  void exportFigure(const QString& chosen);
  void exportBatch();
  void calibrate();
  void showShortcuts();

  Workbench& workbench_;
  QSettings& settings_;
  Recents recents_;
  bool keeps_session_ = true;
  QPointer<CalibrationDialog> calibration_;
  VideoSource* video_;
  Stage* stage_;
  StatusStrip* status_;
  Docks* docks_;
  Actions* actions_;
  Sources* sources_;
  SessionKeeper* sessions_;
  Jobs jobs_{this};
};

}  // namespace adamerge::ui
