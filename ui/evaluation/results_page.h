// SPDX-License-Identifier: GPL-3.0-or-later
// The measured points as a table: sorted by its headers, copied as text, a click shows a point's
// setting.
#pragma once

#include <QWidget>
#include <filesystem>
#include <string>

#include "bench/evaluation.h"
#include "evaluation/results_model.h"
#include "look/table.h"

class QLabel;
class QToolButton;

namespace adamerge::ui {

class ResultsTable : public SortedTable {
  Q_OBJECT
 public:
  explicit ResultsTable(QWidget* parent = nullptr);

  void setReport(const EvaluationReportPtr& report);

 signals:
  void chosen(const adamerge::MethodChoice& choice);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  ResultsTable(ResultsModel* model, QWidget* parent);

  ResultsModel* model_;
};

// What was measured: the table, the images left out, copying and saving.

class MessageLine;
class ResultsTable;

class ResultsPage : public QWidget {
  Q_OBJECT
 public:
  explicit ResultsPage(QWidget* parent = nullptr);

  /// nullptr: nothing was measured.
  void setReport(const EvaluationReportPtr& report);
  /// How the results can be made again, for the files that are saved.
  void setCommand(const std::string& command) { command_ = command; }
  /// JSON, or CSV where the name says so. What goes wrong is said on the page.
  void save(const std::filesystem::path& path);

 signals:
  void chosen(const adamerge::MethodChoice& choice);
  void saved(const std::filesystem::path& path);

 private:
  void askWhereToSave();
  void showHeading();
  void showSkipped();
  QString suggestedPath() const;

  EvaluationReportPtr report_;
  std::string command_;
  QLabel* heading_;
  QLabel* empty_;
  ResultsTable* table_;
  MessageLine* skipped_;
  MessageLine* notice_;
  QToolButton* copy_;
  QToolButton* save_;
};

}  // namespace adamerge::ui
