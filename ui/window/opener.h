// SPDX-License-Identifier: GPL-3.0-or-later
// The one way things are opened: from menus, drops, the clipboard, recent files, the command line.
#pragma once

#include <QObject>
#include <QString>
#include <filesystem>

#include "shell/dropped_content.h"

class QMimeData;
class QWidget;

namespace adamerge::ui {

class MessageBar;
struct Recents;
class StatusStrip;
class ThumbnailList;
class VideoSource;
class Workbench;

class Opener : public QObject {
  Q_OBJECT
 public:
  struct Parts {
    Workbench& workbench;
    ThumbnailList& images;
    VideoSource& video;
    MessageBar& messages;
    StatusStrip& status;
    Recents& recents;
  };
  Opener(Parts parts, QWidget* window);

  void open(const DroppedContent& content);
  /// A file or folder of any kind.
  void openPath(const QString& path);
  void openModel(const std::filesystem::path& path);

 public slots:
  void askForImage();
  void askForFolder();
  void askForModel();
  void askForVideo();
  void askForSession();
  void askForStatistics();
  void openCamera();
  void paste();
  void closePicture();

 signals:
  /// The list of images has something to show.
  void imagesListed();
  void sessionChosen(const std::filesystem::path& path);

 private:
  void openImage(const std::filesystem::path& path);
  void openFolder(const std::filesystem::path& path);
  void openVideo(const std::filesystem::path& path);
  void offerSettings(const std::filesystem::path& path, const std::string& provenance);
  void restoreSettings(const std::string& provenance, const QString& name);
  QString ask(const QString& title, const QString& filter, const QString& place);

  Parts parts_;
  QWidget* window_;
};

}  // namespace adamerge::ui
