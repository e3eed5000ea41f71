// SPDX-License-Identifier: GPL-3.0-or-later
// How a batch goes: bar, speed, time left, and what could not be used.
#pragma once

#include <QWidget>

#include "export/batch_job.h"

class QLabel;
class QPlainTextEdit;
class QProgressBar;

namespace adamerge::ui {

class BatchReport : public QWidget {
  Q_OBJECT
 public:
  explicit BatchReport(QWidget* parent = nullptr);

  void begin(int images);
  void show(const BatchProgress& progress);
  void cancelling();
  /// Only what could not be used stays, if anything.
  void end(const BatchSummary& summary);

 private:
  QProgressBar* bar_;
  QLabel* text_;
  QPlainTextEdit* details_;
};

/// "2,340 images, 4,680 figures and a table written; 3 images skipped"
QString describe(const BatchSummary& summary);
/// "about 4 min left"
QString timeLeft(double seconds);

}  // namespace adamerge::ui
