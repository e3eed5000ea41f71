// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/sources.h"

#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QMimeData>
#include <QUrl>
#include <algorithm>
#include <utility>

#include "bench/traces.h"
#include "bench/workbench.h"
#include "look/message.h"
#include "look/text.h"
#include "sources/hub_dialog.h"
#include "sources/image_list.h"
#include "sources/recent.h"
#include "sources/video.h"

namespace adamerge::ui {
namespace {

QString folderOf(const std::vector<std::filesystem::path>& recent) {
  return recent.empty() ? QString() : QString::fromStdString(recent.front().parent_path().string());
}

}  // namespace

Sources::Sources(Parts parts, QWidget* window) : QObject(window), parts_(parts), window_(window) {
  const auto tell = [this](const QString& message) {
    parts_.messages.show(Severity::kError, message);
  };
  connect(&parts_.images, &ThumbnailList::chosen, this, &Sources::openImage);
  connect(&parts_.workbench.pictures(), &PictureLoader::failed, this,
          [this](const QString& message, const std::filesystem::path& path) {
            // Of a list the file's place is shown, so nothing of another may stay under its name.
            if (!path.empty() && parts_.images.current() == path) {
              parts_.workbench.showUnreadable(fileName(path), message);
            }
          });
  connect(&parts_.images, &ThumbnailList::failed, this, tell);
  connect(&parts_.video, &VideoSource::failed, this, tell);
  connect(&parts_.workbench.pictures(), &PictureLoader::loaded, this,
          [this](const PicturePtr& picture) {
            if (picture->original->note.empty()) return;
            parts_.messages.show(
                Severity::kInfo,
                tr("%1 %2.").arg(picture->name, QString::fromStdString(picture->original->note)));
          });
  connectTraces();
  connect(&parts_.video, &VideoSource::frameReady, &parts_.workbench, &Workbench::showPicture);
  connect(&parts_.recents.images, &RecentList::chosen, this, &Sources::openImage);
  connect(&parts_.recents.folders, &RecentList::chosen, this, &Sources::openFolder);
  connect(&parts_.recents.models, &RecentList::chosen, this, &Sources::openModel);
  connect(&parts_.workbench, &Workbench::pictureChanged, this, [this] {
    const PicturePtr picture = parts_.workbench.picture();
    if (picture == nullptr || picture->path.empty()) return;
    parts_.recents.images.add(picture->path);
    parts_.images.setCurrent(picture->path);
  });
  connect(&parts_.workbench.models(), &ModelLoader::loaded, this,
          [this](const std::shared_ptr<Engine>&, const LoadedModelPtr& model) {
            parts_.recents.models.add(model->info.source);
          });
}

void Sources::connectTraces() {
  Workbench& workbench = parts_.workbench;
  connect(&workbench.pictures(), &PictureLoader::loaded, this, [this](const PicturePtr& picture) {
    const TracedRun* run = picture->traced.get();
    if (run == nullptr) return;
    for (const std::string& note : run->info->notes) {
      parts_.messages.show(Severity::kInfo,
                           tr("%1: %2.").arg(picture->name, QString::fromStdString(note)));
    }
    for (const std::string& note : run->image.result.warnings) {
      parts_.messages.show(Severity::kInfo,
                           tr("%1: %2.").arg(picture->name, QString::fromStdString(note)));
    }
    restoreFigure(*picture);
    // Several images are turned over as frames are.
    const PicturePtr shown = parts_.workbench.picture();
    if (run->info->images.size() > 1 && shown == picture && !parts_.video.isOpen()) {
      parts_.video.open(picture->path);
    }
  });
  connect(&parts_.video, &VideoSource::opened, this, [this] {
    if (const int frame = std::exchange(first_frame_, 0); frame > 0) parts_.video.seek(frame);
  });
  connect(&workbench, &Workbench::tracesChanged, this, [this] {
    std::set<std::filesystem::path> files;
    for (const auto& [canvas, trace] : parts_.workbench.traces()) files.insert(trace->path);
    traces_.follow(files);
  });
  connect(&traces_, &TraceFollower::changed, this, [this](const std::filesystem::path& file) {
    for (const auto& [canvas, trace] : parts_.workbench.traces()) {
      if (trace->path != file) continue;
      const std::size_t image = trace->traced->index;
      return jobs_.run(
          "trace " + file.string(), Urgency::kInteractive,
          [this, file, image](const std::stop_token& /*stop*/, const Jobs::Tell& tell) {
            // A batch may have become smaller.
            const std::size_t images = TraceFile(file).info().images.size();
            const PicturePtr picture = openTracedPicture(file, std::min(image, images - 1));
            tell([this, picture] { parts_.workbench.showPicture(picture); });
          },
          [this](const QString& problem) {
            parts_.messages.show(Severity::kWarning,
                                 tr("A trace was written anew and cannot be read; what it held "
                                    "before stays. %1")
                                     .arg(problem));
          });
    }
  });
}

void Sources::leave(const std::filesystem::path& next) {
  parts_.video.close();
  parts_.workbench.pictures().cancel();
  parts_.images.yieldTo(next);
  jobs_.cancel(kSettingsJob);
  awaited_.reset();
  first_frame_ = 0;
}

void Sources::open(const DroppedContent& content) {
  if (!content.problem.isEmpty()) {
    parts_.messages.show(Severity::kError, content.problem);
    return;
  }
  for (const auto& path : content.models) openModel(path);
  for (const auto& path : content.sessions) emit sessionChosen(path);
  if (!content.videos.empty()) {
    openVideo(content.videos.front());
  } else if (content.images.size() > 1) {
    leave();
    parts_.images.setFiles(content.images, tr("%1 images").arg(content.images.size()));
    emit imagesListed();
  } else if (content.images.size() == 1) {
    openImage(content.images.front());
  } else if (!content.folders.empty()) {
    openFolder(content.folders.front());
  } else if (!content.figures.empty()) {
    openFigure(content.figures.front());
  } else if (!content.image_bytes.isEmpty()) {
    leave();
    parts_.workbench.pictures().open(content.image_bytes, content.image_name);
  } else if (!content.image.isNull()) {
    leave();
    parts_.workbench.showPicture(makePicture(toImage(content.image), content.image_name));
  }
}

void Sources::openPath(const QString& path) { openFiles({path}); }

void Sources::openFiles(const QStringList& paths) {
  DroppedContent content;
  const QString problem = sortFiles({paths.begin(), paths.end()}, content);
  if (!content.usable()) content.problem = problem;
  open(content);
}

void Sources::openModel(const std::filesystem::path& path) {
  const LoadedModelPtr present = parts_.workbench.model();
  const EngineOptions options = parts_.options();
  const bool again = present != nullptr && present->info.source == path;
  parts_.workbench.models().load(path, again ? options
                                             : EngineOptions{.device = options.device,
                                                             .dtype = options.dtype,
                                                             .threads = options.threads});
}

void Sources::useHead(const std::filesystem::path& head) {
  const LoadedModelPtr present = parts_.workbench.model();
  if (present == nullptr) return;
  EngineOptions options = parts_.options();
  options.head = head;
  parts_.workbench.models().load(present->info.source, options);
}

void Sources::useDenseHead(const std::filesystem::path& head) {
  const LoadedModelPtr present = parts_.workbench.model();
  if (present == nullptr) return;
  EngineOptions options = parts_.options();
  options.dense_head = head;
  parts_.workbench.models().load(present->info.source, options);
}

void Sources::openImage(const std::filesystem::path& path) {
  leave(path);
  parts_.workbench.pictures().open(path);
  if (isTraceName(path)) return;
  lookForSettings(path,
                  [this, path](const std::string& provenance) { offerSettings(path, provenance); });
}

void Sources::openPlace(const ImagePlace& place) {
  if (place.record == 0) return openImage(place.file);
  leave();
  parts_.workbench.pictures().open(place);
}

void Sources::openFolder(const std::filesystem::path& path) {
  leave();
  parts_.recents.folders.add(path);
  parts_.images.openFolder(path);
  emit imagesListed();
}

void Sources::openVideo(const std::filesystem::path& path) {
  leave();
  parts_.video.open(path);
}

QString Sources::ask(const QString& title, const QString& filter, const QString& place) {
  return QFileDialog::getOpenFileName(window_, title, place, filter);
}

void Sources::askForImage() {
  const QStringList paths = QFileDialog::getOpenFileNames(
      window_, tr("Open images"), folderOf(parts_.recents.images.paths()),
      tr("Images (*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.webp *.ppm *.pgm *.pbm *.pnm);;"
         "Traces (*.adamerge-trace);;Exported figures (*.png *.svg *.pdf);;All files (*)"));
  if (paths.size() == 1) return openPath(paths.front());
  if (!paths.isEmpty()) openFiles(paths);
}

void Sources::askForFolder() {
  const QString path = QFileDialog::getExistingDirectory(window_, tr("Open a folder of images"),
                                                         folderOf(parts_.recents.folders.paths()));
  if (!path.isEmpty()) openFolder(path.toStdString());
}

void Sources::askForModel() {
  const QString path =
      ask(tr("Open a model: weights, or the config.json of its folder"),
          tr("Models (*.safetensors *.pth *.pt *.bin *.ckpt *.pth.tar config.json);;All files (*)"),
          folderOf(parts_.recents.models.paths()));
  if (path.isEmpty()) return;
  const std::filesystem::path file = path.toStdString();
  openModel(file.filename() == "config.json" ? file.parent_path() : file);
}

/// Beside the window: a large model is long on its way.
void Sources::askForModelName() {
  if (hub_ == nullptr) {
    hub_ = new HubDialog(window_);
    hub_->setAttribute(Qt::WA_DeleteOnClose);
    connect(hub_, &HubDialog::chosen, this, &Sources::openModel);
  }
  hub_->show();
  hub_->raise();
  hub_->activateWindow();
}

void Sources::askForHead() {
  const QString path =
      ask(tr("Use a classifier or a table of text embeddings"),
          tr("Heads (*.safetensors);;All files (*)"), folderOf(parts_.recents.models.paths()));
  if (!path.isEmpty()) useHead(path.toStdString());
}

void Sources::askForDenseHead() {
  const QString path = ask(tr("Use a linear classifier of patches"),
                           tr("Dense heads (*.safetensors *.pth);;All files (*)"),
                           folderOf(parts_.recents.models.paths()));
  if (!path.isEmpty()) useDenseHead(path.toStdString());
}

void Sources::askForVideo() {
  const QString path = ask(tr("Open a video"),
                           tr("Videos (*.mp4 *.avi *.mov *.mkv *.webm *.m4v *.mpg *.mpeg);;"
                              "All files (*)"),
                           {});
  if (!path.isEmpty()) openVideo(path.toStdString());
}

void Sources::askForSession() {
  const QString path = ask(tr("Open a session"), tr("AdaMerge sessions (*.adamerge)"), {});
  if (!path.isEmpty()) emit sessionChosen(path.toStdString());
}

void Sources::askForStatistics() {
  const QString path = ask(tr("Load calibration"), tr("Layer statistics (*.json)"), {});
  if (path.isEmpty()) return;
  try {
    parts_.workbench.useStatistics(
        std::make_shared<const Statistics>(readStatistics(path.toStdString())));
  } catch (const std::exception& error) {
    parts_.messages.show(Severity::kError, errorText(error));
  }
}

void Sources::openCamera() {
  leave();
  parts_.video.openCamera(0);
}

void Sources::paste() {
  if (const QMimeData* data = QGuiApplication::clipboard()->mimeData()) open(readDrop(*data));
}

void Sources::closePicture() {
  leave();
  parts_.workbench.closePicture();
}

}  // namespace adamerge::ui
