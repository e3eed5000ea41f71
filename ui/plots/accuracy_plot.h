// SPDX-License-Identifier: GPL-3.0-or-later
// Accuracy against cost: the model's measured points beside the published ones.
#pragma once

#include <optional>
#include <vector>

#include "plots/operating_point.h"
#include "plots/pane_series.h"
#include "plots/plot_panel.h"

class QCheckBox;
class QComboBox;

namespace adamerge::ui {

/// What AccuracyPlot shows.
struct AccuracyInput {
  OperatingPoints measured;   ///< the model's own record; empty: none
  QString problem;            ///< why the measured points cannot be shown
  OperatingPoints evaluated;  ///< here and now, in place of the record; empty: nothing
  int images = 0;             ///< those were measured on
  bool recorded = false;      ///< with the record beside what was evaluated

  const OperatingPoints& own() const { return evaluated.points.empty() ? measured : evaluated; }
  std::vector<PaneResult> panes;
  CostAxis cost = CostAxis::kPercent;
  QualityAxis quality = QualityAxis::kDifference;
  bool published = true;  ///< with the reference series
};
PlotContent accuracyContent(const AccuracyInput& input);
/// What a point of that content stands for, by its key.
MethodChoice choiceOf(const AccuracyInput& input, int key);

class AccuracyPlot : public PlotPanel {
  Q_OBJECT
 public:
  explicit AccuracyPlot(QWidget* parent = nullptr);

  /// The model's own points; nullopt: it has none. `problem`: a sentence, why they are not usable.
  void setMeasured(const std::optional<AccuracyRecord>& record, const QString& problem = {});
  /// What is being evaluated, as far as it is; nullopt: nothing.
  /// `difference`: of each point the 95 % interval of its difference to the unmerged model on the
  /// same images, in points.
  void setEvaluated(const std::optional<AccuracyRecord>& record,
                    const std::vector<std::optional<Interval>>& difference = {});
  /// Whose present settings are marked.
  void setResults(std::vector<PaneResult> panes);

  CostAxis cost() const { return input_.cost; }
  QualityAxis quality() const { return input_.quality; }

 public slots:
  void setAxes(adamerge::ui::CostAxis cost, adamerge::ui::QualityAxis quality);
  void setPublishedShown(bool shown);

 signals:
  void axesChanged();
  /// A point was clicked, or chosen with Return.
  void settingChosen(const adamerge::MethodChoice& choice);

 private:
  void update();

  AccuracyInput input_;
  QComboBox* cost_ = nullptr;
  QComboBox* quality_ = nullptr;
  QCheckBox* recorded_ = nullptr;
  QCheckBox* published_ = nullptr;
};

}  // namespace adamerge::ui
