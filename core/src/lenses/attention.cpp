// SPDX-License-Identifier: GPL-3.0-or-later
// Sums over the attention of one block, and rollout over all; docs/lenses.md, "Attention".
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "adamerge/error.h"
#include "adamerge/lenses.h"
#include "engine/vit.h"
#include "kernels/parallel.h"
#include "lenses/parts.h"

namespace adamerge {
namespace {

constexpr float kNoAttention = std::numeric_limits<float>::quiet_NaN();

/// A[head, query, key], of -1 the mean over heads.
class HeadWeights {
 public:
  HeadWeights(const AttentionMaps& maps, int head)
      : maps_(maps), first_(head < 0 ? 0 : head), last_(head < 0 ? maps.heads : head + 1) {}

  double at(int query, int key) const {
    const auto tokens = static_cast<std::size_t>(maps_.tokens);
    double sum = 0;
    for (int head = first_; head < last_; ++head) {
      sum +=
          maps_
              .weights[(static_cast<std::size_t>(head) * tokens + static_cast<std::size_t>(query)) *
                           tokens +
                       static_cast<std::size_t>(key)];
    }
    return sum / (last_ - first_);
  }

 private:
  const AttentionMaps& maps_;
  int first_;
  int last_;
};

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

int positionOf(const AttentionMaps& maps, const LensToken& token) {
  if (!token.patch) return token.index;
  const int position = maps.seen.groups[static_cast<std::size_t>(token.index)];
  if (position >= 0) return position;
  throw Error(
      fmt::format("the token of patch {},{} was dropped before the attention of block {}: it looks "
                  "nowhere there",
                  token.index % maps.grid_width, token.index / maps.grid_width, maps.block));
}

LensMap attentionMap(const AttentionMaps& maps, const LensQuery& query) {
  const int position = positionOf(maps, query.token);
  const HeadWeights weights(maps, query.head);
  LensMap map;
  for (int token = 0; token < maps.prefix; ++token) {
    map.prefix.push_back(static_cast<float>(query.looked_at ? weights.at(token, position)
                                                            : weights.at(position, token)));
  }
  std::vector<float> of_token(static_cast<std::size_t>(maps.tokens));
  for (int token = maps.prefix; token < maps.tokens; ++token) {
    const auto index = static_cast<std::size_t>(token);
    of_token[index] =
        static_cast<float>(query.looked_at ? weights.at(token, position)
                                           : weights.at(position, token) / maps.seen.sizes[index]);
  }
  map.values.reserve(maps.seen.groups.size());
  map.hatched.reserve(maps.seen.groups.size());
  for (const int token : maps.seen.groups) {
    map.values.push_back(token < 0 ? kNoAttention : of_token[static_cast<std::size_t>(token)]);
    map.hatched.push_back(token < 0);
  }
  return map;
}

double received(const AttentionMaps& maps, int position, int head) {
  const HeadWeights weights(maps, head);
  double sum = 0;
  double sizes = 0;
  for (int token = 0; token < maps.tokens; ++token) {
    const double size = maps.seen.sizes[static_cast<std::size_t>(token)];
    sum += size * weights.at(token, position);
    sizes += size;
  }
  return sum / sizes;
}

std::vector<float> entropy(const AttentionMaps& maps) {
  const c10::InferenceMode guard;
  const std::int64_t tokens = maps.tokens;
  const at::Tensor sizes = at::tensor(maps.seen.sizes).to(at::kDouble);
  const at::Tensor log_sizes = sizes.log();
  const double total = sizes.sum().item<double>();
  std::vector<float> result(static_cast<std::size_t>(maps.heads));
  parallelFor(maps.heads, [&](std::int64_t first, std::int64_t last) {
    const c10::InferenceMode of_thread;
    for (std::int64_t head = first; head < last; ++head) {
      // Read alone.
      auto* from = const_cast<float*>(maps.weights.data()) + head * tokens * tokens;
      const at::Tensor weights = at::from_blob(from, {tokens, tokens}, at::kFloat).to(at::kDouble);
      // 0 ln 0 is 0: the logarithm is kept finite.
      at::Tensor terms = weights.clamp_min(std::numeric_limits<double>::min()).log_();
      terms.sub_(log_sizes).mul_(weights);
      result[static_cast<std::size_t>(head)] =
          static_cast<float>(-sizes.dot(terms.sum(1)).item<double>() / total);
    }
  });
  return result;
}

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
