// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/accuracy_plot.h"

#include <QCheckBox>
#include <QComboBox>
#include <QCoreApplication>
#include <algorithm>

#include "adamerge/report.h"

namespace adamerge::ui {
namespace {

QString translated(const char* text) { return QCoreApplication::translate("AccuracyPlot", text); }

QString number(double value, int decimals) { return QString::number(value, 'f', decimals); }

QString settingName(const OperatingPoint& point) {
  return QString::fromStdString(describe({point.method, point.settings, nullptr, false}));
}

/// Every number known of a point.
QString details(const OperatingPoint& point, const OperatingPoint& unmerged) {
  QStringList parts;
  if (point.top1) parts << translated("top-1 %1 %").arg(number(*point.top1, 2));
  if (point.top1 && unmerged.top1 && point.method != "none") {
    const double difference = *point.top1 - *unmerged.top1;
    parts << translated("%1 points")
                 .arg((difference < 0 ? "−" : "+") + number(std::abs(difference), 2));
  }
  if (point.agreement) parts << translated("agreement %1 %").arg(number(*point.agreement, 2));
  if (point.flops_paper) parts << translated("%1 G").arg(number(*point.flops_paper, 2));
  if (const auto percent = costOf(point, unmerged, CostAxis::kPercent)) {
    parts << translated("%1 % of the FLOPs").arg(number(*percent, 1));
  }
  if (point.images_per_second) {
    parts << translated("%1 images/s").arg(number(*point.images_per_second, 1));
  }
  if (const auto speed = costOf(point, unmerged, CostAxis::kSpeedUp)) {
    parts << translated("%1× the speed").arg(number(*speed, 2));
  }
  return parts.join('\n');
}

/// The points of one method that have both coordinates, ascending in cost.
PlotSeries methodSeries(const OperatingPoints& from, const std::string& method, CostAxis cost,
                        QualityAxis quality) {
  PlotSeries series;
  series.kind = SeriesKind::kMarkedLine;
  series.color = method == "none" ? QColor() : methodColor(method);
  series.marker = methodMarker(method);
  series.quantity = axisLabel(quality);
  const OperatingPoint& unmerged = *from.unmerged();
  for (const OperatingPoint& one : from.points) {
    const auto x = costOf(one, unmerged, cost);
    const auto y = qualityOf(one, unmerged, quality);
    if (one.method != method || !x || !y) continue;
    PlotPoint point;
    point.x = *x;
    point.y = *y;
    if (const auto interval = qualityInterval(one, unmerged, quality)) {
      point.interval = PlotRange{interval->low, interval->high};
    }
    point.title = QStringLiteral("%1 (%2)").arg(settingName(one), from.model);
    point.text = details(one, unmerged);
    series.points.push_back(point);
  }
  std::stable_sort(series.points.begin(), series.points.end(),
                   [](const PlotPoint& a, const PlotPoint& b) { return a.x < b.x; });
  return series;
}

void addSeries(PlotContent& content, const OperatingPoints& from, bool published,
               const AccuracyInput& input) {
  if (from.unmerged() == nullptr) return;
  for (const MethodInfo& method : methods()) {
    PlotSeries series = methodSeries(from, method.id, input.cost, input.quality);
    if (series.points.empty()) continue;
    // Both series of a method hide together; the published ones alone by the box above the plot.
    series.id = QString::fromStdString(method.id);
    const QString label = QString::fromStdString(method.label);
    const bool listed = std::any_of(content.series.begin(), content.series.end(),
                                    [&](const PlotSeries& other) { return other.id == series.id; });
    if (!listed) series.legend = label;
    series.name = published ? translated("%1, published").arg(label) : label;
    series.faint = published;
    for (PlotPoint& point : series.points) point.hollow = published;
    content.series.push_back(std::move(series));
  }
}

/// The present cost of each pane: this picture's FLOPs. Speed is not known of one picture.
void addGuides(PlotContent& content, const AccuracyInput& input) {
  const std::vector<PaneStyle> styles = paneStyles(input.panes);
  for (std::size_t i = 0; i < input.panes.size(); ++i) {
    const PaneResult& pane = input.panes[i];
    if (pane.inspection == nullptr) continue;
    const Flops& flops = pane.inspection->result.flops;
    PlotGuide guide;
    switch (input.cost) {
      case CostAxis::kPercent:
        guide.x = 100 * flops.paper / pane.inspection->model->unmerged.paper;
        break;
      case CostAxis::kPaperFlops:
        guide.x = flops.paper;
        break;
      case CostAxis::kTotalFlops:
        guide.x = flops.total;
        break;
      default:
        continue;
    }
    guide.color = methodColor(pane.choice.method);
    guide.variant = styles[i].variant;
    content.guides.push_back(guide);
  }
}

/// A ring around the measured points that have a pane's present settings.
void addPresent(PlotContent& content, const AccuracyInput& input) {
  const OperatingPoint* unmerged = input.measured.unmerged();
  if (unmerged == nullptr) return;
  PlotSeries series;
  series.id = QStringLiteral("present");
  series.name = translated("Present setting");
  series.legend = series.name;
  series.quantity = axisLabel(input.quality);
  series.kind = SeriesKind::kMarkers;
  series.marker = Marker::kCircle;
  for (const OperatingPoint& one : input.measured.points) {
    const bool present =
        std::any_of(input.panes.begin(), input.panes.end(), [&](const PaneResult& pane) {
          return pane.choice.method == one.method && pane.choice.settings == one.settings;
        });
    const auto x = costOf(one, *unmerged, input.cost);
    const auto y = qualityOf(one, *unmerged, input.quality);
    if (!present || !x || !y) continue;
    PlotPoint point;
    point.x = *x;
    point.y = *y;
    point.hollow = true;
    point.title = settingName(one);
    point.text = details(one, *unmerged);
    series.points.push_back(point);
  }
  // Behind the points themselves, so that their markers stay visible inside the ring.
  if (!series.points.empty()) content.series.insert(content.series.begin(), std::move(series));
}

QString noteFor(const AccuracyInput& input) {
  const OperatingPoints& published = publishedPoints();
  QString reference;
  if (input.published) {
    reference = translated("Hollow: %1 on %2, published (%3).")
                    .arg(published.model, published.dataset, published.source);
  }
  if (!input.problem.isEmpty()) return input.problem + ' ' + reference;
  if (input.measured.points.empty()) {
    return translated("No measured points for this model yet. ") + reference;
  }
  return translated("Filled: %1 on %2. ").arg(input.measured.model, input.measured.dataset) +
         reference;
}

}  // namespace

PlotContent accuracyContent(const AccuracyInput& input) {
  PlotContent content;
  content.by_column = false;
  content.empty_text = translated(
      "No point has both of these axes. Published are top-1 accuracy, “paper” FLOPs and speed-up; "
      "the others need measured points of this model (results.json in its folder).");
  addSeries(content, input.measured, false, input);
  if (input.published) addSeries(content, publishedPoints(), true, input);
  if (content.isEmpty()) return content;
  addPresent(content, input);
  addGuides(content, input);
  content.x = {axisLabel(input.cost), std::nullopt, std::nullopt, false};
  content.y = {axisLabel(input.quality), std::nullopt, std::nullopt, false};
  content.note = noteFor(input);
  return content;
}

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
  published_ = new QCheckBox(tr("&Published"), this);
  published_->setChecked(true);
  published_->setToolTip(
      tr("Shows the published points of ViT-B/16 for comparison. On absolute "
         "axes they may lie far from this model's."));
  addControl({}, published_);
  const auto chosen = [this] {
    input_.published = published_->isChecked();
    input_.cost = static_cast<CostAxis>(cost_->currentIndex());
    input_.quality = static_cast<QualityAxis>(quality_->currentIndex());
    fit();
    update();
    emit axesChanged();
  };
  connect(cost_, &QComboBox::currentIndexChanged, this, chosen);
  connect(quality_, &QComboBox::currentIndexChanged, this, chosen);
  connect(published_, &QCheckBox::toggled, this, chosen);
  update();
}

void AccuracyPlot::setMeasured(const std::optional<AccuracyRecord>& record,
                               const QString& problem) {
  input_.measured = record ? toOperatingPoints(*record) : OperatingPoints{};
  input_.problem = problem;
  update();
}

void AccuracyPlot::addPoint(const AccuracyPoint& point) {
  input_.measured.points.push_back(toOperatingPoint(point));
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

void AccuracyPlot::update() { setContent(accuracyContent(input_)); }

}  // namespace adamerge::ui
