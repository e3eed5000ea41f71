// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/sweep_plot.h"

#include <QComboBox>
#include <QSet>
#include <algorithm>

#include "look/text.h"

namespace adamerge::ui {
namespace {

/// "r_max" of the pane's method; empty where nothing drives compression.
QString knobLabel(const MethodChoice& choice) {
  const CompressionKnob* knob = compressionKnob(choice);
  if (knob == nullptr) return {};
  return QString::fromStdString(findMethod(choice.method).setting(knob->key)->label);
}

double place(const SweepPoint& point, double unmerged, SweepAxis axis) {
  switch (axis) {
    case SweepAxis::kValue:
      return point.value;
    case SweepAxis::kFlops:
      return point.flops.paper;
    case SweepAxis::kPercent:
      return 100 * point.flops.paper / unmerged;
  }
  return 0;
}

QString heading(const SweepPoint& point, const QString& knob) {
  return QObject::tr("%1 %2: %3 G, %4 tokens left")
      .arg(knob)
      .arg(point.value)
      .arg(flopsNumber(point.flops.paper))
      .arg(point.tokens);
}

PlotSeries probability(const PaneResult& pane, double unmerged, SweepAxis axis) {
  PlotSeries series;
  series.quantity = QObject::tr("probability of the top class");
  series.kind = SeriesKind::kMarkedLine;
  series.marker = methodMarker(pane.choice.method);
  const QString knob = knobLabel(pane.choice);
  for (const SweepPoint& at : pane.sweep->points) {
    PlotPoint point;
    point.x = place(at, unmerged, axis);
    point.y = at.top_probability;
    point.hollow = !at.top1_agrees;
    point.key = at.value;
    point.title = heading(at, knob);
    point.text = at.top1_agrees
                     ? QObject::tr("probability %1, same top class").arg(point.y, 0, 'f', 3)
                     : QObject::tr("probability %1, another top class").arg(point.y, 0, 'f', 3);
    series.points.push_back(point);
  }
  return series;
}

PlotSeries cosine(const PaneResult& pane, double unmerged, SweepAxis axis) {
  PlotSeries series;
  series.quantity = QObject::tr("logit cosine");
  series.kind = SeriesKind::kLine;
  series.faint = true;
  const QString knob = knobLabel(pane.choice);
  for (const SweepPoint& at : pane.sweep->points) {
    PlotPoint point;
    point.x = place(at, unmerged, axis);
    point.y = at.logit_cosine;
    point.key = at.value;
    point.title = heading(at, knob);
    point.text = QObject::tr("cosine of the logits %1").arg(point.y, 0, 'f', 3);
    series.points.push_back(point);
  }
  return series;
}

/// The slider's place: exact in its own unit, else that of the point computed nearest to it.
std::optional<PlotGuide> guideFor(const PaneResult& pane, double unmerged, SweepAxis axis) {
  const int value = compressionOf(pane.choice);
  PlotGuide guide{static_cast<double>(value), paperColor(pane.choice.method), 0, {}};
  if (axis == SweepAxis::kValue) return guide;
  const auto& points = pane.sweep->points;
  const auto found = std::find_if(points.begin(), points.end(),
                                  [value](const SweepPoint& p) { return p.value == value; });
  if (found != points.end()) {
    guide.x = place(*found, unmerged, axis);
    return guide;
  }
  if (pane.inspection == nullptr || pane.inspection->choice.settings != pane.choice.settings) {
    return std::nullopt;
  }
  guide.x = place({value, pane.inspection->result.flops}, unmerged, axis);
  return guide;
}

QString axisLabel(const std::vector<PaneResult>& panes, SweepAxis axis) {
  if (axis == SweepAxis::kFlops)
    return QObject::tr("FLOPs of this picture (G, “paper” convention)");
  if (axis == SweepAxis::kPercent) return QObject::tr("FLOPs in % of the unmerged model");
  QStringList knobs;
  for (const PaneResult& pane : panes) {
    const QString label = knobLabel(pane.choice);
    if (!knobs.contains(label)) knobs << label;
  }
  return knobs.join(QObject::tr(" or "));
}

QString progressNote(const std::vector<PaneResult>& panes) {
  std::size_t done = 0;
  std::size_t total = 0;
  bool complete = true;
  bool disagree = false;
  for (const PaneResult& pane : panes) {
    done += pane.sweep->points.size();
    total += static_cast<std::size_t>(pane.sweep->limit) + 1;
    complete = complete && pane.sweep->complete;
    for (const SweepPoint& point : pane.sweep->points) disagree = disagree || !point.top1_agrees;
  }
  QStringList parts;
  if (disagree) parts << QObject::tr("Hollow: another class than the unmerged model's is on top.");
  if (!complete) parts << QObject::tr("Computing: %1 of %2 values.").arg(done).arg(total);
  return parts.join(' ');
}

}  // namespace

PlotContent sweepContent(const std::vector<PaneResult>& all, SweepAxis axis) {
  PlotContent content;
  content.empty_text = QObject::tr(
      "Open a picture and choose a method that merges: its prediction over the whole range of "
      "the slider is computed in the background and drawn here.");
  std::vector<PaneResult> panes;
  for (const PaneResult& pane : all) {
    const bool any = pane.sweep != nullptr && !pane.sweep->points.empty() &&
                     pane.sweep->choice.method == pane.choice.method &&
                     compressionKnob(pane.choice) != nullptr;
    if (any) panes.push_back(pane);
  }
  if (panes.empty()) return content;
  const std::vector<PaneStyle> styles = paneStyles(panes);
  for (const bool main : {false, true}) {
    for (std::size_t i = 0; i < panes.size(); ++i) {
      const double unmerged = panes[i].unmerged;
      PlotSeries series =
          main ? probability(panes[i], unmerged, axis) : cosine(panes[i], unmerged, axis);
      assign(series, panes[i], styles[i], panes.size(), main);
      content.series.push_back(std::move(series));
    }
  }
  for (std::size_t i = 0; i < panes.size(); ++i) {
    auto guide = guideFor(panes[i], panes[i].unmerged, axis);
    if (!guide) continue;
    guide->variant = styles[i].variant;
    content.guides.push_back(*guide);
  }
  content.x = {axisLabel(panes, axis), std::nullopt, std::nullopt, axis == SweepAxis::kValue};
  content.y = {QObject::tr("Probability, cosine"), std::nullopt, 1.04, false};
  double lowest = 0;
  for (const PlotSeries& series : content.series) {
    for (const PlotPoint& point : series.points) lowest = std::min(lowest, point.y);
  }
  content.y.low = lowest;
  if (axis == SweepAxis::kValue) {
    double limit = 0;
    for (const PaneResult& pane : panes) limit = std::max<double>(limit, pane.sweep->limit);
    content.x.low = -0.02 * limit;
    content.x.high = 1.02 * limit;
  }
  content.note = progressNote(panes);
  return content;
}

SweepPlot::SweepPlot(QWidget* parent)
    : PlotPanel(QStringLiteral("sweep"), tr("Prediction over the slider's range"), parent),
      axis_(new QComboBox(this)) {
  axis_->addItem(tr("Slider value"));
  axis_->addItem(tr("FLOPs (G)"));
  axis_->addItem(tr("FLOPs (%)"));
  axis_->setToolTip(
      tr("What the horizontal axis shows. FLOPs, or their share of the unmerged "
         "model's, make different methods comparable."));
  axis_->setAccessibleName(tr("Horizontal axis"));
  addControl(tr("Acr&oss"), axis_);
  connect(axis_, &QComboBox::currentIndexChanged, this, [this] {
    fit();
    update();
  });
  connect(this, &PlotPanel::pointChosen, this, [this](const PlotPoint& point, int source) {
    if (source >= 0) emit valueChosen(source, point.key);
  });
  chooseDeliberately();
  update();
}

void SweepPlot::setResults(std::vector<PaneResult> panes, int active) {
  panes_ = std::move(panes);
  active_ = active;
  update();
}

SweepAxis SweepPlot::axis() const { return static_cast<SweepAxis>(axis_->currentIndex()); }

void SweepPlot::update() {
  setPreferredSource(active_);
  setContent(sweepContent(panes_, axis()));
}

}  // namespace adamerge::ui
