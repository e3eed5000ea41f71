// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/error.h"
#include "adamerge/methods.h"
#include "support/files.h"
#include "support/json.h"

namespace adamerge {
namespace {

constexpr int kStatisticsFormat = 1;
constexpr int kMostDepth = 10000;
constexpr int kMostPasses = 1000;
constexpr int kMostCounted = 1'000'000'000;

std::vector<double> perBlock(const JsonFields& entry, std::string_view key, int depth) {
  std::vector<double> values = entry.numbers(key).required();
  if (values.size() != static_cast<std::size_t>(depth)) {
    entry.fail(key, fmt::format("must be a list of {} numbers, one per block", depth));
  }
  return values;
}

StatisticsEntry readEntry(const JsonFields& fields, const std::string& knob, int depth) {
  StatisticsEntry entry;
  entry.r_max = fields.count(knob).required();
  entry.mu = perBlock(fields, "mu", depth);
  entry.sigma = perBlock(fields, "sigma", depth);
  if (std::any_of(entry.sigma.begin(), entry.sigma.end(), [](double s) { return s < 0; })) {
    fields.fail("sigma", "holds a negative number");
  }
  return entry;
}

/// The setting whose values the entries are for.
std::string knobOf(const JsonFields& entry) {
  for (const MethodInfo& method : methods()) {
    for (const CompressionKnob& knob : method.compression) {
      if (knob.uses_statistics && entry.has(knob.key)) return knob.key;
    }
  }
  return Statistics().knob;
}

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

Statistics readStatistics(const std::filesystem::path& path) {
  const nlohmann::json json = readJson(path);
  const JsonFields fields =
      JsonFields::of(json, fmt::format("{}: not usable as layer statistics", path.string()));
  fields.count("format", kStatisticsFormat, kStatisticsFormat).required();
  Statistics statistics;
  statistics.model = fields.text("model").valueOr("");
  statistics.depth = fields.count("depth", 1, kMostDepth).required();
  statistics.passes = fields.count("passes", 0, kMostPasses).valueOr(statistics.passes);
  statistics.images = fields.count("images", 0, kMostCounted).valueOr(0);
  statistics.source = fields.text("source").valueOr("");
  statistics.created = fields.text("created").valueOr("");
  statistics.dtype = fields.text("dtype").valueOr("");
  statistics.settings = fields.settings("settings").valueOr({});
  for (const JsonFields& entry : fields.list("entries")) {
    if (statistics.entries.empty()) statistics.knob = knobOf(entry);
    statistics.entries.push_back(readEntry(entry, statistics.knob, statistics.depth));
    if (statistics.entries.size() > 1 &&
        std::prev(statistics.entries.end(), 2)->r_max >= statistics.entries.back().r_max) {
      fields.fail("entries", fmt::format("must ascend in {}", statistics.knob));
    }
  }
  return statistics;
}

void writeStatistics(const Statistics& statistics, const std::filesystem::path& path) {
  nlohmann::ordered_json json = {{"format", kStatisticsFormat},
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
    json["entries"].push_back(
        {{statistics.knob, entry.r_max}, {"mu", entry.mu}, {"sigma", entry.sigma}});
  }
  writeFileAtomically(path, jsonText(json));
}

}  // namespace adamerge
