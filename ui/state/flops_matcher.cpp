// SPDX-License-Identifier: GPL-3.0-or-later
#include "state/flops_matcher.h"

#include <utility>

#include "compute/choice_family.h"

namespace adamerge::ui {

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

}  // namespace adamerge::ui
