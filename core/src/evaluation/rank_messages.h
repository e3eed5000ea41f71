// SPDX-License-Identifier: GPL-3.0-or-later
// What ranks say to each other, as JSON: {"kind": one of those below, ...}.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "adamerge/evaluation_ranks.h"

namespace adamerge {

/// For the last words of other ranks. When one of them dies, mpirun leaves the rest one second.
constexpr std::chrono::milliseconds kFarewell{400};

namespace kind {
// Rank 0 to the others.
constexpr const char* kChoices = "choices";  ///< "choices"
constexpr const char* kCompute = "compute";  ///< "first", "count"
constexpr const char* kEnd = "end";
// The others to rank 0.
constexpr const char* kReady = "ready";      ///< "key", "lanes", "window"
constexpr const char* kBatch = "batch";      ///< "first", "tally"
constexpr const char* kAlive = "alive";      ///< once a second where there is nothing else to say
constexpr const char* kStopped = "stopped";  ///< the answer to kEnd, or of its own accord
constexpr const char* kFailed = "failed";    ///< "sentence"
}  // namespace kind

struct RankMessage {
  int from = 0;
  std::string kind;
  nlohmann::json body;
};

/// `body` is an object without "kind".
void sendMessage(EvaluationRanks& ranks, int to, const char* kind,
                 nlohmann::ordered_json body = nlohmann::ordered_json::object());
/// nullopt: nothing has arrived. Throws Error for what no rank of this program says.
std::optional<RankMessage> receiveMessage(EvaluationRanks& ranks);
/// What is thrown for a message with fields missing or of another kind.
Error notUnderstood(int from);

}  // namespace adamerge
