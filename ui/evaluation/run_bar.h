// SPDX-License-Identifier: GPL-3.0-or-later
// Starts and stops an evaluation, and says how far it is.
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;

namespace adamerge::ui {

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
