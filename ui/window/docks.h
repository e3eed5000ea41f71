// SPDX-License-Identifier: GPL-3.0-or-later
// The bar over a panel: its name, and buttons that take it out of the window and close it. A panel
// among others has its name on a tab already: there the bar leaves its room to the panel.
#pragma once

#include <QDockWidget>
#include <QObject>
#include <QWidget>
#include <vector>

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

// The panels around the canvases: method and overlay, images, plots, the lineage of a group, the
// evaluation.

class AccuracyPlot;
class EvaluationPanel;
class HeadsView;
class LineagePanel;
class MethodForm;
class PlotPanel;
class RecentList;
class ThumbnailList;
class Workbench;

class Docks : public QObject {
  Q_OBJECT
 public:
  /// `evaluated`: sets of images that were measured on; must outlive this.
  Docks(Workbench& workbench, RecentList& evaluated, QMainWindow& window);

  ThumbnailList& images() { return *images_; }
  MethodForm& methodForm() { return *method_form_; }
  EvaluationPanel& evaluation() { return *evaluation_; }
  const std::vector<PlotPanel*>& plots() const { return plots_; }
  /// For the View menu, in order.
  const std::vector<QDockWidget*>& all() const { return all_; }

  /// How the panels stand before the user moves any.
  void arrange();
  void showImages();
  void showEvaluation();

 signals:
  void exportRequested(const QString& plot);

 private:
  QDockWidget* add(const QString& id, const QString& title, QWidget* content,
                   Qt::DockWidgetArea area);
  template <typename Plot>
  Plot* addPlot(const QString& tab);
  void addLineage();
  void enlarge(QDockWidget& dock);
  void connectEvaluation(AccuracyPlot& plot);

  Workbench& workbench_;
  QMainWindow& window_;
  MethodForm* method_form_ = nullptr;
  EvaluationPanel* evaluation_ = nullptr;
  ThumbnailList* images_ = nullptr;
  LineagePanel* lineage_ = nullptr;
  HeadsView* heads_ = nullptr;
  std::vector<PlotPanel*> plots_;
  QDockWidget* images_dock_ = nullptr;
  QDockWidget* method_dock_ = nullptr;
  QDockWidget* overlay_dock_ = nullptr;
  QDockWidget* lineage_dock_ = nullptr;
  QDockWidget* heads_dock_ = nullptr;
  QDockWidget* evaluation_dock_ = nullptr;
  std::vector<QDockWidget*> plot_docks_;  ///< one group of tabs
  std::vector<QDockWidget*> all_;
};

}  // namespace adamerge::ui
