// SPDX-License-Identifier: GPL-3.0-or-later
#include "state/pane.h"

#include <algorithm>
#include <cmath>

namespace adamerge::ui {
namespace {

bool same(const MethodChoice& a, const MethodChoice& b) {
  return a.method == b.method && a.settings == b.settings && a.statistics == b.statistics &&
         a.ignore_statistics == b.ignore_statistics;
}

}  // namespace

Pane::Pane(int index, QObject* parent) : QObject(parent), index_(index) {
  choice_.settings = completeSettings(choice_);
}

const SettingInfo* Pane::compressionSetting() const {
  const CompressionKnob* knob = compressionKnob(choice_);
  return knob == nullptr ? nullptr : findMethod(choice_.method).setting(knob->key);
}

int Pane::compression() const {
  const CompressionKnob* knob = compressionKnob(choice_);
  if (knob == nullptr) return 0;
  return static_cast<int>(std::get<std::int64_t>(choice_.settings.find(knob->key)->second));
}

int Pane::compressionLimit(const VitConfig& vit) const {
  const CompressionKnob* knob = compressionKnob(choice_);
  return knob == nullptr ? 0 : static_cast<int>(std::floor(knob->limit * vit.patchTokens()));
}

void Pane::setChoice(const MethodChoice& choice) {
  MethodChoice complete = choice;
  complete.settings = completeSettings(choice);
  if (same(complete, choice_)) return;
  choice_ = std::move(complete);
  emit choiceChanged();
}

void Pane::setInspection(InspectionPtr inspection) {
  if (inspection == inspection_) return;
  inspection_ = std::move(inspection);
  emit inspectionChanged();
}

void Pane::setBusy(bool busy) {
  if (busy == busy_) return;
  busy_ = busy;
  emit busyChanged(busy_);
}

}  // namespace adamerge::ui
