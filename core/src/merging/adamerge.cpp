// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/error.h"
#include "merging/entries.h"
#include "merging/inside.h"
#include "merging/matching.h"
#include "merging/token_set.h"

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
      : inside_(context.vit.restores()),
        alpha_(get<double>(settings, "alpha")),
        temperature_(get<double>(settings, "temperature")),
        salience_(get<bool>(settings, "salience")),
        adaptive_(get<bool>(settings, "adaptive")),
        partition_(get<std::string>(settings, "partition") == "alternating"
                       ? Partition::kAlternating
                       : Partition::kHalves),
        scaled_(get<std::string>(settings, "affinity") == "scaled"),
        proportional_attention_(usesProportionalAttention(settings)) {
    r_max_ = getInt(settings, inside_ ? "ratio" : "r_max");
    if (adaptive_ && context.statistics != nullptr) {
      statistics_ = interpolate(*context.statistics, r_max_);
    }
    if (inside_) {
      acts_ = chosenBlocks(settings, "blocks", context.vit.depth);
      return;
    }
    r_ = getInt(settings, "r");
    counts_ = givenCounts(settings, context.vit, context.vit.patchTokens() / 2);
    background_first_ = get<std::string>(settings, "priority") == "background";
    size_weights_ = get<std::string>(settings, "weights") == "size";
    ward_ = get<std::string>(settings, "similarity") == "ward";
    after_attention_ = get<std::string>(settings, "place") == "after-attention";
    // Without a sign from the image half of r_max merges.
    shares_ = get<std::string>(settings, "schedule") == "budget"
                  ? budgetShares(adaptive_ ? r_max_ / 2.0 : static_cast<double>(r_), context.vit)
                  : decayShares(get<double>(settings, "decay"), context.vit.depth);
  }

  Stage stage() const override {
    if (inside_) return Stage::kInsideWindows;
    return after_attention_ ? Stage::kBetweenAttentionAndMlp : Stage::kBeforeBlock;
  }
  bool actsIn(int block) const override {
    return acts_.empty() || acts_[static_cast<std::size_t>(block)];
  }
  bool proportionalAttention() const override { return proportional_attention_; }
  bool calibrated() const override { return !adaptive_ || statistics_.has_value(); }

 private:
  std::vector<MergePlan> planSet(std::span<const LayerTokens> images) const override {
    std::vector<MergePlan> plans(images.size());
    const LayerTokens& first = images.front();
    const bool any = std::any_of(images.begin(), images.end(),
                                 [](const LayerTokens& image) { return image.patchCount() >= 2; });
    if (!any) return plans;

    const TokenSet set(images, &LayerTokens::tokens, first.prefix, partition_);
    at::Tensor gram;
    at::Tensor salience;  // column sums of the affinity, min-max normalised (Eq. 1 and 2)
    if (salience_ || first.trace) {
      gram = set.gram();
      const at::Tensor sums = set.columnSums(gram, affinityScale(scaled_, first.tokens.size(1)));
      salience = set.minMaxScaled(sums, kEpsilon);
    }
    // Where salience decides nothing, a run with trace matches by the same numbers as one without.
    const at::Tensor products = salience_ ? set.between(gram) : set.products();
    const at::Tensor inverse =
        salience_ ? set.inverseLengths(gram, kEpsilon) : set.inverseNorms(kEpsilon);
    const SetMatches found =
        ward_ ? set.best(growth(set, products, inverse, images), {}, {}, salience)
              : set.best(products, set.sources(sourceFactors(inverse, salience)),
                         set.destinations(inverse), salience);
    forEachImage(images.size(), [&](std::size_t i) {
      if (images[i].patchCount() < 2) return;
      if (salience.defined()) plans[i].salience = found.along[i];
      decide(images[i], found.best[i], plans[i]);
    });
    return plans;
  }

  /// What to merge, from the best matches; `plan` has its salience.
  void decide(const LayerTokens& layer, const BestMatches& best, MergePlan& plan) const {
    const std::int64_t n = layer.patchCount();
    plan.macs = static_cast<double>(n) * static_cast<double>(n * layer.tokens.size(1));
    double sum = 0;
    for (const float score : best.score) sum += score;
    const double redundancy = sum / static_cast<double>(best.score.size());
    plan.redundancy = redundancy;
    if (inside_) {  // settle() knows how many
      merge(layer, best, n / 2, plan);
      return;
    }
    const std::int64_t r = std::min(count(redundancy, layer.block, plan), n / 2);

    if (r > 0) merge(layer, best, r, plan);
  }

  /// The mean of the best matches is that over all windows of an image, and so is z.
  void settle(std::span<const LayerTokens> windows, std::span<MergePlan> plans) const override {
    for (std::size_t first = 0, last = 0; inside_ && first < windows.size(); first = last) {
      double sum = 0;
      double sources = 0;
      for (; last < windows.size() && windows[last].image == windows[first].image; ++last) {
        if (!plans[last].redundancy) continue;
        const auto own = static_cast<double>(sourceCount(partition_, windows[last].count()));
        sum += *plans[last].redundancy * own;
        sources += own;
      }
      if (sources == 0) continue;
      const double redundancy = sum / sources;
      const double z = adaptive_ ? score(redundancy, windows[first].block, plans[first]) : 0;
      for (std::size_t k = first; k < last; ++k) {
        MergePlan& plan = plans[k];
        const std::int64_t n = windows[k].count();
        plan.redundancy = redundancy;
        plan.mu = plans[first].mu;
        plan.sigma = plans[first].sigma;
        plan.z = plans[first].z;
        if (n < 2) continue;
        const double share = static_cast<double>(r_max_ * n) / 100.0;
        const auto r = adaptive_ ? static_cast<std::int64_t>(std::floor(share * willingness(z)))
                                 : insideCount(r_max_, n);
        keepFirst(plan, std::min(r, n / 2), n);
      }
    }
  }

  /// S_ij = salience_i cos(i, j) (AdaMerge, Eq. 3); 1 - salience_i where the background merges
  /// first.
  at::Tensor sourceFactors(const at::Tensor& inverse, const at::Tensor& salience) const {
    if (!salience_) return inverse;
    return inverse * (background_first_ ? 1 - salience : salience);
  }

  /// What the sum of squares within groups of directions grows by, negated, from source to
  /// destination.
  static at::Tensor growth(const TokenSet& set, const at::Tensor& products,
                           const at::Tensor& inverse, std::span<const LayerTokens> images) {
    std::vector<std::vector<float>> patch_sizes;
    for (const LayerTokens& image : images) {
      patch_sizes.emplace_back(image.sizes.begin() + image.prefix, image.sizes.end());
    }
    return set.wardGrowth(products, inverse, set.values(patch_sizes));
  }

  double share(int block) const { return shares_[static_cast<std::size_t>(block)]; }

  /// The block's own, where counts are given per block. Else its share of r, rounded so that no
  /// remainder is lost: the counts of the first blocks sum to their rounded sum.
  std::int64_t constantCount(int block) const {
    if (!counts_.empty()) return counts_[static_cast<std::size_t>(block)];
    double before = 0;
    for (int earlier = 0; earlier < block; ++earlier) before += r_ * share(earlier);
    return std::lround(before + r_ * share(block)) - std::lround(before);
  }

  /// z = (S - mu) / sigma (AdaMerge, Eq. 5), 0 without statistics; told in `plan`.
  double score(double redundancy, int block, MergePlan& plan) const {
    double z = 0;
    if (statistics_) {
      const double mu = statistics_->mu[static_cast<std::size_t>(block)];
      const double sigma = statistics_->sigma[static_cast<std::size_t>(block)];
      z = (redundancy - mu) / std::max(sigma, kEpsilon);
      plan.mu = mu;
      plan.sigma = sigma;
    }
    plan.z = z;
    return z;
  }
  /// 1 + exp(-alpha z / T): what divides r_max (Eq. 6).
  double reluctance(double z) const { return 1.0 + std::exp(-alpha_ * z / temperature_); }
  double willingness(double z) const { return 1.0 / reluctance(z); }

  std::int64_t count(double redundancy, int block, MergePlan& plan) const {
    if (!adaptive_) return constantCount(block);
    const double z = score(redundancy, block, plan);
    return static_cast<std::int64_t>(std::floor(r_max_ * share(block) / reluctance(z)));
  }

  void merge(const LayerTokens& layer, const BestMatches& best, std::int64_t r,
             MergePlan& plan) const {
    const std::int64_t n = layer.patchCount();
    const std::int64_t sources = sourceCount(partition_, n);
    const bool alternates = partition_ == Partition::kAlternating;
    const auto source = [&](std::int64_t i) { return layer.prefix + (alternates ? 2 * i : i); };
    const auto destination = [&](std::int64_t j) {
      return layer.prefix + (alternates ? 2 * j + 1 : sources + j);
    };
    const std::vector<std::int64_t> order = descending(best.score);
    std::vector<bool> merged(static_cast<std::size_t>(sources), false);
    for (std::int64_t k = 0; k < r; ++k) {
      const std::int64_t i = order[k];
      merged[i] = true;
      plan.merges.push_back({source(i), destination(best.index[i]), best.score[i]});
    }
    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    for (std::int64_t i = 0; i < sources; ++i) {
      if (!merged[i]) plan.order.push_back(source(i));
    }
    for (std::int64_t j = 0; j < n - sources; ++j) plan.order.push_back(destination(j));
    if (size_weights_) {
      plan.weights.assign(layer.sizes.begin(), layer.sizes.end());
      return;
    }
    plan.weights.assign(static_cast<std::size_t>(layer.count()), 1.0F);
    for (std::size_t p = 0; salience_ && p < plan.salience.size(); ++p) {
      plan.weights[layer.prefix + p] = plan.salience[p] + static_cast<float>(kEpsilon);
    }
  }

  bool inside_;  ///< inside windows; r_max_ is then the ratio, in per cent
  std::int64_t r_ = 0;
  std::vector<std::int64_t> counts_;  ///< [depth], in place of r_; empty: r_ holds
  int r_max_ = 0;
  double alpha_;
  double temperature_;
  bool salience_;
  bool adaptive_;
  bool background_first_ = false;
  bool size_weights_ = false;
  bool ward_ = false;
  bool after_attention_ = false;
  std::vector<bool> acts_;  ///< in which blocks; empty: all
  Partition partition_;
  bool scaled_;
  bool proportional_attention_;
  std::vector<double> shares_;  ///< [depth], of r or r_max
  std::optional<StatisticsEntry> statistics_;
};

}  // namespace

std::unique_ptr<MergeMethod> makeAdaMerge(const Settings& settings, const MethodContext& context) {
  if (context.vit.restores()) {
    constexpr int kHalf = 50;
    if (!get<bool>(settings, "adaptive") && getInt(settings, "ratio") > kHalf) {
      throw Error(
          fmt::format("--ratio {} with --adaptive off: at most {} % of a window's tokens "
                      "can merge",
                      getInt(settings, "ratio"), kHalf));
    }
    return std::make_unique<AdaMerge>(settings, context);
  }
  if (!get<bool>(settings, "adaptive")) {
    requireCountFits(getInt(settings, "r"), context.vit, "r");
  } else if (getInt(settings, "r_max") > context.vit.patchTokens()) {
    throw Error(fmt::format("--r-max {} is more than this model's {} patch tokens",
                            getInt(settings, "r_max"), context.vit.patchTokens()));
  }
  return std::make_unique<AdaMerge>(settings, context);
}

}  // namespace adamerge
