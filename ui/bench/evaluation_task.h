// SPDX-License-Identifier: GPL-3.0-or-later
// Evaluates a model on a set of images, with progress, interim results and a stop that keeps what
// is finished.
#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <vector>

#include "bench/evaluation.h"
#include "bench/jobs.h"

namespace adamerge {
class Engine;
}  // namespace adamerge

namespace adamerge::ui {

/// On a thread of its own that yields to whatever else wants the machine: unlike calibration it may
/// run for hours, and the worker is to stay free.
class EvaluationTask : public QObject {
  Q_OBJECT
 public:
  explicit EvaluationTask(QObject* parent = nullptr);

  /// Without effect while running().
  void start(std::shared_ptr<const Engine> engine, const EvaluationRequest& request);
  /// Nothing that the engine begins from now on counts; ended() follows shortly.
  void stop();
  bool running() const { return running_; }
  bool stopping() const { return running_ && stop_.stop_requested(); }
  /// Of the evaluation that runs or ran last.
  const EvaluationRequest& request() const { return request_; }

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
  void end();

  EvaluationRequest request_;
  bool running_ = false;
  std::stop_source stop_;
  Jobs jobs_{this};
};

// Looks at what an evaluation would do before it is started: how many images there are, what is
// wrong with them, how long it may take.

struct EvaluationSurvey {
  std::size_t images = 0;  ///< to be measured
  std::size_t total = 0;   ///< in the set
  double seconds = 0;      ///< it may take; 0: not known yet
  QString problem;         ///< a sentence: why nothing can be measured; empty: nothing
};

class EvaluationSurveyor : public QObject {
  Q_OBJECT
 public:
  explicit EvaluationSurveyor(QObject* parent = nullptr);
  ~EvaluationSurveyor() override;

  /// The newest request counts.
  void survey(std::shared_ptr<const Engine> engine, const EvaluationRequest& request);
  void drop() { jobs_.cancel(kKey); }

 signals:
  /// Once the images are counted, and again once a few have been timed.
  void surveyed(const adamerge::ui::EvaluationSurvey& survey);

 private:
  static constexpr const char* kKey = "survey";
  struct Memory;
  std::shared_ptr<Memory> memory_;  ///< what was found out before; the worker's thread's alone
  Jobs jobs_{this};
};

}  // namespace adamerge::ui
