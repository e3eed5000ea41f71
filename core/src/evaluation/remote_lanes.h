// SPDX-License-Identifier: GPL-3.0-or-later
// Rank 0's view of the other ranks: who has room for a batch, what they have counted, who is lost.
#pragma once

#include <chrono>
#include <map>
#include <vector>

#include "evaluation/batch_lanes.h"
#include "evaluation/rank_messages.h"
#include "evaluation/state_file.h"

namespace adamerge {

class RemoteLanes {
 public:
  /// The first two must outlive this.
  RemoteLanes(EvaluationRanks& ranks, const EvaluationKey& key, std::size_t points, int depth,
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
  const EvaluationKey& key_;
  const std::size_t points_;
  const int depth_;
  const double seconds_until_lost_;
  std::vector<Rank> others_;  ///< [size()]; rank 0 stays unused
};

}  // namespace adamerge
