// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/methods.h"
#include "merging/method.h"
#include "support/text.h"

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

namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

std::string range(const SettingInfo& info) {
  if (info.minimum && info.maximum)
    return fmt::format(" from {} to {}", *info.minimum, *info.maximum);
  if (info.minimum) return fmt::format(" of at least {}", *info.minimum);
  if (info.maximum) return fmt::format(" of at most {}", *info.maximum);
  return "";
}

std::string takes(const SettingInfo& info) {
  return std::visit(
      Overloaded{[](bool) { return std::string("on or off"); },
                 [&](std::int64_t) { return "a whole number" + range(info); },
                 [&](double) { return "a number" + range(info); },
                 [&](const std::string&) {
                   if (info.is_path) return std::string("the path of a file");
                   return fmt::format("one of {}", fmt::join(info.choices, ", "));
                 },
                 [&](const std::vector<std::int64_t>&) {
                   if (info.tuple > 0) {
                     return fmt::format("{} whole numbers separated by commas", info.tuple);
                   }
                   const std::string list =
                       fmt::format("whole numbers{} separated by commas", range(info));
                   if (info.choices.empty()) return list;
                   return fmt::format("{}, or {}", fmt::join(info.choices, ", "), list);
                 }},
      info.fallback);
}

[[noreturn]] void refuse(const SettingInfo& info, std::string_view given) {
  throw Error(fmt::format("--{} takes {}, not '{}'", optionName(info.key), takes(info), given));
}

template <typename T>
bool parseWhole(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool inRange(const SettingInfo& info, double value) {
  return std::isfinite(value) && (!info.minimum || value >= *info.minimum) &&
         (!info.maximum || value <= *info.maximum);
}

SettingValue parseList(const SettingInfo& info, std::string_view text) {
  for (const std::string& word : info.choices) {
    if (sameName(word, text)) return word;
  }
  std::vector<std::int64_t> list;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t comma = rest.find_first_of(info.tuple > 0 ? ",\n" : ",");
    std::int64_t item = 0;
    if (!parseWhole(rest.substr(0, comma), item)) refuse(info, text);
    list.push_back(item);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
    if (rest.empty()) refuse(info, text);
  }
  return list;
}

}  // namespace

std::string optionName(std::string_view key) {
  if (key == "boxes") return "prompt-box";
  if (key == "points") return "prompt-point";
  std::string name(key);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string toText(const SettingValue& value) {
  return std::visit(Overloaded{[](bool on) { return std::string(on ? "on" : "off"); },
                               [](std::int64_t number) { return std::to_string(number); },
                               [](double number) { return fmt::format("{}", number); },
                               [](const std::string& text) { return text; },
                               [](const std::vector<std::int64_t>& list) {
                                 return fmt::format("{}", fmt::join(list, ","));
                               }},
                    value);
}

SettingValue parseSetting(const SettingInfo& info, std::string_view text) {
  const auto parse = Overloaded{
      [&](bool) -> SettingValue {
        if (sameName(text, "on") || sameName(text, "true")) return true;
        if (sameName(text, "off") || sameName(text, "false")) return false;
        refuse(info, text);
      },
      [&](std::int64_t) -> SettingValue {
        std::int64_t number = 0;
        if (!parseWhole(text, number)) refuse(info, text);
        return number;
      },
      [&](double) -> SettingValue {
        double number = 0;
        if (!parseWhole(text, number)) refuse(info, text);
        return number;
      },
      [&](const std::string&) -> SettingValue {
        const auto same = [&](const std::string& choice) { return sameName(choice, text); };
        const auto named = std::find_if(info.choices.begin(), info.choices.end(), same);
        return named == info.choices.end() ? std::string(text) : *named;
      },
      [&](const std::vector<std::int64_t>&) -> SettingValue { return parseList(info, text); }};
  return checkedSetting(info, std::visit(parse, info.fallback));
}

SettingValue checkedSetting(const SettingInfo& info, const SettingValue& value) {
  if (std::holds_alternative<double>(info.fallback) &&
      std::holds_alternative<std::int64_t>(value)) {
    return checkedSetting(info, static_cast<double>(std::get<std::int64_t>(value)));
  }
  const bool list = std::holds_alternative<std::vector<std::int64_t>>(info.fallback);
  if (const auto* word = std::get_if<std::string>(&value);
      list && word != nullptr &&
      std::find(info.choices.begin(), info.choices.end(), *word) != info.choices.end()) {
    return value;
  }
  if (value.index() != info.fallback.index()) refuse(info, toText(value));
  const bool good = std::visit(
      Overloaded{[](bool) { return true; },
                 [&](std::int64_t number) { return inRange(info, static_cast<double>(number)); },
                 [&](double number) { return inRange(info, number); },
                 [&](const std::string& text) {
                   return info.is_path || std::find(info.choices.begin(), info.choices.end(),
                                                    text) != info.choices.end();
                 },
                 [&](const std::vector<std::int64_t>& list) {
                   if (info.tuple > 0 && list.size() % info.tuple != 0) return false;
                   return std::all_of(list.begin(), list.end(), [&](std::int64_t number) {
                     return inRange(info, static_cast<double>(number));
                   });
                 }},
      value);
  if (!good) refuse(info, toText(value));
  return value;
}

}  // namespace adamerge
