// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "kernels/cpu/kernel_tables.h"
#include "kernels/padded/batched_attention.h"
#include "kernels/parallel.h"

namespace adamerge {
namespace {

double scaleOf(std::int64_t width) { return 1.0 / std::sqrt(static_cast<double>(width)); }

/// The CPU's kernel for one number type.
struct HeadKernel {
  void (*attend)(const AttentionCall& call, void* scratch);
  std::ptrdiff_t (*scratch)(std::ptrdiff_t keys, std::ptrdiff_t width);  ///< bytes
};

std::optional<HeadKernel> kernelFor(const at::Tensor& x, Isa isa) {
  if (!x.is_cpu()) return std::nullopt;
  const HalfKernels* half = halfKernels(isa);
  if (x.scalar_type() == at::kBFloat16 && half != nullptr) {
    return HeadKernel{half->attention, half->attentionScratch};
  }
  if (x.scalar_type() != at::kFloat) return std::nullopt;
  return HeadKernel{floatKernels(isa).attention, floatKernels(isa).attentionScratch};
}

/// Adjacent elements in each row, and the matrix itself where they are.
at::Tensor inRows(const at::Tensor& matrix) {
  return matrix.stride(-1) == 1 ? matrix : matrix.contiguous();
}

/// One segment's part of the packed rows.
struct Place {
  const Segment* segment;
  std::int64_t offset;
  std::vector<float>* first_row;
};

std::vector<Place> placesOf(std::span<const Segment> segments, AttentionOutput& output) {
  output.first_rows.resize(segments.size());
  std::vector<Place> places;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    places.push_back({&segments[i], offset, &output.first_rows[i]});
    offset += segments[i].tokens;
  }
  return places;
}

/// Head by head, so that the sum's order is one and the same.
std::vector<float> meanRow(const std::vector<float>& rows, std::int64_t tokens,
                           std::int64_t heads) {
  std::vector<float> mean(static_cast<std::size_t>(tokens), 0.0F);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    mean[i % mean.size()] += rows[i] / static_cast<float>(heads);
  }
  return mean;
}

AttentionOutput fusedAttention(const at::Tensor& qkv, std::int64_t heads,
                               std::span<const Segment> segments, const HeadKernel& kernel) {
  const std::int64_t dim = qkv.size(1) / 3;
  const std::int64_t width = dim / heads;
  AttentionOutput output;
  output.mixed = at::empty({qkv.size(0), dim}, qkv.options());
  const std::vector<Place> places = placesOf(segments, output);
  std::vector<std::vector<float>> head_rows(segments.size());
  std::vector<at::Tensor> pair_bias(segments.size());
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    largest = std::max(largest, segment.tokens);
    if (segment.first_row) head_rows[i].resize(static_cast<std::size_t>(heads * segment.tokens));
    if (segment.pair_bias.defined()) pair_bias[i] = inRows(segment.pair_bias.to(at::kFloat));
  }
  const std::int64_t bytes = kernel.scratch(largest, width);

  // Few heads do not divide evenly among the threads; pieces of them do.
  const auto jobs = static_cast<std::int64_t>(segments.size()) * heads;
  const std::int64_t threads = parallelThreads();
  const bool split = jobs % threads != 0 && jobs < 4 * threads;
  const std::int64_t queries = split ? kQueryBlock : std::max<std::int64_t>(largest, 1);
  const std::int64_t pieces = (largest + queries - 1) / queries;
  const auto* data = static_cast<const char*>(qkv.data_ptr());
  auto* mixed = static_cast<char*>(output.mixed.data_ptr());
  const std::int64_t size = qkv.element_size();
  parallelFor(jobs * pieces, [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = at::empty({bytes}, at::kByte);
    for (std::int64_t job = first; job < last; ++job) {
      const std::int64_t head = job / pieces % heads;
      const auto index = static_cast<std::size_t>(job / pieces / heads);
      const Place& place = places[index];
      const std::int64_t tokens = place.segment->tokens;
      const std::int64_t first_query = job % pieces * queries;
      if (first_query >= tokens) continue;
      const std::int64_t start = place.offset * qkv.stride(0) + head * width;
      AttentionCall call{};
      call.q = data + start * size;
      call.k = data + (start + dim) * size;
      call.v = data + (start + 2 * dim) * size;
      call.q_stride = call.kv_stride = qkv.stride(0);
      call.queries = call.keys = tokens;
      call.width = width;
      call.first_query = first_query;
      call.last_query = std::min(first_query + queries, tokens);
      call.scale = static_cast<float>(scaleOf(width));
      if (!place.segment->key_bias.empty()) call.key_bias = place.segment->key_bias.data();
      if (const at::Tensor& pairs = pair_bias[index]; pairs.defined()) {
        call.pair_bias = pairs.data_ptr<float>() + head * pairs.stride(0);
        call.pair_stride = pairs.stride(1);
      }
      call.out = mixed + (place.offset * dim + head * width) * size;
      call.out_stride = dim;
      if (place.segment->first_row) call.first_row = head_rows[index].data() + head * tokens;
      kernel.attend(call, scratch.data_ptr());
    }
  });
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].first_row) {
      output.first_rows[i] = meanRow(head_rows[i], segments[i].tokens, heads);
    }
  }
  return output;
}

}  // namespace

AttentionOutput plainAttention(const at::Tensor& qkv, std::int64_t heads,
                               std::span<const Segment> segments) {
  const std::int64_t dim = qkv.size(1) / 3;
  AttentionOutput output;
  std::vector<at::Tensor> mixed;
  for (const Place& place : placesOf(segments, output)) {
    const std::int64_t tokens = place.segment->tokens;
    const at::Tensor own = qkv.narrow(0, place.offset, tokens)
                               .reshape({tokens, 3, heads, dim / heads})
                               .permute({1, 2, 0, 3});
    at::Tensor logits = (own[0] * scaleOf(dim / heads)).matmul(own[1].transpose(1, 2));
    if (!place.segment->key_bias.empty()) {
      logits = logits + at::tensor(place.segment->key_bias).to(logits.options());
    }
    if (place.segment->pair_bias.defined()) {
      logits = logits + place.segment->pair_bias.to(logits.options());
    }
    const at::Tensor weights = logits.softmax(-1);
    if (place.segment->first_row) {
      const at::Tensor row = weights.select(1, 0).to(at::kFloat).mean(0).to(at::kCPU).contiguous();
      place.first_row->assign(row.data_ptr<float>(), row.data_ptr<float>() + row.numel());
    }
    mixed.push_back(weights.matmul(own[2]).transpose(0, 1).reshape({tokens, dim}));
  }
  output.mixed = mixed.size() == 1 ? mixed.front() : at::cat(mixed);
  return output;
}

AttentionOutput attention(const at::Tensor& qkv, std::int64_t heads,
                          std::span<const Segment> segments, Isa isa) {
  if (!qkv.is_cpu()) return batchedAttention(qkv, heads, segments);
  const std::optional<HeadKernel> kernel = kernelFor(qkv, isa);
  if (!kernel) return plainAttention(qkv, heads, segments);
  return fusedAttention(inRows(qkv), heads, segments, *kernel);
}

at::Tensor plainPooledAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                std::int64_t heads, std::span<const float> key_bias) {
  const auto split = [&](const at::Tensor& x) {
    return x.unflatten(1, {heads, -1}).transpose(0, 1);
  };
  at::Tensor logits = (split(q) * scaleOf(q.size(1) / heads)).matmul(split(k).transpose(1, 2));
  if (!key_bias.empty()) {
    const at::Tensor bias = at::tensor(at::ArrayRef<float>(key_bias.data(), key_bias.size()));
    logits = logits + bias.to(logits.options());
  }
  return logits.softmax(-1).matmul(split(v)).transpose(0, 1).flatten(1);
}

at::Tensor pooledAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           std::int64_t heads, std::span<const float> key_bias, Isa isa) {
  const std::optional<HeadKernel> kernel = kernelFor(q, isa);
  if (!kernel || k.scalar_type() != q.scalar_type() || v.scalar_type() != q.scalar_type()) {
    return plainPooledAttention(q, k, v, heads, key_bias);
  }
  const at::Tensor queries = inRows(q);
  // The kernel takes keys and values of one stride.
  const bool alike = k.stride(1) == 1 && v.stride(1) == 1 && k.stride(0) == v.stride(0);
  const at::Tensor keys = alike ? k : k.contiguous();
  const at::Tensor values = alike ? v : v.contiguous();
  at::Tensor result = at::empty({q.size(0), q.size(1)}, q.options());
  const std::int64_t width = q.size(1) / heads;
  const std::int64_t size = q.element_size();
  parallelFor(heads, [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = at::empty({kernel->scratch(k.size(0), width)}, at::kByte);
    for (std::int64_t head = first; head < last; ++head) {
      const auto of = [&](const at::Tensor& x) {
        return static_cast<char*>(x.data_ptr()) + head * width * size;
      };
      AttentionCall call{};
      call.q = of(queries);
      call.k = of(keys);
      call.v = of(values);
      call.q_stride = queries.stride(0);
      call.kv_stride = keys.stride(0);
      call.queries = call.last_query = q.size(0);
      call.keys = k.size(0);
      call.width = width;
      call.scale = static_cast<float>(scaleOf(width));
      if (!key_bias.empty()) call.key_bias = key_bias.data();
      call.out = of(result);
      call.out_stride = q.size(1);
      kernel->attend(call, scratch.data_ptr());
    }
  });
  return result;
}

}  // namespace adamerge
