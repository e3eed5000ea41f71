// SPDX-License-Identifier: GPL-3.0-or-later
// Which model, from where, on what device.
#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>

#include "adamerge/files.h"
#include "adamerge/model_info.h"
#include "options.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

/// The default, and the one for slow machines.
constexpr std::array<const char*, 2> kBundledModels = {"vit-small-cifar10", "vit-tiny-cifar10"};
constexpr int kMostThreads = 4096;
const std::vector<std::string> kDtypes = {"auto",    "float32", "bfloat16",
                                          "float16", "int8",    "float64"};

InputSize parseInputSize(const std::string& text) {
  InputSize size;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, size.height);
  size.width = size.height;
  if (error == std::errc() && rest != end && *rest == 'x') {
    std::tie(rest, error) = [&] {
      const auto result = std::from_chars(rest + 1, end, size.width);
      return std::pair(result.ptr, result.ec);
    }();
  }
  if (error != std::errc() || rest != end || size.height <= 0 || size.width <= 0) {
    throw UsageError(
        fmt::format("--input-size takes pixels as 224 or HEIGHTxWIDTH, not '{}'", text));
  }
  return size;
}

Resampling parseResampling(const std::string& name) {
  const auto& names = kResamplingNames;
  return static_cast<Resampling>(std::find(names.begin(), names.end(), name) - names.begin());
}

/// What this code is in: the program, or the library that Python loaded.
std::filesystem::path ownFile() {
  Dl_info info{};
  void* entry = nullptr;
  if (::dladdr1(&kBundledModels, &info, &entry, RTLD_DL_LINKMAP) != 0) {
    const std::string_view library = static_cast<const link_map*>(entry)->l_name;
    if (!library.empty()) return absolutePath(library);
  }
  std::error_code code;
  return std::filesystem::read_symlink("/proc/self/exe", code);
}

std::filesystem::path bundledModel(const std::string& name) { return bundled("models/" + name); }

/// The model called so that comes with the program; a file or folder of that name goes before it.
std::optional<std::filesystem::path> findBundledModel(const std::string& name) {
  std::error_code code;
  if (std::find(kBundledModels.begin(), kBundledModels.end(), name) == kBundledModels.end() ||
      std::filesystem::exists(name, code)) {
    return std::nullopt;
  }
  return bundledModel(name);
}

std::filesystem::path fetch(const hub::ModelName& name, const hub::Settings& settings,
                            Terminal& terminal, const std::stop_token& stop) {
  const hub::Plan plan = hub::plan(name, settings, stop);
  if (plan.missing > 0) {
    terminal.note(fmt::format("fetching {} ({:.1f} MB) from {} into {}", name.text(),
                              static_cast<double>(plan.missing) / 1e6, settings.endpoint,
                              settings.cache.string()));
  }
  return hub::fetch(plan, settings, terminal.callback(), stop);
}

}  // namespace

std::filesystem::path bundled(const std::string& relative) {
  namespace fs = std::filesystem;
  std::error_code code;
  const fs::path file = ownFile();
  for (fs::path folder = file.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    const fs::path found = fs::canonical(folder / "share/adamerge-studio" / relative, code);
    if (!code) return found;
  }
  const fs::path root = (file.parent_path() / "../share/adamerge-studio").lexically_normal();
  throw Error(fmt::format("{}: this part of the program is missing (looked in {})", relative,
                          root.string()));
}

std::vector<std::filesystem::path> bundledModels() {
  std::vector<std::filesystem::path> folders;
  for (const char* name : kBundledModels) {
    try {
      folders.push_back(bundledModel(name));
    } catch (const Error&) {
      // defaultModel() says so where it matters.
    }
  }
  return folders;
}

DefaultModel defaultModel() {
  const auto [usual, smaller] = kBundledModels;
  try {
    const std::filesystem::path folder = bundledModel(usual);
    describeModel(folder);
    return {folder, {}};
  } catch (const Error& error) {
    return {bundledModel(smaller),
            fmt::format("{}; the smaller {} is used instead", error.what(), smaller)};
  }
}

std::filesystem::path obtainModel(const hub::ModelName& name, Terminal& terminal,
                                  const std::stop_token& stop) {
  const hub::Settings settings = hub::settingsFromEnvironment();
  const hub::Cached cached = hub::findInCache(name, settings);
  return cached.missing.empty() ? cached.folder : fetch(name, settings, terminal, stop);
}

std::filesystem::path refreshModel(const hub::ModelName& name, Terminal& terminal,
                                   const std::stop_token& stop) {
  return fetch(name, hub::settingsFromEnvironment(), terminal, stop);
}

void EngineChoice::addTo(CLI::App& command) {
  const std::string group = "Model and device";
  takesText(*command
                 .add_option(
                     "--model", model_,
                     "A model folder or a .safetensors, .pth, .pt or .bin file, as timm, "
                     "transformers, open_clip, OpenAI, Meta or FAIR publish it, or a model of the "
                     "hub as OWNER/NAME[@REVISION], or one that comes with the program: "
                     "vit-small-cifar10 (the default) or vit-tiny-cifar10")
                 ->group(group),
            "MODEL");
  command
      .add_option("--input-size", input_size_,
                  "Run at another input size, as 224 or HEIGHTxWIDTH; the position embedding is "
                  "resampled")
      ->type_name("PIXELS")
      ->group(group);
  takesText(*command
                 .add_option("--head", head_,
                             "A safetensors file with a classifier or a table of text embeddings "
                             "(weight, bias, logit_scale) instead of the model's own classifier")
                 ->group(group),
            "FILE");
  takesText(*command
                 .add_option("--dense-head", dense_head_,
                             "A linear classifier of patches (safetensors: weight, bias, bn.*; or "
                             "mmseg's .pth) whose class maps are told and compared with the "
                             "unmerged model's")
                 ->group(group),
            "FILE");
  takesText(
      *command
           .add_option("--weight-set", weight_set_,
                       "Which of several sets of weights in one file, by its key or prefix, as "
                       "state_dict or student (default: averaged weights before others)")
           ->group(group),
      "NAME");
  takesOneOf(*command
                  .add_option("--resample-positions", resampling_,
                              fmt::format("How a position table is brought to another grid: {} "
                                          "(default: as the weights' own library does)",
                                          fmt::join(kResamplingNames, ", ")))
                  ->group(group),
             {kResamplingNames.begin(), kResamplingNames.end()});
  takesDevice(*command.add_option("--device", device_, "auto, cpu, cuda or cuda:N (default auto)")
                   ->group(group));
  takesOneOf(*command
                  .add_option("--dtype", dtype_,
                              fmt::format("{} (default auto: the fastest that the device has "
                                          "arithmetic for)",
                                          fmt::join(kDtypes, ", ")))
                  ->group(group),
             kDtypes);
  takesWholeNumber(
      *command.add_option("--threads", threads_, "CPU threads (default: all cores)")->group(group),
      1, kMostThreads);
  takesWholeNumber(
      *command.add_option("--seed", seed_, "For what is drawn at random (default 0)")->group(group),
      0);
  command.add_flag("--quiet", quiet_, "No progress bar, no warnings")->group(group);
}

std::filesystem::path EngineChoice::model(Terminal& terminal, const std::stop_token& stop) const {
  if (model_.empty()) {
    const DefaultModel found = defaultModel();
    if (!found.warning.empty()) terminal.warn(found.warning);
    return found.folder;
  }
  if (const auto own = findBundledModel(model_)) return *own;
  if (const auto name = hub::parseName(model_)) return obtainModel(*name, terminal, stop);
  return model_;
}

EngineOptions EngineChoice::options() const {
  EngineOptions options;
  options.device = device_;
  options.dtype = dtype_;
  options.threads = threads_;
  if (!input_size_.empty()) options.input_size = parseInputSize(input_size_);
  if (!resampling_.empty()) options.resampling = parseResampling(resampling_);
  options.head = head_;
  options.dense_head = dense_head_;
  options.weight_set = weight_set_;
  return options;
}

int EngineChoice::threads(std::optional<int> cores) const {
  if (threads_ > 0) return threads_;
  return cores.value_or(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
}

Engine EngineChoice::load(Terminal& terminal, const std::stop_token& stop,
                          std::optional<int> threads) const {
  EngineOptions chosen = options();
  if (threads) chosen.threads = *threads;
  Engine engine = Engine::load(model(terminal, stop), chosen, terminal.callback(), stop);
  if (!engine.statisticsProblem().empty()) terminal.warn(engine.statisticsProblem());
  return engine;
}

}  // namespace adamerge::cli
