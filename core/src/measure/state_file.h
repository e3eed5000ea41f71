// SPDX-License-Identifier: GPL-3.0-or-later
// What is kept of an interrupted evaluation, and whether it belongs to the one at hand.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "measure/tally.h"

namespace adamerge {

/// Everything the numbers depend on. Each fact is a text for people and one to compare.
class EvaluationKey {
 public:
  EvaluationKey(const Engine& engine, const Dataset& dataset,
                std::span<const MeasuredChoice> choices, const std::string& chosen_by);

  struct Difference {
    std::string what;  ///< "other images"
    std::string other;
    std::string own;
  };
  nlohmann::ordered_json toJson() const;
  /// The first fact in which another key's toJson() differs. Throws nlohmann::json::exception for
  /// what is no key.
  std::optional<Difference> difference(const nlohmann::json& other) const;

 private:
  struct Fact {
    std::string key;
    std::string what;  ///< "another model"
    std::string text;
    std::string compared;
  };
  std::vector<Fact> facts_;
};

struct KeptState {
  Tally tally;
  /// Bytes of the rows of EvaluationOptions::pictures; nullopt: none were written.
  std::optional<std::uint64_t> pictures;
};

/// nullopt where there is no such file. Throws Error: of another evaluation, damaged.
std::optional<KeptState> readState(const std::filesystem::path& path, const EvaluationKey& key,
                                   std::size_t images, std::size_t points, int depth);

/// Writes beside and renames. Throws Error.
void writeState(const std::filesystem::path& path, const EvaluationKey& key,
                std::span<const MeasuredChoice> choices, const std::string& chosen_by,
                const Tally& tally, const std::optional<std::uint64_t>& pictures);

}  // namespace adamerge
