// SPDX-License-Identifier: GPL-3.0-or-later
// The bar over a panel: its name, and buttons that take it out of the window and close it. A panel
// among others has its name on a tab already: there the bar leaves its room to the panel.
#pragma once

#include <QWidget>

class QDockWidget;
class QMainWindow;

namespace adamerge::ui {

class DockTitle : public QWidget {
  Q_OBJECT
 public:
  /// Becomes `dock`'s title bar.
  DockTitle(QDockWidget& dock, QMainWindow& window);

 private:
  /// Once the window has laid its panels out.
  void refreshLater();
  void refresh();

  QDockWidget& dock_;
  QMainWindow& window_;
  QWidget* bar_;
};

}  // namespace adamerge::ui
