// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "kernels/cpu/kernel_tables.h"
#include "kernels/padded/batched_attention.h"
#include "kernels/parallel.h"

namespace adamerge {
namespace {

/// Products of queries and keys that a piece has at most, so that a stop is seen soon.
constexpr std::int64_t kLongestPiece = 1 << 23;

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
  at::Tensor* received;
};

std::vector<Place> placesOf(std::span<const Segment> segments, AttentionOutput& output) {
  output.first_rows.resize(segments.size());
  output.received.resize(segments.size());
  std::vector<Place> places;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    places.push_back({&segments[i], offset, &output.first_rows[i], &output.received[i]});
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

/// What one head of one segment computes with where it does not see all keys: their rows, one
/// below the other, and what belongs to each.
class SeenKeys {
 public:
  /// `call` of all `tokens` keys becomes one of those of `keys`.
  SeenKeys(const std::vector<std::int64_t>& keys, std::int64_t bytes, AttentionCall& call)
      : keys_(keys), original_(call) {
    const std::size_t count = keys.size();
    const auto row = static_cast<std::size_t>(call.width * bytes);
    rows_.resize(2 * count * row);
    for (std::size_t k = 0; k < count; ++k) {
      const std::ptrdiff_t from = keys[k] * call.kv_stride * bytes;
      std::copy_n(static_cast<const char*>(call.k) + from, row, rows_.data() + k * row);
      std::copy_n(static_cast<const char*>(call.v) + from, row, rows_.data() + (count + k) * row);
    }
    call.k = rows_.data();
    call.v = rows_.data() + count * row;
    call.kv_stride = call.width;
    call.keys = static_cast<std::ptrdiff_t>(count);
    if (call.key_bias != nullptr) {
      for (const std::int64_t key : keys) key_bias_.push_back(call.key_bias[key]);
      call.key_bias = key_bias_.data();
    }
    if (call.pair_bias != nullptr) {
      for (std::ptrdiff_t query = 0; query < call.queries; ++query) {
        const float* from = call.pair_bias + query * call.pair_stride;
        for (const std::int64_t key : keys) pair_bias_.push_back(from[key]);
      }
      call.pair_bias = pair_bias_.data();
      call.pair_stride = call.keys;
    }
    if (call.first_row != nullptr) {
      first_row_.resize(count);
      call.first_row = first_row_.data();
    }
    if (call.column_sums != nullptr) {
      column_sums_.resize(count * static_cast<std::size_t>(blocks()));
      call.column_sums = column_sums_.data();
    }
  }
  /// What the call told of its keys, to where the segment's are.
  void giveBack() const {
    for (std::size_t k = 0; k < keys_.size(); ++k) {
      if (original_.first_row != nullptr && original_.first_query == 0) {
        original_.first_row[keys_[k]] = first_row_[k];
      }
      if (original_.column_sums == nullptr) continue;
      // Other threads may have the other blocks of queries.
      for (std::ptrdiff_t block = original_.first_query / kQueryBlock;
           block * kQueryBlock < original_.last_query; ++block) {
        original_.column_sums[block * original_.keys + keys_[k]] +=
            column_sums_[static_cast<std::size_t>(block) * keys_.size() + k];
      }
    }
  }

 private:
  std::ptrdiff_t blocks() const { return (original_.queries + kQueryBlock - 1) / kQueryBlock; }

  const std::vector<std::int64_t>& keys_;
  AttentionCall original_;
  std::vector<char> rows_;
  std::vector<float> key_bias_, pair_bias_, first_row_, column_sums_;
};

/// [heads, tokens] from the sums of each block of queries, added in their order.
at::Tensor receivedOf(const std::vector<float>& sums, std::int64_t heads, std::int64_t tokens) {
  const at::Tensor blocks = at::tensor(at::ArrayRef<float>(sums)).reshape({heads, -1, tokens});
  at::Tensor total = blocks.select(1, 0).clone();
  for (std::int64_t block = 1; block < blocks.size(1); ++block) total += blocks.select(1, block);
  return total / static_cast<double>(tokens);
}

AttentionOutput fusedAttention(const at::Tensor& qkv, std::int64_t heads,
                               std::span<const Segment> segments, const HeadKernel& kernel) {
  const std::int64_t dim = qkv.size(1) / 3;
  const std::int64_t width = dim / heads;
  AttentionOutput output;
  output.mixed = at::empty({qkv.size(0), dim}, qkv.options());
  const std::vector<Place> places = placesOf(segments, output);
  std::vector<std::vector<float>> head_rows(segments.size());
  std::vector<std::vector<float>> column_sums(segments.size());
  std::vector<at::Tensor> pair_bias(segments.size());
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    largest = std::max(largest, segment.tokens);
    if (segment.first_row) head_rows[i].resize(static_cast<std::size_t>(heads * segment.tokens));
    if (segment.received) {
      const std::int64_t blocks = (segment.tokens + kQueryBlock - 1) / kQueryBlock;
      column_sums[i].resize(static_cast<std::size_t>(heads * blocks * segment.tokens));
    }
    if (segment.pair_bias.defined()) pair_bias[i] = inRows(segment.pair_bias.to(at::kFloat));
  }
  const std::int64_t bytes = kernel.scratch(largest, width);

  // Few heads do not divide evenly among the threads; pieces of them do.
  const auto jobs = static_cast<std::int64_t>(segments.size()) * heads;
  const std::int64_t threads = parallelThreads();
  const bool split = jobs % threads != 0 && jobs < 4 * threads;
  const std::int64_t most =
      std::max<std::int64_t>(kLongestPiece / std::max<std::int64_t>(largest, 1) / kQueryBlock, 1) *
      kQueryBlock;
  const std::int64_t queries =
      split ? kQueryBlock : std::min(std::max<std::int64_t>(largest, 1), most);
  const std::int64_t pieces = (largest + queries - 1) / queries;
  const auto* data = static_cast<const char*>(qkv.data_ptr());
  auto* mixed = static_cast<char*>(output.mixed.data_ptr());
  const std::int64_t size = qkv.element_size();
  parallelFor(jobs * pieces, [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = at::empty({bytes}, at::kByte);
    for (std::int64_t job = first; job < last; ++job) {
      throwIfStopWithin();
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
      if (place.segment->received) {
        call.column_sums =
            column_sums[index].data() + head * ((tokens + kQueryBlock - 1) / kQueryBlock) * tokens;
      }
      const std::vector<std::vector<std::int64_t>>& seen = place.segment->keys;
      if (seen.empty()) {
        kernel.attend(call, scratch.data_ptr());
        continue;
      }
      const SeenKeys keys(seen[seen.size() == 1 ? 0 : static_cast<std::size_t>(head)], size, call);
      kernel.attend(call, scratch.data_ptr());
      keys.giveBack();
    }
  });
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].first_row) {
      output.first_rows[i] = meanRow(head_rows[i], segments[i].tokens, heads);
    }
    if (segments[i].received) {
      output.received[i] = receivedOf(column_sums[i], heads, segments[i].tokens);
    }
  }
  return output;
}

}  // namespace

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

bool skipsUnseenKeys(const at::Tensor& qkv, Isa isa) { return kernelFor(qkv, isa).has_value(); }

at::Tensor attentionWeights(const at::Tensor& qkv, std::int64_t heads, const Segment& segment) {
  const std::int64_t dim = qkv.size(1) / 3;
  const at::Tensor own = qkv.reshape({segment.tokens, 3, heads, dim / heads}).permute({1, 2, 0, 3});
  at::Tensor logits = (own[0] * scaleOf(dim / heads)).matmul(own[1].transpose(1, 2));
  if (!segment.key_bias.empty()) {
    logits = logits + at::tensor(segment.key_bias).to(logits.options());
  }
  if (segment.pair_bias.defined()) logits = logits + segment.pair_bias.to(logits.options());
  if (!segment.keys.empty()) logits = logits + hiddenKeys(segment).to(logits.options());
  return logits.softmax(-1);
}

AttentionOutput plainAttention(const at::Tensor& qkv, std::int64_t heads,
                               std::span<const Segment> segments) {
  const std::int64_t dim = qkv.size(1) / 3;
  AttentionOutput output;
  std::vector<at::Tensor> mixed;
  for (const Place& place : placesOf(segments, output)) {
    const std::int64_t tokens = place.segment->tokens;
    const at::Tensor own = qkv.narrow(0, place.offset, tokens);
    const at::Tensor weights = attentionWeights(own, heads, *place.segment);
    if (place.segment->received) {
      *place.received = weights.mean(1).to(at::kCPU, at::kFloat);
    }
    if (place.segment->first_row) {
      const at::Tensor row = weights.select(1, 0).to(at::kFloat).mean(0).to(at::kCPU).contiguous();
      place.first_row->assign(row.data_ptr<float>(), row.data_ptr<float>() + row.numel());
    }
    const at::Tensor values = own.reshape({tokens, 3, heads, dim / heads}).select(1, 2);
    mixed.push_back(weights.matmul(values.transpose(0, 1)).transpose(0, 1).reshape({tokens, dim}));
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
