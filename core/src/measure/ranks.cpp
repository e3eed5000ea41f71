// SPDX-License-Identifier: GPL-3.0-or-later
#include "measure/ranks.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "adamerge/error.h"
#include "measure/batch_lanes.h"
#include "measure/choices.h"
#include "measure/picture_rows.h"
#include "measure/state_file.h"
#include "support/json.h"

namespace adamerge {

void sendMessage(EvaluationRanks& ranks, int to, const char* kind, nlohmann::ordered_json body) {
  body["kind"] = kind;
  ranks.send(to, jsonText(body));
}

std::optional<RankMessage> receiveMessage(EvaluationRanks& ranks) {
  const std::optional<EvaluationRanks::Message> message = ranks.receive();
  if (!message) return std::nullopt;
  try {
    nlohmann::json body = nlohmann::json::parse(message->text);
    std::string kind = body.at("kind").get<std::string>();
    return RankMessage{message->from, std::move(kind), std::move(body)};
  } catch (const nlohmann::json::exception&) {
    throw notUnderstood(message->from);
  }
}

Error notUnderstood(int from) {
  return Error(fmt::format(
      "rank {} sent what is not understood; every rank needs the same version of this program",
      from));
}

void dismissRanks(EvaluationRanks& ranks) {
  for (int rank = 1; rank < ranks.size(); ++rank) sendMessage(ranks, rank, kind::kEnd);
}

void reportFailure(EvaluationRanks& ranks, const std::string& sentence) {
  sendMessage(ranks, 0, kind::kFailed, {{"sentence", sentence}});
}

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kMessagePoll{2};

}  // namespace

RemoteLanes::RemoteLanes(EvaluationRanks& ranks, const MeasurementKey& key, std::size_t points,
                         int depth, double seconds_until_lost)
    : ranks_(ranks),
      key_(key),
      points_(points),
      depth_(depth),
      seconds_until_lost_(seconds_until_lost),
      others_(static_cast<std::size_t>(ranks.size())) {}

RemoteLanes::~RemoteLanes() {
  try {
    dismissRanks(ranks_);
  } catch (const Error&) {
    // Whoever cannot be told has ended.
  }
}

std::size_t RemoteLanes::lanes() const {
  std::size_t sum = 0;
  for (const Rank& rank : others_) sum += rank.lanes;
  return sum;
}

bool RemoteLanes::give(const BatchRange& range) {
  // To the one with most room, so that nobody runs dry at the end.
  const auto room = [](const Rank& rank) {
    return rank.ready ? rank.window - std::min(rank.window, rank.outstanding.size()) : 0;
  };
  const auto best =
      std::max_element(others_.begin(), others_.end(),
                       [&](const auto& a, const auto& b) { return room(a) < room(b); });
  if (room(*best) == 0) return false;
  sendMessage(ranks_, static_cast<int>(best - others_.begin()), kind::kCompute,
              {{"first", range.first}, {"count", range.count}});
  best->outstanding[range.first] = range.count;
  return true;
}

std::vector<CountedBatch> RemoteLanes::take() {
  std::vector<CountedBatch> finished;
  while (const std::optional<RankMessage> message = receiveMessage(ranks_)) {
    Rank& rank = others_[static_cast<std::size_t>(message->from)];
    rank.heard = Clock::now();
    try {
      if (message->kind == kind::kReady) {
        getReady(rank, *message);
      } else if (message->kind == kind::kBatch) {
        finished.push_back(counted(rank, *message));
      } else if (message->kind == kind::kFailed) {
        throw Error(fmt::format("rank {}: {}", message->from,
                                message->body.at("sentence").get<std::string>()));
      } else if (message->kind == kind::kStopped) {
        rank.ended = true;
        throw Cancelled();
      } else if (message->kind != kind::kAlive) {
        throw notUnderstood(message->from);
      }
    } catch (const nlohmann::json::exception&) {
      throw notUnderstood(message->from);
    }
  }
  return finished;
}

void RemoteLanes::getReady(Rank& rank, const RankMessage& message) const {
  if (const auto difference = key_.difference(message.body.at("key"))) {
    throw Error(fmt::format(
        "rank {} has {}: {}, rank 0 has {}; every rank needs the same files and options",
        message.from, difference->what, difference->other, difference->own));
  }
  rank.lanes = message.body.at("lanes").get<std::size_t>();
  rank.window = message.body.at("window").get<std::size_t>();
  rank.ready = true;
}

CountedBatch RemoteLanes::counted(Rank& rank, const RankMessage& message) const {
  CountedBatch batch;
  batch.first = message.body.at("first").get<std::size_t>();
  batch.tally = Tally::fromJson(message.body.at("tally"), points_, depth_);
  batch.rows = message.body.at("rows").get<std::string>();
  const auto given = rank.outstanding.find(batch.first);
  if (given == rank.outstanding.end() || given->second != batch.tally.done) {
    throw notUnderstood(message.from);
  }
  rank.outstanding.erase(given);
  return batch;
}

std::vector<int> RemoteLanes::silent() const {
  std::vector<int> list;
  for (std::size_t rank = 1; rank < others_.size(); ++rank) {
    const std::chrono::duration<double> since = Clock::now() - others_[rank].heard;
    if (others_[rank].ready && since.count() > seconds_until_lost_) {
      list.push_back(static_cast<int>(rank));
    }
  }
  return list;
}

std::vector<int> RemoteLanes::unanswering(std::chrono::milliseconds patience) {
  dismissRanks(ranks_);
  const Clock::time_point end = Clock::now() + patience;
  const auto waitsFor = [](const Rank& rank) { return rank.ready && !rank.ended; };
  while (std::any_of(others_.begin(), others_.end(), waitsFor) && Clock::now() < end) {
    while (const std::optional<RankMessage> message = receiveMessage(ranks_)) {
      Rank& rank = others_[static_cast<std::size_t>(message->from)];
      if (message->kind == kind::kStopped || message->kind == kind::kFailed) rank.ended = true;
    }
    std::this_thread::sleep_for(kMessagePoll);
  }
  std::vector<int> list;
  for (std::size_t rank = 1; rank < others_.size(); ++rank) {
    if (waitsFor(others_[rank])) list.push_back(static_cast<int>(rank));
  }
  return list;
}

namespace {

constexpr std::chrono::seconds kBetweenSigns{1};

/// Rank 0 answers whoever stops, if it still can.
bool isDismissed(EvaluationRanks& ranks) {
  const Clock::time_point end = Clock::now() + kFarewell;
  while (Clock::now() < end) {
    while (const std::optional<RankMessage> message = receiveMessage(ranks)) {
      if (message->kind == kind::kEnd) return true;
    }
    std::this_thread::sleep_for(kMessagePoll);
  }
  return false;
}

}  // namespace

void shareChoices(EvaluationRanks& ranks, std::span<const MeasuredChoice> choices) {
  for (int rank = 1; rank < ranks.size(); ++rank) {
    sendMessage(ranks, rank, kind::kChoices, {{"choices", toJson(choices)}});
  }
}

std::vector<MeasuredChoice> receiveChoices(EvaluationRanks& ranks, const std::stop_token& stop) {
  while (true) {
    throwIfStopped(stop);
    const std::optional<RankMessage> message = receiveMessage(ranks);
    if (!message) {
      std::this_thread::sleep_for(kMessagePoll);
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
                      std::span<const MeasuredChoice> choices, const EvaluationOptions& options,
                      const std::stop_token& stop) {
  const Dataset shuffled = dataset.shuffled();
  const std::vector<MeasuredChoice> measured = withUnmerged(choices, engine.info().vit);
  try {
    const std::vector<PreparedMethod> methods = prepareAll(engine, dataset, measured, stop);
    const MeasurementKey key(engine, dataset, measured, options.chosen_by);
    const PictureRows rows(engine, shuffled, measured);
    BatchLanes lanes(engine, shuffled, methods, options.pictures.empty() ? nullptr : &rows,
                     options);
    sendMessage(ranks, 0, kind::kReady,
                {{"key", key.toJson()}, {"lanes", lanes.lanes()}, {"window", lanes.window()}});
    Clock::time_point said = Clock::now();
    const auto say = [&](const char* kind, nlohmann::ordered_json body) {
      sendMessage(ranks, 0, kind, std::move(body));
      said = Clock::now();
    };
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
      for (const CountedBatch& batch : lanes.take(kMessagePoll, stop)) {
        say(kind::kBatch,
            {{"first", batch.first}, {"tally", batch.tally.toJson()}, {"rows", batch.rows}});
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
