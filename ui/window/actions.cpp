// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/actions.h"

#include "controls/theme.h"

namespace adamerge::ui {

QAction* Actions::add(const QString& text, const QString& icon_name, const QKeySequence& key,
                      const QString& tip) {
  auto* action = new QAction(text, this);
  if (!icon_name.isEmpty()) action->setIcon(icon(icon_name));
  action->setShortcut(key);
  const QString keys = key.toString(QKeySequence::NativeText);
  action->setToolTip(keys.isEmpty() ? tip : tr("%1 (%2)").arg(tip, keys));
  action->setStatusTip(tip);
  window_.addAction(action);
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

Actions::Actions(QWidget& window) : QObject(&window), window_(window) {
  open_image = add(tr("&Open image…"), "open", QKeySequence::Open, tr("Open an image"));
  open_folder =
      add(tr("Open &folder…"), "folder", tr("Ctrl+Shift+O"), tr("List the images of a folder"));
  open_model = add(tr("Open &model…"), "model", tr("Ctrl+M"),
                   tr("Open a model: a folder with timm's or Hugging Face's config.json, or a "
                      ".safetensors, .pth, .pt or .bin file"));
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
  copy_picture =
      add(tr("&Copy picture"), "copy", QKeySequence::Copy, tr("Copy the picture with its overlay"));

  zoom_in = add(tr("Zoom &in"), "zoom-in", tr("+"), tr("Zoom in"));
  zoom_out = add(tr("Zoom &out"), "zoom-out", tr("-"), tr("Zoom out"));
  zoom_fit = add(tr("&Fit"), "fit", tr("0"), tr("Fit the image into the canvas"));
  zoom_actual = add(tr("&Actual size"), "one-to-one", tr("1"), tr("One image pixel, one pixel"));
  block_previous = add(tr("Pre&vious block"), "previous", tr("["), tr("Show the block before"));
  block_next = add(tr("Ne&xt block"), "next", tr("]"), tr("Show the next block"));
  play_blocks = add(tr("&Play through the blocks"), "play", tr("P"), tr("Play through the blocks"));
  play_blocks->setCheckable(true);
  let_go = add(tr("&Let go of the group"), {}, tr("Esc"), tr("Let go of the selected group"));
  full_screen = add(tr("Full &screen"), {}, tr("F11"), tr("Fill the screen"));
  full_screen->setCheckable(true);

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
  addTo(*overlays, tr("&No overlay"), "overlay-none", tr("Q"), int(OverlayKind::kNone),
        tr("The image alone"));
  addTo(*overlays, tr("&Salience"), "overlay-salience", tr("S"), int(OverlayKind::kSalience),
        tr("How salient each token is on entry to the block"));
  addTo(*overlays, tr("Merged &groups"), "overlay-groups", tr("G"), int(OverlayKind::kGroups),
        tr("Patches that are one token after the block"));
  addTo(*overlays, tr("S&urvivors"), "overlay-survivors", tr("U"), int(OverlayKind::kSurvivors),
        tr("Which tokens survive and which were merged away"));
  addTo(*overlays, tr("Class token's &attention"), "overlay-attention", tr("A"),
        int(OverlayKind::kAttention), tr("Where the class token looks in the block"));
  addTo(*overlays, tr("&Difference"), "overlay-difference", tr("D"), int(OverlayKind::kDifference),
        tr("Where the groups differ from the first canvas's"));

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

}  // namespace adamerge::ui
