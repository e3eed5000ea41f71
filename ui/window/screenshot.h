// SPDX-License-Identifier: GPL-3.0-or-later
// Renders the window once everything asked for is drawn, for documentation and tests.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

namespace adamerge::ui {

class MainWindow;
class Workbench;

class Screenshot : public QObject {
  Q_OBJECT
 public:
  /// Ends the application with status 0 once the PNG is written, 1 where that or what was to be
  /// shown failed (the reason goes to standard error).
  Screenshot(Workbench& workbench, MainWindow& window, QString path);

 private:
  bool settled() const;
  void check();
  void take();
  void fail(const QString& message);

  Workbench& workbench_;
  MainWindow& window_;
  QString path_;
  QTimer timer_;
  QElapsedTimer clock_;
  int calm_ = 0;
};

}  // namespace adamerge::ui
