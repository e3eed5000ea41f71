// SPDX-License-Identifier: GPL-3.0-or-later
// Evaluates a model on a set of images, with progress, interim results and a stop that keeps what
// is finished.
#pragma once

#include <QObject>
#include <QString>
#include <memory>

#include "compute/evaluation_report.h"
#include "compute/evaluation_request.h"

namespace adamerge::ui {

/// On a thread of its own that yields to whatever else wants the machine: unlike calibration it may
/// run for hours, and the worker is to stay free.
class EvaluationTask : public QObject {
  Q_OBJECT
 public:
  explicit EvaluationTask(QObject* parent = nullptr);
  /// Stops; what is finished is kept.
  ~EvaluationTask() override;

  /// Without effect while running().
  void start(std::shared_ptr<const Engine> engine, const EvaluationRequest& request);
  /// Nothing that the engine begins from now on counts; ended() follows shortly.
  void stop();
  bool running() const;
  bool stopping() const;
  /// Of the evaluation that runs or ran last.
  const EvaluationRequest& request() const;

 signals:
  void started();
  /// What goes on before the first image is measured.
  void preparing(const QString& what);
  /// About ten times a second. The rate is that since start().
  void progressed(qint64 done, qint64 total, double images_per_second, double seconds_left);
  /// About once a second.
  void measured(adamerge::ui::EvaluationReportPtr report);
  /// All is done, or it was stopped; nullptr: before anything was measured.
  void ended(adamerge::ui::EvaluationReportPtr report);
  /// What was kept is of another evaluation; EvaluationRequest::anew would throw it away.
  void refused(const QString& message);
  void failed(const QString& message);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adamerge::ui
