// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/opener.h"

#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QMimeData>
#include <QUrl>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "export/embedded_settings.h"
#include "shell/message_bar.h"
#include "shell/status_strip.h"
#include "shell/thumbnail_list.h"
#include "shell/video_source.h"
#include "state/workbench.h"
#include "window/recents.h"

namespace adamerge::ui {
namespace {

QString fileName(const std::filesystem::path& path) {
  return QString::fromStdString(path.filename().string());
}

QString folderOf(const std::vector<std::filesystem::path>& recent) {
  return recent.empty() ? QString() : QString::fromStdString(recent.front().parent_path().string());
}

}  // namespace

Opener::Opener(Parts parts, QWidget* window) : QObject(window), parts_(parts), window_(window) {
  const auto tell = [this](const QString& message) {
    parts_.messages.show(Severity::kError, message);
  };
  connect(&parts_.images, &ThumbnailList::chosen, this, &Opener::openImage);
  connect(&parts_.images, &ThumbnailList::failed, this, tell);
  connect(&parts_.video, &VideoSource::failed, this, tell);
  connect(&parts_.video, &VideoSource::frameReady, &parts_.workbench, &Workbench::showPicture);
  connect(&parts_.recents.images, &RecentList::chosen, this, &Opener::openImage);
  connect(&parts_.recents.folders, &RecentList::chosen, this, &Opener::openFolder);
  connect(&parts_.recents.models, &RecentList::chosen, this, &Opener::openModel);
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

void Opener::open(const DroppedContent& content) {
  if (!content.problem.isEmpty()) {
    parts_.messages.show(Severity::kError, content.problem);
    return;
  }
  for (const auto& path : content.models) openModel(path);
  for (const auto& path : content.sessions) emit sessionChosen(path);
  if (!content.videos.empty()) {
    openVideo(content.videos.front());
  } else if (content.images.size() > 1) {
    parts_.video.close();
    parts_.images.setFiles(content.images, tr("%n images", nullptr, int(content.images.size())));
    emit imagesListed();
  } else if (content.images.size() == 1) {
    openImage(content.images.front());
  } else if (!content.folders.empty()) {
    openFolder(content.folders.front());
  } else if (!content.image_bytes.isEmpty()) {
    parts_.video.close();
    parts_.images.yieldTo();
    parts_.workbench.pictures().open(content.image_bytes, content.image_name);
  } else if (!content.image.isNull()) {
    parts_.video.close();
    parts_.images.yieldTo();
    parts_.workbench.showPicture(makePicture(toImage(content.image), content.image_name));
  }
}

void Opener::openPath(const QString& path) {
  const std::filesystem::path file = path.toStdString();
  if (const auto provenance = readProvenance(file);
      provenance && !path.endsWith(".png", Qt::CaseInsensitive)) {
    offerSettings(file, *provenance);
    return;
  }
  QMimeData data;
  data.setUrls({QUrl::fromLocalFile(path)});
  open(readDrop(data));
}

void Opener::openModel(const std::filesystem::path& path) {
  parts_.workbench.models().load(path, parts_.status.options());
}

void Opener::openImage(const std::filesystem::path& path) {
  parts_.video.close();
  parts_.images.yieldTo(path);
  parts_.workbench.pictures().open(path);
  if (const auto provenance = readProvenance(path)) offerSettings(path, *provenance);
}

void Opener::openFolder(const std::filesystem::path& path) {
  parts_.video.close();
  parts_.recents.folders.add(path);
  parts_.images.openFolder(path);
  emit imagesListed();
}

void Opener::openVideo(const std::filesystem::path& path) {
  parts_.images.yieldTo();
  parts_.video.open(path);
}

void Opener::offerSettings(const std::filesystem::path& path, const std::string& provenance) {
  const QString name = fileName(path);
  parts_.messages.show(
      Severity::kInfo, tr("%1 was exported by AdaMerge Studio and carries its settings.").arg(name),
      {{tr("Restore settings"), [this, provenance, name] { restoreSettings(provenance, name); }}});
}

void Opener::restoreSettings(const std::string& text, const QString& name) {
  Workbench& workbench = parts_.workbench;
  try {
    // Of a comparison, the first canvas's.
    const Provenance provenance = parseProvenance(text).front();
    workbench.edit(workbench.activeIndex(), provenance.choice,
                   tr("restore settings of %1").arg(name));
    workbench.endEdit();
    if (provenance.layer >= 0) workbench.view().setBlock(provenance.layer);
    const LoadedModelPtr model = workbench.model();
    if (model != nullptr && model->info.name != provenance.model) {
      parts_.messages.show(
          Severity::kWarning,
          tr("The settings of %1 were made with the model %2; the present one is %3.")
              .arg(name, QString::fromStdString(provenance.model),
                   QString::fromStdString(model->info.name)));
    }
  } catch (const Error& error) {
    parts_.messages.show(Severity::kError, tr("%1: %2").arg(name, QString::fromUtf8(error.what())));
  }
}

QString Opener::ask(const QString& title, const QString& filter, const QString& place) {
  return QFileDialog::getOpenFileName(window_, title, place, filter);
}

void Opener::askForImage() {
  const QStringList paths = QFileDialog::getOpenFileNames(
      window_, tr("Open images"), folderOf(parts_.recents.images.paths()),
      tr("Images (*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.webp *.ppm *.pgm *.pbm *.pnm);;"
         "Exported figures (*.png *.svg *.pdf);;All files (*)"));
  if (paths.size() == 1) return openPath(paths.front());
  QList<QUrl> urls;
  for (const QString& path : paths) urls.append(QUrl::fromLocalFile(path));
  if (urls.isEmpty()) return;
  QMimeData data;
  data.setUrls(urls);
  open(readDrop(data));
}

void Opener::askForFolder() {
  const QString path = QFileDialog::getExistingDirectory(window_, tr("Open a folder of images"),
                                                         folderOf(parts_.recents.folders.paths()));
  if (!path.isEmpty()) openFolder(path.toStdString());
}

void Opener::askForModel() {
  const QString path = ask(tr("Open a model: weights, or the config.json of its folder"),
                           tr("Models (*.safetensors *.pth *.pt *.bin config.json);;All files (*)"),
                           folderOf(parts_.recents.models.paths()));
  if (path.isEmpty()) return;
  const std::filesystem::path file = path.toStdString();
  openModel(file.filename() == "config.json" ? file.parent_path() : file);
}

void Opener::askForVideo() {
  const QString path = ask(tr("Open a video"),
                           tr("Videos (*.mp4 *.avi *.mov *.mkv *.webm *.m4v *.mpg *.mpeg);;"
                              "All files (*)"),
                           {});
  if (!path.isEmpty()) openVideo(path.toStdString());
}

void Opener::askForSession() {
  const QString path = ask(tr("Open a session"), tr("AdaMerge sessions (*.adamerge)"), {});
  if (!path.isEmpty()) emit sessionChosen(path.toStdString());
}

void Opener::askForStatistics() {
  const QString path = ask(tr("Load calibration"), tr("Layer statistics (*.json)"), {});
  if (path.isEmpty()) return;
  try {
    parts_.workbench.useStatistics(
        std::make_shared<const Statistics>(readStatistics(path.toStdString())));
  } catch (const Error& error) {
    parts_.messages.show(Severity::kError, QString::fromUtf8(error.what()));
  }
}

void Opener::openCamera() {
  parts_.images.yieldTo();
  parts_.video.openCamera(0);
}

void Opener::paste() {
  if (const QMimeData* data = QGuiApplication::clipboard()->mimeData()) open(readDrop(*data));
}

void Opener::closePicture() {
  parts_.video.close();
  parts_.images.yieldTo();
  parts_.workbench.closePicture();
}

}  // namespace adamerge::ui
