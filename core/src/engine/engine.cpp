// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <mutex>

#include "adamerge/benchmark.h"
#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "engine/device.h"
#include "engine/placed_model.h"
#include "engine/windows.h"
#include "kernels/parallel.h"
#include "model/load_model.h"
#include "model/model_config.h"

namespace adamerge {
namespace {

/// On which importance is measured for a model that has none.
constexpr std::size_t kSyntheticImages = 8;

/// "partition sequential instead of alternating, alpha 1 instead of 2"; empty where they agree.
std::string differences(const Statistics& statistics, const MethodInfo& method,
                        const Settings& settings, const VitConfig& vit) {
  std::string text;
  for (const std::string& key : method.statistics_settings) {
    if (settings.count(key) == 0) continue;  // of other networks
    const SettingInfo& info = *method.setting(key);
    const auto found = statistics.settings.find(key);
    const SettingValue fallback = defaultOf(info, vit);
    const SettingValue made =
        found == statistics.settings.end() ? fallback : checkedSetting(info, found->second);
    const SettingValue& wanted = settings.find(key)->second;
    if (made == wanted) continue;
    text += fmt::format("{}{} {} instead of {}", text.empty() ? "" : ", ", key, toText(made),
                        toText(wanted));
  }
  return text;
}

void requireSameModel(const Statistics& statistics, const ModelInfo& model, bool by_name) {
  if (statistics.depth != model.vit.depth) {
    throw Error(fmt::format(
        "the layer statistics are for a model of {} blocks; {} has {}: calibrate it anew",
        statistics.depth, model.name, model.vit.depth));
  }
  if (by_name && !statistics.model.empty() && statistics.model != model.name) {
    throw Error(
        fmt::format("the layer statistics are for the model '{}', this is '{}': calibrate it anew",
                    statistics.model, model.name));
  }
}

/// Counts and ratios cannot stand for each other.
void requireKnob(const Statistics& statistics, const CompressionKnob& knob,
                 const ModelInfo& model) {
  if (statistics.knob == knob.key) return;
  throw Error(fmt::format("the layer statistics are for --{}; {} has --{}: calibrate it anew",
                          optionName(statistics.knob), model.name, optionName(knob.key)));
}

/// Which statistics a method gets, and what the user should know about that.
struct ChosenStatistics {
  std::shared_ptr<const Statistics> statistics;
  std::string warning;
};

/// `settings` are complete.
ChosenStatistics chooseStatistics(const MethodChoice& choice, const MethodInfo& method,
                                  const Settings& settings, const ModelInfo& model,
                                  const std::shared_ptr<const Statistics>& own,
                                  const std::string& own_problem) {
  const CompressionKnob* knob = method.activeKnob(settings);
  if (knob == nullptr || !knob->uses_statistics || choice.ignore_statistics) return {};
  if (choice.statistics != nullptr) {
    requireSameModel(*choice.statistics, model, /*by_name=*/true);
    requireKnob(*choice.statistics, *knob, model);
    const std::string differ = differences(*choice.statistics, method, settings, model.vit);
    if (differ.empty()) return {choice.statistics, {}};
    return {choice.statistics, "the layer statistics were made under other settings (" + differ +
                                   "): redundancy lies elsewhere, so z and the counts may be off"};
  }
  if (own != nullptr && own->knob != knob->key)
    return {nullptr,
            fmt::format("the model's layer statistics are for --{}", optionName(own->knob))};
  if (own == nullptr) {
    return {nullptr, own_problem.empty() ? "the model has no layer statistics" : own_problem};
  }
  const std::string differ = differences(*own, method, settings, model.vit);
  if (differ.empty()) return {own, {}};
  return {nullptr, "the model's layer statistics were made under other settings (" + differ + ")"};
}

TokenPosition tokenPosition(const Settings& settings) {
  const auto position = settings.find("position");
  if (position == settings.end()) return TokenPosition::kCentroid;  // tokens have no places
  const std::string& name = std::get<std::string>(position->second);
  if (name == "destination") return TokenPosition::kDestination;
  return name == "mean-rotation" ? TokenPosition::kMeanRotation : TokenPosition::kCentroid;
}

Unmerge unmergeOf(const Settings& settings) {
  const auto unmerge = settings.find("unmerge");
  const bool averages =
      unmerge != settings.end() && std::get<std::string>(unmerge->second) == "average";
  return averages ? Unmerge::kAverage : Unmerge::kCopy;
}

bool usesRotatedKeys(const Settings& settings) {
  const auto keys = settings.find("metric_keys");
  return keys != settings.end() && std::get<std::string>(keys->second) == "rotated";
}

void requireUsableInput(const InputTensor& image, const VitConfig& vit) {
  const auto values = static_cast<std::size_t>(3) * image.height * image.width;
  if (image.height != vit.input_height || image.width != vit.input_width ||
      image.values.size() != values) {
    throw Error(fmt::format("the input has {} x {} pixels; the model takes {} x {}", image.width,
                            image.height, vit.input_width, vit.input_height));
  }
  if (!std::all_of(image.values.begin(), image.values.end(),
                   [](float v) { return std::isfinite(v); })) {
    throw Error("the input holds values that are not numbers (NaN or infinity)");
  }
}

/// fp16, bf16 and files with huge numbers overflow; nothing that is computed of it would be true.
void requireNumbers(const ImageResult& result, const std::string& model, std::string_view dtype) {
  const auto number = [](float value) { return std::isfinite(value); };
  if (std::all_of(result.logits.begin(), result.logits.end(), number) &&
      std::all_of(result.embedding.begin(), result.embedding.end(), number)) {
    return;
  }
  const bool wide = dtype == "float32" || dtype == "float64";
  throw Error(fmt::format(
      "{}: the output holds values that are not numbers (NaN or infinity) in {}; {}", model, dtype,
      wide ? "weights, or a file that changes them, hold numbers that are too large"
           : "--dtype float32 has a wider range"));
}

/// `device`: where they go from here.
at::Tensor stackInputs(std::span<const InputTensor> images, const VitConfig& vit,
                       const at::Device& device) {
  const auto options = at::TensorOptions(at::kFloat).pinned_memory(device.is_cuda());
  const at::Tensor batch = at::empty(
      {static_cast<std::int64_t>(images.size()), 3, vit.input_height, vit.input_width}, options);
  float* const values = batch.data_ptr<float>();
  forEachImage(images.size(), [&](std::size_t i) {
    const std::vector<float>& from = images[i].values;
    std::copy(from.begin(), from.end(), values + i * from.size());
  });
  return batch;
}

}  // namespace

PreparedMethod::PreparedMethod(std::shared_ptr<const State> state) : state_(std::move(state)) {}
const MethodChoice& PreparedMethod::choice() const { return state_->choice; }

struct Engine::State {
  /// `reload`: see PlacedModel; of use on a GPU only.
  State(const LoadedModel& loaded, const Placement& placement, PlacedModel::Reload reload)
      : info(loaded.info),
        model(loaded.info.vit, loaded.weights, placement.device, placement.dtype,
              placement.device.is_cpu() ? nullptr : std::move(reload)) {}

  ModelInfo info;
  PlacedModel model;
  const std::shared_ptr<const int> identity = std::make_shared<const int>();
  std::string statistics_problem;
  std::mutex mutex;                              ///< of what follows
  std::shared_ptr<const Statistics> statistics;  ///< replaced while runs go on
  bool statistics_set = false;                   ///< the problem is of no interest any more
  std::timed_mutex importance_mutex;             ///< held while it is measured
  std::shared_ptr<const Importance> importance;  ///< on synthetic images, once it was asked for

  /// Where files beside the weights lie; empty: there are no files.
  std::filesystem::path folder() const {
    std::error_code unknown;
    return std::filesystem::is_directory(info.source, unknown) ? info.source
                                                               : info.source.parent_path();
  }
};

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Engine Engine::load(const std::filesystem::path& path, const EngineOptions& options,
                    const ProgressCallback& progress, const std::stop_token& stop) {
  const Placement placement = placementFor(options);
  const LibTorchAside aside;  // hundreds of small conversions are not worth its threads
  const std::filesystem::path weights = findModelFiles(path).weights;
  std::error_code ignored;
  const auto written = std::filesystem::last_write_time(weights, ignored);
  const LoadOptions wanted_model{options.input_size, options.resampling, options.head,
                                 options.dense_head, options.weight_set};
  const auto reload = [=](const std::stop_token& wanted) {
    LoadedModel again = loadModel(path, wanted_model, {}, wanted);
    std::error_code code;
    if (std::filesystem::last_write_time(weights, code) != written) {
      throw Error(
          fmt::format("{} was changed since it was loaded, so the CPU cannot go on with it; "
                      "load the model again",
                      weights.string()));
    }
    return std::move(again.weights);
  };
  auto state =
      std::make_unique<State>(loadModel(path, wanted_model, progress, stop), placement, reload);
  const ModelInfo& info = state->info;

  if (const auto file = state->folder() / "stats.json"; std::filesystem::exists(file, ignored)) {
    try {
      auto statistics = std::make_shared<const Statistics>(readStatistics(file));
      requireSameModel(*statistics, info, /*by_name=*/false);
      state->statistics = std::move(statistics);
    } catch (const Error& error) {
      state->statistics_problem = error.what();
    }
  }
  return Engine(std::move(state));
}

Engine Engine::untrained(std::string_view architecture, const EngineOptions& options) {
  const Placement placement = placementFor(options);
  const auto make = [name = std::string(architecture), size = options.input_size] {
    return randomModel(name, size);
  };
  return Engine(std::make_unique<State>(
      make(), placement, [make](const std::stop_token& /*stop*/) { return make().weights; }));
}

const ModelInfo& Engine::info() const { return state_->info; }
std::string Engine::device() const { return deviceId(state_->model.device()); }
std::string Engine::dtype() const { return dtypeName(state_->model.dtype()); }
std::shared_ptr<const Statistics> Engine::statistics() const {
  const std::lock_guard lock(state_->mutex);
  return state_->statistics;
}
const std::string& Engine::statisticsProblem() const {
  static const std::string none;
  const std::lock_guard lock(state_->mutex);
  return state_->statistics_set ? none : state_->statistics_problem;
}
void Engine::setStatistics(std::shared_ptr<const Statistics> statistics) {
  if (statistics) requireSameModel(*statistics, state_->info, /*by_name=*/true);
  const std::lock_guard lock(state_->mutex);
  state_->statistics = std::move(statistics);
  state_->statistics_set = true;
}

std::shared_ptr<const Importance> Engine::syntheticImportance(const std::stop_token& stop) const {
  // Another thread may be measuring it, for long.
  const auto lock = lockUnlessStopped(state_->importance_mutex, stop);
  std::shared_ptr<const Importance>& importance = state_->importance;
  if (importance == nullptr) {
    const std::vector<InputTensor> images =
        syntheticImages(state_->info.vit, kSyntheticImages, /*seed=*/0);
    const auto batch = [&](std::size_t first, std::size_t count) {
      const auto begin = images.begin() + static_cast<std::ptrdiff_t>(first);
      return std::vector(begin, begin + static_cast<std::ptrdiff_t>(count));
    };
    importance = std::make_shared<const Importance>(
        measureImportance(*this, batch, images.size(), {}, stop));
  }
  return importance;
}

PreparedMethod Engine::prepare(const MethodChoice& choice, const std::stop_token& stop) const {
  const StopWithin within(stop);
  const ModelInfo& model = state_->info;
  const MethodEntry& entry = findMethodEntry(choice.method);
  auto prepared = std::make_shared<PreparedMethod::State>();
  prepared->choice = choice;
  prepared->choice.settings = completeSettings(choice, model.vit);
  requireSettingsSuit(choice, model.vit, model.name);
  prepared->engine = state_->identity;
  const Settings& settings = prepared->choice.settings;
  const ChosenStatistics chosen =
      chooseStatistics(choice, entry.info, settings, model, statistics(), statisticsProblem());
  prepared->position = tokenPosition(settings);
  prepared->rotated_keys = usesRotatedKeys(settings);
  prepared->unmerge = unmergeOf(settings);
  prepared->method =
      entry.make(settings, {model.vit, chosen.statistics.get(), model.name, state_->folder(),
                            [this, &stop] { return syntheticImportance(stop); }});
  if (std::string warning = prepared->method->warning(); !warning.empty()) {
    prepared->warnings.push_back(std::move(warning));
  }
  if (std::string warning = otherTokensWarning(choice.schedule_tokens, model.vit);
      !warning.empty()) {
    prepared->warnings.push_back(std::move(warning));
  }
  if (!prepared->method->calibrated() && !choice.ignore_statistics) {
    prepared->warnings.push_back(fmt::format(
        "uncalibrated: {}; {} until you run 'adamerge calibrate' under these settings",
        chosen.warning,
        fmt::format(fmt::runtime(entry.info.uncalibrated), entry.info.activeKnob(settings)->key)));
  } else if (chosen.statistics && !chosen.warning.empty()) {
    prepared->warnings.push_back(chosen.warning);
  }
  return PreparedMethod(std::move(prepared));
}

std::vector<ImageResult> Engine::run(std::span<const InputTensor> images,
                                     const MethodChoice& choice, const RunOptions& options,
                                     const std::stop_token& stop) const {
  return run(images, prepare(choice, stop), options, stop);
}

std::vector<ImageResult> Engine::run(std::span<const InputTensor> images,
                                     const PreparedMethod& prepared, const RunOptions& options,
                                     const std::stop_token& stop) const {
  const VitConfig& vit = state_->info.vit;
  const PreparedMethod::State& method = prepared.state();
  if (method.engine != state_->identity) {
    throw Error(fmt::format("the method '{}' was prepared for another model than {}",
                            method.choice.method, state_->info.name));
  }
  if (images.empty()) return {};
  forEachImage(images.size(), [&](std::size_t i) { requireUsableInput(images[i], vit); });

  const auto stack = [&](std::int64_t first, std::int64_t count) {
    return stackInputs(
        images.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)), vit,
        state_->model.device());
  };
  VisionTransformer::Options how;
  how.trace = options.trace;
  how.patch_map = options.trace || options.features || options.record;
  how.classes = options.features || options.record;
  how.unmerge = method.unmerge;
  how.record = options.record;
  std::vector<InputPlace> places;
  for (const InputTensor& image : images) {
    places.push_back({image.height, image.width, vit.patch_size, image.picture});
    method.method->requireSuits(places.back());
  }
  how.places = places;
  how.position = method.position;
  how.rotated_keys = method.rotated_keys;
  PlacedModel::Output output;
  try {
    output = state_->model.forward(static_cast<std::int64_t>(images.size()), stack, *method.method,
                                   method.adapted, how, stop);
  } catch (const FaultyPlan& fault) {
    throw Error(fmt::format("the method '{}' made a plan that cannot be carried out: {}",
                            method.choice.method, fault.what()));
  }

  std::vector<ImageResult> results(images.size());
  const at::Tensor logits = output.logits.contiguous();
  const at::Tensor embedding = output.embedding.contiguous();
  for (std::size_t i = 0; i < results.size(); ++i) {
    ImageResult& result = results[i];
    const float* row = logits.data_ptr<float>() + static_cast<std::int64_t>(i) * logits.size(1);
    result.logits.assign(row, row + logits.size(1));
    const float* own =
        embedding.data_ptr<float>() + static_cast<std::int64_t>(i) * embedding.size(1);
    result.embedding.assign(own, own + embedding.size(1));
    requireNumbers(result, state_->info.name, dtype());
    if (options.features) {
      const at::Tensor tokens = output.features[i].to(at::kCPU, at::kFloat).contiguous();
      const auto* values = tokens.data_ptr<float>();
      result.features.assign(values, values + tokens.numel());
      result.patch_tokens = output.images[i].patchTokens();
      result.in_picture = patchesWithin(pictureWithin(images[i].picture, vit), vit);
    }
    if (!output.classes.empty()) result.classes = output.classes[i];
    if (options.features && !output.fields.empty()) {
      const at::Tensor field = output.fields[i].to(at::kCPU, at::kFloat).contiguous();
      const auto* values = field.data_ptr<float>();
      result.field.assign(values, values + field.numel());
    }
    if (options.record) result.recording = output.recordings[i];
    result.flops = countFlops(vit, output.images[i].work());
    result.layers = output.images[i].takeLayers();
    result.calibrated = method.method->calibrated();
    result.warnings = method.warnings;
    if (!output.warning.empty()) result.warnings.push_back(output.warning);
  }
  return results;
}

}  // namespace adamerge
