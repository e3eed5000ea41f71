// SPDX-License-Identifier: GPL-3.0-or-later
// The fields of the evaluation panel, as sessions keep them, and what they ask for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "compute/evaluation_request.h"
#include "state/inspection.h"

namespace adamerge::ui {

struct EvaluationSetup {
  static constexpr int kMostImages = 10'000'000;
  static constexpr int kMostSeed = 999'999;

  std::filesystem::path data;    ///< empty: none chosen yet
  std::filesystem::path labels;  ///< which class a folder holds; empty: folders are named so
  bool unlabelled = false;
  int limit = 1000;  ///< 0: all
  int seed = 0;
  std::vector<std::string> methods;  ///< ids, in the registry's order
  bool canvases = false;             ///< and what the canvases show
  bool by_flops = false;             ///< `flops` instead of counts
  // As they are typed: lists and ranges.
  std::string r_max = "4:20:4";
  std::string r = "4:20:4";
  std::string flops;

  /// All methods that merge.
  static EvaluationSetup standard();
  bool operator==(const EvaluationSetup&) const = default;
};

/// Without `state`. `canvases`: what they show. Throws Error: no data, no method, a list that is
/// none.
EvaluationRequest makeRequest(const EvaluationSetup& setup,
                              const std::vector<MethodChoice>& canvases);

/// The command that measures the same, for the record; where there is none, since canvases have
/// settings of their own, a sentence.
std::string equivalentCommand(const EvaluationSetup& setup, const LoadedModel& model);

}  // namespace adamerge::ui
