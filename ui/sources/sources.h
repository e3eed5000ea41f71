// SPDX-License-Identifier: GPL-3.0-or-later
// The one way things are opened, and the one owner of what is shown: menus, drops, the clipboard,
// recent files, the list of a folder, videos, cameras, the command line.
#pragma once

#include <QObject>
#include <QPointer>
#include <QString>
#include <filesystem>
#include <functional>
#include <optional>

#include "adamerge/dataset.h"
#include "adamerge/engine.h"
#include "adamerge/trace_file.h"
#include "bench/jobs.h"
#include "sources/drop.h"
#include "sources/trace_follower.h"

namespace adamerge::ui {

class HubDialog;
class MessageBar;
class ThumbnailList;
class VideoSource;
class Workbench;
struct Picture;
struct Recents;

/// Whatever is opened ends what was on its way before: a picture still being decoded, a video, a
/// search that would choose a picture.
class Sources : public QObject {
  Q_OBJECT
 public:
  struct Parts {
    Workbench& workbench;
    ThumbnailList& images;
    VideoSource& video;
    MessageBar& messages;
    std::function<EngineOptions()> options;  ///< for the next model
    Recents& recents;
  };
  Sources(Parts parts, QWidget* window);

  void open(const DroppedContent& content);
  /// A file or folder of any kind.
  void openPath(const QString& path);
  /// An image of a set: a file, or a record of one.
  void openPlace(const ImagePlace& place);
  /// Another one than the present: as its files say, on the device chosen.
  void openModel(const std::filesystem::path& path);
  /// The present model with this classifier or table of text embeddings; empty: with its own.
  void useHead(const std::filesystem::path& head);
  /// A linear classifier of patches beside it; empty: none.
  void useDenseHead(const std::filesystem::path& head);

 public slots:
  void askForImage();
  void askForFolder();
  void askForModel();
  void askForModelName();
  void askForHead();
  void askForDenseHead();
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
  /// What was shown or on its way ends; `next` is what comes, where it is a file.
  void leave(const std::filesystem::path& next = {});
  void openFiles(const QStringList& paths);
  void openImage(const std::filesystem::path& path);
  void openFolder(const std::filesystem::path& path);
  void openVideo(const std::filesystem::path& path);
  void openFigure(const std::filesystem::path& path);
  /// With the block and the image that the figure shows.
  void openTraceOf(const std::filesystem::path& figure, const TracedFigure& shown);
  void restoreFigure(const Picture& trace);
  void connectTraces();
  /// Looks for settings in an exported figure, off the UI thread. `otherwise`: there are none.
  void lookForSettings(const std::filesystem::path& path,
                       std::function<void(const std::string& provenance)> found,
                       std::function<void()> otherwise = {});
  void offerSettings(const std::filesystem::path& path, const std::string& provenance);
  void restoreSettings(const std::string& provenance, const QString& name);
  QString ask(const QString& title, const QString& filter, const QString& place);

  /// Looks for what a figure carries.
  static constexpr const char* kSettingsJob = "settings";

  Parts parts_;
  QWidget* window_;
  TraceFollower traces_{this};
  std::optional<TracedFigure> awaited_;  ///< its trace is on its way, or is not
  int first_frame_ = 0;                  ///< of the trace that is being opened
  QPointer<HubDialog> hub_;
  Jobs jobs_{this};
};

}  // namespace adamerge::ui
