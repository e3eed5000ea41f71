// SPDX-License-Identifier: GPL-3.0-or-later
// Which class of the model a folder or a data set's own class name stands for.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/model_info.h"

namespace adamerge {

/// The model's labels by name: case, hyphens, underscores and repeated spaces do not count, and one
/// of several synonyms ("tench, Tinca tinca") is enough.
class ClassNames {
 public:
  explicit ClassNames(const std::vector<std::string>& labels);
  /// nullopt where no class or more than one has the name.
  std::optional<int> find(std::string_view name) const;

 private:
  std::map<std::string, std::vector<int>> full_;
  std::map<std::string, std::vector<int>> synonyms_;
};

/// For each of `names` the index of its class: by the lines of `mapping` where that is not empty,
/// else by name, else all by number or (codes, or a model without names) by order, with a sentence
/// in `notes`. `where` is what the
/// names come from. Throws Error naming those that have no class.
std::vector<int> matchClasses(const std::vector<std::string>& names, const ModelInfo& model,
                              const std::filesystem::path& mapping,
                              const std::filesystem::path& where, std::vector<std::string>& notes);

}  // namespace adamerge
