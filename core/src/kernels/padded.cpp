// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/padded.h"

#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/attention.h"

namespace adamerge {

at::Tensor sentTo(at::Device device, const at::Tensor& host) {
  if (device.is_cpu()) return host;
  // Only from pinned memory does a copy go on by itself.
  const bool pin = device.is_cuda() && !host.is_pinned();
  return (pin ? host.pin_memory() : host).to(device, /*non_blocking=*/true);
}

Padding::Padding(std::span<const std::int64_t> counts, at::Device device,
                 std::vector<std::int64_t> starts)
    : images_(static_cast<std::int64_t>(counts.size())), starts_(std::move(starts)) {
  const auto integers = at::TensorOptions().device(device).dtype(at::kLong);
  bool even = true;
  for (std::size_t image = 0; image < counts.size(); ++image) {
    longest_ = std::max(longest_, start(image) + counts[image]);
    even = even && counts[image] == counts.front() && start(image) == 0;
  }
  if (even) {
    counts_ = at::full({images_, 1}, longest_, integers);
    return;
  }
  std::vector<std::int64_t> numbers(counts.begin(), counts.end());
  for (std::size_t image = 0; image < counts.size(); ++image) numbers.push_back(start(image));
  std::vector<std::int64_t> to;
  std::int64_t offset = 0;
  for (std::int64_t image = 0; image < images_; ++image) {
    const std::int64_t count = counts[static_cast<std::size_t>(image)];
    const std::int64_t first = start(static_cast<std::size_t>(image));
    for (std::int64_t k = 0; k < longest_; ++k) {
      numbers.push_back(offset + std::clamp<std::int64_t>(k - first, 0, count - 1));
    }
    for (std::int64_t k = 0; k < count; ++k) to.push_back(image * longest_ + first + k);
    offset += count;
  }
  numbers.insert(numbers.end(), to.begin(), to.end());
  const at::Tensor sent = sentTo(device, at::tensor(numbers));
  counts_ = sent.narrow(0, 0, images_).unsqueeze(1);
  const at::Tensor firsts = sent.narrow(0, images_, images_).unsqueeze(1);
  from_ = sent.narrow(0, 2 * images_, images_ * longest_);
  to_ = sent.narrow(0, 2 * images_ + images_ * longest_, offset);
  const at::Tensor position = at::arange(longest_, integers).unsqueeze(0) - firsts;
  absent_ = (position < 0).logical_or(position >= counts_);
}

at::Tensor Padding::pad(const at::Tensor& packed) const {
  const at::Tensor rows = even() ? packed : packed.index_select(0, from_);
  return rows.unflatten(0, {images_, longest_});
}

at::Tensor Padding::unpad(const at::Tensor& padded) const {
  const at::Tensor rows = padded.flatten(0, 1);
  return even() ? rows : rows.index_select(0, to_);
}

namespace {

/// [B, 1, 1, longest] fp32: each key's bias, -infinity where there is none. Undefined where it
/// would be zero throughout.
at::Tensor keyBias(std::span<const Segment> segments, const Padding& padding, at::Device device) {
  const bool needed = std::any_of(segments.begin(), segments.end(),
                                  [](const Segment& s) { return !s.key_bias.empty(); });
  if (!needed && padding.even()) return {};
  const auto longest = static_cast<std::size_t>(padding.longest());
  std::vector<float> bias(segments.size() * longest, -std::numeric_limits<float>::infinity());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto row = bias.begin() + static_cast<std::ptrdiff_t>(i * longest);
    std::fill_n(row, segments[i].tokens, 0.0F);
    std::copy(segments[i].key_bias.begin(), segments[i].key_bias.end(), row);
  }
  return sentTo(device, at::tensor(bias)).reshape({padding.images(), 1, 1, padding.longest()});
}

/// [B or 1, heads, longest, longest] fp32: that of pairs. Undefined where nobody has one.
at::Tensor pairBias(std::span<const Segment> segments, const Padding& padding, std::int64_t heads,
                    at::Device device) {
  const at::Tensor& first = segments.front().pair_bias;
  // As long as nothing has merged, all segments share one.
  const bool shared = std::all_of(segments.begin(), segments.end(), [&](const Segment& s) {
    return s.pair_bias.is_same(first) && s.tokens == segments.front().tokens;
  });
  const auto options = at::TensorOptions().device(device).dtype(at::kFloat);
  if (shared) return first.defined() ? first.to(options).unsqueeze(0) : at::Tensor();
  at::Tensor bias;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!segments[i].pair_bias.defined()) continue;
    if (!bias.defined()) {
      bias = at::zeros({padding.images(), heads, padding.longest(), padding.longest()}, options);
    }
    bias.select(0, static_cast<std::int64_t>(i))
        .narrow(1, 0, segments[i].tokens)
        .narrow(2, 0, segments[i].tokens)
        .copy_(segments[i].pair_bias, /*non_blocking=*/true);
  }
  return bias;
}

/// [B, 1 or heads, 1, longest] fp32: -infinity for the keys that are not seen. Undefined where all
/// see all.
at::Tensor unseenBias(std::span<const Segment> segments, const Padding& padding,
                      at::Device device) {
  std::int64_t lists = 0;
  for (const Segment& segment : segments) {
    lists = std::max(lists, static_cast<std::int64_t>(segment.keys.size()));
  }
  if (lists == 0) return {};
  const at::Tensor bias = at::zeros({padding.images(), lists, 1, padding.longest()}, at::kFloat);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].keys.empty()) continue;
    bias.select(0, static_cast<std::int64_t>(i))
        .narrow(2, 0, segments[i].tokens)
        .copy_(hiddenKeys(segments[i]).expand({lists, -1, -1}));
  }
  return sentTo(device, bias);
}

/// What is added to the logits, of `like`'s type; undefined: nothing.
at::Tensor logitBias(std::span<const Segment> segments, const Padding& padding, std::int64_t heads,
                     const at::Tensor& like) {
  at::Tensor keys = keyBias(segments, padding, like.device());
  const at::Tensor unseen = unseenBias(segments, padding, like.device());
  if (unseen.defined()) keys = keys.defined() ? keys + unseen : unseen;
  const at::Tensor pairs = pairBias(segments, padding, heads, like.device());
  if (!pairs.defined()) return keys.defined() ? keys.to(like.scalar_type()) : keys;
  return (keys.defined() ? pairs + keys : pairs).to(like.scalar_type());
}

at::Tensor softmaxOf(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& bias) {
  const double scale = attentionScale(queries.size(-1));
  const at::Tensor logits = (queries * scale).matmul(keys.transpose(-2, -1));
  return (bias.defined() ? logits + bias : logits).softmax(-1);
}

at::Tensor mix(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
               const at::Tensor& bias) {
#if TORCH_VERSION_MAJOR >= 2
  if (bias.defined()) return at::scaled_dot_product_attention(queries, keys, values, bias);
  return at::scaled_dot_product_attention(queries, keys, values);
#else
  return softmaxOf(queries, keys, bias).matmul(values);
#endif
}

}  // namespace

AttentionOutput batchedAttention(const at::Tensor& qkv, std::int64_t heads,
                                 std::span<const Segment> segments) {
  if (std::any_of(segments.begin(), segments.end(),
                  [](const Segment& segment) { return segment.places != nullptr; })) {
    return plainAttention(qkv, heads, segments);
  }
  const std::int64_t dim = qkv.size(1) / 3;
  std::vector<std::int64_t> counts;
  bool first_rows = false;
  bool received = false;
  const at::ScalarType statistics = qkv.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  for (const Segment& segment : segments) {
    counts.push_back(segment.tokens);
    first_rows = first_rows || segment.first_row;
    received = received || segment.received;
  }
  const Padding padding(counts, qkv.device());
  const at::Tensor parts =
      padding.pad(qkv).unflatten(2, {3, heads, dim / heads}).permute({2, 0, 3, 1, 4});
  const at::Tensor bias = logitBias(segments, padding, heads, qkv);

  AttentionOutput output;
  output.mixed = padding.unpad(mix(parts[0], parts[1], parts[2], bias).transpose(1, 2).flatten(2));
  output.first_rows.resize(segments.size());
  output.received.resize(segments.size());
  if (received) {
    // [B, heads, longest queries, longest keys], in which added queries count nothing.
    at::Tensor weights = softmaxOf(parts[0].to(statistics), parts[1].to(statistics), bias);
    if (!padding.even()) {
      weights = weights.masked_fill(padding.absent().unsqueeze(1).unsqueeze(3), 0);
    }
    const at::Tensor sums = weights.sum(2).to(at::kCPU, at::kFloat);
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (!segments[i].received) continue;
      output.received[i] = sums.select(0, static_cast<std::int64_t>(i))
                               .narrow(1, 0, segments[i].tokens)
                               .div(static_cast<double>(segments[i].tokens));
    }
  }
  if (!first_rows) return output;
  // Fused kernels keep their weights to themselves, and one row of them costs next to nothing.
  const bool per_query = bias.defined() && bias.size(2) > 1;
  const at::Tensor first_bias = per_query ? bias.narrow(2, 0, 1) : bias;
  const at::Tensor rows =
      softmaxOf(parts[0].narrow(2, 0, 1).to(statistics), parts[1].to(statistics), first_bias)
          .mean(1)
          .squeeze(1)
          .to(at::kCPU, at::kFloat)
          .contiguous();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!segments[i].first_row) continue;
    const float* row = rows.data_ptr<float>() + static_cast<std::int64_t>(i) * padding.longest();
    output.first_rows[i].assign(row, row + segments[i].tokens);
  }
  return output;
}

}  // namespace adamerge
