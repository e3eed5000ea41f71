// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/actions.h"

#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <QToolBar>

#include "bench/overlay_table.h"
#include "look/icons.h"
#include "look/theme.h"
#include "sources/recent.h"
#include "window/docks.h"

namespace adamerge::ui {
namespace {

/// A key that types, scrolls or leaves something elsewhere.
bool belongsToPicture(const QKeySequence& key) {
  if (key.isEmpty()) return false;
  if (key == QKeySequence(QKeySequence::Copy)) return true;
  const QKeyCombination combination = key[0];
  const bool function = combination.key() >= Qt::Key_F1 && combination.key() <= Qt::Key_F35;
  return (combination.keyboardModifiers() & ~Qt::ShiftModifier) == Qt::NoModifier && !function;
}

}  // namespace

QAction* Actions::add(const QString& text, const QString& icon_name, const QKeySequence& key,
                      const QString& tip) {
  auto* action = new QAction(text, this);
  if (!icon_name.isEmpty()) action->setIcon(icon(icon_name));
  action->setShortcut(key);
  const QString keys = key.toString(QKeySequence::NativeText);
  action->setToolTip(keys.isEmpty() ? tip : tr("%1 (%2)").arg(tip, keys));
  action->setStatusTip(tip);
  if (belongsToPicture(key)) {
    action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    for (QWidget* place : places_) place->addAction(action);
  } else {
    window_.addAction(action);
  }
  return action;
}

QAction* Actions::addTo(QActionGroup& group, const QString& text, const QString& icon_name,
                        const QKeySequence& key, int data, const QString& tip) {
  QAction* action = add(text, icon_name, key, tip);
  action->setCheckable(true);
  action->setData(data);
  group.addAction(action);
  return action;
}

Actions::Actions(QWidget& window, std::vector<QWidget*> places)
    : QObject(&window), window_(window), places_(std::move(places)) {
  open_image = add(tr("&Open image…"), "open", QKeySequence::Open, tr("Open an image"));
  open_folder =
      add(tr("Open &folder…"), "folder", tr("Ctrl+Shift+O"), tr("List the images of a folder"));
  open_model = add(tr("Open &model…"), "model", tr("Ctrl+M"),
                   tr("Open a model: a folder with timm's or Hugging Face's config.json, or a "
                      ".safetensors, .pth, .pt or .bin file"));
  open_model_by_name =
      add(tr("Open model by &name…"), {}, tr("Ctrl+Shift+M"),
          tr("Open a model of the Hugging Face hub: from the cache, else fetched"));
  use_head = add(tr("Use another &head…"), {}, {},
                 tr("Classify with a file's classifier or table of text embeddings (weight, bias, "
                    "logit_scale) in place of the model's own"));
  own_head = add(tr("Use the model's o&wn head"), {}, {},
                 tr("Leave the classifier of the file that was chosen"));
  use_dense_head = add(
      tr("Use a &dense head…"), {}, {},
      tr("Class each patch with a file's linear classifier (weight, bias, bn.*; mmseg's .pth)"));
  no_dense_head = add(tr("Leave the dense head"), {}, {}, tr("Class no patches any more"));
  open_video = add(tr("Open &video…"), "video", {}, tr("Play a video with the overlay on it"));
  open_camera = add(tr("Open &camera"), "camera", {}, tr("Show a camera with the overlay on it"));
  open_session = add(tr("Open s&ession…"), {}, {}, tr("Open a saved session"));
  save_session = add(tr("&Save session…"), "save", QKeySequence::Save,
                     tr("Write model, image, methods and view to a file that others can open"));
  export_figure = add(tr("&Export…"), "export", tr("Ctrl+E"),
                      tr("Export a figure as PNG, SVG or PDF, and the data as CSV or JSON"));
  export_batch = add(tr("Export &batch…"), {}, tr("Ctrl+Shift+E"),
                     tr("Export figures of all images of a folder under several methods"));
  close_picture = add(tr("&Close image"), {}, QKeySequence::Close, tr("Close the image"));
  quit = add(tr("&Quit"), {}, QKeySequence::Quit, tr("Leave the program"));

  undo = add(tr("&Undo"), "undo", QKeySequence::Undo, tr("Undo the last change of settings"));
  redo = add(tr("&Redo"), "redo", QKeySequence::Redo, tr("Redo the change of settings"));
  paste = add(tr("&Paste image"), "paste", QKeySequence::Paste,
              tr("Open the image or the file in the clipboard"));
  copy_picture = add(tr("&Copy figure"), "copy", QKeySequence::Copy,
                     tr("Copy what the canvases show as a figure, with captions and legend"));

  zoom_in = add(tr("Zoom &in"), "zoom-in", tr("+"), tr("Zoom in"));
  zoom_out = add(tr("Zoom &out"), "zoom-out", tr("-"), tr("Zoom out"));
  zoom_fit = add(tr("&Fit"), "fit", tr("0"), tr("Fit the image into the canvas"));
  zoom_actual = add(tr("&Actual size"), "one-to-one", tr("1"), tr("One image pixel, one pixel"));
  zoom_crop = add(tr("Fit what the model s&ees"), {}, tr("2"),
                  tr("The part of the image that the model sees, as large as it fits"));
  block_previous = add(tr("Pre&vious block"), "previous", tr("["), tr("Show the block before"));
  block_next = add(tr("Ne&xt block"), "next", tr("]"), tr("Show the next block"));
  play_blocks = add(tr("&Play through the blocks"), "play", tr("P"), tr("Play through the blocks"));
  play_blocks->setCheckable(true);
  let_go = add(tr("&Let go of the group"), {}, tr("Esc"), tr("Let go of the selected group"));
  full_screen = add(tr("Full &screen"), {}, tr("F11"), tr("Fill the screen"));
  full_screen->setCheckable(true);

  draw_prompts = add(tr("&Draw prompts"), "prompts", tr("B"),
                     tr("Draw StructSAM's prompts: drag a box, click a point; click one again to "
                        "take it away"));
  draw_prompts->setCheckable(true);
  clear_prompts = add(tr("Re&move all prompts"), {}, {}, tr("Take away all boxes and points"));

  previous_image =
      add(tr("Previous &image"), "previous", tr("PgUp"), tr("Open the image before in the folder"));
  next_image =
      add(tr("Next i&mage"), "next", tr("PgDown"), tr("Open the next image of the folder"));

  pane_counts = new QActionGroup(this);
  addTo(*pane_counts, tr("&One canvas"), "compare-1", tr("Ctrl+1"), 1, tr("One canvas"));
  addTo(*pane_counts, tr("&Two methods side by side"), "compare-2", tr("Ctrl+2"), 2,
        tr("Compare two methods"));
  addTo(*pane_counts, tr("&Four methods"), "compare-4", tr("Ctrl+4"), 4,
        tr("Compare four methods"));
  compare_equal_flops =
      add(tr("&Equal FLOPs"), "equal-flops", tr("Ctrl+L"),
          tr("The other canvases' compression follows the FLOPs of the first, as in the paper's "
             "comparisons"));
  compare_equal_flops->setCheckable(true);
  calibrate = add(tr("&Calibrate on a folder…"), "calibrate", {},
                  tr("Measure the mean and spread of each block's redundancy on your images"));
  load_statistics = add(tr("&Load calibration…"), {}, {}, tr("Use the statistics of a file"));

  evaluate =
      add(tr("&Evaluate on images…"), {}, tr("Ctrl+R"),
          tr("Measure accuracy against FLOPs of several methods and settings on your images"));

  overlays = new QActionGroup(this);
  for (const OverlayInfo& overlay : ui::overlays()) {
    addTo(*overlays, overlay.label, QString::fromLatin1(overlay.icon), overlay.key,
          static_cast<int>(overlay.value), overlay.help);
  }
  themes = new QActionGroup(this);
  addTo(*themes, tr("Like the &system"), {}, {}, int(Theme::kSystem), tr("Follow the system"));
  addTo(*themes, tr("&Light"), {}, {}, int(Theme::kLight), tr("Light"));
  addTo(*themes, tr("&Dark"), {}, {}, int(Theme::kDark), tr("Dark"));

  shortcuts = add(tr("&Keyboard shortcuts"), "help", tr("?"), tr("All keyboard shortcuts"));
  glossary = add(tr("What the &words mean"), {}, tr("F1"),
                 tr("Salience, redundancy, z, groups, FLOPs and calibration in a few sentences"));
  about = add(tr("&About"), {}, {}, tr("Version, licences, the paper"));
}

QAction* Actions::overlay(OverlayKind kind) const {
  for (QAction* action : overlays->actions()) {
    if (action->data().toInt() == static_cast<int>(kind)) return action;
  }
  return nullptr;
}

namespace {

void fillFile(QMenu& menu, Actions& actions, Recents& recents) {
  menu.addActions({actions.open_image, actions.open_folder});
  recents.images.fillMenu(menu.addMenu(QObject::tr("Recent i&mages")));
  recents.folders.fillMenu(menu.addMenu(QObject::tr("Recent fol&ders")));
  menu.addSeparator();
  menu.addActions({actions.open_video, actions.open_camera});
  menu.addSeparator();
  menu.addActions({actions.open_session, actions.save_session});
  menu.addSeparator();
  menu.addActions({actions.export_figure, actions.export_batch});
  menu.addSeparator();
  menu.addActions({actions.close_picture, actions.quit});
}

void fillModel(QMenu& menu, Actions& actions, Recents& recents) {
  menu.addActions({actions.open_model, actions.open_model_by_name});
  recents.models.fillMenu(menu.addMenu(QObject::tr("&Recent models")));
  menu.addSeparator();
  menu.addActions(
      {actions.use_head, actions.own_head, actions.use_dense_head, actions.no_dense_head});
  menu.addSeparator();
  menu.addActions({actions.calibrate, actions.load_statistics});
  menu.addSeparator();
  menu.addAction(actions.evaluate);
}

void fillView(QMenu& menu, Actions& actions, Docks& docks) {
  menu.addActions(actions.overlays->actions());
  menu.addSeparator();
  menu.addActions({actions.zoom_in, actions.zoom_out, actions.zoom_fit, actions.zoom_actual,
                   actions.zoom_crop});
  menu.addSeparator();
  menu.addActions(
      {actions.block_previous, actions.block_next, actions.play_blocks, actions.let_go});
  menu.addSeparator();
  menu.addActions({actions.previous_image, actions.next_image});
  menu.addSeparator();
  QMenu* panels = menu.addMenu(QObject::tr("Pa&nels"));
  for (QDockWidget* dock : docks.all()) panels->addAction(dock->toggleViewAction());
  QMenu* themes = menu.addMenu(QObject::tr("T&heme"));
  themes->addActions(actions.themes->actions());
  menu.addAction(actions.full_screen);
}

}  // namespace

void fillMenus(QMainWindow& window, Actions& actions, Recents& recents, Docks& docks) {
  QMenuBar& bar = *window.menuBar();
  fillFile(*bar.addMenu(QObject::tr("&File")), actions, recents);
  QMenu* edit = bar.addMenu(QObject::tr("&Edit"));
  edit->addActions({actions.undo, actions.redo});
  edit->addSeparator();
  edit->addActions({actions.copy_picture, actions.paste});
  edit->addSeparator();
  edit->addActions({actions.draw_prompts, actions.clear_prompts});
  fillModel(*bar.addMenu(QObject::tr("&Model")), actions, recents);
  fillView(*bar.addMenu(QObject::tr("&View")), actions, docks);
  QMenu* compare = bar.addMenu(QObject::tr("&Compare"));
  compare->addActions(actions.pane_counts->actions());
  compare->addSeparator();
  compare->addAction(actions.compare_equal_flops);
  QMenu* help = bar.addMenu(QObject::tr("&Help"));
  help->addActions({actions.shortcuts, actions.glossary, actions.about});
}

QToolBar* makeToolBar(QMainWindow& window, Actions& actions) {
  auto* bar = new QToolBar(QObject::tr("Tools"), &window);
  bar->setObjectName("tools");
  bar->setMovable(false);
  bar->setIconSize({20, 20});
  bar->addActions({actions.open_image, actions.open_folder, actions.open_model});
  bar->addSeparator();
  bar->addActions({actions.undo, actions.redo});
  bar->addSeparator();
  bar->addActions({actions.zoom_out, actions.zoom_in, actions.zoom_fit, actions.zoom_actual});
  bar->addSeparator();
  bar->addActions(actions.overlays->actions());
  bar->addSeparator();
  bar->addAction(actions.draw_prompts);
  bar->addActions(actions.pane_counts->actions());
  bar->addAction(actions.compare_equal_flops);
  bar->addSeparator();
  bar->addAction(actions.export_figure);
  window.addToolBar(bar);
  return bar;
}

void fillCanvasMenu(QMenu& menu, Actions& actions) {
  menu.addActions({actions.copy_picture, actions.export_figure});
  menu.addSeparator();
  menu.addActions(actions.overlays->actions());
  menu.addSeparator();
  menu.addActions({actions.zoom_fit, actions.zoom_actual, actions.zoom_crop});
  menu.addSeparator();
  menu.addActions({actions.draw_prompts, actions.clear_prompts});
  menu.addSeparator();
  menu.addActions({actions.let_go, actions.close_picture});
}

}  // namespace adamerge::ui
