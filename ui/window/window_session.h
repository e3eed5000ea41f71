// SPDX-License-Identifier: GPL-3.0-or-later
// Brings back at the start what was open at the end, and keeps sessions in files.
#pragma once

#include <QObject>
#include <QSettings>
#include <QString>
#include <filesystem>

class QMainWindow;

namespace adamerge::ui {

class EvaluationPanel;
class Stage;
class ThumbnailList;
class Workbench;
struct Session;

class SessionKeeper : public QObject {
  Q_OBJECT
 public:
  struct Parts {
    Workbench& workbench;
    Stage& stage;
    ThumbnailList& images;
    EvaluationPanel& evaluation;
  };
  SessionKeeper(Parts parts, QMainWindow& window, QSettings& settings);

  /// False: there is none, or none that can be read.
  bool restoreLast();
  void saveLast();
  /// False after failed().
  bool save(const QString& path);

 public slots:
  void askAndSave();
  void open(const std::filesystem::path& path);

 signals:
  /// The images of a folder are being listed.
  void imagesListed();
  void failed(const QString& message);
  void saved(const QString& message);

 private:
  Session capture();
  void apply(const Session& session, bool with_window);

  Parts parts_;
  QMainWindow& window_;
  QSettings& settings_;
};

}  // namespace adamerge::ui
