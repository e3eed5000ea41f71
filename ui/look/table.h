// SPDX-License-Identifier: GPL-3.0-or-later
// A table of results: sorted by its headers, copied as text for a spreadsheet.
#pragma once

#include <QTableView>

class QAbstractItemModel;
class QSortFilterProxyModel;

namespace adamerge::ui {

class SortedTable : public QTableView {
  Q_OBJECT
 public:
  /// What a model's rows are sorted by.
  static constexpr int kSortRole = Qt::UserRole;

  /// Takes `model`, in whose order rows stand until a header is clicked.
  explicit SortedTable(QAbstractItemModel* model, QWidget* parent = nullptr);

  /// The rows chosen, all where there are none, with their headers, by tabs and lines.
  QString copied() const;

 public slots:
  void copy();

 signals:
  /// A click on a row, or return; in the model's order.
  void rowChosen(int row);

 protected:
  bool event(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void choose(const QModelIndex& index);

  QSortFilterProxyModel* sorted_;
};

}  // namespace adamerge::ui
