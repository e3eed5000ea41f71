// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <ctime>
#include <set>

#include "adamerge/error.h"
#include "adamerge/methods.h"
#include "support/files.h"
#include "support/json.h"

namespace adamerge {
namespace {

/// Running mean and population variance (Welford), one pair per block.
class Moments {
 public:
  explicit Moments(int depth) : mean_(depth, 0.0), squares_(depth, 0.0), counts_(depth, 0) {}

  void add(const ImageResult& image) {
    for (std::size_t block = 0; block < mean_.size(); ++block) {
      // A block with fewer than two patch tokens has no redundancy.
      if (!image.layers[block].redundancy) continue;
      const double value = *image.layers[block].redundancy;
      const double difference = value - mean_[block];
      mean_[block] += difference / ++counts_[block];
      squares_[block] += difference * (value - mean_[block]);
    }
  }

  bool empty() const {
    return std::all_of(counts_.begin(), counts_.end(), [](std::int64_t n) { return n == 0; });
  }

  StatisticsEntry entry(int r_max) const {
    StatisticsEntry entry{r_max, mean_, {}};
    for (std::size_t block = 0; block < mean_.size(); ++block) {
      entry.sigma.push_back(counts_[block] > 0 ? std::sqrt(squares_[block] / counts_[block]) : 0.0);
    }
    return entry;
  }

 private:
  std::vector<double> mean_;
  std::vector<double> squares_;
  std::vector<std::int64_t> counts_;
};

std::string today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{:04}-{:02}-{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

void requireUsable(const CalibrationOptions& options) {
  if (options.passes < 1 || options.passes > 100) {
    throw Error(fmt::format("--passes takes 1 to 100, not {}", options.passes));
  }
  const bool ascending = std::adjacent_find(options.r_max.begin(), options.r_max.end(),
                                            std::greater_equal<>()) == options.r_max.end();
  if (options.r_max.empty() || !ascending) {
    throw Error("--r-max takes at least one value, ascending");
  }
  requireStatistics(options.choice);
}

constexpr std::size_t kBatch = 8;

SchedulePoint measure(const Engine& engine, std::span<const InputTensor> images,
                      MethodChoice choice, const std::string& key, int value,
                      const std::stop_token& stop) {
  choice.settings[key] = std::int64_t{value};
  const PreparedMethod method = engine.prepare(choice, stop);
  SchedulePoint point;
  point.key = key;
  point.value = value;
  point.images = images.size();
  point.unmerged = unmergedFlops(engine.info().vit).paper;
  point.tokens_per_block.assign(static_cast<std::size_t>(engine.info().vit.depth), 0.0);
  const double share = 1.0 / static_cast<double>(images.size());
  for (std::size_t first = 0; first < images.size(); first += kBatch) {
    const auto batch = images.subspan(first, std::min(kBatch, images.size() - first));
    for (const ImageResult& image : engine.run(batch, method, {.trace = false}, stop)) {
      point.flops.paper += share * image.flops.paper;
      point.flops.total += share * image.flops.total;
      point.calibrated = point.calibrated && image.calibrated;
      for (std::size_t block = 0; block < image.layers.size(); ++block) {
        const LayerTrace& layer = image.layers[block];
        point.tokens_per_block[block] +=
            share * (engine.info().vit.restores() ? layer.tokens_inside : layer.tokens_in);
      }
    }
  }
  return point;
}

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

Statistics calibrate(const Engine& engine, const BatchSource& images, std::size_t count,
                     const CalibrationOptions& options, const ProgressCallback& progress,
                     const std::stop_token& stop) {
  requireUsable(options);
  const int depth = engine.info().vit.depth;
  Statistics statistics;
  statistics.model = engine.info().name;
  statistics.depth = depth;
  statistics.passes = options.passes;
  statistics.source = options.source;
  statistics.created = today();
  statistics.dtype = engine.dtype();
  const VitConfig& vit = engine.info().vit;
  const MethodInfo& method = findMethod(options.choice.method);
  const Settings complete = completeSettings(options.choice, vit);
  statistics.knob = method.activeKnob(complete)->key;
  for (const std::string& key : method.statistics_settings) {
    if (const auto found = complete.find(key); found != complete.end()) {
      statistics.settings[key] = found->second;
    }
  }

  const auto total = static_cast<std::int64_t>(count) * options.passes;
  std::set<std::string> warned;
  for (int pass = 0; pass < options.passes; ++pass) {
    const auto previous = pass == 0 ? nullptr : std::make_shared<const Statistics>(statistics);
    std::vector<Moments> moments(options.r_max.size(), Moments(depth));
    std::vector<PreparedMethod> prepared;
    for (const int r_max : options.r_max) {
      MethodChoice choice = options.choice;
      choice.settings[statistics.knob] = std::int64_t{r_max};
      choice.statistics = previous;
      choice.ignore_statistics = pass == 0;
      prepared.push_back(engine.prepare(choice, stop));
    }
    statistics.images = 0;
    const auto step = static_cast<std::size_t>(std::max(1, options.batch));
    for (std::size_t first = 0; first < count; first += step) {
      const std::vector<InputTensor> batch = images(first, std::min(step, count - first));
      statistics.images += static_cast<int>(batch.size());
      for (std::size_t k = 0; k < options.r_max.size(); ++k) {
        for (const ImageResult& image : engine.run(batch, prepared[k], {.trace = false}, stop)) {
          moments[k].add(image);
          for (const std::string& warning : image.warnings) {
            if (options.warn && warned.insert(warning).second) options.warn(warning);
          }
        }
      }
      if (progress) {
        progress({"calibrating",
                  static_cast<std::int64_t>(count) * pass +
                      static_cast<std::int64_t>(std::min(first + step, count)),
                  total});
      }
    }
    if (statistics.images == 0) throw Error("no image could be read, so nothing was calibrated");
    statistics.entries.clear();
    for (std::size_t k = 0; k < options.r_max.size(); ++k) {
      if (moments[k].empty()) {
        throw Error(
            fmt::format("with --{} {} no block measures redundancy, so there is nothing to "
                        "calibrate",
                        optionName(statistics.knob), options.r_max[k]));
      }
      statistics.entries.push_back(moments[k].entry(options.r_max[k]));
    }
  }
  return statistics;
}

SchedulePoint matchFlops(const Engine& engine, std::span<const InputTensor> images,
                         const MethodChoice& wanted, double target,
                         const ProgressCallback& progress, const std::stop_token& stop) {
  MethodChoice choice = wanted;  // a network's own settings tell its knob
  if (engine.info().vit.restores()) {
    requireSettingsSuit(wanted, engine.info().vit, engine.info().name);
    choice.settings = completeSettings(wanted, engine.info().vit);
  }
  const CompressionKnob* knob = compressionKnob(choice);
  if (knob == nullptr) {
    throw Error(fmt::format(
        "the method '{}' has no count to choose under these settings: its FLOPs are fixed",
        choice.method));
  }
  if (!(target > 0) || !std::isfinite(target)) {
    throw Error(fmt::format("--flops takes a positive number of G, not {}", target));
  }
  if (images.empty()) throw Error("no image to measure FLOPs on");
  if (!usesStatistics(choice) && !knob->varies) images = images.first(1);

  const KnobRange range = knobRange(choice, engine.info().vit);
  int low = 0;
  int high = range.steps();
  const int total = std::bit_width(static_cast<unsigned>(high)) + 2;
  int done = 0;
  const auto at = [&](int step) {
    SchedulePoint point = measure(engine, images, choice, knob->key, range.at(step), stop);
    if (progress) progress({"matching FLOPs", std::min(++done, total), total});
    return point;
  };
  SchedulePoint below = at(low);
  SchedulePoint above = at(high);
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    SchedulePoint point = at(middle);
    if (point.flops.paper >= target) {
      low = middle;
      below = std::move(point);
    } else {
      high = middle;
      above = std::move(point);
    }
  }
  return std::abs(below.flops.paper - target) <= std::abs(above.flops.paper - target) ? below
                                                                                      : above;
}

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
