// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "kernels/cpu/kernel_tables.h"
#include "kernels/parallel.h"
#include "kernels/workspace.h"

namespace adamerge {
namespace {

/// Products of queries and keys that a piece has at most, so that a stop is seen soon.
constexpr std::int64_t kLongestPiece = 1 << 23;

/// The CPU's kernel for one number type.
struct HeadKernel {
  void (*attend)(const AttentionCall& call, void* scratch);
  std::ptrdiff_t (*scratch)(std::ptrdiff_t keys, std::ptrdiff_t width);  ///< bytes
};

std::optional<HeadKernel> kernelFor(const at::Tensor& x, Isa isa) {
  if (!x.is_cpu()) return std::nullopt;
  if (x.scalar_type() == at::kBFloat16) {
    return HeadKernel{halfKernels(isa).attention, halfKernels(isa).attentionScratch};
  }
  if (x.scalar_type() != at::kFloat) return std::nullopt;
  return HeadKernel{floatKernels(isa).attention, floatKernels(isa).attentionScratch};
}

/// Adjacent elements in each row, and the matrix itself where they are.
at::Tensor inRows(const at::Tensor& matrix) {
  return matrix.stride(-1) == 1 ? matrix : matrix.contiguous();
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

/// A segment's places as the kernel reads them.
class KeyPlaces {
 public:
  explicit KeyPlaces(const RelativePlaces& places) : places_(places) {
    const std::size_t tokens = places.whole() ? 0 : places.rows.starts.size() - 1;
    for (std::size_t t = 0; t < tokens; ++t) {
      const auto first_row = static_cast<std::size_t>(places.rows.starts[t]);
      const auto last_row = static_cast<std::size_t>(places.rows.starts[t + 1]);
      const auto first_column = static_cast<std::size_t>(places.columns.starts[t]);
      const auto last_column = static_cast<std::size_t>(places.columns.starts[t + 1]);
      rows_.push_back(places.rows.places[first_row]);
      columns_.push_back(places.columns.places[first_column]);
      if (last_row - first_row == 1 && last_column - first_column == 1) continue;
      const auto start = static_cast<std::ptrdiff_t>(terms_.size());
      for (std::size_t i = first_row; i < last_row; ++i) {
        terms_.push_back(places.rows.places[i]);
        shares_.push_back(places.rows.shares[i]);
      }
      for (std::size_t i = first_column; i < last_column; ++i) {
        terms_.push_back(static_cast<std::int32_t>(places.height) + places.columns.places[i]);
        shares_.push_back(places.columns.shares[i]);
      }
      spread_.push_back(
          {static_cast<std::ptrdiff_t>(t), start, static_cast<std::ptrdiff_t>(terms_.size())});
    }
  }

  std::int64_t terms() const { return places_.height + places_.width; }

  /// [queries, terms()] of the queries from `first` on, whose products with all rows of the tables
  /// are `products`.
  void fillTerms(std::int64_t first, const at::Tensor& products, float* terms) const {
    const std::int64_t offsets = products.size(1);
    const float* from = products.data_ptr<float>();
    const std::int64_t height = places_.height;
    const std::int64_t width = places_.width;
    for (std::int64_t i = 0; i < products.size(0); ++i, from += offsets, terms += height + width) {
      const std::int64_t token = first + i;
      if (places_.whole()) {
        reversed(from + token / width, height, terms);
        reversed(from + 2 * height - 1 + token % width, width, terms + height);
        continue;
      }
      mean(places_.rows, token, from, height, terms);
      mean(places_.columns, token, from + 2 * height - 1, width, terms + height);
    }
  }

  void describe(AttentionCall& call) const {
    call.place_stride = terms();
    call.place_rows = places_.height;
    call.place_columns = places_.width;
    if (places_.whole()) return;
    call.key_rows = rows_.data();
    call.key_columns = columns_.data();
    call.spread = spread_.data();
    call.spread_keys = static_cast<std::ptrdiff_t>(spread_.size());
    call.spread_terms = terms_.data();
    call.spread_shares = shares_.data();
  }

 private:
  /// to[b] = from[side - 1 - b]
  static void reversed(const float* from, std::int64_t side, float* to) {
    for (std::int64_t b = 0; b < side; ++b) to[b] = from[side - 1 - b];
  }
  static void mean(const RelativePlaces::Axis& axis, std::int64_t token, const float* from,
                   std::int64_t side, float* to) {
    const auto first = static_cast<std::size_t>(axis.starts[static_cast<std::size_t>(token)]);
    const auto last = static_cast<std::size_t>(axis.starts[static_cast<std::size_t>(token) + 1]);
    if (last - first == 1) {
      reversed(from + axis.places[first], side, to);
      return;
    }
    std::fill_n(to, side, 0.0F);
    for (std::size_t k = first; k < last; ++k) {
      const float* own = from + axis.places[k];
      for (std::int64_t b = 0; b < side; ++b) to[b] += axis.shares[k] * own[side - 1 - b];
    }
  }

  const RelativePlaces& places_;
  std::vector<std::int32_t> rows_, columns_, terms_;
  std::vector<float> shares_;
  std::vector<SpreadKey> spread_;
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
  output.mixed = emptyResult({qkv.size(0), dim}, qkv.options());
  output.first_rows.resize(segments.size());
  output.received.resize(segments.size());
  std::vector<std::int64_t> offsets;
  std::vector<std::vector<float>> head_rows(segments.size());
  std::vector<std::vector<float>> column_sums(segments.size());
  std::vector<at::Tensor> pair_bias(segments.size());
  std::int64_t largest = 0;
  for (std::int64_t offset = 0; const Segment& segment : segments) {
    const std::size_t i = offsets.size();
    offsets.push_back(offset);
    offset += segment.tokens;
    largest = std::max(largest, segment.tokens);
    if (segment.first_row) head_rows[i].resize(static_cast<std::size_t>(heads * segment.tokens));
    if (segment.received) {
      const std::int64_t blocks = (segment.tokens + kQueryBlock - 1) / kQueryBlock;
      column_sums[i].resize(static_cast<std::size_t>(heads * blocks * segment.tokens));
    }
    if (segment.pair_bias.defined()) pair_bias[i] = inRows(segment.pair_bias.to(at::kFloat));
  }
  const std::int64_t bytes = kernel.scratch(largest, width);
  std::map<const RelativePlaces*, KeyPlaces> key_places;
  for (const Segment& segment : segments) {
    if (segment.places) key_places.try_emplace(segment.places.get(), *segment.places);
  }

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
      const Segment& segment = segments[index];
      const std::int64_t offset = offsets[index];
      const std::int64_t tokens = segment.tokens;
      const std::int64_t first_query = job % pieces * queries;
      if (first_query >= tokens) continue;
      const std::int64_t start = offset * qkv.stride(0) + head * width;
      AttentionCall call{};
      call.q = data + start * size;
      call.k = data + (start + dim) * size;
      call.v = data + (start + 2 * dim) * size;
      call.q_stride = call.kv_stride = qkv.stride(0);
      call.queries = call.keys = tokens;
      call.width = width;
      call.first_query = first_query;
      call.last_query = std::min(first_query + queries, tokens);
      call.scale = static_cast<float>(attentionScale(width));
      if (!segment.key_bias.empty()) call.key_bias = segment.key_bias.data();
      if (const at::Tensor& pairs = pair_bias[index]; pairs.defined()) {
        call.pair_bias = pairs.data_ptr<float>() + head * pairs.stride(0);
        call.pair_stride = pairs.stride(1);
      }
      call.out = mixed + (offset * dim + head * width) * size;
      call.out_stride = dim;
      if (segment.first_row) call.first_row = head_rows[index].data() + head * tokens;
      if (segment.received) {
        call.column_sums =
            column_sums[index].data() + head * ((tokens + kQueryBlock - 1) / kQueryBlock) * tokens;
      }
      at::Tensor terms;
      if (const RelativePlaces* own = segment.places.get()) {
        const KeyPlaces& lie = key_places.at(own);
        const at::Tensor queries_here =
            qkv.narrow(0, offset + first_query, call.last_query - first_query)
                .narrow(1, head * width, width);
        const at::Tensor products = queries_here.mm(own->tables.t()).to(at::kFloat).contiguous();
        terms = at::empty({products.size(0), lie.terms()}, at::kFloat);
        lie.fillTerms(first_query, products, terms.data_ptr<float>());
        // As if it began at the segment's first query.
        call.place_terms = terms.data_ptr<float>() - first_query * lie.terms();
        lie.describe(call);
      }
      const std::vector<std::vector<std::int64_t>>& seen = segment.keys;
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

bool skipsUnseenKeys(const at::Tensor& qkv, Isa isa) { return kernelFor(qkv, isa).has_value(); }

AttentionOutput attention(const at::Tensor& qkv, std::int64_t heads,
                          std::span<const Segment> segments, Isa isa) {
  if (!qkv.is_cpu()) return batchedAttention(qkv, heads, segments);
  const std::optional<HeadKernel> kernel = kernelFor(qkv, isa);
  if (!kernel) return plainAttention(qkv, heads, segments);
  return fusedAttention(inRows(qkv), heads, segments, *kernel);
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
      call.scale = static_cast<float>(attentionScale(width));
      if (!key_bias.empty()) call.key_bias = key_bias.data();
      call.out = of(result);
      call.out_stride = q.size(1);
      kernel->attend(call, scratch.data_ptr());
    }
  });
  return result;
}

}  // namespace adamerge
