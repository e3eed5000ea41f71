// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/error.h"
#include "support/files.h"
#include "support/json.h"

namespace adamerge {
namespace {

using Json = nlohmann::json;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), json_(readJson(path)) {
    if (!json_.is_object()) fail("the top level must be an object");
  }

  Statistics read() const {
    if (integer(json_, "format", 1, 1000) != 1) fail("\"format\" must be 1");
    Statistics statistics;
    statistics.model = text("model");
    statistics.depth = integer(json_, "depth", 1, 10000);
    statistics.passes = json_.contains("passes") ? integer(json_, "passes", 0, 1000) : 2;
    statistics.images = json_.contains("images") ? integer(json_, "images", 0, 1'000'000'000) : 0;
    statistics.source = text("source");
    statistics.created = text("created");
    statistics.dtype = text("dtype");
    statistics.settings = settings();
    const auto entries = json_.find("entries");
    if (entries == json_.end() || !entries->is_array() || entries->empty()) {
      fail("\"entries\" must be a list with at least one entry");
    }
    for (const Json& entry : *entries) {
      statistics.entries.push_back(readEntry(entry, statistics.depth));
      if (statistics.entries.size() > 1 &&
          std::prev(statistics.entries.end(), 2)->r_max >= statistics.entries.back().r_max) {
        fail("\"entries\" must ascend in r_max");
      }
    }
    return statistics;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(fmt::format("{}: not usable as layer statistics: {}", path_.string(), what));
  }

  int integer(const Json& object, const char* key, int low, int high) const {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) {
      fail(fmt::format("\"{}\" must be a whole number", key));
    }
    const auto value = found->get<std::int64_t>();
    if (value < low || value > high) {
      fail(fmt::format("\"{}\" is {}; it must be {} to {}", key, value, low, high));
    }
    return static_cast<int>(value);
  }

  std::string text(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) return {};
    if (!found->is_string()) fail(fmt::format("\"{}\" must be text", key));
    return found->get<std::string>();
  }

  Settings settings() const {
    Settings settings;
    const auto found = json_.find("settings");
    if (found == json_.end()) return settings;
    if (!found->is_object()) fail("\"settings\" must be an object");
    for (const auto& [key, value] : found->items()) {
      const std::optional<SettingValue> setting = settingFromJson(value);
      if (!setting) {
        fail(
            fmt::format("setting \"{}\" must be a number, text, true, false or a list of whole "
                        "numbers",
                        key));
      }
      settings[key] = *setting;
    }
    return settings;
  }

  StatisticsEntry readEntry(const Json& json, int depth) const {
    if (!json.is_object()) fail("each entry must be an object");
    StatisticsEntry entry;
    entry.r_max = integer(json, "r_max", 0, 1'000'000);
    entry.mu = numbers(json, "mu", entry.r_max, depth);
    entry.sigma = numbers(json, "sigma", entry.r_max, depth);
    if (std::any_of(entry.sigma.begin(), entry.sigma.end(), [](double s) { return s < 0; })) {
      fail(fmt::format("a \"sigma\" of r_max {} is negative", entry.r_max));
    }
    return entry;
  }

  std::vector<double> numbers(const Json& entry, const char* key, int r_max, int depth) const {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_array() ||
        found->size() != static_cast<std::size_t>(depth)) {
      fail(fmt::format("\"{}\" of r_max {} must be a list of {} numbers, one per block", key, r_max,
                       depth));
    }
    std::vector<double> values;
    for (const Json& number : *found) {
      if (!number.is_number() || !std::isfinite(number.get<double>())) {
        fail(fmt::format("\"{}\" of r_max {} holds something that is no number", key, r_max));
      }
      values.push_back(number.get<double>());
    }
    return values;
  }

  std::filesystem::path path_;
  Json json_;
};

}  // namespace

StatisticsEntry interpolate(const Statistics& statistics, int r_max) {
  const auto& entries = statistics.entries;
  const auto above =
      std::lower_bound(entries.begin(), entries.end(), r_max,
                       [](const StatisticsEntry& entry, int value) { return entry.r_max < value; });
  if (above == entries.end()) return entries.back();
  if (above == entries.begin() || above->r_max == r_max) return *above;
  const StatisticsEntry& low = *std::prev(above);
  const double t = static_cast<double>(r_max - low.r_max) / (above->r_max - low.r_max);
  StatisticsEntry mixed{r_max, {}, {}};
  for (std::size_t block = 0; block < low.mu.size(); ++block) {
    mixed.mu.push_back(std::lerp(low.mu[block], above->mu[block], t));
    mixed.sigma.push_back(std::lerp(low.sigma[block], above->sigma[block], t));
  }
  return mixed;
}

Statistics readStatistics(const std::filesystem::path& path) { return Reader(path).read(); }

void writeStatistics(const Statistics& statistics, const std::filesystem::path& path) {
  nlohmann::ordered_json json = {{"format", 1},
                                 {"model", statistics.model},
                                 {"depth", statistics.depth},
                                 {"passes", statistics.passes},
                                 {"images", statistics.images},
                                 {"source", statistics.source},
                                 {"created", statistics.created},
                                 {"dtype", statistics.dtype},
                                 {"settings", toJson(statistics.settings)}};
  json["entries"] = nlohmann::ordered_json::array();
  for (const StatisticsEntry& entry : statistics.entries) {
    json["entries"].push_back({{"r_max", entry.r_max}, {"mu", entry.mu}, {"sigma", entry.sigma}});
  }
  writeFileAtomically(path, jsonText(json));
}

}  // namespace adamerge
