// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/window_session.h"

#include <QBuffer>
#include <QDir>
#include <QFileDialog>
#include <QMainWindow>
#include <QStandardPaths>

#include "adamerge/error.h"
#include "bench/session.h"
#include "evaluation/evaluation_panel.h"
#include "sources/image_list.h"
#include "window/stage.h"

namespace adamerge::ui {
namespace {

constexpr const char* kLastSession = "session/last";
constexpr int kPreview = 256;  ///< pixels: what file managers usually show

/// Statistics of the last session that the model's folder does not hold.
std::filesystem::path lastStatistics() {
  const QDir folder(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation));
  return folder.filePath(QStringLiteral("last.stats.json")).toStdString();
}

/// Empty without a picture.
std::string previewOf(const QImage& picture) {
  QBuffer png;
  png.open(QIODevice::WriteOnly);
  if (picture.isNull() || !picture.save(&png, "PNG")) return {};
  return png.data().toBase64().toStdString();
}

}  // namespace

SessionKeeper::SessionKeeper(Parts parts, QMainWindow& window, QSettings& settings)
    : QObject(&window), parts_(parts), window_(window), settings_(settings) {}

Session SessionKeeper::capture() {
  Session session = captureSession(parts_.workbench);
  session.folder = parts_.images.folder();
  session.compression_mode = parts_.stage.compression().mode();
  session.evaluation = parts_.evaluation.setup();
  session.window_geometry = window_.saveGeometry().toBase64().toStdString();
  session.window_state = window_.saveState().toBase64().toStdString();
  return session;
}

void SessionKeeper::apply(const Session& session, bool with_window) {
  if (with_window) {
    window_.restoreGeometry(
        QByteArray::fromBase64(QByteArray::fromStdString(session.window_geometry)));
    window_.restoreState(QByteArray::fromBase64(QByteArray::fromStdString(session.window_state)));
  }
  parts_.stage.compression().setMode(session.compression_mode);
  if (session.evaluation) parts_.evaluation.setSetup(*session.evaluation);
  applySession(parts_.workbench, session);
  std::error_code code;
  if (session.folder.empty() || !std::filesystem::is_directory(session.folder, code)) return;
  parts_.images.listFolder(session.folder, session.picture);
  if (!with_window) emit imagesListed();
}

bool SessionKeeper::restoreLast() {
  const std::string text = settings_.value(kLastSession).toString().toStdString();
  if (text.empty()) return false;
  try {
    Session session = parseSession(text, "the last session");
    // What has gone since is no error at the start of a program: it begins afresh.
    std::error_code code;
    if (!std::filesystem::exists(session.model, code)) return false;
    if (!std::filesystem::exists(session.picture, code)) session.picture.clear();
    if (!std::filesystem::exists(session.statistics, code)) session.statistics.clear();
    apply(session, /*with_window=*/true);
    return true;
  } catch (const std::exception&) {
    settings_.remove(kLastSession);
    return false;
  }
}

void SessionKeeper::saveLast() {
  Session session = capture();
  try {
    keepStatistics(parts_.workbench, lastStatistics(), session);
  } catch (const std::exception&) {
    // The program ends: the rest of the session is worth more than a word that nobody reads.
  }
  settings_.setValue(kLastSession, QString::fromStdString(toJson(session)));
}

void SessionKeeper::askAndSave() {
  QString path = QFileDialog::getSaveFileName(&window_, tr("Save session"), {},
                                              tr("AdaMerge sessions (*.adamerge)"));
  if (path.isEmpty()) return;
  if (!path.endsWith(".adamerge")) path += ".adamerge";
  if (save(path)) emit saved(tr("The session is saved in %1.").arg(path));
}

bool SessionKeeper::save(const QString& path) {
  try {
    Session session = capture();
    session.preview = previewOf(parts_.stage.strip().tiles().chosenPicture(kPreview));
    const std::filesystem::path file = path.toStdString();
    keepStatistics(parts_.workbench, std::filesystem::path(file).replace_extension(".stats.json"),
                   session);
    saveSession(session, file);
    return true;
  } catch (const std::exception& error) {
    emit failed(errorText(error));
    return false;
  }
}

void SessionKeeper::open(const std::filesystem::path& path) {
  try {
    // The window stays as the user has it: the session may come from another screen.
    apply(openSession(path), /*with_window=*/false);
  } catch (const std::exception& error) {
    emit failed(errorText(error));
  }
}

}  // namespace adamerge::ui
