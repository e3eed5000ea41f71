// SPDX-License-Identifier: GPL-3.0-or-later
// What ranks other than the first do of an evaluation.
#include <chrono>
#include <thread>

#include "adamerge/error.h"
#include "evaluation/batch_lanes.h"
#include "evaluation/measured_choices.h"
#include "evaluation/rank_messages.h"
#include "evaluation/state_file.h"

namespace adamerge {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPoll{2};
constexpr std::chrono::seconds kBetweenSigns{1};

/// Rank 0 answers whoever stops, if it still can.
bool isDismissed(EvaluationRanks& ranks) {
  const Clock::time_point end = Clock::now() + kFarewell;
  while (Clock::now() < end) {
    while (const std::optional<RankMessage> message = receiveMessage(ranks)) {
      if (message->kind == kind::kEnd) return true;
    }
    std::this_thread::sleep_for(kPoll);
  }
  return false;
}

}  // namespace

void shareChoices(EvaluationRanks& ranks, std::span<const EvaluationChoice> choices) {
  for (int rank = 1; rank < ranks.size(); ++rank) {
    sendMessage(ranks, rank, kind::kChoices, {{"choices", toJson(choices)}});
  }
}

std::vector<EvaluationChoice> receiveChoices(EvaluationRanks& ranks, const std::stop_token& stop) {
  while (true) {
    throwIfStopped(stop);
    const std::optional<RankMessage> message = receiveMessage(ranks);
    if (!message) {
      std::this_thread::sleep_for(kPoll);
      continue;
    }
    if (message->kind == kind::kEnd) throw Cancelled();
    if (message->kind != kind::kChoices) throw notUnderstood(message->from);
    try {
      return choicesFromJson(message->body.at("choices"));
    } catch (const nlohmann::json::exception&) {
      throw notUnderstood(message->from);
    }
  }
}

bool assistEvaluation(EvaluationRanks& ranks, const Engine& engine, const Dataset& dataset,
                      std::span<const EvaluationChoice> choices, const EvaluationOptions& options,
                      const std::stop_token& stop) {
  const Dataset shuffled = dataset.shuffled();
  const std::vector<EvaluationChoice> measured = withUnmerged(choices);
  const EvaluationKey key(engine, dataset, measured, options.chosen_by);
  BatchLanes lanes(engine, shuffled, measured, options);
  sendMessage(ranks, 0, kind::kReady,
              {{"key", key.toJson()}, {"lanes", lanes.lanes()}, {"window", lanes.window()}});
  Clock::time_point said = Clock::now();
  const auto say = [&](const char* kind, nlohmann::ordered_json body) {
    sendMessage(ranks, 0, kind, std::move(body));
    said = Clock::now();
  };
  try {
    while (true) {
      while (const std::optional<RankMessage> message = receiveMessage(ranks)) {
        if (message->kind == kind::kEnd) {
          sendMessage(ranks, 0, kind::kStopped);
          return true;
        }
        if (message->kind != kind::kCompute) throw notUnderstood(message->from);
        lanes.give({message->body.at("first").get<std::size_t>(),
                    message->body.at("count").get<std::size_t>()});
      }
      for (const CountedBatch& batch : lanes.take(kPoll, stop)) {
        say(kind::kBatch, {{"first", batch.first}, {"tally", batch.tally.toJson()}});
      }
      if (Clock::now() - said >= kBetweenSigns) say(kind::kAlive, nlohmann::ordered_json::object());
    }
  } catch (const Cancelled&) {
    sendMessage(ranks, 0, kind::kStopped);
    return isDismissed(ranks);
  } catch (const nlohmann::json::exception&) {
    throw notUnderstood(0);
  }
}

}  // namespace adamerge
