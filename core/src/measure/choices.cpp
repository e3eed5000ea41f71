// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/choices.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <set>
#include <tuple>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "adamerge/evaluate.h"
#include "support/json.h"
#include "support/text.h"

namespace adamerge {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kLargestCount = 1'000'000;
constexpr int kMostCounts = 10'000;  // each is a run over all images
constexpr double kNear = 0.02;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

/// The whole of `text`, blanks around it aside.
template <typename Number>
bool parse(std::string_view text, Number& value) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return false;
  text = text.substr(first, text.find_last_not_of(' ') - first + 1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parseCount(std::string_view text, int& value) {
  return parse(text, value) && value >= 0 && value <= kLargestCount;
}

}  // namespace

std::vector<int> parseCounts(std::string_view name, std::string_view text) {
  const auto refuse = [&] {
    return Error(fmt::format("{} takes numbers as 8,12,16 or a range as 1:23 or 1:23:2, not '{}'",
                             name, printable(text)));
  };
  std::set<int> values;
  int named = 0;
  for (const std::string_view part : split(text, ',')) {
    const std::vector<std::string_view> ends = split(part, ':');
    int first = 0;
    int step = 1;
    if (ends.size() > 3 || !parseCount(ends[0], first)) throw refuse();
    int last = first;
    if (ends.size() > 1 && !parseCount(ends[1], last)) throw refuse();
    if (ends.size() > 2 && !parseCount(ends[2], step)) throw refuse();
    if (step < 1 || last < first) throw refuse();
    if ((last - first) / step >= kMostCounts - named) {
      throw Error(fmt::format("{} names more than {} counts; each is measured on all images", name,
                              kMostCounts));
    }
    named += (last - first) / step + 1;
    for (int value = first; value <= last; value += step) values.insert(value);
  }
  return {values.begin(), values.end()};
}

std::vector<double> parseTiers(std::string_view name, std::string_view text) {
  std::vector<double> tiers;
  for (const std::string_view part : split(text, ',')) {
    double value = 0;
    if (!parse(part, value) || !(value > 0) || !std::isfinite(value)) {
      throw Error(
          fmt::format("{} takes numbers above 0 as 0.9,0.75, not '{}'", name, printable(text)));
    }
    tiers.push_back(value);
  }
  return tiers;
}

std::string countKey(const MethodChoice& method, const Counts& counts) {
  const CompressionKnob* knob = compressionKnob(method);
  if (knob != nullptr && counts.count(knob->key) > 0) return knob->key;
  // Which networks restore their grid is not known before one is loaded.
  const std::vector<CompressionKnob>& knobs = findMethod(method.method).compression;
  const bool inside = std::any_of(knobs.begin(), knobs.end(),
                                  [](const CompressionKnob& own) { return own.key == "ratio"; });
  return inside && counts.count("ratio") > 0 ? "ratio" : "";
}

std::vector<MeasuredChoice> withCounts(std::span<const MethodChoice> methods,
                                       const Counts& counts) {
  std::vector<MeasuredChoice> list;
  for (const MethodChoice& method : methods) {
    const std::string key = countKey(method, counts);
    const auto found = counts.find(key);
    if (found == counts.end()) {
      list.push_back({method, std::nullopt});
      continue;
    }
    for (const int count : found->second) {
      MethodChoice choice = method;
      choice.settings[key] = std::int64_t{count};
      completeSettings(choice);
      list.push_back({choice, std::nullopt});
    }
  }
  return list;
}

bool TierMatch::near() const {
  return std::abs(flops.paper - *choice.tier) <= kNear * *choice.tier;
}

std::vector<MeasuredChoice> matchTiers(const Engine& engine, std::span<const InputTensor> images,
                                       std::span<const MethodChoice> methods,
                                       std::span<const double> tiers,
                                       const std::function<void(const TierMatch&)>& found,
                                       const ProgressCallback& progress,
                                       const std::stop_token& stop) {
  std::vector<MeasuredChoice> list;
  for (const double tier : tiers) {
    for (const MethodChoice& method : methods) {
      if (compressionKnob(method) == nullptr) continue;
      const SchedulePoint point = matchFlops(engine, images, method, tier, progress, stop);
      TierMatch match{{method, tier}, point.flops, point.images};
      match.choice.choice.settings[point.key] = std::int64_t{point.value};
      if (found) found(match);
      list.push_back(match.choice);
    }
  }
  if (list.empty()) throw Error("none of the methods has a count to choose");
  return list;
}

std::vector<MeasuredChoice> withUnmerged(std::span<const MeasuredChoice> choices,
                                         const VitConfig& vit) {
  std::vector<MeasuredChoice> all{{MethodChoice{}, std::nullopt}};
  using Key =
      std::tuple<std::string, Settings, std::optional<double>, std::shared_ptr<const Statistics>>;
  std::set<Key> seen;
  for (MeasuredChoice entry : choices) {
    MethodChoice& choice = entry.choice;
    if (choice.method == "none") continue;
    choice.settings = completeSettings(choice, vit);
    if (seen.emplace(choice.method, choice.settings, entry.tier, choice.statistics).second) {
      all.push_back(std::move(entry));
    }
  }
  return all;
}

Json toJson(std::span<const MeasuredChoice> choices) {
  Json list = Json::array();
  for (const MeasuredChoice& entry : choices) {
    list.push_back({{"method", entry.choice.method},
                    {"settings", toJson(completeSettings(entry.choice))},
                    {"tier", entry.tier ? Json(*entry.tier) : Json(nullptr)}});
  }
  return list;
}

std::vector<MeasuredChoice> choicesFromJson(const nlohmann::json& json) {
  std::vector<MeasuredChoice> choices;
  for (const nlohmann::json& item : json) {
    MeasuredChoice entry;
    entry.choice.method = item.at("method").get<std::string>();
    for (const auto& [key, value] : item.at("settings").items()) {
      const std::optional<SettingValue> setting = settingFromJson(value);
      if (!setting) throw Error(fmt::format("its \"{}\" is no setting's value", key));
      entry.choice.settings[key] = *setting;
    }
    completeSettings(entry.choice);
    if (!item.at("tier").is_null()) entry.tier = item.at("tier").get<double>();
    choices.push_back(std::move(entry));
  }
  return choices;
}

std::optional<std::vector<MeasuredChoice>> matchedBefore(std::span<const MeasuredChoice> found,
                                                         std::span<const MethodChoice> methods,
                                                         std::span<const double> tiers) {
  std::vector<MeasuredChoice> list;
  for (const double tier : tiers) {
    for (const MethodChoice& method : methods) {
      const CompressionKnob* knob = compressionKnob(method);
      if (knob == nullptr) continue;
      MeasuredChoice wanted{method, tier};
      const bool known = std::any_of(found.begin(), found.end(), [&](const auto& before) {
        const auto count = before.choice.settings.find(knob->key);
        if (before.choice.method != method.method || before.tier != tier ||
            count == before.choice.settings.end()) {
          return false;
        }
        wanted.choice.settings[knob->key] = count->second;
        return completeSettings(wanted.choice) == completeSettings(before.choice);
      });
      if (!known) return std::nullopt;
      list.push_back(std::move(wanted));
    }
  }
  return list;
}

std::shared_ptr<const Statistics> usedStatistics(const Engine& engine, const MethodChoice& choice) {
  if (!usesStatistics(choice)) return nullptr;
  return choice.statistics ? choice.statistics : engine.statistics();
}

void add(Fingerprint& fingerprint, const Statistics& statistics) {
  for (const StatisticsEntry& line : statistics.entries) {
    fingerprint.add(Json({line.r_max, line.mu, line.sigma}).dump());
  }
}

}  // namespace adamerge
