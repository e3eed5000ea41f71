// SPDX-License-Identifier: GPL-3.0-or-later
// The measured points as a table: sorted by its headers, copied as text, a click shows a point's
// setting.
#pragma once

#include <QTableView>

#include "evaluation/results_model.h"

class QSortFilterProxyModel;

namespace adamerge::ui {

class ResultsTable : public QTableView {
  Q_OBJECT
 public:
  explicit ResultsTable(QWidget* parent = nullptr);

  void setReport(const EvaluationReportPtr& report);
  /// The rows chosen, all where there are none, with their headers, by tabs and lines.
  QString copied() const;

 public slots:
  void copy();

 signals:
  void chosen(const adamerge::MethodChoice& choice);

 protected:
  bool event(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void choose(const QModelIndex& index);
  void fitColumns();

  ResultsModel* model_;
  QSortFilterProxyModel* sorted_;
};

}  // namespace adamerge::ui
