// SPDX-License-Identifier: GPL-3.0-or-later
// Every command of the window, once: menus, tool bar and the shortcut sheet take them from here.
#pragma once

#include <QAction>
#include <QActionGroup>
#include <QObject>
#include <QWidget>
#include <vector>

#include "adamerge/figures.h"

class QMainWindow;
class QMenu;
class QToolBar;

namespace adamerge::ui {

class Actions : public QObject {
  Q_OBJECT
 public:
  /// Shortcuts work in all of `window`; those of a single key, and those that lists, sliders and
  /// plots have a use of their own for, only where the picture is worked with: in `places`.
  Actions(QWidget& window, std::vector<QWidget*> places);

  QAction* open_image;
  QAction* open_folder;
  QAction* open_model;
  QAction* open_model_by_name;
  QAction* use_head;
  QAction* own_head;
  QAction* use_dense_head;
  QAction* no_dense_head;
  QAction* open_video;
  QAction* open_camera;
  QAction* open_session;
  QAction* save_session;
  QAction* export_figure;
  QAction* export_batch;
  QAction* close_picture;
  QAction* quit;

  QAction* undo;
  QAction* redo;
  QAction* paste;
  QAction* copy_picture;

  QAction* zoom_in;
  QAction* zoom_out;
  QAction* zoom_fit;
  QAction* zoom_actual;
  QAction* zoom_crop;
  QAction* block_previous;
  QAction* block_next;
  QAction* play_blocks;
  QAction* let_go;
  QAction* full_screen;
  QAction* draw_prompts;
  QAction* clear_prompts;

  QAction* previous_image;
  QAction* next_image;

  QAction* compare_equal_flops;
  QAction* calibrate;
  QAction* load_statistics;
  QAction* evaluate;

  QAction* shortcuts;
  QAction* glossary;
  QAction* about;

  QActionGroup* overlays;     ///< data(): OverlayKind as int
  QActionGroup* pane_counts;  ///< data(): 1, 2, 4
  QActionGroup* themes;       ///< data(): Theme as int

  QAction* overlay(OverlayKind kind) const;

 private:
  QAction* add(const QString& text, const QString& icon_name, const QKeySequence& key,
               const QString& tip);
  QAction* addTo(QActionGroup& group, const QString& text, const QString& icon_name,
                 const QKeySequence& key, int data, const QString& tip);

  QWidget& window_;
  std::vector<QWidget*> places_;
};

// Where the actions stand.

class Actions;
class Docks;
struct Recents;

void fillMenus(QMainWindow& window, Actions& actions, Recents& recents, Docks& docks);
/// What a right click on a canvas offers.
void fillCanvasMenu(QMenu& menu, Actions& actions);
QToolBar* makeToolBar(QMainWindow& window, Actions& actions);

}  // namespace adamerge::ui
