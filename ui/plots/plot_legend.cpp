// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_legend.h"

#include <qcustomplot.h>

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

namespace adamerge::ui {

PlotLegend::PlotLegend(QCustomPlot& plot) : plot_(plot) {
  plot_.axisRect()->insetLayout()->take(plot_.legend);
  plot_.axisRect()->insetLayout()->simplify();
  // The empty second column takes what the legend leaves, so that items stay together on the left.
  auto* row = new QCPLayoutGrid;
  plot_.plotLayout()->insertRow(0);
  plot_.plotLayout()->addElement(0, 0, row);
  plot_.plotLayout()->setRowStretchFactor(0, 0.001);
  plot_.plotLayout()->setRowSpacing(0);
  row->addElement(0, 0, plot_.legend);
  row->addElement(0, 1, new QCPLayoutElement(&plot_));
  row->setColumnStretchFactor(0, 0.001);
  plot_.legend->setLayer(QStringLiteral("legend"));
  plot_.legend->setBorderPen(Qt::NoPen);
  plot_.legend->setBrush(Qt::NoBrush);
  plot_.legend->setSelectableParts(QCPLegend::spNone);
}

void PlotLegend::clear() {
  entries_.clear();
  plot_.legend->clearItems();
}

void PlotLegend::add(const QString& id, QCPAbstractPlottable* plottable) {
  auto* item = new QCPPlottableLegendItem(plot_.legend, plottable);
  item->setSelectable(false);
  item->setMargins(QMargins(0, 1, 0, 3));
  plot_.legend->addItem(item);
  entries_.push_back({id, plottable->name(), item});
}

void PlotLegend::applyTheme(const PlotTheme& theme) {
  theme_ = theme;
  const int em = static_cast<int>(QFontMetricsF(theme.font).height());
  QCPLegend* legend = plot_.legend;
  legend->setFont(theme.font);
  legend->setTextColor(theme.ink);
  legend->setIconSize(em * 3 / 2, std::max(8, em * 3 / 4));
  legend->setIconTextPadding(em / 3);
  legend->setColumnSpacing(em);
  legend->setRowSpacing(em / 8);
  legend->setMargins(QMargins(em / 2, em / 4, em / 2, em / 8));
}

void PlotLegend::setHidden(const QSet<QString>& hidden) {
  for (const Entry& entry : entries_) {
    QFont font = theme_.font;
    font.setStrikeOut(hidden.contains(entry.id));
    entry.item->setFont(font);
    QColor color = hidden.contains(entry.id) ? theme_.muted : theme_.ink;
    entry.item->setTextColor(color);
  }
  plot_.legend->setVisible(!entries_.empty());
}

int PlotLegend::columnsFor(int width) const {
  const int spacing = plot_.legend->columnSpacing();
  const int icon = plot_.legend->iconSize().width() + plot_.legend->iconTextPadding();
  const QFontMetricsF metrics(theme_.font);
  for (int columns = count(); columns > 1; --columns) {
    std::vector<int> widths(static_cast<std::size_t>(columns), 0);
    for (int i = 0; i < count(); ++i) {
      int& column = widths[static_cast<std::size_t>(i % columns)];
      const QString& name = entries_[static_cast<std::size_t>(i)].name;
      const int needed = icon + static_cast<int>(std::ceil(metrics.horizontalAdvance(name))) + 2;
      column = std::max(column, needed);
    }
    int total = spacing * (columns - 1);
    for (const int column : widths) total += column;
    if (total <= width) return columns;
  }
  return 1;
}

void PlotLegend::arrange(int width) {
  if (entries_.empty()) return;
  const QMargins margins = plot_.legend->margins();
  const int available = width - margins.left() - margins.right();
  const int icon = plot_.legend->iconSize().width() + plot_.legend->iconTextPadding();
  const QFontMetricsF metrics(theme_.font);
  for (const Entry& entry : entries_) {
    entry.item->plottable()->setName(
        metrics.elidedText(entry.name, Qt::ElideRight, std::max(20, available - icon - 2)));
  }
  plot_.legend->setWrap(columnsFor(available));
  plot_.legend->setFillOrder(QCPLayoutGrid::foColumnsFirst, true);
}

QString PlotLegend::seriesOf(const QCPAbstractLegendItem* item) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [item](const Entry& entry) { return entry.item == item; });
  return found == entries_.end() ? QString() : found->id;
}

QRect PlotLegend::rectOf(const QString& id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.id == id; });
  return found == entries_.end() ? QRect() : found->item->outerRect();
}

}  // namespace adamerge::ui
