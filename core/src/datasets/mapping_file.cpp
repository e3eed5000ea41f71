// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "adamerge/error.h"
#include "datasets/class_names.h"
#include "support/files.h"
#include "support/text.h"

namespace adamerge {
namespace {

constexpr std::string_view kSeparators = "\t,; ";

/// What is left of a line, taken from its front.
class Rest {
 public:
  explicit Rest(std::string_view text) : text_(text) {}

  bool empty() const { return text_.empty(); }
  std::string_view text() const { return text_; }
  bool quoted() const { return text_.starts_with('"'); }

  std::string_view take(std::size_t length) {
    const std::string_view taken = text_.substr(0, length);
    text_.remove_prefix(taken.size());
    return taken;
  }
  /// The field in quotes, of which two stand for one; nullopt where the last one is missing.
  std::optional<std::string> takeQuoted() {
    std::string field;
    for (std::size_t at = 1; at < text_.size(); ++at) {
      if (text_[at] != '"') {
        field.push_back(text_[at]);
      } else if (text_.substr(at + 1).starts_with('"')) {
        field.push_back(text_[++at]);
      } else {
        take(at + 1);
        return field;
      }
    }
    return std::nullopt;
  }
  void skipSeparators() { take(std::min(text_.find_first_not_of(kSeparators), text_.size())); }

 private:
  std::string_view text_;
};

std::string_view withoutSeparatorsAtEnd(std::string_view text) {
  const std::size_t last = text.find_last_not_of(kSeparators);
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

}  // namespace

MappingFile::MappingFile(const std::filesystem::path& path, const std::vector<std::string>& names,
                         const ModelInfo& model)
    : path_(path), model_(model), classes_(model.labels) {
  std::string text = readTextFile(path);
  if (text.find('\0') != std::string::npos) {
    throw Error(fmt::format("{}: holds bytes of value 0, so it is no text in UTF-8 or UTF-16",
                            path.string()));
  }
  utf8_ = isUtf8(text);
  // Lines end in LF, CRLF or, from classic Mac software, CR alone.
  if (text.find('\n') == std::string::npos) std::replace(text.begin(), text.end(), '\r', '\n');
  std::set<std::string> wanted;
  for (const std::string& name : names) wanted.insert(composed(name));
  const std::vector<Line> lines = parse(composed(text), wanted);
  EqualNames equal;
  for (const Line& line : lines) {
    std::vector<int> found = classes_.all(line.text);
    if (found.size() > 1) equal[std::move(found)].push_back(&line);
  }
  std::map<std::string, int> numbers;
  for (const Line& line : lines) {
    if (!wanted.contains(line.folder)) continue;
    const int found = classOf(line, equal);
    const auto [entry, first] = mapping_.emplace(line.folder, found);
    numbers.emplace(line.folder, line.number);
    if (!first && entry->second != found) {
      throw Error(fmt::format(
          "{}: '{}' is class {} by line {} and class {} by line {}; one line per folder is "
          "expected",
          path_.string(), line.folder, entry->second, numbers[line.folder], found, line.number));
    }
  }
}

std::optional<int> MappingFile::find(const std::string& name) const {
  const auto found = mapping_.find(composed(name));
  return found == mapping_.end() ? std::nullopt : std::optional<int>(found->second);
}

std::vector<MappingFile::Line> MappingFile::parse(const std::string& text,
                                                  const std::set<std::string>& wanted) const {
  std::vector<Line> parsed;
  std::istringstream lines(text);
  int number = 0;
  for (std::string whole; std::getline(lines, whole);) {
    Line line{.number = ++number, .folder = {}, .text = {}};
    Rest rest(trimmed(whole));
    // Excel's own first line names the separator.
    if (rest.empty() || rest.text().starts_with('#') || rest.text().starts_with("sep=")) continue;
    const auto unclosed = [&] {
      return Error(fmt::format("{}: line {} has a quote without its end", path_.string(), number));
    };
    if (rest.quoted()) {
      std::optional<std::string> field = rest.takeQuoted();
      if (!field) throw unclosed();
      line.folder = *std::move(field);
    } else {
      std::size_t split = rest.text().find_first_of(kSeparators);
      if (split == std::string_view::npos) {
        throw Error(fmt::format(
            "{}: line {} holds '{}'; a folder, a tab, comma, semicolon or space, and a class's "
            "name or index are expected",
            path_.string(), number, rest.text()));
      }
      // Folder names may hold separators themselves: the longest one that fits is meant.
      for (std::size_t at = split; at != std::string_view::npos;
           at = rest.text().find_first_of(kSeparators, at + 1)) {
        if (wanted.contains(std::string(rest.text().substr(0, at)))) split = at;
      }
      line.folder = rest.take(split);
      if (!wanted.contains(line.folder)) line.folder = std::string(trimmed(line.folder));
    }
    rest.skipSeparators();
    if (rest.quoted()) {
      std::optional<std::string> field = rest.takeQuoted();
      if (!field) throw unclosed();
      line.text = *std::move(field);
    } else {
      line.text = trimmed(withoutSeparatorsAtEnd(rest.text()));
    }
    if (line.text.empty() && wanted.contains(line.folder)) {
      throw Error(fmt::format("{}: line {} names no class for '{}'; its name or index is expected",
                              path_.string(), number, line.folder));
    }
    parsed.push_back(std::move(line));
  }
  return parsed;
}

int MappingFile::classOf(const Line& line, const EqualNames& equal) {
  const std::vector<int> found = classes_.all(line.text);
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    // A list of all classes has them in the model's order, equal names as well.
    const std::vector<const Line*>& lines = equal.at(found);
    if (lines.size() != found.size()) {
      throw Error(fmt::format(
          "{}: line {}: '{}' is ambiguous, {} has it as classes {}; an index is expected",
          path_.string(), line.number, line.text, model_.name, fmt::join(found, " and ")));
    }
    const auto place = std::find(lines.begin(), lines.end(), &line) - lines.begin();
    notes_.push_back(fmt::format("{}: of {} classes '{}', '{}' is {}, by the order of the lines",
                                 path_.string(), found.size(), line.text, line.folder,
                                 found[static_cast<std::size_t>(place)]));
    return found[static_cast<std::size_t>(place)];
  }
  const std::optional<int> index = wholeNumber(line.text);
  if (index && *index < model_.vit.classes) return *index;
  throw Error(fmt::format(
      "{}: line {} names the class '{}', which {} does not have; its name or an index from 0 to "
      "{} is expected{}",
      path_.string(), line.number, utf8_ ? line.text : printable(line.text), model_.name,
      model_.vit.classes - 1, utf8_ ? "" : "; the file is no UTF-8 text: save it as that"));
}

}  // namespace adamerge
