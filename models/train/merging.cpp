// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging.h"

#include <algorithm>
#include <limits>

namespace adamerge::training {
namespace {

constexpr double kLeastNorm = 1e-12;

at::Tensor everySecond(const at::Tensor& tokens, std::int64_t first) {
  return tokens.slice(1, first, tokens.size(1), 2);
}

/// Rows `index` [batch, k] of [batch, n, width].
at::Tensor rows(const at::Tensor& tokens, const at::Tensor& index) {
  return tokens.gather(1, index.unsqueeze(-1).expand({-1, -1, tokens.size(-1)}));
}

}  // namespace

void mergeSimilar(MergedTokens& merged, const at::Tensor& keys, std::int64_t count,
                  std::int64_t prefix) {
  const at::Tensor& x = merged.tokens;
  count = std::min(count, (x.size(1) - prefix) / 2);
  if (count <= 0) return;
  const at::Tensor exact = keys.detach().to(at::kDouble);
  const at::Tensor units = exact / exact.norm(2, {-1}, /*keepdim=*/true).clamp_min(kLeastNorm);
  at::Tensor scores = everySecond(units, 0).bmm(everySecond(units, 1).transpose(1, 2));
  // The class token is at an even position and stays.
  scores.narrow(1, 0, prefix).fill_(-std::numeric_limits<double>::infinity());
  const auto [best, match] = scores.max(-1);
  const at::Tensor order = std::get<1>(best.sort(/*stable=*/true, -1, /*descending=*/true));
  const at::Tensor sources = order.narrow(1, 0, count);
  const at::Tensor staying =
      std::get<0>(order.narrow(1, count, order.size(1) - count).sort(/*dim=*/1));

  const at::Tensor sizes =
      (merged.sizes.defined() ? merged.sizes : at::ones({x.size(0), x.size(1)}, x.options()))
          .unsqueeze(-1);
  const at::Tensor sums = at::cat({x * sizes, sizes}, -1);
  const at::Tensor even = everySecond(sums, 0);
  const at::Tensor odd = everySecond(sums, 1);
  // A product with zeros and ones, whose sums a GPU makes in one order, unlike scattered ones.
  const at::Tensor joins =
      at::one_hot(match.gather(1, sources), odd.size(1)).to(sums.scalar_type()).transpose(1, 2);
  const at::Tensor joined = odd + joins.bmm(rows(even, sources));
  const at::Tensor all = at::cat({rows(even, staying), joined}, 1);
  const std::int64_t width = x.size(-1);
  merged.sizes = all.select(-1, width).detach();
  merged.tokens = all.narrow(-1, 0, width) / all.narrow(-1, width, 1).detach();
}

}  // namespace adamerge::training
