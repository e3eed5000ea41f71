// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <ctime>
#include <numeric>
#include <set>

#include "adamerge/error.h"
#include "adamerge/methods.h"
#include "engine/placed_model.h"

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

/// Images at once.
constexpr std::size_t kImportanceBatch = 8;

/// Changes nothing, and tells of every patch the attention that it receives.
class ReceivedAttention final : public ImageMethod {
 public:
  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }
  WantedStatistics wanted(int /*block*/) const override { return {.received = true}; }
  MergePlan plan(const LayerTokens& layer) const override {
    const at::Tensor mean = layer.attention->received.to(at::kDouble)
                                .mean(0)
                                .narrow(0, layer.prefix, layer.patchCount())
                                .to(at::kFloat)
                                .contiguous();
    MergePlan plan;
    plan.details.score.assign(mean.data_ptr<float>(), mean.data_ptr<float>() + mean.numel());
    return plan;
  }
};

/// As Engine::prepare() makes it for a method of the registry.
PreparedMethod measuring(const Engine& engine) {
  const PreparedMethod unmerged = engine.prepare({});
  auto state = std::make_shared<PreparedMethod::State>();
  state->choice = unmerged.choice();
  state->engine = unmerged.state().engine;
  state->method = std::make_unique<ReceivedAttention>();
  return PreparedMethod(std::move(state));
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

bool usesImportance(const MethodChoice& choice) {
  return findMethod(choice.method).setting("importance") != nullptr;
}

Importance measureImportance(const Engine& engine, const BatchSource& images, std::size_t count,
                             const ProgressCallback& progress, const std::stop_token& stop) {
  const VitConfig& vit = engine.info().vit;
  Importance importance;
  importance.model = engine.info().name;
  importance.depth = vit.depth;
  importance.blocks.resize(static_cast<std::size_t>(vit.depth));
  std::iota(importance.blocks.begin(), importance.blocks.end(), 0);
  importance.kind = "received";
  importance.scores.assign(importance.blocks.size(),
                           std::vector<double>(static_cast<std::size_t>(vit.patchTokens()), 0.0));
  const PreparedMethod method = measuring(engine);
  for (std::size_t first = 0; first < count; first += kImportanceBatch) {
    const std::vector<InputTensor> batch = images(first, std::min(kImportanceBatch, count - first));
    for (const ImageResult& image : engine.run(batch, method, {.trace = true}, stop)) {
      ++importance.images;
      for (std::size_t block = 0; block < image.layers.size(); ++block) {
        const std::vector<float>& received = image.layers[block].details.score;
        std::vector<double>& sums = importance.scores[block];
        for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += received[j];
      }
    }
    if (progress) {
      progress({"measuring importance",
                static_cast<std::int64_t>(std::min(first + kImportanceBatch, count)),
                static_cast<std::int64_t>(count)});
    }
  }
  if (importance.images == 0) throw Error("no image could be read, so nothing was measured");
  for (std::vector<double>& sums : importance.scores) {
    for (double& sum : sums) sum /= importance.images;
  }
  return importance;
}

}  // namespace adamerge
