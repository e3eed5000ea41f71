// SPDX-License-Identifier: GPL-3.0-or-later
// Where the actions stand.
#pragma once

class QMainWindow;
class QToolBar;

namespace adamerge::ui {

class Actions;
class Docks;
struct Recents;

void fillMenus(QMainWindow& window, Actions& actions, Recents& recents, Docks& docks);
QToolBar* makeToolBar(QMainWindow& window, Actions& actions);

}  // namespace adamerge::ui
