// SPDX-License-Identifier: GPL-3.0-or-later
// Runs a batch on a thread of its own: every image under every choice, figures and a table.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <memory>

#include "adamerge/engine.h"
#include "export/batch_plan.h"

namespace adamerge::ui {

struct BatchProgress {
  int done = 0;  ///< images
  int total = 0;
  double images_per_second = 0;
  double seconds_left = 0;
  QString image;  ///< the one under way
};

struct BatchSummary {
  int images = 0;       ///< finished under all choices
  int runs = 0;         ///< lines of the table
  int files = 0;        ///< figures written
  QStringList skipped;  ///< one sentence per image that could not be used
  QStringList notes;    ///< warnings, and figures that a method cannot give; each once
  QString problem;      ///< why it stopped early; empty: it did not
  bool cancelled = false;
  bool table = false;  ///< the table was written
};

class BatchJob : public QObject {
  Q_OBJECT
 public:
  explicit BatchJob(QObject* parent = nullptr);
  /// Cancels and waits.
  ~BatchJob() override;

  /// Not while one is running.
  void start(std::shared_ptr<const Engine> engine, BatchPlan plan);
  /// What is finished stays, the table holds it.
  void cancel();
  bool running() const { return running_; }

 signals:
  void progressed(const adamerge::ui::BatchProgress& progress);
  void ended(const adamerge::ui::BatchSummary& summary);

 private:
  struct State;
  std::unique_ptr<State> state_;
  bool running_ = false;
};

}  // namespace adamerge::ui
