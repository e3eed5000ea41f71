// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/main_window.h"

#include <QApplication>
#include <QClipboard>
#include <QCloseEvent>
#include <QFileInfo>
#include <QStatusBar>

#include "controls/calibration_dialog.h"
#include "controls/method_form.h"
#include "evaluation/evaluation_panel.h"
#include "export/batch_dialog.h"
#include "export/export_dialog.h"
#include "shell/about_dialog.h"
#include "shell/glossary.h"
#include "shell/shortcut_sheet.h"
#include "shell/status_strip.h"
#include "shell/thumbnail_list.h"
#include "shell/video_source.h"
#include "state/workbench.h"
#include "window/actions.h"
#include "window/canvas_keys.h"
#include "window/docks.h"
#include "window/drop_target.h"
#include "window/menus.h"
#include "window/opener.h"
#include "window/session_keeper.h"
#include "window/stage.h"

namespace adamerge::ui {
namespace {

constexpr QSize kFirstSize{1440, 900};
constexpr QSize kLeastSize{960, 640};
constexpr const char* kTheme = "theme";

}  // namespace

MainWindow::MainWindow(Workbench& workbench, QSettings& settings)
    : workbench_(workbench),
      settings_(settings),
      recents_(settings),
      video_(new VideoSource(this)),
      stage_(new Stage(workbench, *video_)),
      status_(new StatusStrip(workbench)),
      docks_(new Docks(workbench, recents_.evaluations, *this)),
      actions_(new Actions(*this)) {
  setCentralWidget(stage_);
  statusBar()->addPermanentWidget(status_, 1);
  statusBar()->setSizeGripEnabled(false);
  connect(statusBar(), &QStatusBar::messageChanged, status_, &StatusStrip::setHint);
  opener_ = new Opener(
      {workbench, docks_->images(), *video_, stage_->messages(), *status_, recents_}, this);
  sessions_ = new SessionKeeper({workbench, *stage_, docks_->images(), docks_->evaluation()}, *this,
                                settings);
  fillMenus(*this, *actions_, recents_, *docks_);
  makeToolBar(*this, *actions_);
  setMinimumSize(kLeastSize);
  resize(kFirstSize);
  connectFiles();
  connectView();
  connectCompare();
  connectTools();
  followVideo();
  setTheme(static_cast<Theme>(settings.value(kTheme, int(Theme::kSystem)).toInt()));
  showTitle();
}

MainWindow::~MainWindow() = default;

void MainWindow::connectFiles() {
  auto* drops = new DropTarget(this);
  connect(drops, &DropTarget::dropped, opener_, &Opener::open);
  connect(actions_->open_image, &QAction::triggered, opener_, &Opener::askForImage);
  connect(actions_->open_folder, &QAction::triggered, opener_, &Opener::askForFolder);
  connect(actions_->open_model, &QAction::triggered, opener_, &Opener::askForModel);
  connect(actions_->open_video, &QAction::triggered, opener_, &Opener::askForVideo);
  connect(actions_->open_camera, &QAction::triggered, opener_, &Opener::openCamera);
  connect(actions_->open_session, &QAction::triggered, opener_, &Opener::askForSession);
  connect(actions_->load_statistics, &QAction::triggered, opener_, &Opener::askForStatistics);
  connect(actions_->paste, &QAction::triggered, opener_, &Opener::paste);
  connect(actions_->close_picture, &QAction::triggered, opener_, &Opener::closePicture);
  connect(opener_, &Opener::imagesListed, docks_, &Docks::showImages);
  connect(opener_, &Opener::sessionChosen, sessions_, &SessionKeeper::open);
  connect(sessions_, &SessionKeeper::imagesListed, docks_, &Docks::showImages);
  connect(actions_->save_session, &QAction::triggered, sessions_, &SessionKeeper::askAndSave);
  connect(sessions_, &SessionKeeper::failed, this,
          [this](const QString& message) { stage_->messages().show(Severity::kError, message); });
  connect(sessions_, &SessionKeeper::saved, this,
          [this](const QString& message) { stage_->messages().show(Severity::kSuccess, message); });
  connect(actions_->export_figure, &QAction::triggered, this, [this] { exportFigure({}); });
  connect(docks_, &Docks::exportRequested, this, &MainWindow::exportFigure);
  connect(actions_->export_batch, &QAction::triggered, this, &MainWindow::exportBatch);
  connect(actions_->quit, &QAction::triggered, this, &QWidget::close);
  connect(&workbench_, &Workbench::pictureChanged, this, &MainWindow::showTitle);
  connect(actions_->previous_image, &QAction::triggered, this,
          [this] { docks_->images().step(-1); });
  connect(actions_->next_image, &QAction::triggered, this, [this] { docks_->images().step(1); });
}

void MainWindow::connectView() {
  CompareGrid& grid = stage_->grid();
  connect(actions_->zoom_in, &QAction::triggered, this, [&grid] { grid.activeCanvas().zoomIn(); });
  connect(actions_->zoom_out, &QAction::triggered, this,
          [&grid] { grid.activeCanvas().zoomOut(); });
  connect(actions_->zoom_fit, &QAction::triggered, this, [&grid] { grid.activeCanvas().fit(); });
  connect(actions_->zoom_actual, &QAction::triggered, this,
          [&grid] { grid.activeCanvas().showActualSize(); });
  connect(actions_->block_previous, &QAction::triggered, this, [this] { stepBlock(-1); });
  connect(actions_->block_next, &QAction::triggered, this, [this] { stepBlock(1); });
  connect(actions_->play_blocks, &QAction::triggered, this,
          [this](bool on) { on ? stage_->strip().play() : stage_->strip().stop(); });
  connect(&stage_->strip(), &BlockStrip::playingChanged, actions_->play_blocks,
          &QAction::setChecked);
  connect(actions_->let_go, &QAction::triggered, this, [this] {
    // Esc first lets go of the group, then closes the message.
    if (workbench_.view().selectedPatch()) {
      workbench_.view().select(std::nullopt);
    } else {
      stage_->messages().dismiss();
    }
  });
  connect(actions_->full_screen, &QAction::triggered, this,
          [this](bool on) { on ? showFullScreen() : showNormal(); });
  connect(actions_->overlays, &QActionGroup::triggered, this, [this](const QAction* action) {
    OverlayStyle style = workbench_.view().overlay();
    style.kind = static_cast<OverlayKind>(action->data().toInt());
    workbench_.view().setOverlay(style);
  });
  const auto show = [this] {
    actions_->overlay(workbench_.view().overlay().kind)->setChecked(true);
  };
  connect(&workbench_.view(), &ViewState::overlayChanged, this, show);
  show();
  connect(actions_->copy_picture, &QAction::triggered, this,
          [&grid] { QApplication::clipboard()->setPixmap(grid.grab()); });
  connect(actions_->themes, &QActionGroup::triggered, this, [this](const QAction* action) {
    setTheme(static_cast<Theme>(action->data().toInt()));
    settings_.setValue(kTheme, action->data());
  });
}

void MainWindow::connectCompare() {
  connect(actions_->pane_counts, &QActionGroup::triggered, this,
          [this](const QAction* action) { workbench_.setPaneCount(action->data().toInt()); });
  const auto show = [this] {
    for (QAction* action : actions_->pane_counts->actions()) {
      action->setChecked(action->data().toInt() == workbench_.paneCount());
    }
    actions_->compare_equal_flops->setEnabled(workbench_.paneCount() > 1);
    actions_->overlay(OverlayKind::kDifference)->setEnabled(workbench_.paneCount() > 1);
  };
  connect(&workbench_, &Workbench::paneCountChanged, this, show);
  show();
  connect(actions_->compare_equal_flops, &QAction::triggered, &workbench_,
          &Workbench::setEqualFlops);
  connect(&workbench_, &Workbench::equalFlopsChanged, actions_->compare_equal_flops,
          &QAction::setChecked);
}

void MainWindow::connectTools() {
  QUndoStack& history = workbench_.history();
  connect(actions_->undo, &QAction::triggered, &history, &QUndoStack::undo);
  connect(actions_->redo, &QAction::triggered, &history, &QUndoStack::redo);
  connect(&history, &QUndoStack::canUndoChanged, actions_->undo, &QAction::setEnabled);
  connect(&history, &QUndoStack::canRedoChanged, actions_->redo, &QAction::setEnabled);
  actions_->undo->setEnabled(history.canUndo());
  actions_->redo->setEnabled(history.canRedo());
  const auto name = [](QAction* action, const QString& verb) {
    return [action, verb](const QString& what) {
      action->setText(what.isEmpty() ? verb : tr("%1: %2").arg(verb, what));
    };
  };
  connect(&history, &QUndoStack::undoTextChanged, this, name(actions_->undo, tr("&Undo")));
  connect(&history, &QUndoStack::redoTextChanged, this, name(actions_->redo, tr("&Redo")));
  connect(actions_->calibrate, &QAction::triggered, this, &MainWindow::calibrate);
  connect(&docks_->methodForm(), &MethodForm::calibrateRequested, this, &MainWindow::calibrate);
  connect(actions_->evaluate, &QAction::triggered, docks_, &Docks::showEvaluation);
  connect(&docks_->evaluation(), &EvaluationPanel::told, this,
          [this](Severity severity, const QString& text) {
            stage_->messages().show(severity, text,
                                    {{tr("Show"), [this] { docks_->showEvaluation(); }}});
          });
  connect(actions_->shortcuts, &QAction::triggered, this, &MainWindow::showShortcuts);
  connect(actions_->glossary, &QAction::triggered, this, [this] { Glossary(this).exec(); });
  connect(actions_->about, &QAction::triggered, this, [this] { AboutDialog(this).exec(); });
}

void MainWindow::followVideo() {
  // A frame is drawn when its result is: only then the next may come.
  connect(&workbench_.pane(0), &Pane::inspectionChanged, video_, &VideoSource::frameShown);
  connect(&workbench_, &Workbench::failed, video_, &VideoSource::frameShown);
  const auto sweep = [this] { workbench_.sweeper().setEnabled(!video_->isOpen()); };
  connect(video_, &VideoSource::opened, this, sweep);
  connect(video_, &VideoSource::opened, video_, &VideoSource::play);
  connect(video_, &VideoSource::closed, this, sweep);
}

void MainWindow::showTitle() {
  const PicturePtr picture = workbench_.picture();
  setWindowTitle(picture == nullptr ? QString() : picture->name);
  actions_->close_picture->setEnabled(picture != nullptr);
}

void MainWindow::stepBlock(int by) { workbench_.view().setBlock(workbench_.view().block() + by); }

void MainWindow::setTheme(Theme theme) {
  applyTheme(*qApp, theme);
  for (QAction* action : actions_->themes->actions()) {
    action->setChecked(action->data().toInt() == static_cast<int>(theme));
  }
}

void MainWindow::exportFigure(const QString& chosen) {
  ExportDialog(exportContext(workbench_), docks_->plots(), chosen, this).exec();
}

void MainWindow::exportBatch() { BatchDialog(batchContext(workbench_), this).exec(); }

void MainWindow::calibrate() { CalibrationDialog(workbench_, this).exec(); }

void MainWindow::showShortcuts() {
  ShortcutSheet(collectShortcuts(*menuBar()), canvasKeys(), this).exec();
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (keeps_session_) sessions_->saveLast();
  video_->close();
  event->accept();
}

}  // namespace adamerge::ui
