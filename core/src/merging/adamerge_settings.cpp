// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/entries.h"
#include "merging/inside.h"
#include "merging/settings.h"

namespace adamerge {
namespace {

SettingInfo perBlockSetting() {
  SettingInfo per_block = countsPerBlockSetting();
  per_block.help =
      "A count for each block, as 8,8,4; blocks not named merge nothing. Replaces r and the "
      "schedule.";
  per_block.active_when = when("adaptive", false);
  return per_block;
}

std::vector<SettingInfo> countSettings() {
  SettingInfo r_max =
      wholeSetting("r_max", "r_max",
                   "Most tokens a block may merge; the redundancy of the block decides how many "
                   "of them do (Eq. 6).",
                   16, 0, kMaximumCount);
  r_max.active_when = when("adaptive", true);
  SettingInfo r = constantCountSetting();
  r.active_when = when("adaptive", false);
  const SettingInfo per_block = perBlockSetting();
  r.active_when.emplace_back(per_block.key, per_block.fallback);
  SettingInfo alpha =
      realSetting("alpha", "alpha", "Gain on the standardised redundancy z (Eq. 6).", 1.0, 0, 1e6);
  alpha.active_when = when("adaptive", true);
  SettingInfo temperature =
      realSetting("temperature", "Temperature T",
                  "Softens the decision: the count follows sigmoid(alpha z / T).", 1.0, 1e-6, 1e6);
  temperature.active_when = when("adaptive", true);
  return {r_max, r, alpha, temperature};
}

std::vector<SettingInfo> adaMergeSettings() {
  std::vector<SettingInfo> settings = countSettings();
  settings.push_back(switchSetting("salience", "Salience weighting",
                                   "Off: plain cosine similarity and plain averages (the paper's "
                                   "Table 3).",
                                   true));
  settings.push_back(
      switchSetting("adaptive", "Adaptive count",
                    "Off: the count is the same for every image (the paper's Table 3).", true));
  settings.push_back(choiceSetting(
      "partition", "Partition",
      "Which patch tokens merge into which: the first half into the second (sequential), or "
      "even into odd positions (alternating).",
      {"sequential", "alternating"}));
  settings.push_back(
      choiceSetting("affinity", "Affinity",
                    "raw: dot products as in Eq. 1; scaled: divided by the square root of "
                    "the embedding dimension, which spreads salience over more tokens.",
                    {"raw", "scaled"}));
  settings.push_back(choiceSetting(
      "similarity", "Similarity",
      "cosine: salience times cosine (Eq. 3). ward: the least growth of the variance within "
      "groups, so large or unlike groups merge last; salience has no part in it.",
      {"cosine", "ward"}));
  SettingInfo priority =
      choiceSetting("priority", "Merges first",
                    "salient: similarity times salience (Eq. 3), which spends the salient tokens; "
                    "background: times 1 - salience, which keeps them. Needs salience weighting.",
                    {"salient", "background"});
  priority.active_when = when("similarity", std::string("cosine"));
  settings.push_back(priority);
  settings.push_back(
      choiceSetting("weights", "Average weighs by",
                    "salience (Eq. 7; with salience weighting off every token alike), or "
                    "size: how many patches a token stands for.",
                    {"salience", "size"}));
  settings.push_back(choiceSetting(
      "place", "Merges",
      "On the block's input, or between attention and MLP as ToMe does, on the residual "
      "stream that attention has just added to.",
      {"before-block", "after-attention"}));
  settings.push_back(choiceSetting(
      "schedule", "Schedule",
      "decay: block l of L takes (1 - l / L)^p of r or r_max. budget: p follows from how "
      "much merges in all, late where that is little, early where it is much; r then "
      "leaves as many tokens, in the mean of the blocks, as ToMe's.",
      {"decay", "budget"}));
  SettingInfo decay = realSetting(
      "decay", "Decay p",
      "Counts fall with depth: block l of L takes (1 - l / L)^p of r or r_max, so that most "
      "merge early. 0: the same in every block; below 0 they rise.",
      0.0, -10, 100);
  decay.active_when = when("schedule", std::string("decay"));
  settings.push_back(decay);
  settings.push_back(perBlockSetting());
  for (SettingInfo& setting : settings) {
    for (const char* key : {"r_max", "r", "similarity", "priority", "weights", "place", "schedule",
                            "decay", "r_per_block"}) {
      if (setting.key == key) setting.scope = SettingScope::kSequence;
    }
  }
  settings.push_back(proportionalAttentionSetting(false));
  constexpr int kWhole = 100;  // of an adaptive count, which is a part of it
  settings.push_back(insideRatioSetting(kWhole));
  settings.push_back(insideBlocksSetting());
  return settings;
}

}  // namespace

MethodEntry adaMergeEntry() {
  MethodEntry entry;
  entry.info.id = "adamerge";
  entry.info.label = "AdaMerge";
  entry.info.description =
      "Salience-weighted merging before every block; each image and block gets its own count.";
  entry.info.reference = "AdaMerge, arXiv 2605.27465";
  entry.info.salience =
      "How much the other patches attend to this one in the patch affinity (Eq. 1-2).";
  CompressionKnob adaptive = insideRatioKnob(100);
  adaptive.uses_statistics = true;
  adaptive.active_when = {"adaptive", true};
  entry.info.compression = {
      {"r_max", 1.0, /*uses_statistics=*/true}, {"r", 0.5}, adaptive, insideRatioKnob(50)};
  entry.info.merges_inside = true;
  entry.info.statistics_settings = {
      "partition", "affinity",    "salience",   "proportional_attention",
      "alpha",     "temperature", "similarity", "priority",
      "weights",   "place",       "schedule",   "decay",
      "blocks"};
  entry.info.uncalibrated = "every block merges half of {}";
  entry.info.settings = adaMergeSettings();
  entry.make = makeAdaMerge;
  return entry;
}

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
