// SPDX-License-Identifier: GPL-3.0-or-later
// AdaMerge+: AdaMerge's frame with what our measurements on CIFAR-10 showed to matter
// (models/README.md): neighbours may meet (alternating partition), pairs by the least growth of
// within-group variance (Ward) of the stream after attention, size-weighted averages with
// proportional attention, and counts that rise or fall with depth by how much merges in all.
#include "merging/adamerge.h"
#include "merging/common_settings.h"
#include "merging/entries.h"

namespace adamerge {

MethodEntry adaMergePlusEntry() {
  const Settings ours{{"salience", false},
                      {"adaptive", false},
                      {"partition", std::string("alternating")},
                      {"similarity", std::string("ward")},
                      {"weights", std::string("size")},
                      {"place", std::string("after-attention")},
                      {"schedule", std::string("budget")}};
  MethodEntry entry = adaMergeEntry();
  entry.info.id = "adamerge+";
  entry.info.label = "AdaMerge+";
  entry.info.description =
      "Training-free preset of this program: merges after attention, near neighbours first, by the "
      "least growth of variance within groups; late where little merges, early where much does.";
  entry.info.reference = "AdaMerge Studio, models/README.md";
  entry.info.merges_inside = false;
  std::erase_if(entry.info.settings,
                [](const SettingInfo& setting) { return setting.scope == SettingScope::kInside; });
  std::erase_if(entry.info.compression,
                [](const CompressionKnob& knob) { return knob.key == "ratio"; });
  std::erase(entry.info.statistics_settings, "blocks");
  for (SettingInfo& setting : entry.info.settings) {
    if (const auto found = ours.find(setting.key); found != ours.end()) {
      setting.fallback = found->second;
    }
    if (setting.key == "proportional_attention") setting = proportionalAttentionSetting(true);
  }
  return entry;
}

}  // namespace adamerge
