// SPDX-License-Identifier: GPL-3.0-or-later
#include "look/table.h"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QSortFilterProxyModel>
#include <set>

#include "look/icons.h"

namespace adamerge::ui {

SortedTable::SortedTable(QAbstractItemModel* model, QWidget* parent)
    : QTableView(parent), sorted_(new QSortFilterProxyModel(this)) {
  model->setParent(this);
  sorted_->setSourceModel(model);
  sorted_->setSortRole(kSortRole);
  setModel(sorted_);
  setSortingEnabled(true);
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
  connect(copy_action, &QAction::triggered, this, &SortedTable::copy);
  addAction(copy_action);
  connect(this, &QTableView::clicked, this, &SortedTable::choose);
}

void SortedTable::choose(const QModelIndex& index) {
  const int row = sorted_->mapToSource(index).row();
  if (row >= 0) emit rowChosen(row);
}

QString SortedTable::copied() const {
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

void SortedTable::copy() { QGuiApplication::clipboard()->setText(copied()); }

bool SortedTable::event(QEvent* event) {
  // Else the window's own action would copy the picture.
  if (event->type() == QEvent::ShortcutOverride &&
      static_cast<QKeyEvent*>(event)->matches(QKeySequence::Copy)) {
    event->accept();
    return true;
  }
  return QTableView::event(event);
}

void SortedTable::keyPressEvent(QKeyEvent* event) {
  if (event->matches(QKeySequence::Copy)) {
    copy();
  } else if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    choose(currentIndex());
  } else {
    QTableView::keyPressEvent(event);
  }
}

}  // namespace adamerge::ui
