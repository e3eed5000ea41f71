// SPDX-License-Identifier: GPL-3.0-or-later
// Attention by LibTorch's own functions: the truth that the kernels are tested against, the weights
// that lenses show, and what runs where there is no kernel.
#include <limits>

#include "kernels/attention.h"

namespace adamerge {
namespace {

/// M of one axis, [tokens, side]: what share of each token lies at each place.
at::Tensor membership(const RelativePlaces& places, const RelativePlaces::Axis& axis, bool rows,
                      const at::TensorOptions& options) {
  const std::int64_t side = rows ? places.height : places.width;
  const std::int64_t tokens = places.whole() ? places.height * places.width
                                             : static_cast<std::int64_t>(axis.starts.size()) - 1;
  const at::Tensor shares = at::zeros({tokens, side}, at::kFloat);
  float* to = shares.data_ptr<float>();
  for (std::int64_t t = 0; t < tokens; ++t, to += side) {
    if (places.whole()) {
      to[rows ? t / places.width : t % places.width] = 1;
      continue;
    }
    const auto own = static_cast<std::size_t>(t);
    for (auto k = static_cast<std::size_t>(axis.starts[own]);
         k < static_cast<std::size_t>(axis.starts[own + 1]); ++k) {
      to[axis.places[k]] = axis.shares[k];
    }
  }
  return shares.to(options);
}

/// q_i . mean over the places of token i of table[a - b + side - 1], for each b; [tokens, side].
at::Tensor termsOf(const at::Tensor& queries, const at::Tensor& table, const at::Tensor& all,
                   std::int64_t first) {
  const at::Tensor shares = all.narrow(0, first, queries.size(0));
  const std::int64_t side = shares.size(1);
  const auto options = at::TensorOptions(at::kLong).device(queries.device());
  const at::Tensor places = at::arange(side, options);
  const at::Tensor offsets = places.unsqueeze(1) - places.unsqueeze(0) + (side - 1);  // a, b
  const at::Tensor products = queries.mm(table.t());                                  // [n, 2s - 1]
  at::Tensor terms = at::zeros_like(shares);
  for (std::int64_t a = 0; a < side; ++a) {
    terms += shares.narrow(1, a, 1) * products.index_select(1, offsets[a]);
  }
  return terms;
}

}  // namespace

at::Tensor placeBias(const at::Tensor& queries, const RelativePlaces& places, std::int64_t first) {
  const auto options = queries.options();
  const at::Tensor tables = places.tables.to(options);
  const std::int64_t offsets = 2 * places.height - 1;
  const at::Tensor rows = membership(places, places.rows, /*rows=*/true, options);
  const at::Tensor columns = membership(places, places.columns, /*rows=*/false, options);
  return termsOf(queries, tables.narrow(0, 0, offsets), rows, first).mm(rows.t()) +
         termsOf(queries, tables.narrow(0, offsets, tables.size(0) - offsets), columns, first)
             .mm(columns.t());
}

at::Tensor hiddenKeys(const Segment& segment) {
  const auto lists = static_cast<std::int64_t>(segment.keys.size());
  const at::Tensor hidden =
      at::full({lists, 1, segment.tokens}, -std::numeric_limits<float>::infinity(), at::kFloat);
  for (std::int64_t list = 0; list < lists; ++list) {
    float* row = hidden.data_ptr<float>() + list * segment.tokens;
    for (const std::int64_t key : segment.keys[static_cast<std::size_t>(list)]) row[key] = 0;
  }
  return hidden;
}

namespace {

/// Weights are looked at and summed up, for which bf16's eight bits are too few.
at::Tensor atLeastFloat(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

/// Of `count` heads from `first` on, [count, tokens, tokens].
at::Tensor weightsOfHeads(const at::Tensor& qkv, std::int64_t heads, const Segment& segment,
                          std::int64_t first, std::int64_t count) {
  const std::int64_t dim = qkv.size(1) / 3;
  const at::Tensor own = atLeastFloat(qkv.reshape({segment.tokens, 3, heads, dim / heads})
                                          .narrow(2, first, count)
                                          .permute({1, 2, 0, 3}));
  at::Tensor logits = (own[0] * attentionScale(dim / heads)).matmul(own[1].transpose(1, 2));
  const auto add = [&](const at::Tensor& bias) { logits = logits + bias.to(logits.options()); };
  // One for all heads, or one a head.
  const auto of_heads = [&](const at::Tensor& bias) {
    return bias.size(0) == 1 ? bias : bias.narrow(0, first, count);
  };
  if (!segment.key_bias.empty()) add(at::tensor(segment.key_bias));
  if (segment.pair_bias.defined()) add(of_heads(segment.pair_bias));
  if (!segment.keys.empty()) add(of_heads(hiddenKeys(segment)));
  return logits.softmax(-1);
}

}  // namespace

at::Tensor attentionWeights(const at::Tensor& qkv, std::int64_t heads, const Segment& segment) {
  return weightsOfHeads(qkv, heads, segment, 0, heads);
}

at::Tensor attentionWeightsOf(std::int64_t head, const at::Tensor& qkv, std::int64_t heads,
                              const Segment& segment) {
  return weightsOfHeads(qkv, heads, segment, head, 1)[0];
}

at::Tensor placedWeights(const at::Tensor& qkv, std::int64_t heads, const Segment& segment,
                         std::int64_t head, std::int64_t first, std::int64_t count) {
  const std::int64_t dim = qkv.size(1) / 3;
  const at::Tensor own =
      atLeastFloat(qkv).reshape({segment.tokens, 3, heads, dim / heads}).select(2, head);
  const at::Tensor queries = own.select(1, 0).narrow(0, first, count);
  at::Tensor logits = (queries * attentionScale(dim / heads)).mm(own.select(1, 1).t());
  if (!segment.key_bias.empty()) {
    logits = logits + at::tensor(segment.key_bias).to(logits.options());
  }
  if (segment.places) logits = logits + placeBias(queries, *segment.places, first);
  return logits.softmax(-1);
}

at::Tensor placedAttention(const at::Tensor& qkv, std::int64_t heads, const Segment& segment) {
  const at::Tensor values =
      qkv.reshape({segment.tokens, 3, heads, qkv.size(1) / 3 / heads}).select(1, 2);
  std::vector<at::Tensor> mixed;
  // Head by head: all logits of a large window would fill the memory.
  for (std::int64_t head = 0; head < heads; ++head) {
    mixed.push_back(
        placedWeights(qkv, heads, segment, head, 0, segment.tokens).mm(values.select(1, head)));
  }
  return at::cat(mixed, 1);
}

AttentionOutput plainAttention(const at::Tensor& qkv, std::int64_t heads,
                               std::span<const Segment> segments) {
  const std::int64_t dim = qkv.size(1) / 3;
  AttentionOutput output;
  output.first_rows.resize(segments.size());
  output.received.resize(segments.size());
  std::vector<at::Tensor> mixed;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    const std::int64_t tokens = segment.tokens;
    const at::Tensor own = qkv.narrow(0, offset, tokens);
    offset += tokens;
    if (segment.places) {
      mixed.push_back(placedAttention(own, heads, segment));
      continue;
    }
    const at::Tensor weights = attentionWeights(own, heads, segment);
    if (segment.received) output.received[i] = weights.mean(1).to(at::kCPU, at::kFloat);
    if (segment.first_row) {
      const at::Tensor row = weights.select(1, 0).to(at::kFloat).mean(0).to(at::kCPU).contiguous();
      output.first_rows[i].assign(row.data_ptr<float>(), row.data_ptr<float>() + row.numel());
    }
    const at::Tensor values = own.reshape({tokens, 3, heads, dim / heads}).select(1, 2);
    mixed.push_back(weights.matmul(values.transpose(0, 1)).transpose(0, 1).reshape({tokens, dim}));
  }
  output.mixed = mixed.size() == 1 ? mixed.front() : at::cat(mixed);
  return output;
}

at::Tensor plainPooledAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                std::int64_t heads, std::span<const float> key_bias) {
  const auto split = [&](const at::Tensor& x) {
    return x.unflatten(1, {heads, -1}).transpose(0, 1);
  };
  at::Tensor logits =
      (split(q) * attentionScale(q.size(1) / heads)).matmul(split(k).transpose(1, 2));
  if (!key_bias.empty()) {
    const at::Tensor bias = at::tensor(at::ArrayRef<float>(key_bias.data(), key_bias.size()));
    logits = logits + bias.to(logits.options());
  }
  return logits.softmax(-1).matmul(split(v)).transpose(0, 1).flatten(1);
}

}  // namespace adamerge
