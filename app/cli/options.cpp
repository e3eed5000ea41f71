// SPDX-License-Identifier: GPL-3.0-or-later
#include "options.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <sstream>
#include <thread>

#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "hub_model.h"
#include "support/text.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

/// The default, and the one for slow machines.
constexpr std::array<const char*, 2> kBundledModels = {"vit-small-cifar10", "vit-tiny-cifar10"};
constexpr int kMostThreads = 4096;
const std::vector<std::string> kDtypes = {"auto", "float32", "bfloat16", "float16", "float64"};

/// "[adamerge, tome] Adds log(size) ... (default on)"; one such sentence for each meaning of the
/// key.
std::string settingHelp(const std::string& key) {
  struct Meaning {
    std::string help;
    std::vector<std::string> users;
    std::vector<std::string> defaults;
  };
  std::vector<Meaning> meanings;
  for (const MethodInfo& method : methods()) {
    const SettingInfo* setting = method.setting(key);
    if (setting == nullptr) continue;
    std::string help = setting->help;
    if (!setting->choices.empty()) {
      help += fmt::format(" One of {}.", fmt::join(setting->choices, ", "));
    }
    if (isSchedule(*setting)) {
      help +=
          " Or the file of a schedule that the studio saved; of several, as DiffRate's "
          "compression_rate.json has them, FILE#NAME.";
    }
    auto meaning = std::find_if(meanings.begin(), meanings.end(),
                                [&](const Meaning& other) { return other.help == help; });
    if (meaning == meanings.end()) meaning = meanings.insert(meanings.end(), {help, {}, {}});
    meaning->users.push_back(method.id);
    const std::string fallback =
        setting->fallback_text.empty() ? toText(setting->fallback) : setting->fallback_text;
    meaning->defaults.push_back(fallback.empty() ? "none" : fallback);
  }
  std::vector<std::string> sentences;
  for (const Meaning& meaning : meanings) {
    const std::vector<std::string>& defaults = meaning.defaults;
    const bool same = std::all_of(defaults.begin(), defaults.end(),
                                  [&](const std::string& d) { return d == defaults.front(); });
    sentences.push_back(
        fmt::format("[{}] {} (default {})", fmt::join(meaning.users, ", "), meaning.help,
                    same ? defaults.front() : fmt::format("{}", fmt::join(defaults, ", "))));
  }
  return fmt::format("{}", fmt::join(sentences, " "));
}

std::string typeName(const SettingInfo& setting) {
  if (std::holds_alternative<bool>(setting.fallback)) return "on|off";
  if (std::holds_alternative<std::int64_t>(setting.fallback)) return "N";
  if (std::holds_alternative<double>(setting.fallback)) return "X";
  if (setting.is_path) return "FILE";
  if (std::holds_alternative<std::string>(setting.fallback)) {
    return fmt::format("{}", fmt::join(setting.choices, "|"));
  }
  constexpr std::size_t kPoint = 2;
  if (setting.tuple > 0) return setting.tuple == kPoint ? "X,Y" : "X0,Y0,X1,Y1";
  return "LIST";
}

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

/// Counts per block may come from a file too.
SettingValue valueOf(const SettingInfo& setting, const std::string& text) {
  const bool file = isSchedule(setting) && std::any_of(text.begin(), text.end(), [](char c) {
                      return std::isalpha(static_cast<unsigned char>(c)) != 0;
                    });
  return file ? checkedSetting(setting, readSchedule(text).counts) : parseSetting(setting, text);
}

/// A setting as typed. Of a key that the method does not have, requireInForce() tells. Throws
/// Error.
void set(MethodChoice& choice, const std::string& key, const std::string& text) {
  const SettingInfo* setting = findMethod(choice.method).setting(key);
  choice.settings[key] = setting == nullptr ? SettingValue(text) : valueOf(*setting, text);
}

/// Throws UsageError for what has no effect beside the other settings, Error for what the method
/// does not have or take.
void requireInForce(const MethodChoice& choice) {
  const MethodInfo& method = findMethod(choice.method);
  const Settings complete = completeSettings(choice);
  for (const auto& [key, value] : choice.settings) {
    const SettingInfo& setting = *method.setting(key);
    if (isActive(setting, complete)) continue;
    if (!setting.active_with.empty()) {
      throw UsageError(fmt::format("--{} has no effect here: it needs --{}", optionName(key),
                                   optionName(setting.active_with)));
    }
    const auto& [other, needed] = *unmet(setting, complete);
    const std::string wanted = toText(needed);
    throw UsageError(wanted.empty() ? fmt::format("--{} has no effect together with --{}",
                                                  optionName(key), optionName(other))
                                    : fmt::format("--{} has no effect here: it needs --{} {}",
                                                  optionName(key), optionName(other), wanted));
  }
}

/// What this code is in: the program, or the library that Python loaded.
std::filesystem::path ownFile() {
  Dl_info info{};
  void* entry = nullptr;
  if (::dladdr1(&kBundledModels, &info, &entry, RTLD_DL_LINKMAP) != 0) {
    const std::string_view library = static_cast<const link_map*>(entry)->l_name;
    if (!library.empty()) return std::filesystem::absolute(library);
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

}  // namespace

std::vector<std::string> methodIds() {
  std::vector<std::string> ids;
  for (const MethodInfo& method : methods()) ids.push_back(method.id);
  return ids;
}

std::string methodNamed(const std::string& text) {
  for (const MethodInfo& method : methods()) {
    if (sameName(method.id, text) || sameName(method.label, text)) return method.id;
  }
  return text;
}

Resampling parseResampling(const std::string& name) {
  const auto& names = kResamplingNames;
  return static_cast<Resampling>(std::find(names.begin(), names.end(), name) - names.begin());
}

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

void MethodOptions::addTo(CLI::App& command, const std::string& default_method,
                          const std::vector<std::string>& except) {
  method_ = default_method;
  const std::string group = "Method";
  method_option_ =
      command
          .add_option("--method", method_,
                      fmt::format("{} (default {})", fmt::join(methodIds(), ", "), default_method))
          ->type_name("NAME")
          ->group(group);
  addSettingsTo(command, except);
}

void MethodOptions::addSettingsTo(CLI::App& command, const std::vector<std::string>& except) {
  const std::string group = "Method";
  for (const MethodInfo& method : methods()) {
    for (const SettingInfo& setting : method.settings) {
      const std::string& key = setting.key;
      if (settings_.contains(key) || std::find(except.begin(), except.end(), key) != except.end()) {
        continue;
      }
      Setting& given = settings_[key];
      given.option = command.add_option("--" + optionName(key), given.text, settingHelp(key))
                         ->type_name(typeName(setting))
                         ->group(group);
      // Each of several, one below the other.
      if (setting.tuple > 0) given.option->multi_option_policy(CLI::MultiOptionPolicy::Join);
      if (std::holds_alternative<bool>(setting.fallback)) {
        command
            .add_flag("--no-" + optionName(key), given.off,
                      fmt::format("Same as --{} off", optionName(key)))
            ->excludes(given.option)
            ->group(group);
      }
    }
  }
  takesText(
      *command
           .add_option("--stats", statistics_,
                       "Layer statistics to use (default: stats.json of the model folder, where "
                       "its settings fit)")
           ->group(group),
      "FILE");
}

bool MethodOptions::given() const {
  return method_option_->count() > 0 || !statistics_.empty() || !givenKeys().empty();
}

std::vector<std::string> MethodOptions::givenKeys() const {
  std::vector<std::string> keys;
  for (const auto& [key, setting] : settings_) {
    if (setting.given()) keys.push_back(key);
  }
  return keys;
}

MethodChoice MethodOptions::choiceOf(const std::string& id,
                                     const std::vector<std::string>& keys) const {
  MethodChoice choice;
  choice.method = id;
  try {
    for (const std::string& key : keys) {
      const Setting& given = settings_.at(key);
      set(choice, key, given.off ? "off" : given.text);
    }
    requireInForce(choice);
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  return choice;
}

MethodChoice MethodOptions::choice() const {
  MethodChoice choice = choiceOf(methodNamed(method_), givenKeys());
  if (statistics_.empty()) return choice;
  asUsage([&] { requireStatistics(choice); }, "--stats: ");
  choice.statistics = std::make_shared<const Statistics>(readStatistics(statistics_));
  return choice;
}

std::vector<MethodChoice> MethodOptions::choices(const std::vector<std::string>& ids) const {
  std::vector<MethodChoice> list;
  std::vector<std::string> unused = givenKeys();
  std::shared_ptr<const Statistics> statistics;
  for (const std::string& id : ids) {
    const MethodInfo& method = findMethod(id);
    std::vector<std::string> keys = givenKeys();
    std::erase_if(keys, [&](const auto& key) { return method.setting(key) == nullptr; });
    std::erase_if(unused, [&](const auto& key) { return method.setting(key) != nullptr; });
    list.push_back(choiceOf(id, keys));
    if (statistics_.empty() || !usesStatistics(list.back())) continue;
    if (!statistics) statistics = std::make_shared<const Statistics>(readStatistics(statistics_));
    list.back().statistics = statistics;
  }
  const bool statistics_unused = !statistics_.empty() && !statistics;
  if (!unused.empty() || statistics_unused) {
    throw UsageError(statistics_unused
                         ? fmt::format("--stats: none of {} uses layer statistics under these "
                                       "settings",
                                       fmt::join(ids, ", "))
                         : fmt::format("--{} is no setting of {}", optionName(unused.front()),
                                       fmt::join(ids, ", ")));
  }
  return list;
}

MethodChoice writtenChoice(const std::string& method, const WrittenSettings& settings) {
  MethodChoice choice;
  choice.method = methodNamed(method);
  std::string statistics;
  return asUsage([&] {
    findMethod(choice.method);
    for (const auto& [key, value] : settings) {
      if (key == "stats") {
        statistics = value;
      } else {
        set(choice, key, value);
      }
    }
    requireInForce(choice);
    if (!statistics.empty()) {
      requireStatistics(choice);
      choice.statistics = std::make_shared<const Statistics>(readStatistics(statistics));
    }
    return choice;
  });
}

MethodChoice parseVariant(const std::string& text, const std::string& option) {
  std::istringstream words(text);
  std::string method;
  words >> method;
  return asUsage(
      [&] {
        WrittenSettings settings;
        for (std::string word; words >> word;) {
          const std::size_t equals = word.find('=');
          std::string key = word.substr(0, equals);
          key.erase(0, key.find_first_not_of('-'));  // as the option of that name begins
          std::transform(key.begin(), key.end(), key.begin(), [](unsigned char letter) {
            return letter == '-' ? '_' : static_cast<char>(std::tolower(letter));
          });
          const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
          if (key.empty() || value.empty()) throw Error(fmt::format("'{}' is no KEY=VALUE", word));
          if (std::any_of(settings.begin(), settings.end(),
                          [&](const auto& setting) { return setting.first == key; })) {
            throw Error(fmt::format("{} is given twice", optionName(key)));
          }
          settings.emplace_back(key, value);
        }
        return writtenChoice(method, settings);
      },
      fmt::format("{} '{}': ", option, text));
}

}  // namespace adamerge::cli
