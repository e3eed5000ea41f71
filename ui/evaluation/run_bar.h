// SPDX-License-Identifier: GPL-3.0-or-later
// What the panel says of an evaluation: before, while and after it runs.
#pragma once

#include <QString>
#include <QWidget>

#include "bench/evaluation.h"
#include "bench/evaluation_task.h"

class QLabel;
class QProgressBar;
class QPushButton;

namespace adamerge::ui {

/// "26 points · 1,000 of 10,000 images · about 4 min", as far as it is known.
QString describePlan(std::size_t points, const EvaluationSurvey& survey);
QString describeProgress(qint64 done, qint64 total, double images_per_second, double seconds_left);
/// Of one that took `seconds`; `model_changed`: since it began.
QString describeEnd(const Evaluation& evaluation, double seconds, bool model_changed);

// Starts and stops an evaluation, and says how far it is.

class RunBar : public QWidget {
  Q_OBJECT
 public:
  explicit RunBar(QWidget* parent = nullptr);

  /// What may be started: `kept` of before goes on, or begins anew; nothing more where it is
  /// `finished`. `why_not`: a sentence in place of a start.
  void offer(bool kept, bool finished, const QString& why_not);
  void setRunning(bool running);
  void setStopping();
  void setText(const QString& text);
  /// `total` 0: not known yet.
  void setProgress(qint64 done, qint64 total);

 signals:
  void startRequested();
  void anewRequested();
  void stopRequested();

 private:
  QProgressBar* bar_;
  QLabel* text_;
  QPushButton* start_;
  QPushButton* anew_;
  QPushButton* stop_;
  bool running_ = false;
  bool kept_ = false;
};

}  // namespace adamerge::ui
