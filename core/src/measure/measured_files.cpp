// SPDX-License-Identifier: GPL-3.0-or-later
// The files of what was measured on a model: layer statistics, importance, accuracy.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/calibrate.h"
#include "adamerge/evaluate.h"
#include "support/files.h"
#include "support/json.h"

namespace adamerge {
namespace {

constexpr int kFormat = 1;
constexpr int kMostDepth = 10000;
constexpr int kMostImages = 1'000'000'000;

/// What both files tell of the model and the images.
template <class Measured>
Measured readHead(const JsonFields& fields) {
  fields.count("format", kFormat, kFormat).required();
  Measured measured;
  measured.model = fields.text("model").valueOr("");
  measured.depth = fields.count("depth", 1, kMostDepth).required();
  measured.images = fields.count("images", 0, kMostImages).valueOr(0);
  measured.source = fields.text("source").valueOr("");
  return measured;
}

constexpr int kMostPasses = 1000;

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

/// Their squares are summed in double precision.
constexpr double kLeastScore = 1e-100;
constexpr double kMostScore = 1e100;

std::vector<double> row(const JsonFields& fields, const nlohmann::json& values, std::size_t block,
                        std::size_t patches) {
  std::vector<double> scores;
  const bool numbers = values.is_array() && values.size() == patches &&
                       std::all_of(values.begin(), values.end(), [&](const nlohmann::json& value) {
                         if (!value.is_number()) return false;
                         const auto score = value.get<double>();
                         scores.push_back(score);
                         return score == 0 || (score >= kLeastScore && score <= kMostScore);
                       });
  if (!numbers || patches == 0) {
    fields.fail(
        "scores",
        fmt::format("of block {} must be {} numbers, one per patch, each 0 or from {} to {}", block,
                    patches == 0 ? std::string("a list of") : fmt::format("{}", patches),
                    kLeastScore, kMostScore));
  }
  return scores;
}

}  // namespace

Statistics readStatistics(const std::filesystem::path& path) {
  const nlohmann::json json = readJson(path);
  const JsonFields fields =
      JsonFields::of(json, fmt::format("{}: not usable as layer statistics", path.string()));
  auto statistics = readHead<Statistics>(fields);
  statistics.passes = fields.count("passes", 0, kMostPasses).valueOr(statistics.passes);
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
  nlohmann::ordered_json json = {{"format", kFormat},
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

Importance readImportance(const std::filesystem::path& path) {
  const nlohmann::json json = readJson(path);
  const JsonFields fields =
      JsonFields::of(json, fmt::format("{}: not usable as importance", path.string()));
  auto importance = readHead<Importance>(fields);
  importance.kind = fields.text("kind").required();
  if (importance.kind != "gradient" && importance.kind != "received") {
    fields.fail("kind",
                fmt::format("is '{}', 'gradient' or 'received' is expected", importance.kind));
  }
  for (const double block : fields.numbers("blocks").required()) {
    const auto last = importance.blocks.empty() ? -1 : importance.blocks.back();
    if (block != std::floor(block) || block <= last || block >= importance.depth) {
      fields.fail("blocks",
                  fmt::format("must be whole numbers below {}, ascending", importance.depth));
    }
    importance.blocks.push_back(static_cast<int>(block));
  }
  if (importance.blocks.empty()) fields.fail("blocks", "must name at least one block");
  const nlohmann::json* scores = fields.find("scores");
  if (scores == nullptr || !scores->is_array() ||
      scores->size() != static_cast<std::size_t>(importance.depth)) {
    fields.fail("scores", fmt::format("must be {} lists, one per block", importance.depth));
  }
  for (std::size_t block = 0; block < scores->size(); ++block) {
    importance.scores.push_back(row(fields, (*scores)[block], block, scores->front().size()));
  }
  return importance;
}

void writeImportance(const Importance& importance, const std::filesystem::path& path) {
  const nlohmann::ordered_json json = {
      {"format", kFormat},           {"model", importance.model},   {"depth", importance.depth},
      {"blocks", importance.blocks}, {"source", importance.source}, {"images", importance.images},
      {"kind", importance.kind},     {"scores", importance.scores}};
  writeFileAtomically(path, jsonText(json));
}

namespace {

constexpr double kMost = 1e15;

std::string requiredText(const JsonFields& fields, std::string_view key) {
  std::string text = fields.text(key).required();
  if (text.empty()) fields.fail(key, "is empty");
  return text;
}

/// Lies in 0 to 100 and holds top1.
std::optional<Interval> intervalOf(const JsonFields& point, const std::optional<double>& top1) {
  constexpr std::string_view kKey = "top1_interval";
  const Field<std::vector<double>> ends = point.numbers(kKey);
  if (!ends) return std::nullopt;
  if ((*ends).size() != 2) point.fail(kKey, "must be [low, high]");
  if (!top1) point.fail(kKey, "stands without top1");
  const Interval interval{(*ends)[0], (*ends)[1]};
  if (interval.low < 0 || interval.high > 100 || interval.low > *top1 || interval.high < *top1) {
    point.fail(kKey, fmt::format("is [{}, {}]; it must lie in 0 to 100 and hold top1, {}",
                                 interval.low, interval.high, *top1));
  }
  return interval;
}

std::vector<double> tokensOf(const JsonFields& point) {
  std::vector<double> tokens = point.numbers("tokens_per_block").valueOr({});
  if (std::any_of(tokens.begin(), tokens.end(), [](double count) { return !(count > 0); })) {
    point.fail("tokens_per_block", "must hold numbers above 0");
  }
  return tokens;
}

Settings recordedSettings(const JsonFields& point, const std::string& method) {
  const Settings settings = point.settings("settings").required();
  try {
    return completeSettings({method, settings, nullptr, false});
  } catch (const Error& error) {
    point.fail("settings", fmt::format("cannot be used: {}", error.what()));
  }
}

/// Of the dense head's maps; nullopt where there is none.
std::optional<MapAgreement> mapsOf(const JsonFields& point) {
  const JsonFields fields = point.below("dense");
  if (fields.object().empty()) return std::nullopt;
  const auto share = [&](std::string_view key) { return fields.number(key, 0, 1).required(); };
  return MapAgreement{share("patch_agreement"), share("patch_miou"), share("pixel_agreement"),
                      share("pixel_miou")};
}

AccuracyPoint readPoint(const JsonFields& fields, int images) {
  AccuracyPoint point;
  point.method = requiredText(fields, "method");
  point.settings = recordedSettings(fields, point.method);
  point.images = fields.count("images", 1, kMostImages).valueOr(images);
  // Null says that the images have no labels.
  if (!fields.object().contains("top1")) fields.fail("top1", "is missing");
  point.top1 = fields.number("top1", 0, 100).value;
  point.top1_interval = intervalOf(fields, point.top1);
  point.top5 = fields.number("top5", 0, 100).value;
  point.agreement = fields.number("agreement", 0, 100).value;
  point.kl_divergence = fields.number("kl_divergence", 0, kMost).value;
  point.maps = mapsOf(fields);
  point.flops.paper = fields.positive("flops_paper").required();
  point.flops.total = fields.positive("flops_total").required();
  point.merged_mean = fields.number("merged_mean", 0, kMost).value;
  point.tokens_per_block = tokensOf(fields);
  point.images_per_second = fields.number("images_per_second", 0, kMost).value;
  return point;
}

}  // namespace

const AccuracyPoint* AccuracyRecord::unmerged() const {
  const auto found = std::find_if(points.begin(), points.end(), [](const AccuracyPoint& point) {
    return point.method == "none";
  });
  return found == points.end() ? nullptr : &*found;
}

AccuracyRecord readAccuracyRecord(const std::filesystem::path& path) {
  const nlohmann::json json = readJson(path);
  const JsonFields fields =
      JsonFields::of(json, fmt::format("{}: not usable as measured accuracy", path.string()));
  AccuracyRecord record;
  record.model = requiredText(fields, "model");
  record.dataset = requiredText(fields, "dataset");
  record.images = fields.count("images", 1, kMostImages).required();
  record.skipped = fields.texts("skipped").valueOr({});
  record.device = fields.text("device").valueOr("");
  record.dtype = fields.text("dtype").valueOr("");
  record.command = fields.text("command").valueOr("");
  for (const JsonFields& point : fields.list("points")) {
    record.points.push_back(readPoint(point, record.images));
  }
  if (record.unmerged() == nullptr) {
    fields.fail("points", "hold none of the method none; the unmerged model must be among them");
  }
  return record;
}

}  // namespace adamerge
