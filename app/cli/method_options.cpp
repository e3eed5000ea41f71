// SPDX-License-Identifier: GPL-3.0-or-later
// Which method, with which settings.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <sstream>

#include "adamerge/methods.h"
#include "options.h"
#include "support/text.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

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

/// A setting as typed. Of a key that the method does not have, requireInForce() tells. Throws
/// Error.
void set(MethodChoice& choice, const std::string& key, const std::string& text) {
  const SettingInfo* setting = findMethod(choice.method).setting(key);
  SettingValue& value = choice.settings[key];
  if (setting == nullptr) {
    value = text;
    return;
  }
  // Counts per block may come from a file too.
  const bool file = isSchedule(*setting) && std::any_of(text.begin(), text.end(), [](char c) {
                      return std::isalpha(static_cast<unsigned char>(c)) != 0;
                    });
  if (!file) {
    value = parseSetting(*setting, text);
    return;
  }
  const Schedule schedule = readSchedule(text);
  value = checkedSetting(*setting, schedule.counts);
  choice.schedule_tokens = schedule.tokens;
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
