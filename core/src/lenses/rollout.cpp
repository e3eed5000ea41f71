// SPDX-License-Identifier: GPL-3.0-or-later
// Rollout, read from the result backwards: a row vector times one block's matrices at a time, so
// that no product of matrices is made. docs/lenses.md, "Rollout".
#include <cmath>

#include "adamerge/lenses.h"
#include "engine/recording.h"
#include "lenses/parts.h"

namespace adamerge {
namespace {

using Row = std::vector<double>;

/// `row` of the attention's tokens times the mean over heads.
Row attended(const Row& row, const AttentionMaps& maps) {
  const auto tokens = static_cast<std::size_t>(maps.tokens);
  Row result(tokens, 0.0);
  const float* weights = maps.weights.data();
  for (int head = 0; head < maps.heads; ++head) {
    for (std::size_t query = 0; query < tokens; ++query, weights += tokens) {
      const double own = row[query] / maps.heads;
      if (own == 0) continue;
      for (std::size_t key = 0; key < tokens; ++key) result[key] += own * weights[key];
    }
  }
  return result;
}

/// `row` of later tokens times C: to the earlier ones that they were made of.
Row carried(const Row& row, const TokenMembership& later, const TokenMembership& earlier,
            int prefix) {
  Row result(earlier.sizes.size(), 0.0);
  std::copy_n(row.begin(), prefix, result.begin());
  for (std::size_t patch = 0; patch < later.groups.size(); ++patch) {
    const int token = later.groups[patch];
    const int from = earlier.groups[patch];
    if (token < 0 || from < 0) continue;
    const auto index = static_cast<std::size_t>(token);
    result[static_cast<std::size_t>(from)] += row[index] / later.sizes[index];
  }
  return result;
}

/// `row` times ½ (U A V + I) over the tokens on a block's entry, whose attention ran on others:
/// of a token that is in none of them the row of I.
Row steppedInside(const Row& row, const AttentionMaps& maps, const TokenMembership& entry) {
  const auto prefix = static_cast<std::size_t>(maps.prefix);
  std::vector<int> inside_of(entry.sizes.size(), -1);
  for (std::size_t token = 0; token < prefix; ++token) inside_of[token] = static_cast<int>(token);
  for (std::size_t patch = 0; patch < entry.groups.size(); ++patch) {
    const int token = entry.groups[patch];
    if (token >= 0 && maps.seen.groups[patch] >= 0) {
      inside_of[static_cast<std::size_t>(token)] = maps.seen.groups[patch];
    }
  }
  Row inside(static_cast<std::size_t>(maps.tokens), 0.0);  // row U
  Row result = row;
  for (std::size_t token = 0; token < row.size(); ++token) {
    if (inside_of[token] < 0) continue;
    result[token] /= 2;
    inside[static_cast<std::size_t>(inside_of[token])] += row[token] / 2;
  }
  inside = attended(inside, maps);
  Row sizes(inside.size(), 0.0);  // of each token inside, what V's row is normalised by
  for (std::size_t token = 0; token < row.size(); ++token) {
    if (inside_of[token] >= 0)
      sizes[static_cast<std::size_t>(inside_of[token])] += entry.sizes[token];
  }
  for (std::size_t token = 0; token < row.size(); ++token) {
    if (inside_of[token] < 0) continue;
    const auto index = static_cast<std::size_t>(inside_of[token]);
    result[token] += inside[index] * entry.sizes[token] / sizes[index];
  }
  return result;
}

}  // namespace

Rollout rollout(const Recording& run, const std::stop_token& stop) {
  const auto prefix = static_cast<std::size_t>(run.prefix());
  const std::vector<BlockRecord>& blocks = run.state().blocks;
  TokenMembership now = membershipOf(*blocks.back().after);
  Row row(now.sizes.size(), 0.0);
  if (run.hasClassToken()) {
    row.front() = 1;
  } else {
    double total = 0;
    for (std::size_t token = prefix; token < row.size(); ++token) total += now.sizes[token];
    for (std::size_t token = prefix; token < row.size(); ++token)
      row[token] = now.sizes[token] / total;
  }
  for (int block = run.blocks() - 1; block >= 0; --block) {
    const BlockRecord& record = blocks[static_cast<std::size_t>(block)];
    const AttentionMaps maps = run.attention(block, stop);
    const TokenMembership own = record.entry ? membershipOf(*record.entry) : maps.seen;
    row = carried(row, now, own, run.prefix());
    if (record.entry) {
      row = steppedInside(row, maps, own);
    } else {
      const Row mixed = attended(row, maps);
      for (std::size_t token = 0; token < row.size(); ++token)
        row[token] = (row[token] + mixed[token]) / 2;
    }
    now = own;
  }
  Rollout result;
  for (std::size_t token = 0; token < prefix; ++token) {
    result.prefix.push_back(static_cast<float>(row[token]));
  }
  for (const int token : now.groups) {
    const auto index = static_cast<std::size_t>(token);
    result.patches.push_back(token < 0 ? 0.0F : static_cast<float>(row[index] / now.sizes[index]));
  }
  return result;
}

}  // namespace adamerge
