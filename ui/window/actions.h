// SPDX-License-Identifier: GPL-3.0-or-later
// Every command of the window, once: menus, tool bar and the shortcut sheet take them from here.
#pragma once

#include <QAction>
#include <QActionGroup>
#include <QObject>
#include <QWidget>
#include <vector>

#include "adamerge/figures.h"

namespace adamerge::ui {

class Actions : public QObject {
  Q_OBJECT
 public:
  /// The actions are added to `window`, so that their shortcuts work in all of it.
  explicit Actions(QWidget& window);

  QAction* open_image;
  QAction* open_folder;
  QAction* open_model;
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
  QAction* block_previous;
  QAction* block_next;
  QAction* play_blocks;
  QAction* let_go;
  QAction* full_screen;

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
};

}  // namespace adamerge::ui
