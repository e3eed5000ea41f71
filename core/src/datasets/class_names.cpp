// SPDX-License-Identifier: GPL-3.0-or-later
#include "datasets/class_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <glib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <sstream>
#include <utility>

#include "adamerge/error.h"

namespace adamerge {
namespace {

constexpr std::size_t kNamesShown = 5;

std::string normalised(std::string_view text) {
  std::string result;
  for (const char c : composed(text)) {
    if (c == '_' || c == '-' || c == ' ' || c == '\t' || c == '\r') {
      if (!result.empty() && result.back() != ' ') result.push_back(' ');
    } else {
      result.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
  }
  if (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

/// "a, b, c, d, e and 7 more".
std::string shortList(const std::vector<std::string>& names) {
  const std::vector<std::string> first(
      names.begin(),
      names.begin() + static_cast<std::ptrdiff_t>(std::min(kNamesShown, names.size())));
  std::string text = fmt::format("{}", fmt::join(first, ", "));
  if (names.size() <= kNamesShown) return text;
  return fmt::format("{} and {} more", text, names.size() - kNamesShown);
}

/// Where `label` ends in "(code)": the text before and within.
std::optional<std::pair<std::string, std::string>> withCode(const std::string& label) {
  const std::size_t open = label.rfind(" (");
  if (open == std::string::npos || !label.ends_with(')')) return std::nullopt;
  return std::pair(label.substr(0, open), label.substr(open + 2, label.size() - open - 3));
}

/// A word, not a code such as n01440764 or "class 3".
bool isWord(const std::string& name) {
  return std::none_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Of names that differ in a number at their end alone ("class_9", "class_10"), which stand in
/// order of text: the first two whose numbers are the other way round.
std::optional<std::pair<std::string, std::string>> outOfNumber(
    const std::vector<std::string>& names) {
  constexpr std::string_view kDigits = "0123456789";
  const auto stem = [&](const std::string& name) {
    return std::string_view(name).substr(0, name.find_last_not_of(kDigits) + 1);
  };
  const auto number = [&](const std::string& name) {
    std::string_view digits = std::string_view(name).substr(stem(name).size());
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    return std::pair(digits.size(), digits);
  };
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (stem(names[i - 1]) != stem(names[i])) return std::nullopt;
  }
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (number(names[i]) < number(names[i - 1])) return std::pair(names[i - 1], names[i]);
  }
  return std::nullopt;
}

/// Without a single known name: all are indices, or there are as many as the model has classes and
/// not both have names that say other things.
std::vector<int> byNumberOrOrder(const std::vector<std::string>& names, const ModelInfo& model,
                                 const std::filesystem::path& where,
                                 std::vector<std::string>& notes) {
  std::vector<int> indices;
  for (const std::string& name : names) {
    const std::optional<int> index = wholeNumber(name);
    if (index && *index < model.vit.classes) indices.push_back(*index);
  }
  if (indices.size() == names.size()) {
    notes.push_back(fmt::format("{}: the classes are numbers, taken as the model's class indices",
                                where.string()));
    return indices;
  }
  if (names.size() != static_cast<std::size_t>(model.vit.classes)) return {};
  if (std::any_of(names.begin(), names.end(), isWord) &&
      std::any_of(model.labels.begin(), model.labels.end(), isWord)) {
    return {};
  }
  if (const auto crossed = outOfNumber(names)) {
    throw Error(
        fmt::format("{}: '{}' stands before '{}' in order of text and after it in order of number, "
                    "so the order "
                    "says nothing of {}'s classes; --labels FILE says which class a folder holds",
                    where.string(), crossed->first, crossed->second, model.name));
  }
  indices.clear();
  for (std::size_t i = 0; i < names.size(); ++i) indices.push_back(static_cast<int>(i));
  notes.push_back(fmt::format(
      "{}: none of the {} classes has a name the model knows; they are matched by order ({} is {})",
      where.string(), names.size(), names.front(), model.labels.front()));
  return indices;
}

}  // namespace

std::string composed(std::string_view text) {
  const std::unique_ptr<gchar, decltype(&g_free)> form(
      g_utf8_normalize(text.data(), static_cast<gssize>(text.size()), G_NORMALIZE_NFC), g_free);
  return form ? std::string(form.get()) : std::string(text);
}

bool isUtf8(std::string_view text) {
  return g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr) != FALSE;
}

std::string_view trimmed(std::string_view text) {
  // A byte order mark within a file, zero-width and no-break spaces come along with copied text.
  constexpr std::array<std::string_view, 8> kBlanks = {" ",  "\t",     "\r",     "\v",
                                                       "\f", "\u00A0", "\u200B", "\uFEFF"};
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view blank : kBlanks) {
      if (text.starts_with(blank)) {
        text.remove_prefix(blank.size());
        again = true;
      } else if (text.ends_with(blank)) {
        text.remove_suffix(blank.size());
        again = true;
      }
    }
  }
  return text;
}

std::optional<int> wholeNumber(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

ClassNames::ClassNames(const std::vector<std::string>& labels) {
  // A name without a description is its own code.
  const bool coded = std::all_of(labels.begin(), labels.end(), [](const std::string& label) {
    return withCode(label) || label.find(' ') == std::string::npos;
  });
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const int index = static_cast<int>(i);
    const auto add = [&](Table& table, std::string_view name) {
      std::vector<int>& users = table[normalised(name)];
      if (users.empty() || users.back() != index) users.push_back(index);
    };
    std::string name = labels[i];
    add(full_, name);
    if (const auto parts = coded ? withCode(name) : std::nullopt) {
      name = parts->first;
      add(full_, name);
      add(codes_, parts->second);
    }
    std::istringstream parts(name);
    for (std::string part; std::getline(parts, part, ',');) add(synonyms_, part);
  }
}

std::vector<int> ClassNames::all(std::string_view name) const {
  const std::string key = normalised(name);
  for (const Table* table : {&full_, &synonyms_, &codes_}) {
    if (const auto found = table->find(key); found != table->end()) return found->second;
  }
  return {};
}

std::vector<int> matchClasses(const std::vector<std::string>& names, const ModelInfo& model,
                              const std::filesystem::path& mapping,
                              const std::filesystem::path& where, std::vector<std::string>& notes) {
  std::vector<int> indices;
  std::vector<std::string> unknown;
  const auto take = [&](const std::string& name, std::optional<int> index) {
    if (!index) unknown.push_back(name);
    indices.push_back(index.value_or(-1));
  };
  if (!mapping.empty()) {
    const MappingFile file(mapping, names, model);
    for (const std::string& name : names) take(name, file.find(name));
    notes.insert(notes.end(), file.notes().begin(), file.notes().end());
    if (unknown.empty()) return indices;
    throw Error(fmt::format(
        "{}: {} of the {} classes of {} have no line here: {}{}", mapping.string(), unknown.size(),
        names.size(), where.string(), shortList(unknown),
        file.utf8() ? "" : "; the file is no UTF-8 text: save it as that, names may differ"));
  }
  const ClassNames classes(model.labels);
  for (const std::string& name : names) {
    const std::vector<int> found = classes.all(name);
    if (found.size() > 1) {
      throw Error(fmt::format(
          "{}: the class '{}' is ambiguous, {} has it as classes {}; --labels FILE says which "
          "class a folder holds, --unlabelled does without",
          where.string(), name, model.name, fmt::join(found, " and ")));
    }
    take(name, found.empty() ? std::nullopt : std::optional<int>(found.front()));
  }
  if (unknown.empty()) return indices;
  if (unknown.size() == names.size()) {
    indices = byNumberOrOrder(names, model, where, notes);
    if (!indices.empty()) return indices;
  }
  throw Error(fmt::format(
      "{}: {} does not know {} of the {} classes here: {}; its {} classes are {}; --labels FILE "
      "says which class a folder holds, --unlabelled does without",
      where.string(), model.name, unknown.size(), names.size(), shortList(unknown),
      model.labels.size(), shortList(model.labels)));
}

}  // namespace adamerge
