// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/results_table.h"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QSortFilterProxyModel>
#include <set>

#include "controls/icons.h"

namespace adamerge::ui {

ResultsTable::ResultsTable(QWidget* parent)
    : QTableView(parent), model_(new ResultsModel(this)), sorted_(new QSortFilterProxyModel(this)) {
  setObjectName(QStringLiteral("evaluation-results"));
  setAccessibleName(tr("Results"));
  sorted_->setSourceModel(model_);
  sorted_->setSortRole(ResultsModel::kSortRole);
  setModel(sorted_);
  setSortingEnabled(true);
  // In the order of the evaluation until a header is clicked.
  sorted_->sort(-1);
  horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
  horizontalHeader()->setSectionResizeMode(QHeaderView::Interactive);
  horizontalHeader()->setMinimumSectionSize(24);
  verticalHeader()->hide();
  verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
  setSelectionBehavior(SelectRows);
  setEditTriggers(NoEditTriggers);
  setShowGrid(false);
  setWordWrap(false);
  setFrameShape(QFrame::NoFrame);
  setTabKeyNavigation(false);
  setHorizontalScrollMode(ScrollPerPixel);
  setContextMenuPolicy(Qt::ActionsContextMenu);
  auto* copy_action = new QAction(icon(QStringLiteral("copy")), tr("&Copy"), this);
  connect(copy_action, &QAction::triggered, this, &ResultsTable::copy);
  addAction(copy_action);
  connect(this, &QTableView::clicked, this, &ResultsTable::choose);
}

void ResultsTable::setReport(const EvaluationReportPtr& report) {
  const bool filled = model_->rowCount() > 0;
  model_->setReport(report);
  if (report == nullptr) return;
  setColumnHidden(ResultsModel::kDifference, !report->evaluation.labelled);
  if (!filled) fitColumns();
}

void ResultsTable::fitColumns() { resizeColumnsToContents(); }

void ResultsTable::choose(const QModelIndex& index) {
  const EvaluationReportPtr& report = model_->report();
  const int row = sorted_->mapToSource(index).row();
  if (report == nullptr || row < 0) return;
  emit chosen(report->evaluation.points[static_cast<std::size_t>(row)].choice);
}

QString ResultsTable::copied() const {
  std::set<int> rows;
  for (const QModelIndex& index : selectionModel()->selectedRows()) rows.insert(index.row());
  if (rows.empty()) {
    for (int row = 0; row < sorted_->rowCount(); ++row) rows.insert(row);
  }
  const auto line = [&](auto cell) {
    QStringList cells;
    for (int column = 0; column < sorted_->columnCount(); ++column) {
      if (!isColumnHidden(column)) cells << cell(column).toString();
    }
    return cells.join(QLatin1Char('\t')) + QLatin1Char('\n');
  };
  QString text = line(
      [&](int column) { return sorted_->headerData(column, Qt::Horizontal, Qt::DisplayRole); });
  for (const int row : rows) {
    text += line([&](int column) { return sorted_->index(row, column).data(); });
  }
  return text;
}

void ResultsTable::copy() { QGuiApplication::clipboard()->setText(copied()); }

bool ResultsTable::event(QEvent* event) {
  // Else the window's own action would copy the picture.
  if (event->type() == QEvent::ShortcutOverride &&
      static_cast<QKeyEvent*>(event)->matches(QKeySequence::Copy)) {
    event->accept();
    return true;
  }
  return QTableView::event(event);
}

void ResultsTable::keyPressEvent(QKeyEvent* event) {
  if (event->matches(QKeySequence::Copy)) {
    copy();
  } else if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    choose(currentIndex());
  } else {
    QTableView::keyPressEvent(event);
  }
}

void ResultsTable::changeEvent(QEvent* event) {
  QTableView::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) model_->forgetIcons();
}

}  // namespace adamerge::ui
