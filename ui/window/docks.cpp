// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/docks.h"

#include <QDockWidget>
#include <QHBoxLayout>
#include <QLabel>
#include <QMainWindow>
#include <QScreen>
#include <QScrollArea>
#include <QTabWidget>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <memory>
#include <utility>

#include "bench/workbench.h"
#include "canvas/heads_view.h"
#include "canvas/lineage_panel.h"
#include "evaluation/evaluation_panel.h"
#include "look/icons.h"
#include "look/widgets.h"
#include "plots/accuracy_plot.h"
#include "plots/change_plot.h"
#include "plots/counts_plot.h"
#include "plots/plot_bindings.h"
#include "plots/redundancy_plot.h"
#include "plots/sweep_plot.h"
#include "plots/tokens_plot.h"
#include "plots/tree_plot.h"
#include "settings/method_form.h"
#include "settings/overlay_form.h"
#include "sources/image_list.h"

namespace adamerge::ui {
namespace {

constexpr int kIconSize = 14;

QToolButton* titleButton(const QString& icon_name, const QString& tip) {
  auto* button = toolButton(icon_name, tip);
  button->setIconSize({kIconSize, kIconSize});
  button->setFocusPolicy(Qt::TabFocus);
  return button;
}

}  // namespace

DockTitle::DockTitle(QDockWidget& dock, QMainWindow& window)
    : QWidget(&dock), dock_(dock), window_(window), bar_(new QWidget) {
  auto* outer = tightLayout<QVBoxLayout>(this);
  outer->addWidget(bar_);
  auto* row = new QHBoxLayout(bar_);
  row->setContentsMargins(12, 2, 4, 2);
  row->setSpacing(2);
  auto* undock = titleButton(QStringLiteral("undock"), tr("Out of the window, or back into it"));
  auto* close = titleButton(QStringLiteral("close"), tr("Close; View ▸ Panels opens it again"));
  row->addWidget(new QLabel(dock.windowTitle()), 1);
  row->addWidget(undock);
  row->addWidget(close);
  connect(undock, &QToolButton::clicked, this, [this] { dock_.setFloating(!dock_.isFloating()); });
  connect(close, &QToolButton::clicked, &dock_, &QDockWidget::close);
  dock.setTitleBarWidget(this);
  for (const QDockWidget* any : window.findChildren<QDockWidget*>()) {
    connect(any, &QDockWidget::dockLocationChanged, this, &DockTitle::refreshLater);
    connect(any, &QDockWidget::topLevelChanged, this, &DockTitle::refreshLater);
    connect(any, &QDockWidget::visibilityChanged, this, &DockTitle::refreshLater);
  }
  refreshLater();
}

void DockTitle::refreshLater() { QTimer::singleShot(0, this, &DockTitle::refresh); }

void DockTitle::refresh() {
  const QList<QDockWidget*> others = window_.tabifiedDockWidgets(&dock_);
  const bool tab = !dock_.isFloating() && std::any_of(others.begin(), others.end(), [](auto* dock) {
    return dock->toggleViewAction()->isChecked();
  });
  if (bar_->isHidden() == tab) return;
  bar_->setVisible(!tab);
  // The dock asks its title for its size only when told to.
  updateGeometry();
}

namespace {

constexpr int kPanelWidth = 356;
constexpr int kImagesWidth = 180;
constexpr double kEnlarged = 0.7;  ///< of the screen, for a plot in a window of its own

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

bool hasTree(const InspectionPtr& inspection) {
  if (inspection == nullptr) return false;
  const std::vector<LayerTrace>& layers = inspection->result.layers;
  return std::any_of(layers.begin(), layers.end(),
                     [](const LayerTrace& layer) { return !layer.details.joins.empty(); });
}

/// There while a canvas has a tree: a tab that is empty for nearly all methods would cost the
/// others the room for their names. Closed by the user it stays closed until then.
void followTree(QDockWidget& dock, Workbench& workbench) {
  dock.hide();
  const auto follow = [&dock, &workbench, shown = std::make_shared<bool>(false)] {
    bool any = false;
    for (int index = 0; index < workbench.paneCount(); ++index) {
      any = any || hasTree(workbench.pane(index).inspection());
    }
    if (std::exchange(*shown, any) != any) dock.setVisible(any);
  };
  for (int index = 0; index < kMostPanes; ++index) {
    QObject::connect(&workbench.pane(index), &Pane::inspectionChanged, &dock, follow);
  }
  QObject::connect(&workbench, &Workbench::paneCountChanged, &dock, follow);
}

/// Likewise while the gallery has settings that merge.
void followGallery(QDockWidget& dock, CountsPlot& plot, Gallery& gallery) {
  dock.hide();
  QObject::connect(
      &gallery, &Gallery::counted, &plot,
      [&dock, &plot, shown = std::make_shared<bool>(false)](const GalleryClassesPtr& classes) {
        const bool any = classes != nullptr && !classes->counts.settings.empty();
        plot.setCounts(any ? std::shared_ptr<const CountsFigure>(classes, &classes->counts)
                           : nullptr);
        if (std::exchange(*shown, any) != any) dock.setVisible(any);
      });
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
  auto* overlay = new OverlayForm(workbench.view(), [&workbench](OverlayKind kind, auto scale) {
    return rangeOfAll(workbench, kind, scale);
  });
  const auto follow_model = [overlay, &workbench] {
    if (workbench.model() != nullptr) overlay->setNetwork(workbench.model()->info.vit);
  };
  connect(&workbench, &Workbench::modelChanged, overlay, follow_model);
  follow_model();
  overlay_dock_ = add("overlay", tr("Overlay"), scrolling(overlay), Qt::RightDockWidgetArea);
  addLineage();
  evaluation_ = new EvaluationPanel(workbench, evaluated);
  evaluation_dock_ = add("evaluation", tr("Evaluate"), evaluation_, Qt::RightDockWidgetArea);
  addPlot<TokensPlot>(tr("Tokens"));
  addPlot<SweepPlot>(tr("Sweep"));
  addPlot<RedundancyPlot>(tr("Redundancy"));
  addPlot<ChangePlot>(tr("Change"));
  addPlot<TreePlot>(tr("Tree"));
  QDockWidget* tree = plot_docks_.back();
  CountsPlot* counts = addPlot<CountsPlot>(tr("Counts"));
  QDockWidget* counts_dock = plot_docks_.back();
  connectEvaluation(*addPlot<AccuracyPlot>(tr("Accuracy")));
  for (QDockWidget* dock : all_) new DockTitle(*dock, window_);
  arrange();
  followTree(*tree, workbench);
  followGallery(*counts_dock, *counts, evaluation_->gallery());
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
  connect(plot, &PlotPanel::enlargeRequested, this,
          [this, dock = plot_docks_.back()] { enlarge(*dock); });
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
  heads_ = new HeadsView(workbench_.activePane(), workbench_.view());
  heads_dock_ = add("heads", tr("Heads"), heads_, Qt::RightDockWidgetArea);
  connect(&workbench_, &Workbench::activePaneChanged, this, [this] {
    lineage_->setPane(workbench_.activePane());
    heads_->setPane(workbench_.activePane());
  });
}

void Docks::arrange() {
  images_dock_->hide();
  window_.splitDockWidget(method_dock_, plot_docks_.front(), Qt::Vertical);
  window_.tabifyDockWidget(method_dock_, overlay_dock_);
  window_.tabifyDockWidget(method_dock_, lineage_dock_);
  window_.tabifyDockWidget(method_dock_, heads_dock_);
  window_.tabifyDockWidget(method_dock_, evaluation_dock_);
  for (std::size_t i = 1; i < plot_docks_.size(); ++i) {
    window_.tabifyDockWidget(plot_docks_.front(), plot_docks_[i]);
  }
  method_dock_->raise();
  plot_docks_.front()->raise();
  window_.resizeDocks({method_dock_}, {kPanelWidth}, Qt::Horizontal);
  window_.resizeDocks({method_dock_, plot_docks_.front()}, {5, 4}, Qt::Vertical);
}

void Docks::enlarge(QDockWidget& dock) {
  if (dock.isFloating()) {
    dock.setFloating(false);
    dock.raise();
    return;
  }
  dock.setFloating(true);
  const QRect room = window_.screen()->availableGeometry();
  QRect large(QPoint(), room.size() * kEnlarged);
  large.moveCenter(room.center());
  dock.setGeometry(large);
  dock.widget()->setFocus();
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
