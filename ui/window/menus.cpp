// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/menus.h"

#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <QToolBar>

#include "window/actions.h"
#include "window/docks.h"
#include "window/recents.h"

namespace adamerge::ui {
namespace {

QString text(const char* words) { return QObject::tr(words); }

void fillFile(QMenu& menu, Actions& actions, Recents& recents) {
  menu.addActions({actions.open_image, actions.open_folder});
  recents.images.fillMenu(menu.addMenu(text("Recent i&mages")));
  recents.folders.fillMenu(menu.addMenu(text("Recent fol&ders")));
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
  menu.addAction(actions.open_model);
  recents.models.fillMenu(menu.addMenu(text("&Recent models")));
  menu.addSeparator();
  menu.addActions({actions.calibrate, actions.load_statistics});
  menu.addSeparator();
  menu.addAction(actions.evaluate);
}

void fillView(QMenu& menu, Actions& actions, Docks& docks) {
  menu.addActions(actions.overlays->actions());
  menu.addSeparator();
  menu.addActions({actions.zoom_in, actions.zoom_out, actions.zoom_fit, actions.zoom_actual});
  menu.addSeparator();
  menu.addActions(
      {actions.block_previous, actions.block_next, actions.play_blocks, actions.let_go});
  menu.addSeparator();
  menu.addActions({actions.previous_image, actions.next_image});
  menu.addSeparator();
  QMenu* panels = menu.addMenu(text("Pa&nels"));
  for (QDockWidget* dock : docks.all()) panels->addAction(dock->toggleViewAction());
  QMenu* themes = menu.addMenu(text("T&heme"));
  themes->addActions(actions.themes->actions());
  menu.addAction(actions.full_screen);
}

}  // namespace

void fillMenus(QMainWindow& window, Actions& actions, Recents& recents, Docks& docks) {
  QMenuBar& bar = *window.menuBar();
  fillFile(*bar.addMenu(text("&File")), actions, recents);
  QMenu* edit = bar.addMenu(text("&Edit"));
  edit->addActions({actions.undo, actions.redo});
  edit->addSeparator();
  edit->addActions({actions.copy_picture, actions.paste});
  fillModel(*bar.addMenu(text("&Model")), actions, recents);
  fillView(*bar.addMenu(text("&View")), actions, docks);
  QMenu* compare = bar.addMenu(text("&Compare"));
  compare->addActions(actions.pane_counts->actions());
  compare->addSeparator();
  compare->addAction(actions.compare_equal_flops);
  QMenu* help = bar.addMenu(text("&Help"));
  help->addActions({actions.shortcuts, actions.glossary, actions.about});
}

QToolBar* makeToolBar(QMainWindow& window, Actions& actions) {
  auto* bar = new QToolBar(text("Tools"), &window);
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
  bar->addActions(actions.pane_counts->actions());
  bar->addAction(actions.compare_equal_flops);
  bar->addSeparator();
  bar->addAction(actions.export_figure);
  window.addToolBar(bar);
  return bar;
}

}  // namespace adamerge::ui
