// SPDX-License-Identifier: GPL-3.0-or-later
// What was measured: the table, the images left out, copying and saving.
#pragma once

#include <QWidget>
#include <filesystem>
#include <string>

#include "compute/evaluation_report.h"

class QLabel;
class QToolButton;

namespace adamerge::ui {

class Notice;
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
  Notice* skipped_;
  Notice* notice_;
  QToolButton* copy_;
  QToolButton* save_;
};

}  // namespace adamerge::ui
