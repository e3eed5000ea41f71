// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/counts_plot.h"

#include <algorithm>
#include <utility>

#include "look/theme.h"

namespace adamerge::ui {
namespace {

constexpr double kCovered = 0.75;  ///< of a block's width

QString spreadText(const CountsFigure::Setting& setting, const Distribution& block) {
  const Spread& spread = block.spread;
  const QString name = QString::fromStdString(setting.name);
  if (spread.minimum == spread.maximum) {
    return QObject::tr("%1: %2 of every image").arg(name).arg(spread.median);
  }
  return QObject::tr("%1: median %2, mean %3,\nhalf of the images %4 to %5, all %6 to %7")
      .arg(name)
      .arg(spread.median)
      .arg(block.mean, 0, 'f', 1)
      .arg(spread.lower_quartile)
      .arg(spread.upper_quartile)
      .arg(spread.minimum)
      .arg(spread.maximum);
}

PlotSeries boxes(const CountsFigure::Setting& setting) {
  PlotSeries series;
  series.kind = SeriesKind::kBoxes;
  series.name = QString::fromStdString(setting.name);
  series.legend = series.name;
  series.id = series.name;
  series.quantity = QObject::tr("merged, median");
  series.color = paperColor(setting.method);
  const auto depth = static_cast<int>(setting.blocks.size());
  for (int block = 0; block < depth; ++block) {
    const Distribution& own = setting.blocks[static_cast<std::size_t>(block)];
    PlotPoint point;
    point.x = block + 1;
    point.y = own.spread.median;
    point.interval = PlotRange{own.spread.minimum, own.spread.maximum};
    point.box = PlotBox{{own.spread.lower_quartile, own.spread.upper_quartile}, own.mean};
    point.key = block;
    point.title = QObject::tr("Block %1 of %2").arg(block + 1).arg(depth);
    point.text = spreadText(setting, own);
    series.points.push_back(point);
  }
  return series;
}

}  // namespace

PlotContent countsContent(const CountsFigure& counts, int block) {
  PlotContent content;
  content.empty_text = QObject::tr(
      "Measure on a set of images, or open a file of rows in the gallery, to see how many tokens "
      "each block merged over the set.");
  if (counts.settings.empty()) return content;
  const std::size_t count = counts.settings.size();
  const double width = kCovered / static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const CountsFigure::Setting& setting = counts.settings[i];
    PlotSeries series = boxes(setting);
    series.variant = static_cast<int>(
        std::count_if(counts.settings.begin(), counts.settings.begin() + static_cast<int>(i),
                      [&](const auto& before) { return before.method == setting.method; }));
    series.bar_width = 0.9 * width;
    series.bar_offset = (static_cast<double>(i) - (static_cast<double>(count) - 1) / 2) * width;
    content.series.push_back(std::move(series));
  }
  const double depth = static_cast<double>(counts.settings.front().blocks.size());
  content.x = {QObject::tr("Block"), 0.5, depth + 0.5, true};
  content.y = {QObject::tr("Merged"), 0.0, std::nullopt, false};
  content.highlight = PlotRange{block + 0.5, block + 1.5};
  content.note = QString::fromStdString(counts.note);
  return content;
}

CountsPlot::CountsPlot(QWidget* parent)
    : PlotPanel(QStringLiteral("counts"), tr("Tokens merged per block over a set"), parent) {
  connect(this, &PlotPanel::pointChosen, this,
          [this](const PlotPoint& point) { emit blockChosen(point.key); });
  update();
}

void CountsPlot::setCounts(std::shared_ptr<const CountsFigure> counts) {
  counts_ = std::move(counts);
  update();
}

void CountsPlot::setBlock(int block) {
  block_ = block;
  update();
}

void CountsPlot::update() {
  whenSeen([this] { setContent(countsContent(counts_ ? *counts_ : CountsFigure(), block_)); });
}

}  // namespace adamerge::ui
