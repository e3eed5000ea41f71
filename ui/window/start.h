// SPDX-License-Identifier: GPL-3.0-or-later
// Opens the window on what the command line or the last session asks for, and runs the program.
#pragma once

#include <QApplication>
#include <QElapsedTimer>
#include <QObject>
#include <QSize>
#include <QString>
#include <QTimer>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "adamerge/engine.h"
#include "adamerge/figures.h"
#include "look/theme.h"

namespace adamerge::ui {

// What the program is asked to show when it starts.

struct StartOptions {
  std::filesystem::path model;  ///< bundled one if the user named none
  bool model_named = false;     ///< else the last session's is opened
  QString model_warning;        ///< why it is not the usual bundled one; empty: it is
  std::vector<std::filesystem::path> bundled_models;  ///< always offered
  EngineOptions engine;
  QString open;                  ///< image, folder, video or session; empty: the last session's
  std::filesystem::path sample;  ///< shown at the very first start
  std::optional<MethodChoice> choice;
  std::optional<int> block;  ///< from 1
  std::optional<OverlayKind> overlay;
  std::optional<int> panes;
  std::optional<Theme> theme;
  std::optional<QSize> size;
  bool fresh = false;  ///< neither reads nor writes the last session
  QString screenshot;  ///< a PNG to write after the first result; then the program ends
};

// Renders the window once everything asked for is drawn, for documentation and tests.

class MainWindow;
class Workbench;

class Screenshot : public QObject {
  Q_OBJECT
 public:
  /// Ends the application with status 0 once the PNG is written, 1 where that or what was to be
  /// shown failed (the reason goes to standard error).
  Screenshot(Workbench& workbench, MainWindow& window, QString path);

 private:
  /// What is still to come; empty: all is there.
  QString awaited() const;
  /// Whether anything to be seen comes from the sweeps: they run every setting there is.
  bool showsSweeps() const;
  void check();
  void take();
  void fail(const QString& message);

  Workbench& workbench_;
  MainWindow& window_;
  QString path_;
  QTimer timer_;
  QElapsedTimer clock_;  ///< since something came
  int calm_ = 0;
};

// Opens the window on what the command line or the last session asks for, and runs the program.

class MainWindow;
class Workbench;

/// Qt's, but an exception that leaves a slot is told and ends nothing.
class Application : public QApplication {
  Q_OBJECT
 public:
  using QApplication::QApplication;
  bool notify(QObject* receiver, QEvent* event) override;
  void reportTo(std::function<void(const QString&)> report) { report_ = std::move(report); }

 private:
  std::function<void(const QString&)> report_;
};

/// The program's exit status.
int startStudio(Application& application, const StartOptions& options);

/// Begins to load and show what `options` ask for.
void applyStartOptions(const StartOptions& options, Workbench& workbench, MainWindow& window);

}  // namespace adamerge::ui
