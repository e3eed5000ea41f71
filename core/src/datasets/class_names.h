// SPDX-License-Identifier: GPL-3.0-or-later
// Which class of the model a folder or a data set's own class name stands for: by name, or as a
// file says, as people, Kaggle and Excel write them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/model_info.h"

namespace adamerge {

/// macOS writes an accented letter as two characters, others as one (NFC). What is not UTF-8 stays.
std::string composed(std::string_view text);
bool isUtf8(std::string_view text);
/// Without blanks and carriage returns around it.
std::string_view trimmed(std::string_view text);
/// nullopt: anything but digits.
std::optional<int> wholeNumber(std::string_view text);

/// The model's labels by name: case, hyphens, underscores and repeated spaces do not count, and one
/// of several synonyms ("tench, Tinca tinca"), or the code behind them ("(n01440764)", where all
/// labels have one), is enough.
class ClassNames {
 public:
  explicit ClassNames(const std::vector<std::string>& labels);
  /// The indices of those that have the name, ascending: whole names first, then parts.
  std::vector<int> all(std::string_view name) const;

 private:
  using Table = std::map<std::string, std::vector<int>>;
  Table full_;
  Table synonyms_;
  Table codes_;
};

/// For each of `names` the index of its class: by the lines of `mapping` where that is not empty,
/// else by name, else all by number or (codes, or a model without names) by order, with a sentence
/// in `notes`. `where` is what the names come from. Throws Error naming those that have no class,
/// or more than one.
std::vector<int> matchClasses(const std::vector<std::string>& names, const ModelInfo& model,
                              const std::filesystem::path& mapping,
                              const std::filesystem::path& where, std::vector<std::string>& notes);

/// Lines of FOLDER, separator, class. Throws Error naming file and line.
class MappingFile {
 public:
  /// Lines for folders that are not among `names` are passed over.
  MappingFile(const std::filesystem::path& path, const std::vector<std::string>& names,
              const ModelInfo& model);

  std::optional<int> find(const std::string& name) const;
  /// Sentences about what was decided.
  const std::vector<std::string>& notes() const { return notes_; }
  bool utf8() const { return utf8_; }

 private:
  struct Line {
    int number = 0;
    std::string folder;
    std::string text;  ///< the class's name or index
  };

  /// Lines that name several classes, by those classes.
  using EqualNames = std::map<std::vector<int>, std::vector<const Line*>>;

  std::vector<Line> parse(const std::string& text, const std::set<std::string>& wanted) const;
  int classOf(const Line& line, const EqualNames& equal);

  std::filesystem::path path_;
  const ModelInfo& model_;
  ClassNames classes_;
  std::map<std::string, int> mapping_;
  std::vector<std::string> notes_;
  bool utf8_ = true;
};

}  // namespace adamerge
