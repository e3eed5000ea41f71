// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/token_set.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "merging/matching.h"

namespace adamerge {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<std::int64_t> countsOf(std::span<const LayerTokens> images, std::int64_t first) {
  std::vector<std::int64_t> counts;
  for (const LayerTokens& image : images) counts.push_back(image.count() - first);
  return counts;
}

/// Where one side comes after the other, they meet at the same place in every image, so that the
/// sides are rectangles of the whole batch.
std::vector<std::int64_t> startsOf(Partition partition, const std::vector<std::int64_t>& counts) {
  std::vector<std::int64_t> starts;
  if (partition == Partition::kAlternating) return starts;
  const std::int64_t most = *std::max_element(counts.begin(), counts.end());
  for (const std::int64_t count : counts) {
    starts.push_back(sourceCount(partition, most) - sourceCount(partition, count));
  }
  return starts;
}

std::vector<float> hostFloats(const at::Tensor& values) {
  const at::Tensor host = values.to(at::kCPU, at::kFloat).contiguous();
  return {host.data_ptr<float>(), host.data_ptr<float>() + host.numel()};
}

/// Tensors [images, n], each of its own n, on the host, in fp32, which holds positions exactly.
class HostRows {
 public:
  explicit HostRows(const std::vector<at::Tensor>& tensors) {
    std::vector<at::Tensor> rows;
    std::int64_t start = 0;
    for (const at::Tensor& tensor : tensors) {
      rows.push_back(tensor.to(at::kFloat));
      starts_.push_back(start);
      start += tensor.size(1);
    }
    values_ = at::cat(rows, 1).to(at::kCPU).contiguous();
  }
  /// `count` values from `first` on of one image's row of one of them.
  template <class Number>
  std::vector<Number> row(std::size_t tensor, std::size_t image, std::int64_t first,
                          std::int64_t count) const {
    const float* const begin = values_.data_ptr<float>() +
                               static_cast<std::int64_t>(image) * values_.size(1) +
                               starts_[tensor] + first;
    return {begin, begin + count};
  }

 private:
  at::Tensor values_;  ///< [images, all n]
  std::vector<std::int64_t> starts_;
};

}  // namespace

std::int64_t sourceCount(Partition partition, std::int64_t n) {
  return partition == Partition::kAlternating ? (n + 1) / 2 : n / 2;
}

TokenSet::TokenSet(std::span<const LayerTokens> images, TokenPart part, std::int64_t first,
                   Partition partition, std::int64_t held)
    : partition_(partition),
      dtype_(images.front().deciding),
      held_(held),
      counts_(countsOf(images, first)),
      padding_(counts_, images.front().tokens.device(), startsOf(partition, counts_)),
      alone_(images.size() == 1 && images.front().tokens.is_cpu()) {
  std::vector<at::Tensor> rows;
  for (std::size_t i = 0; i < images.size(); ++i) {
    rows.push_back((images[i].*part).narrow(0, first, counts_[i]));
  }
  rows_ = alone_ ? rows.front().unsqueeze(0) : padding_.pad(at::cat(rows)).to(dtype_);
}

TokenSet TokenSet::directions(double least) const {
  TokenSet result = *this;
  if (alone_) {
    result.rows_ = adamerge::directions(rows_[0], least, dtype_).unsqueeze(0);
  } else {
    const at::Tensor rows = rows_.to(dtype_);
    result.rows_ = rows / rows.norm(2, {2}, /*keepdim=*/true).clamp_min(least);
  }
  return result;
}

at::Tensor TokenSet::gram() const {
  if (!alone_) return rows_.bmm(rows_.transpose(1, 2));
  const std::int64_t row = rows_.size(1) * static_cast<std::int64_t>(at::elementSize(dtype_));
  return row * rows_.size(1) > held_ ? at::Tensor() : gramMatrix(rows_[0], dtype_).unsqueeze(0);
}

void TokenSet::forGramRows(const std::function<void(std::int64_t, const at::Tensor&)>& work) const {
  forRowPieces(rows_.size(1), [&](std::int64_t first, std::int64_t last) {
    work(first, dotProducts(rows_[0].narrow(0, first, last - first), rows_[0], dtype_));
  });
}

at::Tensor TokenSet::products() const {
  const at::Tensor rows = rows_.scalar_type() == at::kDouble ? rows_.to(dtype_) : rows_;
  const at::Tensor a = sources(rows);
  const at::Tensor b = destinations(rows);
  if (alone_) return dotProducts(a[0], b[0], dtype_).unsqueeze(0);
  return a.bmm(b.transpose(1, 2));
}

at::Tensor TokenSet::columnSums(const at::Tensor& gram, double scale) const {
  if (!gram.defined()) {
    at::Tensor sums = at::zeros({rows_.size(1)}, rows_.options().dtype(dtype_));
    forGramRows([&](std::int64_t /*first*/, const at::Tensor& rows) {
      sums.add_(softmaxColumnSums(rows, scale));
    });
    return sums.unsqueeze(0);
  }
  if (alone_) return softmaxColumnSums(gram[0], scale).unsqueeze(0);
  const at::Tensor shares = filled(scale == 1 ? gram : gram * scale, -kInfinity).softmax(-1);
  if (padding_.even()) return shares.sum(1);
  return shares.masked_fill(padding_.absent().unsqueeze(2), 0).sum(1);
}

SetMatches TokenSet::best(const at::Tensor& scores, const at::Tensor& source_factors,
                          const at::Tensor& destination_factors, const at::Tensor& along,
                          std::span<const std::int64_t> limits) const {
  SetMatches result;
  if (alone_) {
    result.best.push_back(source_factors.defined()
                              ? bestProducts(scores[0], source_factors[0], destination_factors[0])
                              : bestMatches(scores[0]));
    if (along.defined()) result.along.push_back(hostFloats(along[0]));
    return result;
  }
  at::Tensor products = scores;
  if (source_factors.defined()) {
    products = products * destination_factors.unsqueeze(1) * source_factors.unsqueeze(2);
  }
  at::Tensor absent;  // [images or 1, destinations]
  if (limits.empty()) {
    if (!padding_.even()) absent = destinations(padding_.absent());
  } else if (std::adjacent_find(limits.begin(), limits.end(), std::not_equal_to<>()) !=
             limits.end()) {
    const at::Tensor limit =
        sentTo(products.device(),
               at::tensor(std::vector<std::int64_t>(limits.begin(), limits.end())))
            .unsqueeze(1);
    absent = at::arange(products.size(2), limit.options()).mul(2).add(1).unsqueeze(0) >= limit;
  }
  if (absent.defined()) products = products.masked_fill(absent.unsqueeze(1), -kInfinity);
  const auto [score, index] = products.max(2);
  std::vector<at::Tensor> wanted{score, index};
  if (along.defined()) wanted.push_back(along);
  const HostRows host(wanted);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const std::int64_t sources = sourceCount(partition_, limits.empty() ? counts_[i] : limits[i]);
    BestMatches& best = result.best.emplace_back();
    best.score = host.row<float>(0, i, padding_.start(i), sources);
    best.index = host.row<std::int64_t>(1, i, padding_.start(i), sources);
    std::replace_if(
        best.score.begin(), best.score.end(), [](float value) { return std::isnan(value); },
        -std::numeric_limits<float>::infinity());
    if (along.defined()) {
      result.along.push_back(host.row<float>(2, i, padding_.start(i), counts_[i]));
    }
  }
  return result;
}

at::Tensor TokenSet::between(const at::Tensor& gram) const {
  return gram.defined() ? destinations(sources(gram, 1), 2) : products();
}

at::Tensor TokenSet::between(const at::Tensor& gram, const at::Tensor& rows,
                             const at::Tensor& columns) const {
  if (!gram.defined()) {
    return dotProducts(rows_[0].index_select(0, rows[0]), rows_[0].index_select(0, columns[0]),
                       dtype_)
        .unsqueeze(0);
  }
  if (alone_) return picked(gram[0], rows[0], columns[0]).unsqueeze(0);
  return gram.gather(1, rows.unsqueeze(2).expand({-1, -1, gram.size(2)}))
      .gather(2, columns.unsqueeze(1).expand({-1, rows.size(1), -1}));
}

at::Tensor TokenSet::sources(const at::Tensor& values, std::int64_t axis) const {
  const std::int64_t n = padding_.longest();
  if (partition_ == Partition::kAlternating) return values.slice(axis, 0, n, 2);
  return values.narrow(axis, 0, sourceCount(partition_, n));
}

at::Tensor TokenSet::destinations(const at::Tensor& values, std::int64_t axis) const {
  const std::int64_t n = padding_.longest();
  if (partition_ == Partition::kAlternating) return values.slice(axis, 1, n, 2);
  const std::int64_t first = sourceCount(partition_, n);
  return values.narrow(axis, first, n - first);
}

at::Tensor TokenSet::inverseNorms(double least) const {
  if (alone_) return adamerge::inverseNorms(rows_[0], least, dtype_).unsqueeze(0);
  return rows_.norm(2, {2}).clamp_min(least).reciprocal();
}

at::Tensor TokenSet::inverseLengths(const at::Tensor& gram, double least) const {
  if (!gram.defined()) return inverseNorms(least);
  if (alone_) return adamerge::inverseLengths(gram[0], least).unsqueeze(0);
  return gram.diagonal(0, 1, 2).clamp_min(0).sqrt().clamp_min(least).reciprocal();
}

at::Tensor TokenSet::wardGrowth(const at::Tensor& products, const at::Tensor& inverse,
                                const at::Tensor& sizes) const {
  const WardSide rows{sources(inverse), sources(sizes)};
  const WardSide columns{destinations(inverse), destinations(sizes)};
  if (!alone_) return plainWardGrowth(products, rows, columns);
  return adamerge::wardGrowth(products[0], {rows.inverse[0], rows.sizes[0]},
                              {columns.inverse[0], columns.sizes[0]})
      .unsqueeze(0);
}

at::Tensor TokenSet::minMaxScaled(const at::Tensor& values, double epsilon) const {
  if (alone_) return adamerge::minMaxScaled(values[0], epsilon).unsqueeze(0);
  const at::Tensor low = filled(values, kInfinity).amin(1, /*keepdim=*/true);
  const at::Tensor high = filled(values, -kInfinity).amax(1, /*keepdim=*/true);
  return (values - low) / (high - low + epsilon);
}

at::Tensor TokenSet::eluMeans(const at::Tensor& gram, double margin) const {
  if (!gram.defined()) {
    at::Tensor means = at::empty({rows_.size(1)}, rows_.options().dtype(dtype_));
    forGramRows([&](std::int64_t first, const at::Tensor& rows) {
      means.narrow(0, first, rows.size(0)).copy_(eluRowMeans(rows, margin));
    });
    return means.unsqueeze(0);
  }
  if (alone_) return eluRowMeans(gram[0], margin).unsqueeze(0);
  at::Tensor means = at::empty({gram.size(0), gram.size(1)}, gram.options());
  forRowPieces(gram.size(1), [&](std::int64_t first, std::int64_t last) {
    at::Tensor pairs = gram.narrow(1, first, last - first) - margin;
    at::elu_(pairs);
    means.narrow(1, first, last - first)
        .copy_(padding_.even() ? pairs.mean(2) : filled(pairs, 0).sum(2).div(padding_.counts()));
  });
  return means;
}

at::Tensor TokenSet::ranked(const at::Tensor& values) const {
  if (alone_) {
    std::vector<float> own = hostFloats(values[0]);
    std::replace_if(
        own.begin(), own.end(), [](float value) { return std::isnan(value); }, 0.0F);
    return at::tensor(descending(own)).unsqueeze(0);
  }
  const at::Tensor known = values.to(at::kFloat);
  return std::get<1>(filled(known.masked_fill(known.isnan(), 0), -kInfinity)
                         .sort(/*stable=*/true, /*dim=*/1, /*descending=*/true));
}

at::Tensor TokenSet::filled(const at::Tensor& values, double fill) const {
  if (padding_.even()) return values;
  const at::Tensor& absent = padding_.absent();
  return values.masked_fill(values.dim() == 3 ? absent.unsqueeze(1) : absent, fill);
}

at::Tensor TokenSet::values(const std::vector<std::vector<float>>& lists) const {
  std::vector<float> rows(static_cast<std::size_t>(padding_.images() * padding_.longest()), 1.0F);
  for (std::size_t image = 0; image < lists.size(); ++image) {
    const std::int64_t start =
        static_cast<std::int64_t>(image) * padding_.longest() + padding_.start(image);
    std::copy(lists[image].begin(), lists[image].end(), rows.begin() + start);
  }
  return sentTo(rows_.device(), at::tensor(rows))
      .to(dtype_)
      .reshape({padding_.images(), padding_.longest()});
}

}  // namespace adamerge
