// SPDX-License-Identifier: GPL-3.0-or-later
// What is kept of an interrupted evaluation, and whether it belongs to the one at hand.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluation/tally.h"

namespace adamerge {

/// Everything the numbers depend on. Each fact is a text for people and one to compare.
class EvaluationKey {
 public:
  EvaluationKey(const Engine& engine, const Dataset& dataset,
                std::span<const EvaluationChoice> choices);

  nlohmann::ordered_json toJson() const;
  /// Throws Error naming the first fact in which `stored`, read from `file`, differs;
  /// nlohmann::json::exception for what is no key.
  void requireSame(const nlohmann::json& stored, const std::filesystem::path& file) const;

 private:
  struct Fact {
    std::string key;
    std::string what;  ///< "another model"
    std::string text;
    std::string compared;
  };
  std::vector<Fact> facts_;
};

/// nullopt where there is no such file. Throws Error: of another evaluation, damaged.
std::optional<Tally> readState(const std::filesystem::path& path, const EvaluationKey& key,
                               int depth, std::size_t images, std::size_t points);

/// Writes beside and renames. Throws Error.
void writeState(const std::filesystem::path& path, const EvaluationKey& key, const Tally& tally);

}  // namespace adamerge
