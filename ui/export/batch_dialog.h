// SPDX-License-Identifier: GPL-3.0-or-later
// All images of a folder under all chosen methods and settings, as figures and a table.
#pragma once

#include <QDialog>
#include <QTimer>
#include <memory>
#include <vector>

#include "bench/jobs.h"
#include "export/batch_job.h"
#include "export/batch_plan.h"

class QLabel;
class QLineEdit;
class QPushButton;

namespace adamerge::ui {

class BatchFigures;
class BatchReport;
class BatchRows;
class MessageLine;
class Workbench;

struct BatchContext {
  std::shared_ptr<const Engine> engine;  ///< nullptr: no model yet
  std::vector<MethodChoice> choices;     ///< of the canvases shown
  OverlayStyle overlay;
  int block = 0;
  QString folder = {};  ///< of the images listed in the window; empty: none
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
  void showFound(const std::vector<BatchImage>& images, const QString& problem);
  void startOrAsk(const BatchPlan& made, int existing);
  void refresh();
  /// Throws Error.
  BatchPlan plan() const;
  void start(BatchPlan plan);
  void setRunning(bool running);
  void restore();
  void save() const;

  BatchContext context_;
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
  MessageLine* notice_;
  QPushButton* close_;
  QPushButton* start_;
  QTimer rest_;  ///< of the hand, before a folder is searched
  Jobs jobs_{this};
};

}  // namespace adamerge::ui
