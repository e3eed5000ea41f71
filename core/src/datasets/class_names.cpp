// SPDX-License-Identifier: GPL-3.0-or-later
#include "datasets/class_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <glib.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>
#include <sstream>

#include "adamerge/error.h"
#include "support/files.h"

namespace adamerge {
namespace {

constexpr std::size_t kNamesShown = 5;
constexpr std::string_view kSeparators = "\t, ";

/// macOS writes an accented letter as two characters, others as one (NFC).
std::string composed(std::string_view text) {
  const std::unique_ptr<gchar, decltype(&g_free)> form(
      g_utf8_normalize(text.data(), static_cast<gssize>(text.size()), G_NORMALIZE_NFC), g_free);
  return form ? std::string(form.get()) : std::string(text);  // none: not UTF-8
}

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

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::optional<int> wholeNumber(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
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

/// Lines of FOLDER, separator, class. Folder names may hold separators themselves: the longest one
/// of `names` that fits is meant.
class MappingFile {
 public:
  MappingFile(const std::filesystem::path& path, const std::vector<std::string>& names,
              const ModelInfo& model)
      : path_(path), model_(model), classes_(model.labels) {
    for (const std::string& name : names) names_.insert(composed(name));
    std::istringstream lines(composed(readTextFile(path)));
    int number = 0;
    for (std::string line; std::getline(lines, line);) readLine(trimmed(line), ++number);
  }

  std::optional<int> find(const std::string& name) const {
    const auto found = mapping_.find(composed(name));
    return found == mapping_.end() ? std::nullopt : std::optional<int>(found->second);
  }

 private:
  void readLine(std::string_view line, int number) {
    if (line.empty() || line.front() == '#') return;
    std::size_t split = line.find_first_of(kSeparators);
    if (split == std::string_view::npos) {
      throw Error(
          fmt::format("{}: line {} holds '{}'; a folder, a tab, comma or space, and a class's name "
                      "or index are expected",
                      path_.string(), number, line));
    }
    for (std::size_t at = split; at != std::string_view::npos;
         at = line.find_first_of(kSeparators, at + 1)) {
      if (names_.contains(std::string(line.substr(0, at)))) split = at;
    }
    const std::string folder(line.substr(0, split));
    // A list for a whole data set serves a part of it, too.
    if (!names_.contains(folder)) return;
    const std::size_t rest_at = line.find_first_not_of(kSeparators, split);
    if (rest_at == std::string_view::npos) {
      throw Error(fmt::format("{}: line {} names no class for '{}'; its name or index is expected",
                              path_.string(), number, folder));
    }
    const std::string_view rest = line.substr(rest_at);
    mapping_[folder] = classOf(rest, number);
  }

  int classOf(std::string_view text, int number) const {
    if (const std::optional<int> found = classes_.find(text)) return *found;
    const std::optional<int> index = wholeNumber(text);
    if (index && *index < model_.vit.classes) return *index;
    throw Error(fmt::format(
        "{}: line {} names the class '{}', which {} does not have; its name or an index from 0 to "
        "{} is expected",
        path_.string(), number, text, model_.name, model_.vit.classes - 1));
  }

  std::filesystem::path path_;
  std::set<std::string> names_;
  const ModelInfo& model_;
  ClassNames classes_;
  std::map<std::string, int> mapping_;
};

/// A word, not a code such as n01440764 or "class 3".
bool isWord(const std::string& name) {
  return std::none_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
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
  indices.clear();
  for (std::size_t i = 0; i < names.size(); ++i) indices.push_back(static_cast<int>(i));
  notes.push_back(fmt::format(
      "{}: none of the {} classes has a name the model knows; they are matched by order ({} is {})",
      where.string(), names.size(), names.front(), model.labels.front()));
  return indices;
}

}  // namespace

ClassNames::ClassNames(const std::vector<std::string>& labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const int index = static_cast<int>(i);
    full_[normalised(labels[i])].push_back(index);
    std::istringstream parts(labels[i]);
    for (std::string part; std::getline(parts, part, ',');) {
      std::vector<int>& users = synonyms_[normalised(part)];
      if (users.empty() || users.back() != index) users.push_back(index);
    }
  }
}

std::optional<int> ClassNames::find(std::string_view name) const {
  const std::string key = normalised(name);
  for (const auto* table : {&full_, &synonyms_}) {
    const auto found = table->find(key);
    if (found == table->end()) continue;
    return found->second.size() == 1 ? std::optional<int>(found->second.front()) : std::nullopt;
  }
  return std::nullopt;
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
    if (unknown.empty()) return indices;
    throw Error(fmt::format("{}: {} of the {} classes of {} have no line here: {}",
                            mapping.string(), unknown.size(), names.size(), where.string(),
                            shortList(unknown)));
  }
  const ClassNames classes(model.labels);
  for (const std::string& name : names) take(name, classes.find(name));
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
