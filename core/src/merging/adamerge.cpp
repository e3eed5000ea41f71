// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/adamerge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "adamerge/error.h"
#include "kernels/parallel.h"
#include "merging/batched_matching.h"
#include "merging/matching.h"

namespace adamerge {
namespace {

constexpr double kEpsilon = 1e-6;
constexpr double kSteepness = 10;
constexpr double kEven = 0.46;
constexpr double kLatest = -0.7;
constexpr double kEarliest = 2;

double affinityScale(bool scaled, std::int64_t dim) {
  return scaled ? 1.0 / std::sqrt(static_cast<double>(dim)) : 1.0;
}

/// Salience of each patch token (AdaMerge, Eq. 1 and 2): column sums of the row-softmax of the Gram
/// matrix, min-max normalised.
at::Tensor salienceOf(const at::Tensor& gram, bool scaled, std::int64_t dim) {
  return minMaxScaled(softmaxColumnSums(gram, affinityScale(scaled, dim)), kEpsilon);
}

std::vector<float> toVector(const at::Tensor& tensor) {
  const at::Tensor host = tensor.to(at::kCPU, at::kFloat).contiguous();
  return {host.data_ptr<float>(), host.data_ptr<float>() + host.numel()};
}

/// (1 - l / L)^p: how counts fall with depth.
std::vector<double> decayShares(double p, int depth) {
  std::vector<double> shares;
  for (int block = 0; block < depth; ++block) {
    shares.push_back(p == 0 ? 1.0 : std::pow(1.0 - static_cast<double>(block) / depth, p));
  }
  return shares;
}

/// The p that was best on training images (models/README.md) where the mean block has lost `gone`
/// (a share) of its patch tokens: where little merges, late merging disturbs least; where much
/// does, it has to begin early, or tokens run out.
double budgetExponent(double gone) {
  return std::clamp(kSteepness * (gone - kEven), kLatest, kEarliest);
}

/// decayShares() of budgetExponent(), scaled so that blocks have as many tokens on entry, in the
/// mean, as with `r` merges in each.
std::vector<double> budgetShares(double r, const VitConfig& vit) {
  const int depth = vit.depth;
  const double constant = (depth - 1) / 2.0;  // merges that a block's entry knows, in the mean
  std::vector<double> shares = decayShares(budgetExponent(r * constant / vit.patchTokens()), depth);
  double own = 0;
  for (int block = 0; block < depth; ++block) own += shares[block] * (depth - 1 - block) / depth;
  for (double& share : shares) share *= own > 0 ? constant / own : 1.0;
  return shares;
}

class AdaMerge final : public MergeMethod {
 public:
  AdaMerge(const Settings& settings, const MethodContext& context)
      : r_(getInt(settings, "r")),
        r_max_(getInt(settings, "r_max")),
        alpha_(get<double>(settings, "alpha")),
        temperature_(get<double>(settings, "temperature")),
        salience_(get<bool>(settings, "salience")),
        adaptive_(get<bool>(settings, "adaptive")),
        background_first_(get<std::string>(settings, "priority") == "background"),
        size_weights_(get<std::string>(settings, "weights") == "size"),
        ward_(get<std::string>(settings, "similarity") == "ward"),
        after_attention_(get<std::string>(settings, "place") == "after-attention"),
        alternating_(get<std::string>(settings, "partition") == "alternating"),
        scaled_(get<std::string>(settings, "affinity") == "scaled"),
        proportional_attention_(get<bool>(settings, "proportional_attention")) {
    if (adaptive_ && context.statistics != nullptr) {
      statistics_ = interpolate(*context.statistics, r_max_);
    }
    // Without a sign from the image half of r_max merges.
    shares_ = get<std::string>(settings, "schedule") == "budget"
                  ? budgetShares(adaptive_ ? r_max_ / 2.0 : static_cast<double>(r_), context.vit)
                  : decayShares(get<double>(settings, "decay"), context.vit.depth);
  }

  Stage stage() const override {
    return after_attention_ ? Stage::kBetweenAttentionAndMlp : Stage::kBeforeBlock;
  }
  bool proportionalAttention() const override { return proportional_attention_; }
  bool calibrated() const override { return !adaptive_ || statistics_.has_value(); }

  MergePlan plan(const LayerTokens& layer) const override {
    MergePlan plan;
    const std::int64_t n = layer.patchCount();
    if (n < 2) return plan;

    const at::Tensor patches = layer.tokens.narrow(0, layer.prefix, n);
    const at::Tensor gram = gramMatrix(patches, layer.deciding);
    const at::Tensor inverse = inverseLengths(gram, kEpsilon);
    at::Tensor salience;
    if (salience_ || layer.trace) {
      salience = salienceOf(gram, scaled_, patches.size(1));
      plan.salience = toVector(salience);
    }

    decide(layer, ward_ ? leastGrowth(gram, inverse, layer) : mostSimilar(gram, inverse, salience),
           plan);
    return plan;
  }

  std::vector<MergePlan> planAll(std::span<const LayerTokens> layers) const override {
    std::vector<MergePlan> plans(layers.size());
    std::vector<at::Tensor> patches;
    std::int64_t most = 0;
    for (const LayerTokens& layer : layers) {
      patches.push_back(layer.tokens.narrow(0, layer.prefix, layer.patchCount()));
      most = std::max(most, layer.patchCount());
    }
    if (most < 2) return plans;
    // Where one side comes after the other, they meet at the same place in every image, so that the
    // sides are rectangles of the whole batch.
    std::vector<std::int64_t> starts;
    for (const at::Tensor& image : patches) {
      if (!alternating_) starts.push_back(sourceCount(most) - sourceCount(image.size(0)));
    }
    const TokenBatch batch(patches, layers.front().deciding, std::move(starts));
    const Padding& padding = batch.padding;
    const at::Tensor gram = batch.tokens.bmm(batch.tokens.transpose(1, 2));
    std::vector<at::Tensor> wanted;
    at::Tensor salience;
    if (salience_ || layers.front().trace) {
      const double scale = affinityScale(scaled_, batch.tokens.size(2));
      salience = batchedSalience(batchedColumnSums(gram, padding, scale), padding);
      wanted.push_back(salience);
    }
    const Sides sides{sources(most), destinations(most)};
    at::Tensor scores =
        ward_ ? growth(gram, sides, padding, layers) : similarity(gram, sides, salience);
    if (!padding.even())
      scores = withoutColumns(scores, side(padding.absent(), sides.destinations));
    const auto [score, index] = scores.max(2);
    wanted.insert(wanted.end(), {score, index});
    const HostRows host(wanted);

    parallelFor(static_cast<std::int64_t>(layers.size()), [&](std::int64_t first,
                                                              std::int64_t last) {
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
        const std::int64_t n = layers[i].patchCount();
        if (n < 2) continue;
        if (salience.defined()) {
          const std::span<const float> own = host.row(0, i, padding.start(i), n);
          plans[i].salience.assign(own.begin(), own.end());
        }
        const auto of_sources = [&](std::size_t tensor) {
          return host.row(tensor, i, padding.start(i), sourceCount(n));
        };
        decide(layers[i], hostMatches(of_sources(wanted.size() - 2), of_sources(wanted.size() - 1)),
               plans[i]);
      }
    });
    return plans;
  }

 private:
  /// What to merge, from the best matches; `plan` has its salience.
  void decide(const LayerTokens& layer, const BestMatches& best, MergePlan& plan) const {
    const std::int64_t n = layer.patchCount();
    plan.macs = static_cast<double>(n) * static_cast<double>(n * layer.tokens.size(1));
    double sum = 0;
    for (const float score : best.score) sum += score;
    const double redundancy = sum / static_cast<double>(best.score.size());
    plan.redundancy = redundancy;
    const std::int64_t r = std::min(count(redundancy, layer.block, plan), n / 2);

    if (r > 0) merge(layer, best, r, plan);
  }

  /// Alternating puts even positions, one more of them where n is odd, on the source side.
  std::int64_t sourceCount(std::int64_t n) const { return alternating_ ? (n + 1) / 2 : n / 2; }

  Positions sources(std::int64_t n) const { return {0, sourceCount(n)}; }
  Positions destinations(std::int64_t n) const {
    return {alternating_ ? 1 : sourceCount(n), n - sourceCount(n)};
  }
  std::int64_t step() const { return alternating_ ? 2 : 1; }
  /// Index among the patch tokens of the i-th of a side.
  std::int64_t indexAt(const Positions& side, std::int64_t i) const {
    return side.first + i * step();
  }
  at::Tensor take(const at::Tensor& t, const Positions& side, std::int64_t axis = 0) const {
    return t.slice(axis, side.first, indexAt(side, side.count - 1) + 1, step());
  }

  /// By S_ij = salience_i cos(i, j) (AdaMerge, Eq. 3); 1 - salience_i where the background merges
  /// first.
  BestMatches mostSimilar(const at::Tensor& gram, const at::Tensor& inverse,
                          const at::Tensor& salience) const {
    const std::int64_t n = gram.size(0);
    at::Tensor own = inverse;
    if (salience_) own = own * (background_first_ ? 1 - salience : salience);
    return bestProducts(gram, sources(n), destinations(n), step(), take(own, sources(n)),
                        take(inverse, destinations(n)));
  }

  /// By -(s_i s_j / (s_i + s_j)) |u_i - u_j|^2 with the sizes s and the directions u = x / |x|:
  /// what the sum of squares within groups grows by if i and j become one, negated (Ward, JASA 58,
  /// 1963).
  BestMatches leastGrowth(const at::Tensor& gram, const at::Tensor& inverse,
                          const LayerTokens& layer) const {
    const Positions a = sources(gram.size(0));
    const Positions b = destinations(gram.size(0));
    const auto first = layer.sizes.begin() + layer.prefix;
    const at::Tensor sizes =
        at::tensor(std::vector<float>(first, layer.sizes.end()), at::kFloat).to(gram.options());
    const at::Tensor size_a = take(sizes, a).unsqueeze(1);
    const at::Tensor size_b = take(sizes, b).unsqueeze(0);
    const at::Tensor cosines =
        take(take(gram, a), b, 1) * take(inverse, a).unsqueeze(1) * take(inverse, b).unsqueeze(0);
    return bestMatches((cosines - 1) * (2 * size_a * size_b / (size_a + size_b)));
  }

  // The same three over a batch, [images, n, n] with the longest's n; the scores [images, sources,
  // destinations].
  struct Sides {
    Positions sources;
    Positions destinations;
  };
  at::Tensor side(const at::Tensor& values, const Positions& of) const {
    return adamerge::take(values, of, step(), 1);
  }
  at::Tensor between(const at::Tensor& gram, const Sides& sides) const {
    return adamerge::take(side(gram, sides.sources), sides.destinations, step(), 2);
  }
  static at::Tensor batchedSalience(const at::Tensor& sums, const Padding& padding) {
    at::Tensor low = sums;
    at::Tensor high = sums;
    if (!padding.even()) {
      constexpr double kInfinity = std::numeric_limits<double>::infinity();
      low = sums.masked_fill(padding.absent(), kInfinity);
      high = sums.masked_fill(padding.absent(), -kInfinity);
    }
    low = low.amin(1, /*keepdim=*/true);
    return (sums - low) / (high.amax(1, /*keepdim=*/true) - low + kEpsilon);
  }
  static at::Tensor batchedInverse(const at::Tensor& gram) {
    return gram.diagonal(0, 1, 2).clamp_min(0).sqrt().clamp_min(kEpsilon).reciprocal();
  }
  at::Tensor similarity(const at::Tensor& gram, const Sides& sides,
                        const at::Tensor& salience) const {
    const at::Tensor inverse = batchedInverse(gram);
    at::Tensor own = inverse;
    if (salience_) own = own * (background_first_ ? 1 - salience : salience);
    return between(gram, sides) * side(inverse, sides.destinations).unsqueeze(1) *
           side(own, sides.sources).unsqueeze(2);
  }
  at::Tensor growth(const at::Tensor& gram, const Sides& sides, const Padding& padding,
                    std::span<const LayerTokens> layers) const {
    std::vector<std::vector<float>> patch_sizes;
    for (const LayerTokens& layer : layers) {
      patch_sizes.emplace_back(layer.sizes.begin() + layer.prefix, layer.sizes.end());
    }
    const at::Tensor sizes = listsOf(padding, patch_sizes, gram);
    const at::Tensor size_a = side(sizes, sides.sources).unsqueeze(2);
    const at::Tensor size_b = side(sizes, sides.destinations).unsqueeze(1);
    const at::Tensor inverse = batchedInverse(gram);
    const at::Tensor cosines = between(gram, sides) * side(inverse, sides.sources).unsqueeze(2) *
                               side(inverse, sides.destinations).unsqueeze(1);
    return (cosines - 1) * (2 * size_a * size_b / (size_a + size_b));
  }

  double share(int block) const { return shares_[static_cast<std::size_t>(block)]; }

  /// Rounded so that no block's remainder is lost: the counts of the first blocks sum to their
  /// rounded sum.
  std::int64_t constantCount(int block) const {
    double before = 0;
    for (int earlier = 0; earlier < block; ++earlier) before += r_ * share(earlier);
    return std::lround(before + r_ * share(block)) - std::lround(before);
  }

  /// r = floor(r_max sigmoid(alpha z / T)), z = (S - mu) / sigma (AdaMerge, Eq. 5 and 6). Without
  /// statistics z is 0.
  std::int64_t count(double redundancy, int block, MergePlan& plan) const {
    if (!adaptive_) return constantCount(block);
    double z = 0;
    if (statistics_) {
      const double mu = statistics_->mu[static_cast<std::size_t>(block)];
      const double sigma = statistics_->sigma[static_cast<std::size_t>(block)];
      z = (redundancy - mu) / std::max(sigma, kEpsilon);
      plan.mu = mu;
      plan.sigma = sigma;
    }
    plan.z = z;
    return static_cast<std::int64_t>(
        std::floor(r_max_ * share(block) / (1.0 + std::exp(-alpha_ * z / temperature_))));
  }

  void merge(const LayerTokens& layer, const BestMatches& best, std::int64_t r,
             MergePlan& plan) const {
    const Positions a = sources(layer.patchCount());
    const Positions b = destinations(layer.patchCount());
    const auto position = [&](const Positions& side, std::int64_t i) {
      return layer.prefix + indexAt(side, i);
    };
    const std::vector<std::int64_t> order = descending(best.score);
    std::vector<bool> merged(static_cast<std::size_t>(a.count), false);
    for (std::int64_t k = 0; k < r; ++k) {
      const std::int64_t i = order[k];
      merged[i] = true;
      plan.merges.push_back({position(a, i), position(b, best.index[i]), best.score[i]});
    }
    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    for (std::int64_t i = 0; i < a.count; ++i) {
      if (!merged[i]) plan.order.push_back(position(a, i));
    }
    for (std::int64_t j = 0; j < b.count; ++j) plan.order.push_back(position(b, j));
    if (size_weights_) {
      plan.weights.assign(layer.sizes.begin(), layer.sizes.end());
      return;
    }
    plan.weights.assign(static_cast<std::size_t>(layer.count()), 1.0F);
    for (std::size_t p = 0; salience_ && p < plan.salience.size(); ++p) {
      plan.weights[layer.prefix + p] = plan.salience[p] + static_cast<float>(kEpsilon);
    }
  }

  std::int64_t r_;
  int r_max_;
  double alpha_;
  double temperature_;
  bool salience_;
  bool adaptive_;
  bool background_first_;
  bool size_weights_;
  bool ward_;
  bool after_attention_;
  bool alternating_;
  bool scaled_;
  bool proportional_attention_;
  std::vector<double> shares_;  ///< [depth], of r or r_max
  std::optional<StatisticsEntry> statistics_;
};

}  // namespace

std::unique_ptr<MergeMethod> makeAdaMerge(const Settings& settings, const MethodContext& context) {
  if (!get<bool>(settings, "adaptive")) {
    requireCountFits(getInt(settings, "r"), context.vit, "r");
  } else if (getInt(settings, "r_max") > context.vit.patchTokens()) {
    throw Error(fmt::format("--r-max {} is more than this model's {} patch tokens",
                            getInt(settings, "r_max"), context.vit.patchTokens()));
  }
  return std::make_unique<AdaMerge>(settings, context);
}

}  // namespace adamerge
