// SPDX-License-Identifier: GPL-3.0-or-later
// Sums over the attention of one block; docs/lenses.md, "Attention".
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <limits>

#include "adamerge/error.h"
#include "adamerge/lenses.h"
#include "kernels/parallel.h"

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

}  // namespace adamerge
