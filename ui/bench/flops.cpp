// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/flops.h"

#include <cmath>
#include <utility>

#include "bench/workbench.h"

namespace adamerge::ui {
namespace {

/// FLOPs that differ by less are called equal, in shares: a step of the slider may be as large.
constexpr double kEqualFlops = 0.02;

}  // namespace

FlopsMatcher::FlopsMatcher(Inspector& inspector, Sweeper& sweeper, QObject* parent)
    : QObject(parent), inspector_(inspector), sweeper_(sweeper) {
  connect(&inspector_, &Inspector::matched, this, [this](int pane, int value) {
    const auto wanted = wanted_.extract(pane);
    if (wanted.empty()) return;
    emit found(pane, withCompression(wanted.mapped().choice, value), wanted.mapped().purpose);
  });
}

void FlopsMatcher::match(const Pane& pane, const PicturePtr& picture, double target,
                         Purpose purpose) {
  if (pane.compressionSetting() == nullptr || picture == nullptr) return;
  sweeper_.setPane(pane.index(), picture, pane.choice());
  const SweepPtr sweep = sweeper_.sweep(pane.index());
  if (const auto value = sweep ? valueNearest(*sweep, target) : std::nullopt) {
    forget(pane.index());
    emit found(pane.index(), withCompression(pane.choice(), *value), purpose);
    return;
  }
  wanted_[pane.index()] = {pane.choice(), purpose};
  inspector_.requestFlops(pane.index(), picture, pane.choice(), target);
}

void FlopsMatcher::forget(int pane) {
  if (wanted_.erase(pane) > 0) inspector_.cancelFlops(pane);
}

QString unequalFlops(Workbench& workbench, int index) {
  if (!workbench.equalFlops() || index == 0 || index >= workbench.paneCount()) return {};
  Pane& pane = workbench.pane(index);
  const InspectionPtr own = pane.inspection();
  const InspectionPtr first = workbench.pane(0).inspection();
  const LoadedModelPtr model = workbench.model();
  if (own == nullptr || first == nullptr || model == nullptr || pane.busy() ||
      own->picture != first->picture || own->traced != nullptr || first->traced != nullptr) {
    return {};
  }
  const double unmerged = model->unmerged.paper;
  const double there = own->result.flops.paper;
  const double wanted = first->result.flops.paper;
  if (std::abs(there - wanted) <= kEqualFlops * unmerged) return {};
  const CompressionKnob* knob = compressionKnob(pane.choice());
  if (knob == nullptr) {
    return QObject::tr("not at equal FLOPs: this method merges nothing that could follow");
  }
  return QObject::tr("not at equal FLOPs: %1 % is the nearest it reaches, %2 % are wanted")
      .arg(100 * there / unmerged, 0, 'f', 1)
      .arg(100 * wanted / unmerged, 0, 'f', 1);
}

}  // namespace adamerge::ui
