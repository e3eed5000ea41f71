// SPDX-License-Identifier: GPL-3.0-or-later
// Computes one picture over the slider's whole range in the background, coarse to fine, one value
// per step, so that the interactive work always comes first.
#pragma once

#include <QObject>
#include <memory>

#include "compute/worker.h"
#include "state/inspection.h"
#include "state/sweep.h"

namespace adamerge {
class Engine;
}

namespace adamerge::ui {

class PictureInputs;

class Sweeper : public QObject {
  Q_OBJECT
 public:
  /// `inputs`: shared with what else runs on the worker.
  explicit Sweeper(std::shared_ptr<Worker> worker, QObject* parent = nullptr,
                   std::shared_ptr<PictureInputs> inputs = nullptr);
  ~Sweeper() override;

  void setEngine(std::shared_ptr<const Engine> engine, LoadedModelPtr model);
  /// Starts or continues the sweep of a pane; one that differs only in the compression setting is
  /// not begun anew. nullptr picture: none.
  void setPane(int pane, const PicturePtr& picture, const MethodChoice& choice);
  void removePane(int pane);
  /// Off: nothing is computed (videos). On by default.
  void setEnabled(bool enabled);

  /// nullptr: none for this pane.
  SweepPtr sweep(int pane) const;

 signals:
  /// New points; at most about 10 times a second.
  void changed(int pane);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adamerge::ui
