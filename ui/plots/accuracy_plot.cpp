// SPDX-License-Identifier: GPL-3.0-or-later
// What the plot of accuracy against cost shows; the panel around it is in accuracy_plot.cpp.

#include "plots/accuracy_plot.h"

#include <QCheckBox>
#include <QComboBox>
#include <algorithm>

#include "adamerge/report.h"
#include "bench/data.h"
#include "look/text.h"

namespace adamerge::ui {
namespace {

QString number(double value, int decimals) { return QString::number(value, 'f', decimals); }

QString settingName(const OperatingPoint& point) {
  return QString::fromStdString(describe({point.method, point.settings, nullptr, false}));
}

/// Every number known of a point.
QString details(const OperatingPoint& point, const OperatingPoint& unmerged) {
  QStringList parts;
  if (point.top1) parts << QObject::tr("top-1 %1 %").arg(number(*point.top1, 2));
  if (point.top1 && unmerged.top1 && point.method != "none") {
    const double difference = *point.top1 - *unmerged.top1;
    parts << QObject::tr("%1 points")
                 .arg((difference < 0 ? "−" : "+") + number(std::abs(difference), 2));
  }
  if (point.agreement) parts << QObject::tr("agreement %1 %").arg(number(*point.agreement, 2));
  if (point.kl) parts << QObject::tr("KL %1").arg(number(*point.kl, 4));
  if (point.maps) {
    parts << QObject::tr("map mIoU %1 % (patches), %2 % (pixels)")
                 .arg(number(100 * point.maps->patch_miou, 2),
                      number(100 * point.maps->pixel_miou, 2));
  }
  if (point.flops_paper) parts << QObject::tr("%1 G").arg(flopsNumber(*point.flops_paper));
  if (const auto percent = costOf(point, unmerged, CostAxis::kPercent)) {
    parts << QObject::tr("%1 % of the FLOPs").arg(number(*percent, 1));
  }
  if (point.images_per_second) {
    parts << QObject::tr("%1 images/s").arg(number(*point.images_per_second, 1));
  }
  if (const auto speed = costOf(point, unmerged, CostAxis::kSpeedUp)) {
    parts << QObject::tr("%1× the speed").arg(number(*speed, 2));
  }
  return parts.join('\n');
}

MethodChoice settingOf(const OperatingPoint& point) {
  return {point.method, point.settings, nullptr, false};
}

/// Of the model that the panes show; nullptr: none is known.
const VitConfig* shownNetwork(const AccuracyInput& input) {
  for (const PaneResult& pane : input.panes) {
    if (pane.inspection != nullptr) return &pane.inspection->model->info.vit;
  }
  return nullptr;
}

/// The points of one method that have both coordinates, ascending in cost. `by_settings`: a series
/// for each of the settings that differ in more than the count.
std::vector<PlotSeries> methodSeries(const OperatingPoints& from, const std::string& method,
                                     const AccuracyInput& input, bool by_settings, int key_base) {
  const auto [cost, quality] = std::pair(input.cost, input.quality);
  std::vector<PlotSeries> families;
  std::vector<MethodChoice> first;
  const OperatingPoint& unmerged = *from.unmerged();
  for (const OperatingPoint& one : from.points) {
    const auto x = costOf(one, unmerged, cost);
    const auto y = qualityOf(one, unmerged, quality);
    if (one.method != method || !x || !y) continue;
    const MethodChoice choice = settingOf(one);
    const auto known = std::find_if(first.begin(), first.end(), [&](const MethodChoice& other) {
      return !by_settings || sameButCompression(other, choice);
    });
    const auto place = static_cast<std::size_t>(known - first.begin());
    if (known == first.end()) {
      PlotSeries series;
      series.kind = SeriesKind::kMarkedLine;
      series.color = method == "none" ? QColor() : paperColor(method);
      series.marker = methodMarker(method);
      series.quantity = axisLabel(quality);
      series.variant = static_cast<int>(place);
      series.name = QString::fromStdString(by_settings ? describeFamily(choice, shownNetwork(input))
                                                       : findMethod(method).label);
      families.push_back(series);
      first.push_back(choice);
    }
    PlotPoint point;
    point.x = *x;
    point.y = *y;
    if (const auto interval = qualityInterval(one, quality)) {
      point.interval = PlotRange{interval->low, interval->high};
    }
    point.key = key_base + static_cast<int>(&one - from.points.data());
    point.title = QStringLiteral("%1 (%2)").arg(settingName(one), from.model);
    point.text = details(one, unmerged);
    families[place].points.push_back(point);
  }
  for (PlotSeries& series : families) {
    std::stable_sort(series.points.begin(), series.points.end(),
                     [](const PlotPoint& a, const PlotPoint& b) { return a.x < b.x; });
  }
  return families;
}

enum class Origin { kEvaluated, kRecorded, kPublished };

/// Keys of points: the set they are from, and their place in it.
constexpr int kKeysOfOrigin = 1 << 20;
int keyBase(Origin origin) { return static_cast<int>(origin) * kKeysOfOrigin; }

void addSeries(PlotContent& content, const OperatingPoints& from, Origin origin,
               const AccuracyInput& input) {
  if (from.unmerged() == nullptr) return;
  const bool published = origin == Origin::kPublished;
  for (const MethodInfo& method : methods()) {
    // What was published is one curve a method, whatever changes along it.
    for (PlotSeries& series : methodSeries(from, method.id, input, !published, keyBase(origin))) {
      // All series of a method hide together; the published ones alone by the box above the plot.
      series.id = QString::fromStdString(method.id);
      const bool listed =
          std::any_of(content.series.begin(), content.series.end(),
                      [&](const PlotSeries& other) { return other.legend == series.name; });
      // The record's ablations would fill the legend; pointing at them names them.
      const bool ablation = series.variant > 0 && origin != Origin::kEvaluated;
      if (!listed && !ablation) series.legend = series.name;
      if (published) series.name = QObject::tr("%1, published").arg(series.name);
      if (origin == Origin::kRecorded && !input.evaluated.points.empty()) {
        series.name = QObject::tr("%1, recorded").arg(series.name);
      }
      series.faint = published || &from != &input.own();
      for (PlotPoint& point : series.points) point.hollow = published;
      content.series.push_back(std::move(series));
    }
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
    guide.color = paperColor(pane.choice.method);
    guide.variant = styles[i].variant;
    content.guides.push_back(guide);
  }
}

/// A ring around the measured points that have a pane's present settings.
void addPresent(PlotContent& content, const AccuracyInput& input) {
  const OperatingPoints& own = input.own();
  const OperatingPoint* unmerged = own.unmerged();
  if (unmerged == nullptr) return;
  PlotSeries series;
  series.id = QStringLiteral("present");
  series.name = QObject::tr("Present setting");
  series.legend = series.name;
  series.quantity = axisLabel(input.quality);
  series.kind = SeriesKind::kMarkers;
  series.marker = Marker::kCircle;
  series.screen_only = true;
  for (const OperatingPoint& one : own.points) {
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
    point.key = keyBase(&own == &input.evaluated ? Origin::kEvaluated : Origin::kRecorded) +
                static_cast<int>(&one - own.points.data());
    point.title = settingName(one);
    point.text = details(one, *unmerged);
    series.points.push_back(point);
  }
  // Behind the points themselves, so that their markers stay visible inside the ring.
  if (!series.points.empty()) content.series.insert(content.series.begin(), std::move(series));
}

/// `published_shown`: some of them have both axes.
QString noteFor(const AccuracyInput& input, bool published_shown) {
  const OperatingPoints& published = publishedPoints();
  QString reference;
  if (published_shown) {
    reference = QObject::tr("Hollow: %1 on %2, published (%3).")
                    .arg(published.model, published.dataset, published.source);
  }
  if (!input.evaluated.points.empty()) {
    return QObject::tr("Filled: %1 on %2, %3 images. ")
               .arg(input.evaluated.model, input.evaluated.dataset)
               .arg(input.images) +
           reference;
  }
  if (!input.problem.isEmpty()) return input.problem + ' ' + reference;
  if (input.measured.points.empty()) {
    return QObject::tr("No measured points for this model yet. ") + reference;
  }
  return QObject::tr("Filled: %1 on %2. ").arg(input.measured.model, input.measured.dataset) +
         reference;
}

}  // namespace

MethodChoice choiceOf(const AccuracyInput& input, int key) {
  const auto origin = static_cast<Origin>(key / kKeysOfOrigin);
  const OperatingPoints& from = origin == Origin::kEvaluated  ? input.evaluated
                                : origin == Origin::kRecorded ? input.measured
                                                              : publishedPoints();
  return settingOf(from.points.at(static_cast<std::size_t>(key % kKeysOfOrigin)));
}

PlotContent accuracyContent(const AccuracyInput& input) {
  PlotContent content;
  content.by_column = false;
  content.empty_text = QObject::tr(
      "No point has both of these axes. Published are top-1 accuracy, “paper” FLOPs and speed-up; "
      "the others need points of this model: those of results.json in its folder, or what the "
      "panel "
      "Evaluate measures.");
  if (input.evaluated.points.empty() || input.recorded) {
    addSeries(content, input.measured, Origin::kRecorded, input);
  }
  addSeries(content, input.evaluated, Origin::kEvaluated, input);
  const std::size_t own = content.series.size();
  if (input.published) addSeries(content, publishedPoints(), Origin::kPublished, input);
  const bool published_shown = content.series.size() > own;
  if (content.isEmpty()) return content;
  addPresent(content, input);
  addGuides(content, input);
  content.x = {axisLabel(input.cost), std::nullopt, std::nullopt, false};
  content.y = {axisLabel(input.quality), std::nullopt, std::nullopt, false,
               input.quality == QualityAxis::kKl};
  content.note = noteFor(input, published_shown);
  return content;
}

AccuracyPlot::AccuracyPlot(QWidget* parent)
    : PlotPanel(QStringLiteral("accuracy"), tr("Accuracy against cost"), parent),
      cost_(new QComboBox(this)),
      quality_(new QComboBox(this)) {
  // Short, since the panel is narrow: units stand at the axes.
  cost_->addItems(
      {tr("FLOPs (%)"), tr("FLOPs (G)"), tr("FLOPs, total"), tr("Images/s"), tr("Speed-up")});
  cost_->setToolTip(
      tr("What the horizontal axis shows. FLOPs count as the publications do: the blocks "
         "alone, at the tokens on entry; the total counts everything. Shares of the "
         "unmerged model make different models comparable."));
  quality_->addItems({tr("Δ top-1"), tr("Top-1"), tr("Agreement"), tr("mIoU, patches"),
                      tr("mIoU, pixels"), tr("KL")});
  quality_->setToolTip(
      tr("What the vertical axis shows. The difference to the unmerged model makes "
         "different models comparable; agreement is how often both have the same "
         "top class. mIoU is that of a dense head's class map with the unmerged model's. KL is how "
         "far the class probabilities moved, the less the better; it tells methods apart where "
         "accuracy on few images cannot."));
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
  chooseDeliberately();
  connect(this, &PlotPanel::pointChosen, this,
          [this](const PlotPoint& point) { emit settingChosen(choiceOf(input_, point.key)); });
  update();
}

void AccuracyPlot::setMeasured(const std::optional<AccuracyRecord>& record,
                               const QString& problem) {
  input_.measured = record ? toOperatingPoints(*record) : OperatingPoints{};
  input_.problem = problem;
  update();
}

void AccuracyPlot::setEvaluated(const std::optional<AccuracyRecord>& record,
                                const std::vector<std::optional<Interval>>& difference) {
  input_.evaluated = record ? toOperatingPoints(*record) : OperatingPoints{};
  for (std::size_t i = 0; i < std::min(difference.size(), input_.evaluated.points.size()); ++i) {
    input_.evaluated.points[i].difference_interval = difference[i];
  }
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
