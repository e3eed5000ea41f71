// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/accuracy_plot.h"

#include <QCheckBox>
#include <QComboBox>

namespace adamerge::ui {

AccuracyPlot::AccuracyPlot(QWidget* parent)
    : PlotPanel(QStringLiteral("accuracy"), tr("Accuracy against cost"), parent),
      cost_(new QComboBox(this)),
      quality_(new QComboBox(this)) {
  cost_->addItems({tr("FLOPs (%)"), tr("FLOPs, paper (G)"), tr("FLOPs, total (G)"),
                   tr("Images per second"), tr("Speed-up")});
  cost_->setToolTip(
      tr("What the horizontal axis shows. “Paper” counts as the publications do: the "
         "blocks alone, at the tokens on entry. Shares of the unmerged model make "
         "different models comparable."));
  quality_->addItems({tr("Δ top-1 (points)"), tr("Top-1 (%)"), tr("Agreement (%)")});
  quality_->setToolTip(
      tr("What the vertical axis shows. The difference to the unmerged model makes "
         "different models comparable; agreement is how often both have the same "
         "top class."));
  cost_->setAccessibleName(tr("Horizontal axis"));
  quality_->setAccessibleName(tr("Vertical axis"));
  addControl({}, quality_);
  addControl(tr("a&gainst"), cost_);
  recorded_ = new QCheckBox(tr("&Record"), this);
  recorded_->setToolTip(
      tr("Shows the points of the model's results.json beside those measured now."));
  recorded_->hide();
  addControl({}, recorded_);
  published_ = new QCheckBox(tr("&Published"), this);
  published_->setChecked(true);
  published_->setToolTip(
      tr("Shows the published points of ViT-B/16 for comparison. On absolute "
         "axes they may lie far from this model's."));
  addControl({}, published_);
  const auto chosen = [this] {
    input_.published = published_->isChecked();
    input_.recorded = recorded_->isChecked();
    input_.cost = static_cast<CostAxis>(cost_->currentIndex());
    input_.quality = static_cast<QualityAxis>(quality_->currentIndex());
    fit();
    update();
    emit axesChanged();
  };
  connect(cost_, &QComboBox::currentIndexChanged, this, chosen);
  connect(quality_, &QComboBox::currentIndexChanged, this, chosen);
  connect(published_, &QCheckBox::toggled, this, chosen);
  connect(recorded_, &QCheckBox::toggled, this, chosen);
  update();
}

void AccuracyPlot::setMeasured(const std::optional<AccuracyRecord>& record,
                               const QString& problem) {
  input_.measured = record ? toOperatingPoints(*record) : OperatingPoints{};
  input_.problem = problem;
  update();
}

void AccuracyPlot::setEvaluated(const std::optional<AccuracyRecord>& record) {
  input_.evaluated = record ? toOperatingPoints(*record) : OperatingPoints{};
  input_.images = record ? record->images : 0;
  update();
}

void AccuracyPlot::setResults(std::vector<PaneResult> panes) {
  input_.panes = std::move(panes);
  update();
}

void AccuracyPlot::setAxes(CostAxis cost, QualityAxis quality) {
  cost_->setCurrentIndex(static_cast<int>(cost));
  quality_->setCurrentIndex(static_cast<int>(quality));
}

void AccuracyPlot::setPublishedShown(bool shown) { published_->setChecked(shown); }

void AccuracyPlot::update() {
  recorded_->setVisible(!input_.evaluated.points.empty() && !input_.measured.points.empty());
  setContent(accuracyContent(input_));
}

}  // namespace adamerge::ui
