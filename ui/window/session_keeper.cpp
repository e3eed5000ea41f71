// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/session_keeper.h"

#include <QFileDialog>
#include <QMainWindow>

#include "adamerge/error.h"
#include "shell/thumbnail_list.h"
#include "state/session.h"
#include "window/stage.h"

namespace adamerge::ui {
namespace {

constexpr const char* kLastSession = "session/last";

}  // namespace

SessionKeeper::SessionKeeper(Workbench& workbench, Stage& stage, ThumbnailList& images,
                             QMainWindow& window, QSettings& settings)
    : QObject(&window),
      workbench_(workbench),
      stage_(stage),
      images_(images),
      window_(window),
      settings_(settings) {}

Session SessionKeeper::capture() {
  Session session = captureSession(workbench_);
  session.folder = images_.folder();
  session.compression_mode = stage_.compression().mode();
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
  stage_.compression().setMode(session.compression_mode);
  applySession(workbench_, session);
  std::error_code code;
  if (session.folder.empty() || !std::filesystem::is_directory(session.folder, code)) return;
  images_.listFolder(session.folder, session.picture);
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
    apply(session, /*with_window=*/true);
    return true;
  } catch (const Error&) {
    settings_.remove(kLastSession);
    return false;
  }
}

void SessionKeeper::saveLast() {
  settings_.setValue(kLastSession, QString::fromStdString(toJson(capture())));
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
    saveSession(capture(), path.toStdString());
    return true;
  } catch (const Error& error) {
    emit failed(QString::fromUtf8(error.what()));
    return false;
  }
}

void SessionKeeper::open(const std::filesystem::path& path) {
  try {
    // The window stays as the user has it: the session may come from another screen.
    apply(openSession(path), /*with_window=*/false);
  } catch (const Error& error) {
    emit failed(QString::fromUtf8(error.what()));
  }
}

}  // namespace adamerge::ui
