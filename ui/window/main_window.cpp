// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/main_window.h"

#include <QApplication>
#include <QClipboard>
#include <QCloseEvent>
#include <QFileInfo>
#include <QMenu>
#include <QStatusBar>
#include <QTimer>
#include <functional>
#include <utility>

#include "bench/workbench.h"
#include "evaluation/evaluation_panel.h"
#include "export/batch_dialog.h"
#include "export/export_dialog.h"
#include "export/figure_source.h"
#include "export/sheet_source.h"
#include "settings/calibration.h"
#include "settings/method_form.h"
#include "sources/drop.h"
#include "sources/image_list.h"
#include "sources/sources.h"
#include "sources/video.h"
#include "window/actions.h"
#include "window/docks.h"
#include "window/help.h"
#include "window/shortcuts.h"
#include "window/stage.h"
#include "window/status.h"
#include "window/window_session.h"

namespace adamerge::ui {
namespace {

constexpr QSize kFirstSize{1440, 900};
constexpr QSize kLeastSize{960, 640};
constexpr int kFrame = 32;  ///< of the window, above it
constexpr const char* kTheme = "theme";
constexpr double kCopyDpi = 300;  ///< a page of one column is then as wide as a window

}  // namespace

MainWindow::MainWindow(Workbench& workbench, QSettings& settings)
    : workbench_(workbench),
      settings_(settings),
      recents_(settings),
      video_(new VideoSource(this)),
      stage_(new Stage(workbench, *video_)),
      status_(new StatusStrip(workbench)),
      docks_(new Docks(workbench, recents_.evaluations, *this)),
      actions_(new Actions(*this, {&stage_->grid(), &stage_->strip()})) {
  setCentralWidget(stage_);
  statusBar()->addPermanentWidget(status_, 1);
  statusBar()->setSizeGripEnabled(false);
  connect(statusBar(), &QStatusBar::messageChanged, status_, &StatusStrip::setHint);
  sources_ = new Sources({workbench, docks_->images(), *video_, stage_->messages(),
                          [this] { return status_->options(); }, recents_},
                         this);
  sessions_ = new SessionKeeper({workbench, *stage_, docks_->images(), docks_->evaluation()}, *this,
                                settings);
  fillMenus(*this, *actions_, recents_, *docks_);
  makeToolBar(*this, *actions_);
  // Room for the frame, and never more than the screen.
  const QSize room = screen()->availableSize() - QSize(0, kFrame);
  setMinimumSize(kLeastSize.boundedTo(room));
  resize(kFirstSize.boundedTo(room));
  connectFiles();
  connectView();
  connectCompare();
  connectPrompts();
  connectTools();
  followVideo();
  setTheme(static_cast<Theme>(settings.value(kTheme, int(Theme::kSystem)).toInt()));
  showTitle();
  stage_->grid().setFocus();
}

MainWindow::~MainWindow() = default;

void MainWindow::offerModels(std::vector<std::filesystem::path> folders) {
  recents_.models.offer(std::move(folders));
}

void MainWindow::connectFiles() {
  auto* drops = new DropTarget(this);
  connect(drops, &DropTarget::dropped, sources_, &Sources::open);
  connect(actions_->open_image, &QAction::triggered, sources_, &Sources::askForImage);
  connect(actions_->open_folder, &QAction::triggered, sources_, &Sources::askForFolder);
  connect(actions_->open_model, &QAction::triggered, sources_, &Sources::askForModel);
  connect(actions_->open_model_by_name, &QAction::triggered, sources_, &Sources::askForModelName);
  connect(actions_->use_head, &QAction::triggered, sources_, &Sources::askForHead);
  connect(actions_->own_head, &QAction::triggered, sources_, [this] { sources_->useHead({}); });
  connect(actions_->use_dense_head, &QAction::triggered, sources_, &Sources::askForDenseHead);
  connect(actions_->no_dense_head, &QAction::triggered, sources_,
          [this] { sources_->useDenseHead({}); });
  const auto tell_head = [this] {
    const LoadedModelPtr model = workbench_.model();
    actions_->use_head->setEnabled(model != nullptr);
    actions_->own_head->setEnabled(model != nullptr && !model->info.head.empty());
    actions_->use_dense_head->setEnabled(model != nullptr);
    actions_->no_dense_head->setEnabled(model != nullptr && !model->info.dense_head.empty());
  };
  connect(&workbench_, &Workbench::modelChanged, this, tell_head);
  tell_head();
  connect(actions_->open_video, &QAction::triggered, sources_, &Sources::askForVideo);
  connect(actions_->open_camera, &QAction::triggered, sources_, &Sources::openCamera);
  connect(actions_->open_session, &QAction::triggered, sources_, &Sources::askForSession);
  connect(actions_->load_statistics, &QAction::triggered, sources_, &Sources::askForStatistics);
  connect(actions_->paste, &QAction::triggered, sources_, &Sources::paste);
  connect(actions_->close_picture, &QAction::triggered, sources_, &Sources::closePicture);
  connect(sources_, &Sources::imagesListed, docks_, &Docks::showImages);
  connect(sources_, &Sources::sessionChosen, sessions_, &SessionKeeper::open);
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

namespace {

class ResizeWatch : public QObject {
 public:
  ResizeWatch(QWidget& watched, std::function<void()> resized)
      : QObject(&watched), resized_(std::move(resized)) {
    watched.installEventFilter(this);
  }

 protected:
  bool eventFilter(QObject* /*watched*/, QEvent* event) override {
    // After the canvases in it took their new sizes.
    if (event->type() == QEvent::Resize) QTimer::singleShot(0, this, [this] { resized_(); });
    return false;
  }

 private:
  std::function<void()> resized_;
};

}  // namespace

void MainWindow::connectView() {
  CompareGrid& grid = stage_->grid();
  connect(actions_->zoom_in, &QAction::triggered, this, [&grid] { grid.activeCanvas().zoomIn(); });
  connect(actions_->zoom_out, &QAction::triggered, this,
          [&grid] { grid.activeCanvas().zoomOut(); });
  connect(actions_->zoom_fit, &QAction::triggered, this, [&grid] { grid.activeCanvas().fit(); });
  connect(actions_->zoom_actual, &QAction::triggered, this,
          [&grid] { grid.activeCanvas().showActualSize(); });
  connect(actions_->zoom_crop, &QAction::triggered, this,
          [&grid] { grid.activeCanvas().fitCrop(); });
  connect(&grid, &CompareGrid::menuRequested, this, [this](const QPoint& place) {
    QMenu menu(this);
    fillCanvasMenu(menu, *actions_);
    menu.exec(place);
  });
  const auto tell_view = [this, &grid] { status_->setView(viewText(workbench_, grid.zoom())); };
  connect(&grid.viewPort(), &ViewPort::changed, this, tell_view, Qt::QueuedConnection);
  connect(&workbench_, &Workbench::pictureChanged, this, tell_view, Qt::QueuedConnection);
  connect(&workbench_, &Workbench::paneCountChanged, this, tell_view, Qt::QueuedConnection);
  // A fitted picture takes the room that captions and legends leave of the canvas.
  connect(&workbench_.view(), &ViewState::overlayChanged, this, tell_view, Qt::QueuedConnection);
  for (int index = 0; index < kMostPanes; ++index) {
    connect(&workbench_.pane(index), &Pane::inspectionChanged, this, tell_view,
            Qt::QueuedConnection);
  }
  new ResizeWatch(grid, tell_view);
  connect(actions_->block_previous, &QAction::triggered, this, [this] { stepBlock(-1); });
  connect(actions_->block_next, &QAction::triggered, this, [this] { stepBlock(1); });
  connect(actions_->play_blocks, &QAction::triggered, this,
          [this](bool on) { on ? stage_->strip().play() : stage_->strip().stop(); });
  connect(&stage_->strip(), &BlockStrip::playingChanged, actions_->play_blocks,
          &QAction::setChecked);
  connect(actions_->let_go, &QAction::triggered, this, &MainWindow::letGo);
  connect(actions_->full_screen, &QAction::triggered, this,
          // Maximised stays so behind it.
          [this](bool on) { setWindowState(windowState().setFlag(Qt::WindowFullScreen, on)); });
  connect(actions_->overlays, &QActionGroup::triggered, this, [this](const QAction* action) {
    OverlayStyle style = workbench_.view().overlay();
    style.kind = static_cast<OverlayKind>(action->data().toInt());
    workbench_.view().editOverlay(style);
  });
  const auto show = [this] {
    actions_->overlay(workbench_.view().overlay().kind)->setChecked(true);
  };
  connect(&workbench_.view(), &ViewState::overlayChanged, this, show);
  show();
  connect(actions_->copy_picture, &QAction::triggered, this, &MainWindow::copyFigure);
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

void MainWindow::connectPrompts() {
  ViewState& view = workbench_.view();
  connect(actions_->draw_prompts, &QAction::toggled, &view, &ViewState::setPrompting);
  connect(&view, &ViewState::promptingChanged, actions_->draw_prompts, &QAction::setChecked);
  connect(actions_->clear_prompts, &QAction::triggered, this, [this] {
    workbench_.edit(workbench_.activeIndex(), withPrompts(workbench_.activePane().choice(), {}),
                    tr("all prompts removed"));
  });
  const auto tell = [this] {
    const LoadedModelPtr model = workbench_.model();
    const MethodChoice& choice = workbench_.activePane().choice();
    const bool windowed = model != nullptr && model->info.vit.isWindowed();
    const bool taken = windowed && takesPrompts(choice);
    for (QAction* action : {actions_->draw_prompts, actions_->clear_prompts}) {
      action->setVisible(windowed);
      action->setEnabled(taken);
    }
    actions_->clear_prompts->setEnabled(taken && promptsOf(choice.settings).any());
    if (!taken) actions_->draw_prompts->setChecked(false);
  };
  connect(&workbench_, &Workbench::modelChanged, this, tell);
  connect(&workbench_, &Workbench::activePaneChanged, this, tell);
  for (int index = 0; index < kMostPanes; ++index) {
    connect(&workbench_.pane(index), &Pane::choiceChanged, this, tell);
  }
  tell();
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
  connect(&docks_->evaluation(), &EvaluationPanel::pictureChosen, sources_, &Sources::openPlace);
  connect(&docks_->evaluation(), &EvaluationPanel::sheetMade, this,
          [this](const GallerySheet& made) {
            ExportContext context = exportContext(workbench_);
            context.gallery = gallerySources(made);
            ExportDialog(std::move(context), docks_->plots(), kSheetId, this).exec();
          });
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
  connect(video_, &VideoSource::opened, this, [this] {
    if (video_->info().plays) video_->play();
  });
  connect(video_, &VideoSource::closed, this, sweep);
  connect(&stage_->grid(), &CompareGrid::spaceTapped, this, [this] {
    if (video_->isOpen()) video_->toggle();
  });
}

void MainWindow::showTitle() {
  const PicturePtr picture = workbench_.picture();
  const auto& unshown = workbench_.unshown();
  setWindowTitle(picture != nullptr ? picture->name : unshown ? unshown->name : QString());
  actions_->close_picture->setEnabled(picture != nullptr || unshown);
}

void MainWindow::letGo() {
  if (workbench_.view().prompting()) {
    workbench_.view().setPrompting(false);
  } else if (workbench_.view().selectedPatch()) {
    workbench_.view().select(std::nullopt);
  } else {
    stage_->messages().dismiss();
  }
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
  // Esc that nobody else had a use for.
  if (event->key() == Qt::Key_Escape) return letGo();
  QMainWindow::keyPressEvent(event);
}

void MainWindow::copyFigure() {
  const ExportContext context = exportContext(workbench_);
  if (context.panes.empty()) {
    stage_->messages().show(Severity::kInfo, tr("There is nothing to copy yet: open an image."));
    return;
  }
  jobs_.run(
      "copy", Urgency::kInteractive,
      [this, context](const std::stop_token& /*stop*/, const Jobs::Tell& tell) {
        ExportStyle style;
        style.page.overlay = context.overlay;
        style.block = context.block;
        const QImage figure = canvasFigure(context)->render(style, kCopyDpi);
        tell([this, figure] {
          QApplication::clipboard()->setImage(figure);
          stage_->messages().show(Severity::kSuccess,
                                  tr("The figure is in the clipboard, %1 × %2 pixels.")
                                      .arg(figure.width())
                                      .arg(figure.height()));
        });
      },
      [this](const QString& message) { stage_->messages().show(Severity::kError, message); });
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

void MainWindow::exportBatch() {
  BatchContext context = batchContext(workbench_);
  const PicturePtr picture = workbench_.picture();
  context.folder = QString::fromStdString(picture != nullptr && picture->traced != nullptr
                                              ? picture->path.string()
                                              : docks_->images().folder().string());
  BatchDialog(std::move(context), this).exec();
}

/// Beside the window: the picture stays in sight and in hand while the model is measured.
void MainWindow::calibrate() {
  if (calibration_ == nullptr) {
    calibration_ = new CalibrationDialog(workbench_, this);
    calibration_->setAttribute(Qt::WA_DeleteOnClose);
    calibration_->setModal(false);
  }
  calibration_->show();
  calibration_->raise();
  calibration_->activateWindow();
}

void MainWindow::showShortcuts() {
  ShortcutSheet(collectShortcuts(*menuBar()), canvasKeys(), this).exec();
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (keeps_session_) sessions_->saveLast();
  video_->close();
  event->accept();
}

}  // namespace adamerge::ui
