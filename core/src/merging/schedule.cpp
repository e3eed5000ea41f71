// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/methods.h"
#include "support/json.h"

namespace adamerge {
namespace {

constexpr int kFormat = 1;
constexpr std::size_t kMostBlocks = 4096;
constexpr double kMostTokens = 1e6;
constexpr const char* kPruned = "prune_kept_num";
constexpr const char* kMerged = "merge_kept_num";

std::vector<std::int64_t> wholeNumbers(const JsonFields& fields, const char* key,
                                       const std::vector<double>& numbers) {
  const bool good = std::all_of(numbers.begin(), numbers.end(), [](double number) {
    return number >= 0 && number <= kMostTokens && number == std::floor(number);
  });
  if (!good || numbers.empty() || numbers.size() > kMostBlocks) {
    fields.fail(key, fmt::format("must be 1 to {} whole numbers from 0", kMostBlocks));
  }
  return {numbers.begin(), numbers.end()};
}

/// DiffRate writes its lists as text, and "None" where a network prunes nothing.
std::vector<std::int64_t> tokensLeft(const JsonFields& fields, const char* key) {
  const std::string text = fields.text(key).required();
  if (text == "None") return {};
  const nlohmann::json list = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!list.is_array() || !std::all_of(list.begin(), list.end(), [](const nlohmann::json& item) {
        return item.is_number_integer();
      })) {
    fields.fail(key, "must be text with a list of whole numbers, as \"[197,187]\"");
  }
  return wholeNumbers(fields, key, list.get<std::vector<double>>());
}

/// Tokens never come back: what is left after a block is the least that was left so far.
Schedule scheduleOf(const JsonFields& fields, std::string name) {
  const std::vector<std::int64_t> pruned = tokensLeft(fields, kPruned);
  const std::vector<std::int64_t> merged = tokensLeft(fields, kMerged);
  Schedule schedule{std::move(name), {}};
  if (pruned.empty()) return schedule;
  if (pruned.size() != merged.size()) {
    fields.fail(kMerged,
                fmt::format("must have {} numbers, as many as {}", pruned.size(), kPruned));
  }
  std::int64_t left = pruned.front();
  schedule.tokens = left;
  for (std::size_t block = 0; block < pruned.size(); ++block) {
    const std::int64_t after = std::min({left, pruned[block], merged[block]});
    schedule.counts.push_back(left - after);
    left = after;
  }
  return schedule;
}

std::vector<Schedule> diffRates(const nlohmann::json& json, const std::string& file) {
  std::vector<Schedule> schedules;
  for (const auto& [model, rates] : json.items()) {
    if (!rates.is_object()) continue;
    for (const auto& [flops, lists] : rates.items()) {
      if (!lists.is_object() || !lists.contains(kMerged)) continue;
      const JsonFields fields = JsonFields::of(lists, file, fmt::format("{}.{}.", model, flops));
      Schedule schedule = scheduleOf(fields, fmt::format("{} {}", model, flops));
      if (!schedule.counts.empty()) schedules.push_back(std::move(schedule));
    }
  }
  return schedules;
}

}  // namespace

std::string otherTokensWarning(std::int64_t tokens, const VitConfig& vit) {
  const int own = vit.prefixTokens() + vit.patchTokens();
  if (tokens == 0 || tokens == own) return {};
  return fmt::format(
      "the counts per block were made for a network of {} tokens, and this one begins with {}: as "
      "many go as are listed, which is another share",
      tokens, own);
}

bool isSchedule(const SettingInfo& setting) { return setting.key == "r_per_block"; }

std::vector<Schedule> readSchedules(const std::filesystem::path& path) {
  const nlohmann::json json = readJson(path);
  const std::string file = fmt::format("{}: not usable as a schedule", path.string());
  const JsonFields fields = JsonFields::of(json, file);
  if (!fields.has("format")) {
    std::vector<Schedule> schedules = diffRates(json, file);
    if (!schedules.empty()) return schedules;
  }
  fields.count("format", kFormat, kFormat).required();
  return {{fields.text("name").valueOr(path.stem().string()),
           wholeNumbers(fields, "counts", fields.numbers("counts").required()),
           fields.count("tokens", 0, static_cast<int>(kMostTokens)).valueOr(0)}};
}

Schedule readSchedule(const std::string& place) {
  // A file may itself have a # in its name.
  std::error_code unknown;
  const std::size_t mark =
      std::filesystem::exists(place, unknown) ? std::string::npos : place.rfind('#');
  const std::string file = place.substr(0, mark);
  std::vector<Schedule> schedules = readSchedules(file);
  std::vector<std::string> names;
  for (Schedule& schedule : schedules) {
    if (mark == std::string::npos ? schedules.size() == 1
                                  : schedule.name == place.substr(mark + 1)) {
      return std::move(schedule);
    }
    names.push_back(schedule.name);
  }
  throw Error(
      fmt::format("{}: which schedule? Add # and one of: {}", file, fmt::join(names, ", ")));
}

void writeSchedule(const Schedule& schedule, const std::filesystem::path& path) {
  nlohmann::ordered_json json = {
      {"format", kFormat}, {"name", schedule.name}, {"counts", schedule.counts}};
  if (schedule.tokens > 0) json["tokens"] = schedule.tokens;
  writeFileAtomically(path, jsonText(json));
}

}  // namespace adamerge
