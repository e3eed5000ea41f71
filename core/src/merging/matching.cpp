// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "adamerge/error.h"
#include "kernels/parallel.h"

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

namespace {

/// A row of zeros counts as this long.
constexpr double kLeastNorm = 1e-12;

std::int64_t toMeCount(const LayerTokens& layer, std::int64_t r) {
  return std::min(r, layer.patchCount() / 2);
}

/// From the best odd position of each even one.
MergePlan toMePlanOf(const LayerTokens& layer, std::int64_t r, const BestMatches& best) {
  MergePlan plan;
  const std::int64_t count = layer.count();
  r = toMeCount(layer, r);
  if (r <= 0) return plan;
  plan.macs = static_cast<double>((count + 1) / 2) * static_cast<double>(count / 2) *
              static_cast<double>(layer.metric.size(1));
  const std::vector<std::int64_t> order = descending(best.score);
  std::vector<bool> merged(static_cast<std::size_t>(count), false);
  for (std::int64_t k = 0; k < r; ++k) {
    const std::int64_t source = order[k];
    if (!std::isfinite(best.score[source])) break;
    merged[2 * source] = true;
    plan.merges.push_back({2 * source, 2 * best.index[source] + 1, best.score[source]});
  }

  for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
  for (const std::int64_t side : {0, 1}) {
    for (std::int64_t position = side; position < count; position += 2) {
      if (position >= layer.prefix && !merged[position]) plan.order.push_back(position);
    }
  }
  plan.weights.assign(layer.sizes.begin(), layer.sizes.end());
  return plan;
}

}  // namespace

std::vector<std::int64_t> descending(const std::vector<float>& values) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return values[a] > values[b]; });
  return order;
}

void forRowPieces(std::int64_t rows, const std::function<void(std::int64_t, std::int64_t)>& work) {
  constexpr std::int64_t kRows = 256;
  for (std::int64_t first = 0; first < rows;) {
    throwIfStopWithin();
    const std::int64_t last = rows - first < 2 * kRows ? rows : first + kRows;
    work(first, last);
    first = last;
  }
}

std::vector<MergePlan> toMePlans(std::span<const LayerTokens> images, std::int64_t r,
                                 const std::vector<std::vector<float>>& cells) {
  return toMePlans(images, std::vector<std::int64_t>(images.size(), r), cells);
}

std::vector<MergePlan> toMePlans(std::span<const LayerTokens> images,
                                 std::span<const std::int64_t> counts,
                                 const std::vector<std::vector<float>>& cells) {
  std::vector<MergePlan> plans(images.size());
  bool any = false;
  for (std::size_t i = 0; i < images.size(); ++i) any = any || toMeCount(images[i], counts[i]) > 0;
  if (!any) return plans;

  const TokenSet set(images, &LayerTokens::metric, /*first=*/0, Partition::kAlternating);
  const at::Tensor factors = set.inverseNorms(kLeastNorm);
  at::Tensor scores = set.products();
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const std::int64_t prefix = images.front().prefix;
  if (prefix > 0) scores.narrow(1, 0, (prefix + 1) / 2).fill_(kNever);
  if (prefix > 1) scores.narrow(2, 0, prefix / 2).fill_(kNever);
  if (!cells.empty()) {
    const at::Tensor cell = set.values(cells);
    scores.masked_fill_(set.sources(cell).unsqueeze(2) != set.destinations(cell).unsqueeze(1),
                        kNever);
  }
  const SetMatches found = set.best(scores, set.sources(factors), set.destinations(factors));
  forEachImage(images.size(),
               [&](std::size_t i) { plans[i] = toMePlanOf(images[i], counts[i], found.best[i]); });
  return plans;
}

std::vector<std::int64_t> countsPerBlock(const Settings& settings, const VitConfig& vit) {
  std::vector<std::int64_t> counts = givenCounts(settings, vit, vit.patchTokens() / 2);
  if (counts.empty()) {
    const std::int64_t r = getInt(settings, "r");
    requireCountFits(r, vit, "r");
    counts.assign(static_cast<std::size_t>(vit.depth), r);
  }
  return counts;
}

std::vector<std::int64_t> givenCounts(const Settings& settings, const VitConfig& vit,
                                      std::int64_t most) {
  const auto depth = static_cast<std::size_t>(vit.depth);
  auto counts = get<std::vector<std::int64_t>>(settings, "r_per_block");
  if (counts.empty()) return counts;
  if (counts.size() > depth) {
    throw Error(fmt::format("--r-per-block has {} counts; this model has {} blocks", counts.size(),
                            vit.depth));
  }
  for (const std::int64_t r : counts) requireCountFits(r, vit, "r-per-block", most);
  counts.resize(depth, 0);
  return counts;
}

bool usesProportionalAttention(const Settings& settings) {
  const auto found = settings.find("proportional_attention");
  return found != settings.end() && std::get<bool>(found->second);
}

std::vector<std::int64_t> inflectedSchedule(std::int64_t r, double inflection, int depth) {
  const auto first = static_cast<std::int64_t>(static_cast<double>(r) * (1.0 - inflection));
  const std::int64_t last = 2 * r - first;
  const double step =
      depth > 1 ? static_cast<double>(last - first) / static_cast<double>(depth - 1) : 0.0;
  std::vector<std::int64_t> schedule;
  for (int block = 0; block < depth; ++block) {
    schedule.push_back(static_cast<std::int64_t>(static_cast<double>(first) + step * block));
  }
  return schedule;
}

std::vector<float> minMaxScaled(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double range = *high > *low ? *high - *low : 1.0;
  std::vector<float> scaled;
  for (const double value : values) scaled.push_back(static_cast<float>((value - *low) / range));
  return scaled;
}

void requireCountFits(std::int64_t r, const VitConfig& vit, const char* option) {
  requireCountFits(r, vit, option, vit.patchTokens() / 2);
}

void requireCountFits(std::int64_t r, const VitConfig& vit, const char* option,
                      std::int64_t limit) {
  if (r > limit) {
    throw Error(fmt::format(
        "--{} {} is more than the tokens allow: this model has {} patch tokens, so at most {} can "
        "merge in one block",
        option, r, vit.patchTokens(), limit));
  }
}

}  // namespace adamerge
