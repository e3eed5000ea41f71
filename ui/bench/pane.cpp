// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/pane.h"

#include <algorithm>
#include <cmath>

namespace adamerge::ui {
Pane::Pane(int index, QObject* parent) : QObject(parent), index_(index) {
  choice_.settings = completeSettings(choice_);
}

const SettingInfo* Pane::compressionSetting() const {
  const CompressionKnob* knob = compressionKnob(choice_);
  return knob == nullptr ? nullptr : findMethod(choice_.method).setting(knob->key);
}

int Pane::compression() const { return compressionOf(choice_); }

int Pane::compressionLimit(const VitConfig& vit) const {
  const KnobRange range = knobRange(choice_, vit);
  return std::max(range.gentlest, range.strongest);
}

void Pane::setChoice(const MethodChoice& choice) {
  MethodChoice complete = choice;
  complete.settings = completeSettings(choice);
  if (sameChoice(complete, choice_)) return;
  choice_ = std::move(complete);
  emit choiceChanged();
  emit changed();
}

void Pane::setResult(InspectionPtr inspection, bool busy) {
  const bool other_inspection = inspection != inspection_;
  const bool other_busy = busy != busy_;
  inspection_ = std::move(inspection);
  busy_ = busy;
  if (other_busy) emit busyChanged(busy_);
  if (other_inspection) emit inspectionChanged();
  if (other_busy || other_inspection) emit changed();
}

void Pane::setLens(LensShownPtr lens) {
  if (lens == lens_) return;
  lens_ = std::move(lens);
  emit lensChanged();
}

void ViewState::editOverlay(const OverlayStyle& overlay) {
  if (overlay == overlay_) return;
  const OverlayStyle before = overlay_;
  setOverlay(overlay);
  emit overlayEdited(before);
}

void ViewState::setOverlay(const OverlayStyle& overlay) {
  if (overlay == overlay_) return;
  overlay_ = overlay;
  emit overlayChanged();
}

void ViewState::setBlock(int block) {
  const int bounded = std::clamp(block, 0, std::max(0, depth_ - 1));
  if (bounded == block_) return;
  block_ = bounded;
  emit blockChanged(block_);
}

void ViewState::setDepth(int depth) {
  if (depth == depth_) return;
  depth_ = depth;
  emit depthChanged(depth_);
  setBlock(block_);
}

void ViewState::select(std::optional<int> patch) {
  if (patch == selected_) return;
  selected_ = patch;
  emit selectionChanged();
}

void ViewState::hover(std::optional<int> patch) {
  if (patch == hovered_) return;
  hovered_ = patch;
  emit hoverChanged();
}

void ViewState::setPrompting(bool on) {
  if (on == prompting_) return;
  prompting_ = on;
  emit promptingChanged(on);
}

}  // namespace adamerge::ui
