// SPDX-License-Identifier: GPL-3.0-or-later
#include "compute/choice_family.h"

namespace adamerge::ui {

bool sameChoice(const MethodChoice& a, const MethodChoice& b) {
  return a.method == b.method && a.settings == b.settings && a.statistics == b.statistics &&
         a.ignore_statistics == b.ignore_statistics;
}

bool sameButCompression(const MethodChoice& a, const MethodChoice& b) {
  if (a.method != b.method) return false;
  return sameChoice(withCompression(a, 0), withCompression(b, 0));
}

int compressionOf(const MethodChoice& choice) {
  const CompressionKnob* knob = compressionKnob(choice);
  if (knob == nullptr) return 0;
  const auto found = choice.settings.find(knob->key);
  const SettingValue& value = found == choice.settings.end()
                                  ? findMethod(choice.method).setting(knob->key)->fallback
                                  : found->second;
  return static_cast<int>(std::get<std::int64_t>(value));
}

MethodChoice withCompression(const MethodChoice& choice, int value) {
  MethodChoice changed = choice;
  if (const CompressionKnob* knob = compressionKnob(choice)) {
    changed.settings[knob->key] = std::int64_t{value};
  }
  return changed;
}

}  // namespace adamerge::ui
