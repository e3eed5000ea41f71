// SPDX-License-Identifier: GPL-3.0-or-later
// Files that say which class a folder holds, as people, Kaggle and Excel write them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "adamerge/model_info.h"
#include "datasets/class_names.h"

namespace adamerge {

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
