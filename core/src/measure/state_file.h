// SPDX-License-Identifier: GPL-3.0-or-later
// What is kept of an interrupted evaluation or calibration, and whether it belongs to the one at
// hand.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adamerge/calibrate.h"
#include "measure/tally.h"

namespace adamerge {

/// Everything the numbers depend on. Each fact is a text for people and one to compare.
class MeasurementKey {
 public:
  /// Of an evaluation.
  MeasurementKey(const Engine& engine, const Dataset& dataset,
                 std::span<const MeasuredChoice> choices, const std::string& chosen_by);
  /// Of a calibration.
  MeasurementKey(const Engine& engine, const Dataset& dataset, const CalibrationOptions& options);

  /// "evaluation".
  const std::string& subject() const { return subject_; }

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
  static std::vector<Fact> factsOf(const Engine& engine, const Dataset& dataset);

  std::string subject_;
  std::vector<Fact> facts_;
};

struct KeptState {
  Tally tally;
  /// Bytes of the rows of EvaluationOptions::pictures; nullopt: none were written.
  std::optional<std::uint64_t> pictures;
};

/// nullopt where there is no such file. Throws Error: of another evaluation, damaged.
std::optional<KeptState> readState(const std::filesystem::path& path, const MeasurementKey& key,
                                   std::size_t images, std::size_t points, int depth);

/// Writes beside and renames. Throws Error.
void writeState(const std::filesystem::path& path, const MeasurementKey& key,
                std::span<const MeasuredChoice> choices, const std::string& chosen_by,
                const Tally& tally, const std::optional<std::uint64_t>& pictures);

/// CalibrationOptions::state for `count` images; null where there is no such file. Throws Error as
/// readState().
std::shared_ptr<const CalibrationState> readCalibrationState(const std::filesystem::path& path,
                                                             const MeasurementKey& key,
                                                             const CalibrationOptions& options,
                                                             int depth, std::size_t count);

/// Writes beside and renames. Throws Error.
void writeCalibrationState(const std::filesystem::path& path, const MeasurementKey& key,
                           const CalibrationState& state);

}  // namespace adamerge
