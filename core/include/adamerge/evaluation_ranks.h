// SPDX-License-Identifier: GPL-3.0-or-later
// One evaluation shared by several processes, as `mpirun -n K` starts them. Rank 0 calls
// evaluate(), hands batches out to whoever has room, and counts; the others assistEvaluation().
// Totals are those of one process to the last bit, since all sums are exact. All of this is called
// by one thread.
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/evaluate.h"

namespace adamerge {

/// Messages between ranks, over whatever connects them.
class EvaluationRanks {
 public:
  struct Message {
    int from = 0;
    std::string text;
  };

  EvaluationRanks() = default;
  EvaluationRanks(const EvaluationRanks&) = delete;
  EvaluationRanks& operator=(const EvaluationRanks&) = delete;
  virtual ~EvaluationRanks() = default;

  virtual int rank() const = 0;  ///< 0 ... size() - 1
  virtual int size() const = 0;
  /// Returns at once. Messages of one rank to another arrive whole and in order. Throws Error.
  virtual void send(int to, const std::string& text) = 0;
  /// nullopt: nothing has arrived. Throws Error.
  virtual std::optional<Message> receive() = 0;
};

/// Rank 0 tells the others what evaluate() is about to measure; they wait for it, so that only one
/// of them need search settings. receiveChoices() throws Cancelled, also where rank 0 gave up.
void shareChoices(EvaluationRanks& ranks, std::span<const EvaluationChoice> choices);
std::vector<EvaluationChoice> receiveChoices(EvaluationRanks& ranks, const std::stop_token& stop);

/// Computes what rank 0 hands out, until rank 0 is done or `stop`. Of `options` only `lanes`,
/// `decoders` and `chosen_by` count. False: stopped, and rank 0 no longer answers. Throws Error,
/// which reportFailure() should pass on.
bool assistEvaluation(EvaluationRanks& ranks, const Engine& engine, const Dataset& dataset,
                      std::span<const EvaluationChoice> choices, const EvaluationOptions& options,
                      const std::stop_token& stop);

/// Of any rank but 0: evaluate() on rank 0 ends with this sentence.
void reportFailure(EvaluationRanks& ranks, const std::string& sentence);

/// Of rank 0: nothing more comes. evaluate() does it too.
void dismissRanks(EvaluationRanks& ranks);

}  // namespace adamerge
