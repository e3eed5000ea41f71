// SPDX-License-Identifier: GPL-3.0-or-later
// Runs pictures under methods: the newest request of each pane wins, finished ones are kept.
#pragma once

#include <QObject>
#include <memory>

#include "adamerge/engine.h"
#include "compute/worker.h"
#include "state/inspection.h"

namespace adamerge::ui {

class PictureInputs;

class Inspector : public QObject {
  Q_OBJECT
 public:
  /// `inputs`: shared with what else runs on the worker.
  explicit Inspector(std::shared_ptr<Worker> worker, QObject* parent = nullptr,
                     std::shared_ptr<PictureInputs> inputs = nullptr);
  ~Inspector() override;

  /// Drops everything kept of the model before.
  void setEngine(std::shared_ptr<Engine> engine, LoadedModelPtr model);
  std::shared_ptr<Engine> engine() const;

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
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adamerge::ui
