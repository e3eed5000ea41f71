// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/docks.h"

#include <QMainWindow>
#include <QScrollArea>
#include <QTabWidget>
#include <QVBoxLayout>

#include "canvas/lineage_panel.h"
#include "controls/method_form.h"
#include "controls/overlay_form.h"
#include "evaluation/evaluation_panel.h"
#include "plots/accuracy_plot.h"
#include "plots/plot_bindings.h"
#include "plots/redundancy_plot.h"
#include "plots/sweep_plot.h"
#include "plots/tokens_plot.h"
#include "shell/thumbnail_list.h"
#include "state/workbench.h"
#include "window/dock_title.h"

namespace adamerge::ui {
namespace {

constexpr int kPanelWidth = 340;
constexpr int kImagesWidth = 180;

/// With room around it and a scroll bar where the window is low.
QScrollArea* scrolling(QWidget* form) {
  auto* content = new QWidget;
  auto* layout = new QVBoxLayout(content);
  layout->setContentsMargins(12, 12, 12, 12);
  layout->addWidget(form);
  layout->addStretch(1);
  auto* scroll = new QScrollArea;
  scroll->setWidget(content);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  return scroll;
}

}  // namespace

Docks::Docks(Workbench& workbench, RecentList& evaluated, QMainWindow& window)
    : QObject(&window), workbench_(workbench), window_(window) {
  // Grouped dragging lets a tab be pulled out of the window.
  window.setDockOptions(QMainWindow::AnimatedDocks | QMainWindow::AllowTabbedDocks |
                        QMainWindow::AllowNestedDocks | QMainWindow::GroupedDragging);
  window.setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
  images_ = new ThumbnailList;
  images_dock_ = add("images", tr("Images"), images_, Qt::LeftDockWidgetArea);
  method_form_ = new MethodForm(workbench);
  method_dock_ = add("method", tr("Method"), scrolling(method_form_), Qt::RightDockWidgetArea);
  overlay_dock_ = add("overlay", tr("Overlay"), scrolling(new OverlayForm(workbench.view())),
                      Qt::RightDockWidgetArea);
  addLineage();
  evaluation_ = new EvaluationPanel(workbench, evaluated);
  evaluation_dock_ = add("evaluation", tr("Evaluate"), evaluation_, Qt::RightDockWidgetArea);
  addPlot<TokensPlot>(tr("Tokens"));
  addPlot<SweepPlot>(tr("Sweep"));
  addPlot<RedundancyPlot>(tr("Redundancy"));
  connectEvaluation(*addPlot<AccuracyPlot>(tr("Accuracy")));
  for (QDockWidget* dock : all_) new DockTitle(*dock, window_);
  arrange();
}

QDockWidget* Docks::add(const QString& id, const QString& title, QWidget* content,
                        Qt::DockWidgetArea area) {
  auto* dock = new QDockWidget(title, &window_);
  dock->setObjectName(id);
  dock->setWidget(content);
  window_.addDockWidget(area, dock);
  all_.push_back(dock);
  return dock;
}

template <typename Plot>
Plot* Docks::addPlot(const QString& tab) {
  auto* plot = new Plot;
  bindPlot(*plot, workbench_);
  plots_.push_back(plot);
  plot_docks_.push_back(add(plot->id(), tab, plot, Qt::RightDockWidgetArea));
  connect(plot, &PlotPanel::exportRequested, this,
          [this, plot] { emit exportRequested(plot->id()); });
  return plot;
}

void Docks::connectEvaluation(AccuracyPlot& plot) {
  // What was written may be the model's record.
  connect(evaluation_, &EvaluationPanel::saved, &plot,
          [this, &plot] { readRecord(plot, workbench_); });
  // Where the points appear.
  connect(&workbench_.evaluation(), &EvaluationTask::started, this, [this] {
    QDockWidget* dock = plot_docks_.back();
    if (dock->toggleViewAction()->isChecked()) dock->raise();
  });
}

void Docks::addLineage() {
  lineage_ = new LineagePanel(workbench_.activePane(), workbench_.view());
  lineage_dock_ = add("lineage", tr("Lineage"), lineage_, Qt::RightDockWidgetArea);
  connect(&workbench_, &Workbench::activePaneChanged, this,
          [this] { lineage_->setPane(workbench_.activePane()); });
}

void Docks::arrange() {
  images_dock_->hide();
  window_.splitDockWidget(method_dock_, plot_docks_.front(), Qt::Vertical);
  window_.tabifyDockWidget(method_dock_, overlay_dock_);
  window_.tabifyDockWidget(method_dock_, lineage_dock_);
  window_.tabifyDockWidget(method_dock_, evaluation_dock_);
  for (std::size_t i = 1; i < plot_docks_.size(); ++i) {
    window_.tabifyDockWidget(plot_docks_.front(), plot_docks_[i]);
  }
  method_dock_->raise();
  plot_docks_.front()->raise();
  window_.resizeDocks({method_dock_}, {kPanelWidth}, Qt::Horizontal);
  window_.resizeDocks({method_dock_, plot_docks_.front()}, {5, 4}, Qt::Vertical);
}

void Docks::showEvaluation() {
  evaluation_dock_->show();
  evaluation_dock_->raise();
  evaluation_->setFocus();
}

void Docks::showImages() {
  if (images_dock_->isVisible()) return;
  images_dock_->show();
  window_.resizeDocks({images_dock_}, {kImagesWidth}, Qt::Horizontal);
}

}  // namespace adamerge::ui
