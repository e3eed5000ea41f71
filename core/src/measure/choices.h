// SPDX-License-Identifier: GPL-3.0-or-later
// What an evaluation measures, in its order, and as the state file and other ranks get it.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "adamerge/engine.h"
#include "adamerge/evaluate.h"
#include "support/files.h"

namespace adamerge {

/// The unmerged model, then what was asked for, nothing twice.
/// Every setting is in force, with `vit`'s own defaults.
std::vector<MeasuredChoice> withUnmerged(std::span<const MeasuredChoice> choices,
                                         const VitConfig& vit);

/// Without layer statistics.
nlohmann::ordered_json toJson(std::span<const MeasuredChoice> choices);
/// Throws nlohmann::json::exception, Error: not toJson()'s, or settings that no method has.
std::vector<MeasuredChoice> choicesFromJson(const nlohmann::json& json);

/// The layer statistics that a choice may use: its own, or the model's. nullptr: it uses none.
std::shared_ptr<const Statistics> usedStatistics(const Engine& engine, const MethodChoice& choice);
/// Their numbers.
void add(Fingerprint& fingerprint, const Statistics& statistics);

}  // namespace adamerge
