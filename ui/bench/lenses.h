// SPDX-License-Identifier: GPL-3.0-or-later
// Computes what the overlay's lens shows of each canvas: the chosen block at once, the others
// after.
#pragma once

#include <QObject>
#include <memory>
#include <optional>
#include <vector>

#include "adamerge/engine.h"
#include "bench/jobs.h"
#include "bench/kept_results.h"
#include "bench/pane.h"

namespace adamerge::ui {

class Lenses : public QObject {
  Q_OBJECT
 public:
  using Panes = std::vector<std::unique_ptr<Pane>>;

  /// The lens of each pane follows what it shows and what is looked at.
  Lenses(std::shared_ptr<Worker> worker, std::shared_ptr<PictureInputs> inputs, const Panes& panes,
         const ViewState& view);

  void setEngine(std::shared_ptr<const Engine> engine) { engine_ = std::move(engine); }
  /// The first `count` panes have lenses.
  void setShown(int count);

 signals:
  void failed(const QString& message);

 private:
  struct Request;
  void showAll();
  /// The newest request of a pane counts.
  void show(Pane& pane);
  void start(Pane& pane, const std::shared_ptr<Request>& request, bool first);

  const Panes& panes_;
  const ViewState& view_;
  int shown_ = 1;
  std::shared_ptr<PictureInputs> inputs_;
  std::shared_ptr<const Engine> engine_;
  Jobs jobs_;
};

/// What `view` asks of a network; nullopt: the overlay is no lens, or asks for a token and none is
/// chosen. `hovered`: similarity is to the patch under the pointer.
std::optional<LensQuery> lensQuery(const ViewState& view, const VitConfig& vit);

}  // namespace adamerge::ui
