// SPDX-License-Identifier: GPL-3.0-or-later
#include "value_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string_view>

#include "support/text.h"
#include "usage_error.h"

namespace adamerge::cli {
namespace {

template <typename T>
bool parse(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// `good` decides about a value; `takes` says what would be right.
template <typename Good>
void require(CLI::Option& option, const std::string& takes, Good good) {
  const std::string name = option.get_name();
  option.check([name, takes, good](const std::string& text) {
    if (!good(text)) throw UsageError(fmt::format("{} takes {}, not '{}'", name, takes, text));
    return std::string();
  });
}

}  // namespace

void takesWholeNumber(CLI::Option& option, std::int64_t minimum, std::int64_t maximum) {
  const std::string takes =
      maximum == kLargestNumber
          ? (minimum < 0 ? std::string("a whole number")
                         : fmt::format("a whole number of at least {}", minimum))
          : fmt::format("a whole number from {} to {}", minimum, maximum);
  option.type_name("N");
  require(option, takes, [=](const std::string& text) {
    std::int64_t value = 0;
    return parse(text, value) && value >= minimum && value <= maximum;
  });
}

void takesNumber(CLI::Option& option, double minimum, double maximum) {
  option.type_name("X");
  require(option, fmt::format("a number from {} to {}", minimum, maximum),
          [=](const std::string& text) {
            double value = 0;
            return parse(text, value) && value >= minimum && value <= maximum;
          });
}

void takesPositiveNumber(CLI::Option& option) {
  require(option, "a number above 0", [](const std::string& text) {
    double value = 0;
    return parse(text, value) && std::isfinite(value) && value > 0;
  });
}

void takesOneOf(CLI::Option& option, const std::vector<std::string>& choices) {
  option.type_name("NAME");
  option.transform([name = option.get_name(), choices](const std::string& text) {
    const auto found = std::find_if(choices.begin(), choices.end(),
                                    [&](const auto& choice) { return sameName(choice, text); });
    if (found != choices.end()) return *found;
    throw UsageError(
        fmt::format("{} takes one of {}, not '{}'", name, fmt::join(choices, ", "), text));
  });
}

void takesDevice(CLI::Option& option) {
  option.type_name("NAME");
  option.transform([](const std::string& text) {
    std::string lower = text;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return lower;
  });
  require(option, "auto, cpu, cuda or cuda:N", [](const std::string& text) {
    const bool numbered = text.starts_with("cuda:") && text.size() > 5 &&
                          text.find_first_not_of("0123456789", 5) == std::string::npos;
    return numbered || text == "auto" || text == "cpu" || text == "cuda";
  });
}

void takesText(CLI::Option& option, const std::string& type) {
  option.type_name(type);
  require(option, "a " + type, [](const std::string& text) { return !text.empty(); });
}

std::string usageText(const CLI::App& program, const CLI::ParseError& error) {
  std::vector<std::string> commands;
  const CLI::App* command = &program;
  for (const CLI::App* sub : program.get_subcommands([](const CLI::App*) { return true; })) {
    commands.push_back(sub->get_name());
    if (sub->parsed()) command = sub;
  }
  std::string help = fmt::format("see {} --help", program.get_name());
  if (command != &program) {
    help = fmt::format("see {} {} --help", program.get_name(), command->get_name());
  }
  if (command == &program) {
    for (const std::string& word : program.remaining()) {
      const char* what = word.starts_with('-') ? "option" : "command";
      if (!commands.empty()) {
        return fmt::format("there is no {} '{}'; commands are {} ({})", what, word,
                           fmt::join(commands, ", "), help);
      }
      return word.starts_with('-') ? fmt::format("there is no option '{}' ({})", word, help)
                                   : fmt::format("'{}' is one argument too many ({})", word, help);
    }
    if (!commands.empty()) {
      return fmt::format("a command is needed: {} ({})", fmt::join(commands, ", "), help);
    }
  }
  const std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string name = text.substr(0, text.find(':'));
    const CLI::Option* option = command->get_option_no_throw(name);
    if (option != nullptr && option->count() > 1) {
      return fmt::format("{} may be given only once ({})", name, help);
    }
    if (option != nullptr) {
      return fmt::format("{} needs a value: {} ({})", name, option->get_type_name(), help);
    }
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    for (const std::string& word : command->remaining()) {
      if (!word.starts_with('-')) continue;
      return fmt::format("there is no option '{}'; a file of that name is given as ./{} ({})", word,
                         word, help);
    }
  }
  return fmt::format("{} ({})", text, help);
}

}  // namespace adamerge::cli
