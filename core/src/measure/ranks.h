// SPDX-License-Identifier: GPL-3.0-or-later
// What ranks say to each other, as JSON: {"kind": one of those below, ...}; and rank 0's view of
// the other ranks.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/evaluate.h"
#include "measure/batch_lanes.h"
#include "measure/state_file.h"

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
constexpr const char* kBatch = "batch";      ///< "first", "tally", "rows"
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

/// Who has room for a batch, what they have counted, who is lost.
class RemoteLanes {
 public:
  /// The first two must outlive this.
  RemoteLanes(EvaluationRanks& ranks, const MeasurementKey& key, std::size_t points, int depth,
              double seconds_until_lost);
  /// Tells the ranks that nothing more comes.
  ~RemoteLanes();
  RemoteLanes(const RemoteLanes&) = delete;
  RemoteLanes& operator=(const RemoteLanes&) = delete;

  std::size_t lanes() const;  ///< of the ranks that are ready
  /// False: no rank has room.
  bool give(const BatchRange& range);
  /// What has arrived. Throws Error: what a rank reported, a rank that evaluates something else;
  /// Cancelled where a rank was stopped.
  std::vector<CountedBatch> take();
  /// Ranks that were ready and have been silent for too long.
  std::vector<int> silent() const;
  /// Dismisses all ranks; those that were ready and do not answer in time.
  std::vector<int> unanswering(std::chrono::milliseconds patience);

 private:
  using Clock = std::chrono::steady_clock;
  struct Rank {
    bool ready = false;
    bool ended = false;
    std::size_t lanes = 0;
    std::size_t window = 0;
    std::map<std::size_t, std::size_t> outstanding;  ///< count by first image
    Clock::time_point heard;
  };
  void getReady(Rank& rank, const RankMessage& message) const;
  CountedBatch counted(Rank& rank, const RankMessage& message) const;

  EvaluationRanks& ranks_;
  const MeasurementKey& key_;
  const std::size_t points_;
  const int depth_;
  const double seconds_until_lost_;
  std::vector<Rank> others_;  ///< [size()]; rank 0 stays unused
};

}  // namespace adamerge
