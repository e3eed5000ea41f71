// SPDX-License-Identifier: GPL-3.0-or-later
// Runs pictures under methods: the newest request of each pane wins, finished ones are kept.
#pragma once

#include <QObject>
#include <chrono>
#include <map>
#include <memory>

#include "adamerge/engine.h"
#include "bench/data.h"
#include "bench/jobs.h"
#include "bench/kept_results.h"

namespace adamerge::ui {

class Inspector : public QObject {
  Q_OBJECT
 public:
  /// `inputs`: shared with what else runs on the worker.
  explicit Inspector(std::shared_ptr<Worker> worker, QObject* parent = nullptr,
                     std::shared_ptr<PictureInputs> inputs = nullptr);

  /// Drops everything kept of the model before.
  void setEngine(std::shared_ptr<Engine> engine, LoadedModelPtr model);
  const std::shared_ptr<Engine>& engine() const { return engine_; }

  /// A kept result is returned at once and nothing is requested; otherwise nullptr, and ready()
  /// follows unless a newer request of the pane supersedes this one. A newer one that differs in
  /// the compression setting alone lets a run that is well under way come to its end first, so that
  /// the picture follows a slider that does not stop.
  InspectionPtr request(int pane, const PicturePtr& picture, const MethodChoice& choice,
                        Urgency urgency);
  void cancel(int pane);

  /// Finds the value of the compression setting nearest to `target` G (`paper`) on this picture.
  void requestFlops(int pane, const PicturePtr& picture, const MethodChoice& choice, double target);
  void cancelFlops(int pane);

 signals:
  void ready(int pane, adamerge::ui::InspectionPtr inspection);
  void matched(int pane, int value);
  void failed(int pane, const QString& message);

 private:
  struct Run;
  using RunPtr = std::shared_ptr<Run>;
  struct Waiting {
    RunPtr run;   ///< submitted, its result awaited
    RunPtr next;  ///< starts once `run` is done
  };
  bool worthFinishing(const Run& running, const Run& wanted) const;
  void start(int pane, const RunPtr& run);
  /// Takes the pane on to what it waits for next.
  void finish(int pane);

  std::shared_ptr<PictureInputs> inputs_;
  std::shared_ptr<Engine> engine_;
  LoadedModelPtr model_;
  ResultCache cache_;
  std::map<int, Waiting> panes_;
  std::chrono::steady_clock::duration typical_{0};  ///< what the last result took
  Jobs jobs_;
};

}  // namespace adamerge::ui
