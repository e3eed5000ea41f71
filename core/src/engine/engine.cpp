// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/engine.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <mutex>
#include <thread>

#include "adamerge/error.h"
#include "engine/device.h"
#include "engine/kernels/parallel.h"
#include "engine/memory_fallback.h"
#include "merging/method.h"
#include "model/load_model.h"
#include "model/model_files.h"
#include "model/random_model.h"

namespace adamerge {
namespace {

/// "partition sequential instead of alternating, alpha 1 instead of 2"; empty where they agree.
std::string differences(const Statistics& statistics, const MethodInfo& method,
                        const Settings& settings) {
  std::string text;
  for (const std::string& key : method.statistics_settings) {
    const SettingInfo& info = *method.setting(key);
    const auto found = statistics.settings.find(key);
    const SettingValue made =
        found == statistics.settings.end() ? info.fallback : checkedSetting(info, found->second);
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

/// Which statistics a run uses, and what the user should know about that.
struct ChosenStatistics {
  std::shared_ptr<const Statistics> statistics;
  std::string warning;
};

ChosenStatistics chooseStatistics(const MethodChoice& choice, const Settings& settings,
                                  const ModelInfo& model,
                                  const std::shared_ptr<const Statistics>& own,
                                  const std::string& own_problem) {
  if (!usesStatistics(choice) || choice.ignore_statistics) return {};
  const MethodInfo& method = findMethod(choice.method);
  if (choice.statistics != nullptr) {
    requireSameModel(*choice.statistics, model, /*by_name=*/true);
    const std::string differ = differences(*choice.statistics, method, settings);
    if (differ.empty()) return {choice.statistics, {}};
    return {choice.statistics, "the layer statistics were made under other settings (" + differ +
                                   "): redundancy lies elsewhere, so z and the counts may be off"};
  }
  if (own == nullptr) {
    return {nullptr, own_problem.empty() ? "the model has no layer statistics" : own_problem};
  }
  const std::string differ = differences(*own, method, settings);
  if (differ.empty()) return {own, {}};
  return {nullptr, "the model's layer statistics were made under other settings (" + differ + ")"};
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

/// work(i) for each image, several at once: a GPU takes as long for an image as one core for this.
void forEachImage(std::span<const InputTensor> images,
                  const std::function<void(std::size_t)>& work) {
  parallelFor(static_cast<std::int64_t>(images.size()), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) work(static_cast<std::size_t>(i));
  });
}

/// `device`: where they go from here.
at::Tensor stackInputs(std::span<const InputTensor> images, const VitConfig& vit,
                       const at::Device& device) {
  const auto options = at::TensorOptions(at::kFloat).pinned_memory(device.is_cuda());
  const at::Tensor batch = at::empty(
      {static_cast<std::int64_t>(images.size()), 3, vit.input_height, vit.input_width}, options);
  float* const values = batch.data_ptr<float>();
  forEachImage(images, [&](std::size_t i) {
    const std::vector<float>& from = images[i].values;
    std::copy(from.begin(), from.end(), values + i * from.size());
  });
  return batch;
}

struct Placement {
  at::Device device;
  at::ScalarType dtype;
};

/// What every engine needs before its weights.
Placement prepare(const EngineOptions& options) {
  prepareBackends();
  const at::Device device = parseDevice(options.device);
  const at::ScalarType dtype = parseDtype(options.dtype, device);
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (options.threads < 0 || options.threads > 4096) {
    throw Error(fmt::format("--threads takes 0 (all cores) to 4096, not {}", options.threads));
  }
  at::set_num_threads(options.threads > 0 ? options.threads : cores);
  return {device, dtype};
}

}  // namespace

struct Engine::State {
  /// `reload`: see MemoryFallback; of use on a GPU only.
  State(const LoadedModel& model, const Placement& placement, MemoryFallback::Reload reload)
      : info(model.info),
        vit(model.info.vit, model.weights, placement.device, placement.dtype,
            placement.device.is_cpu() ? nullptr : std::move(reload)) {}

  ModelInfo info;
  MemoryFallback vit;
  std::string statistics_problem;
  std::mutex mutex;                              ///< of what follows
  std::shared_ptr<const Statistics> statistics;  ///< replaced while runs go on
  bool statistics_set = false;                   ///< the problem is of no interest any more
};

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Engine Engine::load(const std::filesystem::path& path, const EngineOptions& options,
                    const ProgressCallback& progress, const std::stop_token& stop) {
  const Placement placement = prepare(options);
  const LibTorchAside aside;  // hundreds of small conversions are not worth its threads
  const std::filesystem::path weights = findModelFiles(path).weights;
  std::error_code ignored;
  const auto written = std::filesystem::last_write_time(weights, ignored);
  const auto reload = [=, size = options.input_size](const std::stop_token& wanted) {
    LoadedModel again = loadModel(path, size, {}, wanted);
    std::error_code code;
    if (std::filesystem::last_write_time(weights, code) != written) {
      throw Error(
          fmt::format("{} was changed since it was loaded, so the CPU cannot go on with it; "
                      "load the model again",
                      weights.string()));
    }
    return std::move(again.weights);
  };
  auto state = std::make_unique<State>(loadModel(path, options.input_size, progress, stop),
                                       placement, reload);
  const ModelInfo& info = state->info;

  const std::filesystem::path folder =
      std::filesystem::is_directory(path) ? path : path.parent_path();
  if (const auto file = folder / "stats.json"; std::filesystem::exists(file)) {
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
  const Placement placement = prepare(options);
  const auto make = [name = std::string(architecture), size = options.input_size] {
    return randomModel(name, size);
  };
  return Engine(std::make_unique<State>(
      make(), placement, [make](const std::stop_token& /*stop*/) { return make().weights; }));
}

const ModelInfo& Engine::info() const { return state_->info; }
std::string Engine::device() const { return deviceId(state_->vit.device()); }
std::string Engine::dtype() const { return dtypeName(state_->vit.dtype()); }
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

std::vector<ImageResult> Engine::run(std::span<const InputTensor> images,
                                     const MethodChoice& choice, const RunOptions& options,
                                     const std::stop_token& stop) const {
  const VitConfig& vit = state_->info.vit;
  const Settings settings = completeSettings(choice);
  const ChosenStatistics chosen =
      chooseStatistics(choice, settings, state_->info, statistics(), statisticsProblem());
  const auto method =
      findMethodEntry(choice.method).make(settings, MethodContext{vit, chosen.statistics.get()});
  if (images.empty()) return {};
  forEachImage(images, [&](std::size_t i) { requireUsableInput(images[i], vit); });

  const auto stack = [&](std::int64_t first, std::int64_t count) {
    return stackInputs(
        images.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)), vit,
        state_->vit.device());
  };
  MemoryFallback::Output output = state_->vit.forward(static_cast<std::int64_t>(images.size()),
                                                      stack, *method, options.trace, stop);

  std::vector<ImageResult> results(images.size());
  const at::Tensor logits = output.logits.contiguous();
  for (std::size_t i = 0; i < results.size(); ++i) {
    ImageResult& result = results[i];
    const float* row = logits.data_ptr<float>() + static_cast<std::int64_t>(i) * logits.size(1);
    result.logits.assign(row, row + logits.size(1));
    result.flops = countFlops(vit, output.images[i].work());
    result.layers = output.images[i].takeLayers();
    result.calibrated = std::none_of(result.layers.begin(), result.layers.end(),
                                     [](const LayerTrace& l) { return l.z && !l.mu; });
    if (!result.calibrated && !choice.ignore_statistics) {
      result.warnings.push_back("uncalibrated: " + chosen.warning +
                                "; every block merges half of r_max until you run 'adamerge "
                                "calibrate' under these settings");
    } else if (chosen.statistics && !chosen.warning.empty()) {
      result.warnings.push_back(chosen.warning);
    }
    if (!output.warning.empty()) result.warnings.push_back(output.warning);
  }
  return results;
}

}  // namespace adamerge
