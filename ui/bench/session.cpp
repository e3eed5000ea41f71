// SPDX-License-Identifier: GPL-3.0-or-later
// Sessions taken from the workbench and given back to it.

#include "bench/session.h"

#include <algorithm>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/files.h"

namespace adamerge::ui {
namespace {

const QString kRestorer = QStringLiteral("session-restorer");

void restorePanes(Workbench& workbench, const Session& session) {
  workbench.setEqualFlops(false);
  for (std::size_t index = 0; index < session.panes.size(); ++index) {
    workbench.restoreChoice(static_cast<int>(index), session.panes[index]);
  }
  workbench.setPaneCount(session.pane_count);
  workbench.setActivePane(session.active_pane);
  workbench.setEqualFlops(session.equal_flops);
  workbench.history().clear();
}

void restoreView(Workbench& workbench, const Session& session) {
  const LoadedModelPtr model = workbench.model();
  if (model == nullptr) return;
  workbench.view().setBlock(session.block.value_or(model->info.vit.depth - 1));
  const bool within =
      session.selected_patch && *session.selected_patch < model->info.vit.patchTokens();
  workbench.view().select(within ? session.selected_patch : std::nullopt);
}

/// Restores what needs the session's model or picture once they are there, then goes. A load that
/// fails or is cancelled ends the wait for it: what else there is to restore is restored.
class Restorer : public QObject {
 public:
  Restorer(Workbench& workbench, const Session& session, bool await_model, bool await_picture)
      : QObject(&workbench),
        workbench_(workbench),
        session_(session),
        await_model_(await_model),
        await_picture_(await_picture) {
    setObjectName(kRestorer);
    const auto model_ended = [this] { modelEnded(); };
    const auto picture_ended = [this] { pictureEnded(); };
    connect(&workbench, &Workbench::modelChanged, this, model_ended);
    connect(&workbench.models(), &ModelLoader::failed, this, model_ended);
    connect(&workbench.models(), &ModelLoader::cancelled, this, model_ended);
    connect(&workbench, &Workbench::pictureChanged, this, picture_ended);
    connect(&workbench.pictures(), &PictureLoader::failed, this, picture_ended);
    // Without a model nothing bounds the settings yet, and it starts with the right ones.
    panes_restored_ = !await_model || workbench.model() == nullptr;
    if (panes_restored_) restorePanes(workbench_, session_);
    if (!await_model) restoreStatistics();
    restoreViewOnceComplete();
  }

 private:
  void modelEnded() {
    await_model_ = false;
    restoreStatistics();
    if (!std::exchange(panes_restored_, true)) restorePanes(workbench_, session_);
    restoreViewOnceComplete();
  }

  /// Changes the model again.
  void restoreStatistics() {
    const std::filesystem::path file = session_.statistics;
    const LoadedModelPtr model = workbench_.model();
    if (restored_ || model == nullptr || model->info.source != session_.model) return;
    restored_ = true;
    if (file.empty()) return workbench_.useOwnStatistics();
    try {
      workbench_.useStatistics(std::make_shared<const Statistics>(readStatistics(file)));
    } catch (const std::exception& error) {
      workbench_.report(errorText(error));
    }
  }

  void pictureEnded() {
    await_picture_ = false;
    restoreViewOnceComplete();
  }

  void restoreViewOnceComplete() {
    if (await_model_ || await_picture_ || std::exchange(done_, true)) return;
    restoreView(workbench_, session_);
    deleteLater();
  }

  Workbench& workbench_;
  Session session_;
  bool await_model_;
  bool await_picture_;
  bool panes_restored_ = false;
  bool restored_ = false;  ///< the statistics
  bool done_ = false;
};

}  // namespace

Session captureSession(Workbench& workbench) {
  Session session;
  if (const LoadedModelPtr model = workbench.model()) {
    session.model = absolutePath(model->info.source);
    session.engine = workbench.models().options();
    session.block = workbench.view().block();
  }
  if (const PicturePtr picture = workbench.picture(); picture && !picture->path.empty()) {
    session.picture = absolutePath(picture->path);
  }
  session.pane_count = workbench.paneCount();
  session.active_pane = workbench.activeIndex();
  session.equal_flops = workbench.equalFlops();
  for (int index = 0; index < session.pane_count; ++index) {
    const MethodChoice& choice = workbench.pane(index).choice();
    session.panes.push_back({choice.method, choice.settings, nullptr, false});
  }
  session.overlay = workbench.view().overlay();
  session.selected_patch = workbench.view().selectedPatch();
  return session;
}

void keepStatistics(const Workbench& workbench, const std::filesystem::path& file,
                    Session& session) {
  session.statistics.clear();
  const auto chosen = workbench.chosenStatistics();
  if (chosen == nullptr) return;
  writeStatistics(*chosen, file);
  session.statistics = absolutePath(file);
}

void applySession(Workbench& workbench, const Session& session) {
  // What an older session still waits for is not to come over this one.
  qDeleteAll(workbench.findChildren<QObject*>(kRestorer, Qt::FindDirectChildrenOnly));
  workbench.models().cancel();
  workbench.pictures().cancel();
  workbench.view().setOverlay(session.overlay);
  const EngineOptions& options = session.engine;
  const LoadedModelPtr model = workbench.model();
  const bool load =
      !session.model.empty() && (model == nullptr || model->info.source != session.model ||
                                 options != workbench.models().options());
  const PicturePtr picture = workbench.picture();
  const bool open =
      !session.picture.empty() && (picture == nullptr || picture->path != session.picture);
  new Restorer(workbench, session, load, open);
  if (load) workbench.models().loadAvailable(session.model, options);
  if (open) workbench.pictures().open(session.picture);
}

}  // namespace adamerge::ui
