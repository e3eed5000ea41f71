// SPDX-License-Identifier: GPL-3.0-or-later
// One sweep while it is computed: which values are still to come, coarse to fine.
#pragma once

#include <QObject>
#include <QTimer>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "bench/data.h"
#include "bench/jobs.h"
#include "bench/kept_results.h"

namespace adamerge {
class Engine;
}  // namespace adamerge

namespace adamerge::ui {

/// 0, `limit`, then the values between, each halving the largest gaps that are left.
std::vector<int> coarseToFine(int limit);

class Curve {
 public:
  /// `choice` with complete settings and a compression setting.
  Curve(PicturePtr picture, const MethodChoice& choice, const VitConfig& vit);

  const PicturePtr& picture() const { return picture_; }
  bool covers(const Picture& picture, const MethodChoice& choice) const;

  /// The choice to run next; nullopt: all values are known, or the engine failed on one.
  std::optional<MethodChoice> next() const;
  std::size_t computed() const { return next_; }
  void add(const SweepPoint& point);
  void giveUp() { failed_ = true; }
  /// What is known by now.
  SweepPtr sweep() const;

 private:
  PicturePtr picture_;
  Sweep sweep_;
  std::vector<int> order_;
  std::size_t next_ = 0;
  bool failed_ = false;
  mutable SweepPtr shared_;  ///< a copy of sweep_; nullptr: out of date
};

// Computes one picture over the slider's whole range in the background, coarse to fine, one value
// per step, so that the interactive work always comes first.

class Sweeper : public QObject {
  Q_OBJECT
 public:
  /// `inputs`: shared with what else runs on the worker.
  explicit Sweeper(std::shared_ptr<Worker> worker, QObject* parent = nullptr,
                   std::shared_ptr<PictureInputs> inputs = nullptr);

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
  using CurvePtr = std::shared_ptr<Curve>;
  CurvePtr curveFor(const PicturePtr& picture, const MethodChoice& choice);
  void schedule();
  void stop();
  void received(const CurvePtr& curve, const std::optional<SweepPoint>& point);
  void tell();

  std::shared_ptr<PictureInputs> inputs_;
  std::shared_ptr<const Engine> engine_;
  LoadedModelPtr model_;
  bool enabled_ = true;
  std::map<int, CurvePtr> panes_;
  std::list<CurvePtr> kept_;  ///< of the present model, the last used first
  bool computing_ = false;
  std::set<int> unsaid_;  ///< panes with points that no signal has told of
  QTimer timer_;
  Jobs jobs_;
};

}  // namespace adamerge::ui
