// SPDX-License-Identifier: GPL-3.0-or-later
// Computes what the overlay's lens shows of each canvas: the chosen block at once, the others
// after.
#pragma once

#include <QObject>
#include <memory>
#include <optional>

#include "adamerge/engine.h"
#include "bench/jobs.h"
#include "bench/kept_results.h"
#include "bench/pane.h"

namespace adamerge::ui {

class Lenses : public QObject {
  Q_OBJECT
 public:
  Lenses(std::shared_ptr<Worker> worker, std::shared_ptr<PictureInputs> inputs,
         QObject* parent = nullptr);

  void setEngine(std::shared_ptr<const Engine> engine) { engine_ = std::move(engine); }
  /// The pane's lens follows what it shows and what is looked at; `other`: what a change from
  /// another run compares with, may be null. The newest request of a pane counts.
  void show(Pane& pane, const Pane* other, const ViewState& view);

 signals:
  void failed(const QString& message);

 private:
  struct Request;
  void start(Pane& pane, const std::shared_ptr<Request>& request, bool first);

  std::shared_ptr<PictureInputs> inputs_;
  std::shared_ptr<const Engine> engine_;
  Jobs jobs_;
};

/// What `view` asks of a network; nullopt: the overlay is no lens, or asks for a token and none is
/// chosen. `hovered`: similarity is to the patch under the pointer.
std::optional<LensQuery> lensQuery(const ViewState& view, const VitConfig& vit);

}  // namespace adamerge::ui
