// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/rank_messages.h"

#include <fmt/format.h>

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

}  // namespace adamerge
