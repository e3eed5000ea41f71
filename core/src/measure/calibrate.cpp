// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <optional>
#include <set>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/methods.h"
#include "measure/calibration_state.h"

namespace adamerge {
namespace {

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

class Calibration {
 public:
  Calibration(const Engine& engine, const BatchSource& images, std::size_t count,
              const CalibrationOptions& options, const ProgressCallback& progress,
              const std::stop_token& stop)
      : engine_(engine),
        images_(images),
        count_(count),
        options_(options),
        progress_(progress),
        stop_(stop),
        method_(findMethod(options.choice.method)),
        settings_(completeSettings(options.choice, engine.info().vit)) {
    statistics_.model = engine.info().name;
    statistics_.depth = engine.info().vit.depth;
    statistics_.passes = options.passes;
    statistics_.source = options.source;
    statistics_.created = today();
    statistics_.dtype = engine.dtype();
    statistics_.knob = method_.activeKnob(settings_)->key;
    for (const std::string& key : method_.statistics_settings) {
      if (const auto found = settings_.find(key); found != settings_.end()) {
        statistics_.settings[key] = found->second;
      }
    }
    state_.moments.assign(options.r_max.size(), Moments(statistics_.depth));
    if (options.state) {
      state_ = *options.state;
      statistics_.entries = state_.before;
    }
  }

  Statistics run() {
    if (options_.state) report();
    try {
      for (; state_.pass < options_.passes; ++state_.pass) {
        pass();
        finishPass();
      }
    } catch (const Cancelled&) {
      keep();
      throw;
    }
    return statistics_;
  }

 private:
  void pass() {
    const std::vector<PreparedMethod> prepared = prepare();
    const auto step = static_cast<std::size_t>(std::max(1, options_.batch));
    while (state_.done < count_) {
      const std::size_t next = std::min(step, count_ - state_.done);
      const std::vector<InputTensor> batch = images_(state_.done, next);
      std::vector<std::vector<ImageResult>> results;
      for (const PreparedMethod& method : prepared) {
        results.push_back(engine_.run(batch, method, {.trace = false}, stop_));
      }
      // All values of r_max or none, whenever it is stopped.
      for (std::size_t k = 0; k < results.size(); ++k) {
        for (const ImageResult& image : results[k]) {
          state_.moments[k].add(image);
          warn(image);
        }
      }
      state_.done += next;
      state_.images += static_cast<int>(batch.size());
      if (options_.keep && !unkept_) unkept_.emplace();
      const auto now = std::chrono::steady_clock::now();
      // The first time at once: a place where nothing can be kept should not show after hours.
      if (!kept_ || now - *kept_ >= std::chrono::duration<double>(options_.seconds_between_saves)) {
        keep();
      }
      report();
    }
  }

  std::vector<PreparedMethod> prepare() const {
    const auto before =
        state_.pass == 0 ? nullptr : std::make_shared<const Statistics>(statistics_);
    std::vector<PreparedMethod> prepared;
    for (const int r_max : options_.r_max) {
      MethodChoice choice = options_.choice;
      choice.settings[statistics_.knob] = std::int64_t{r_max};
      choice.statistics = before;
      choice.ignore_statistics = state_.pass == 0;
      prepared.push_back(engine_.prepare(choice, stop_));
    }
    return prepared;
  }

  void finishPass() {
    if (state_.images == 0) throw Error("no image could be read, so nothing was calibrated");
    statistics_.images = state_.images;
    statistics_.entries.clear();
    for (std::size_t k = 0; k < options_.r_max.size(); ++k) {
      if (state_.moments[k].empty()) {
        throw Error(
            fmt::format("with --{} {} no block measures redundancy, so there is nothing to "
                        "calibrate",
                        optionName(statistics_.knob), options_.r_max[k]));
      }
      statistics_.entries.push_back(state_.moments[k].entry(options_.r_max[k]));
    }
    if (state_.pass + 1 == options_.passes) return;
    state_.before = statistics_.entries;
    state_.done = 0;
    state_.images = 0;
    state_.moments.assign(options_.r_max.size(), Moments(statistics_.depth));
  }

  void warn(const ImageResult& image) {
    for (const std::string& warning : image.warnings) {
      if (options_.warn && warned_.insert(warning).second) options_.warn(warning);
    }
  }

  void report() const {
    if (!progress_) return;
    const auto count = static_cast<std::int64_t>(count_);
    progress_({"calibrating", count * state_.pass + static_cast<std::int64_t>(state_.done),
               count * options_.passes});
  }

  void keep() {
    kept_ = std::chrono::steady_clock::now();
    if (!options_.keep || (state_.pass == 0 && state_.done == 0)) return;
    options_.keep(state_);
    unkept_.reset();
  }

  const Engine& engine_;
  const BatchSource& images_;
  const std::size_t count_;
  const CalibrationOptions& options_;
  const ProgressCallback& progress_;
  const std::stop_token& stop_;
  const MethodInfo& method_;
  const Settings settings_;
  Statistics statistics_;
  CalibrationState state_;
  std::set<std::string> warned_;
  std::optional<std::chrono::steady_clock::time_point> kept_;
  std::optional<UnsavedWork> unkept_;  ///< since the last time
};

}  // namespace

Statistics calibrate(const Engine& engine, const BatchSource& images, std::size_t count,
                     const CalibrationOptions& options, const ProgressCallback& progress,
                     const std::stop_token& stop) {
  requireUsable(options);
  return Calibration(engine, images, count, options, progress, stop).run();
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

}  // namespace adamerge
