// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/common_settings.h"

#include <numeric>
#include <utility>

#include "merging/method.h"

namespace adamerge {
namespace {

SettingInfo described(std::string key, std::string label, std::string help, SettingValue fallback) {
  SettingInfo setting;
  setting.key = std::move(key);
  setting.label = std::move(label);
  setting.help = std::move(help);
  setting.fallback = std::move(fallback);
  return setting;
}

SettingInfo bounded(SettingInfo setting, double minimum, double maximum) {
  setting.minimum = minimum;
  setting.maximum = maximum;
  return setting;
}

}  // namespace

SettingInfo wholeSetting(std::string key, std::string label, std::string help,
                         std::int64_t fallback, std::int64_t minimum, std::int64_t maximum) {
  return bounded(described(std::move(key), std::move(label), std::move(help), fallback),
                 static_cast<double>(minimum), static_cast<double>(maximum));
}

SettingInfo realSetting(std::string key, std::string label, std::string help, double fallback,
                        double minimum, double maximum) {
  return bounded(described(std::move(key), std::move(label), std::move(help), fallback), minimum,
                 maximum);
}

SettingInfo switchSetting(std::string key, std::string label, std::string help, bool fallback) {
  return described(std::move(key), std::move(label), std::move(help), fallback);
}

SettingInfo choiceSetting(std::string key, std::string label, std::string help,
                          std::vector<std::string> choices) {
  SettingInfo setting =
      described(std::move(key), std::move(label), std::move(help), choices.front());
  setting.choices = std::move(choices);
  return setting;
}

SettingInfo pathSetting(std::string key, std::string label, std::string help) {
  SettingInfo setting = described(std::move(key), std::move(label), std::move(help), std::string());
  setting.is_path = true;
  return setting;
}

SettingInfo listSetting(std::string key, std::string label, std::string help,
                        std::vector<std::int64_t> fallback) {
  return described(std::move(key), std::move(label), std::move(help), std::move(fallback));
}

std::vector<std::pair<std::string, SettingValue>> when(std::string key, SettingValue value) {
  return {{std::move(key), std::move(value)}};
}

SettingInfo constantCountSetting() {
  return wholeSetting(
      "r", "r", "Tokens merged in every block; at most half of the patch tokens that are left.", 8,
      0, kMaximumCount);
}

SettingInfo countsPerBlockSetting() {
  return bounded(
      listSetting("r_per_block", "r per block",
                  "A count for each block, as 8,8,4; blocks not named merge nothing. Replaces r.",
                  {}),
      0, kMaximumCount);
}

SettingInfo replaceableCountSetting() {
  SettingInfo r = constantCountSetting();
  r.active_when = when("r_per_block", std::vector<std::int64_t>{});
  return r;
}

SettingInfo proportionalAttentionSetting(bool fallback) {
  SettingInfo setting = switchSetting("proportional_attention", "Proportional attention",
                                      "Adds log(size) of each token to the attention logits, so "
                                      "that a merged token counts as many (ToMe, Sec. 3).",
                                      fallback);
  // No public code has it inside windows.
  setting.of_model = [fallback](const VitConfig& vit) { return fallback && !vit.restores(); };
  setting.scope = SettingScope::kAttention;
  return setting;
}

SettingInfo inflectionSetting() {
  return realSetting("inflection", "Inflection",
                     "Slope of the schedule: 0 keeps r constant, -1 merges 2r in the first block "
                     "and none in the last, 1 the other way round.",
                     0, -1, 1);
}

SettingInfo blocksSetting(std::string help) {
  SettingInfo setting =
      bounded(listSetting("blocks", "Blocks", std::move(help), {3, 6, 9}), 0, kMaximumCount);
  setting.of_model = quarterBlocks;
  setting.fallback_text = "at a quarter, a half and three quarters of the depth";
  return setting;
}

SettingInfo allBlocksSetting(std::string help) {
  SettingInfo setting = blocksSetting(std::move(help));
  setting.of_model = [](const VitConfig& vit) -> SettingValue {
    std::vector<std::int64_t> blocks(static_cast<std::size_t>(vit.depth));
    std::iota(blocks.begin(), blocks.end(), 0);
    return blocks;
  };
  setting.fallback = setting.of_model(VitConfig{});
  setting.fallback_text = "all";
  return setting;
}

}  // namespace adamerge
