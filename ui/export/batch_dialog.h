// SPDX-License-Identifier: GPL-3.0-or-later
// All images of a folder under all chosen methods and settings, as figures and a table.
#pragma once

#include <QDialog>
#include <memory>
#include <vector>

#include "export/batch_job.h"
#include "export/batch_plan.h"

class QLabel;
class QLineEdit;
class QPushButton;

namespace adamerge::ui {

class BatchFigures;
class BatchReport;
class BatchRows;
class NoticeLine;
class TaskRunner;
class Workbench;

struct BatchContext {
  std::shared_ptr<const Engine> engine;  ///< nullptr: no model yet
  std::vector<MethodChoice> choices;     ///< of the canvases shown
  OverlayStyle overlay;
  int block = 0;
};
BatchContext batchContext(Workbench& workbench);

class BatchDialog : public QDialog {
  Q_OBJECT
 public:
  explicit BatchDialog(BatchContext context, QWidget* parent = nullptr);
  ~BatchDialog() override;

  void setFolders(const QString& images, const QString& output);
  void accept() override;  ///< starts
  void reject() override;  ///< cancels while running, else closes

 private:
  QWidget* buildChoices();
  QWidget* folderRow(QLineEdit* line, const QString& title);
  void scan();
  void refresh();
  /// Throws Error.
  BatchPlan plan() const;
  void start(BatchPlan plan);
  void setRunning(bool running);
  void restore();
  void save() const;

  BatchContext context_;
  std::unique_ptr<TaskRunner> scanner_;
  BatchJob job_;
  std::vector<BatchImage> images_;
  QString images_problem_;
  QWidget* choices_ = nullptr;
  QLineEdit* folder_;
  QLineEdit* output_;
  QLabel* found_;
  BatchRows* rows_;
  BatchFigures* figures_;
  QLabel* total_;
  BatchReport* report_;
  NoticeLine* notice_;
  QPushButton* close_;
  QPushButton* start_;
};

}  // namespace adamerge::ui
