// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_bindings.h"

#include <filesystem>
#include <functional>

#include "adamerge/error.h"
#include "adamerge/evaluate.h"
#include "bench/workbench.h"
#include "plots/accuracy_plot.h"
#include "plots/change_plot.h"
#include "plots/counts_plot.h"
#include "plots/redundancy_plot.h"
#include "plots/sweep_plot.h"
#include "plots/tokens_plot.h"
#include "plots/tree_plot.h"

namespace adamerge::ui {
namespace {

std::vector<PaneResult> resultsOf(Workbench& workbench) {
  std::vector<PaneResult> results;
  const LoadedModelPtr model = workbench.model();
  for (int i = 0; i < workbench.paneCount(); ++i) {
    Pane& pane = workbench.pane(i);
    PaneResult result;
    result.pane = i;
    result.choice = pane.choice();
    result.inspection = pane.inspection();
    result.lens = pane.lens();
    result.sweep = workbench.sweeper().sweep(i);
    result.unmerged = model == nullptr ? 0 : model->unmerged.paper;
    results.push_back(std::move(result));
  }
  return results;
}

/// Without those that show a trace: of its costs and settings no plot of ours knows.
std::vector<PaneResult> computedResultsOf(Workbench& workbench) {
  std::vector<PaneResult> results = resultsOf(workbench);
  std::erase_if(results,
                [&](const PaneResult& result) { return workbench.showsTrace(result.pane); });
  return results;
}

/// Calls `update` whenever what the panes show changes, and now.
void followPanes(PlotPanel& plot, Workbench& workbench, const std::function<void()>& update) {
  for (int i = 0; i < kMostPanes; ++i) {
    QObject::connect(&workbench.pane(i), &Pane::inspectionChanged, &plot, update);
  }
  QObject::connect(&workbench, &Workbench::paneCountChanged, &plot, update);
  QObject::connect(&workbench, &Workbench::activePaneChanged, &plot, update);
  QObject::connect(&workbench, &Workbench::modelChanged, &plot, update);
  update();
}

void followChoices(PlotPanel& plot, Workbench& workbench, const std::function<void()>& update) {
  for (int i = 0; i < kMostPanes; ++i) {
    QObject::connect(&workbench.pane(i), &Pane::choiceChanged, &plot, update);
  }
}

/// Points of another model than the present one would mislead.
void showEvaluated(AccuracyPlot& plot, const LoadedModelPtr& model,
                   const EvaluationReportPtr& report) {
  const bool own = report != nullptr && model != nullptr && report->model == model->info.source;
  if (!own) return plot.setEvaluated(std::nullopt);
  AccuracyRecord record = toRecord(report->evaluation);
  // The number of images is told beside it.
  record.dataset = report->data.filename().string();
  plot.setEvaluated(record, report->difference);
}

}  // namespace

void bindPlot(TokensPlot& plot, Workbench& workbench) {
  const auto update = [&plot, &workbench] {
    const ViewState& view = workbench.view();
    plot.whenSeen([&plot, &workbench, &view] {
      plot.setResults(resultsOf(workbench), workbench.activeIndex(), view.block(),
                      view.selectedPatch());
    });
  };
  ViewState& view = workbench.view();
  QObject::connect(&view, &ViewState::blockChanged, &plot, update);
  QObject::connect(&view, &ViewState::selectionChanged, &plot, update);
  QObject::connect(&plot, &TokensPlot::blockChosen, &view, &ViewState::setBlock);
  followPanes(plot, workbench, update);
}

void bindPlot(RedundancyPlot& plot, Workbench& workbench) {
  const auto update = [&plot, &workbench] {
    plot.whenSeen([&plot, &workbench] {
      plot.setResults(resultsOf(workbench), workbench.activeIndex(), workbench.view().block());
    });
  };
  ViewState& view = workbench.view();
  QObject::connect(&view, &ViewState::blockChanged, &plot, update);
  QObject::connect(&plot, &RedundancyPlot::blockChosen, &view, &ViewState::setBlock);
  followPanes(plot, workbench, update);
}

void bindPlot(ChangePlot& plot, Workbench& workbench) {
  const auto update = [&plot, &workbench] {
    plot.whenSeen(
        [&plot, &workbench] { plot.setResults(resultsOf(workbench), workbench.view().block()); });
  };
  ViewState& view = workbench.view();
  QObject::connect(&view, &ViewState::blockChanged, &plot, update);
  QObject::connect(&plot, &ChangePlot::blockChosen, &view, &ViewState::setBlock);
  for (int i = 0; i < kMostPanes; ++i) {
    QObject::connect(&workbench.pane(i), &Pane::lensChanged, &plot, update);
  }
  followPanes(plot, workbench, update);
}

void bindPlot(CountsPlot& plot, Workbench& workbench) {
  ViewState& view = workbench.view();
  const auto update = [&plot, &view] { plot.setBlock(view.block()); };
  QObject::connect(&view, &ViewState::blockChanged, &plot, update);
  QObject::connect(&plot, &CountsPlot::blockChosen, &view, &ViewState::setBlock);
  update();
}

void bindPlot(TreePlot& plot, Workbench& workbench) {
  const auto update = [&plot, &workbench] {
    plot.whenSeen([&plot, &workbench] {
      const ViewState& view = workbench.view();
      plot.setResult(workbench.activePane().inspection(), view.block(), view.selectedPatch());
    });
  };
  ViewState& view = workbench.view();
  QObject::connect(&view, &ViewState::blockChanged, &plot, update);
  QObject::connect(&view, &ViewState::selectionChanged, &plot, update);
  QObject::connect(&plot, &TreePlot::patchChosen, &view,
                   [&view](int patch) { view.select(patch); });
  QObject::connect(&plot, &TreePlot::patchPointed, &view, [&view](int patch) {
    view.hover(patch < 0 ? std::nullopt : std::optional<int>(patch));
  });
  followPanes(plot, workbench, update);
}

void bindPlot(SweepPlot& plot, Workbench& workbench) {
  const auto update = [&plot, &workbench] {
    plot.whenSeen([&plot, &workbench] {
      plot.setResults(computedResultsOf(workbench), workbench.activeIndex());
    });
  };
  QObject::connect(&workbench.sweeper(), &Sweeper::changed, &plot, update);
  QObject::connect(&workbench, &Workbench::pictureChanged, &plot, update);
  QObject::connect(&plot, &SweepPlot::valueChosen, &workbench,
                   [&workbench](int pane, int value) { workbench.setCompression(pane, value); });
  followChoices(plot, workbench, update);
  followPanes(plot, workbench, update);
}

void bindPlot(AccuracyPlot& plot, Workbench& workbench) {
  const auto latest = std::make_shared<EvaluationReportPtr>();
  const auto follow = [&plot, &workbench, latest](const EvaluationReportPtr& report) {
    if (report != nullptr) *latest = report;
    showEvaluated(plot, workbench.model(), *latest);
  };
  QObject::connect(&workbench.evaluation(), &EvaluationTask::measured, &plot, follow);
  QObject::connect(&workbench.evaluation(), &EvaluationTask::ended, &plot, follow);
  const auto measured = [&plot, &workbench, follow] {
    readRecord(plot, workbench);
    follow(nullptr);
  };
  QObject::connect(&workbench, &Workbench::modelChanged, &plot, measured);
  measured();
  const auto update = [&plot, &workbench] {
    plot.whenSeen([&plot, &workbench] { plot.setResults(computedResultsOf(workbench)); });
  };
  QObject::connect(&plot, &AccuracyPlot::settingChosen, &workbench,
                   [&workbench](const MethodChoice& choice) {
                     workbench.edit(workbench.activeIndex(), choice,
                                    QObject::tr("setting of the accuracy plot"));
                     workbench.endEdit();
                   });
  followChoices(plot, workbench, update);
  followPanes(plot, workbench, update);
}

void readRecord(AccuracyPlot& plot, Workbench& workbench) {
  const LoadedModelPtr model = workbench.model();
  if (model == nullptr) return plot.setMeasured(std::nullopt);
  const std::filesystem::path& source = model->info.source;
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(source, ignored);
  const auto path = (folder ? source : source.parent_path()) / "results.json";
  if (!std::filesystem::exists(path, ignored)) return plot.setMeasured(std::nullopt);
  try {
    plot.setMeasured(readAccuracyRecord(path));
  } catch (const std::exception& error) {
    plot.setMeasured(std::nullopt, errorText(error) + '.');
  }
}

}  // namespace adamerge::ui
