// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/error.h"
#include "merging/entries.h"
#include "merging/matching.h"

namespace adamerge {
namespace {

constexpr double kEpsilon = 1e-6;

/// Salience of each patch token (AdaMerge, Eq. 1 and 2): column sums of the row-softmax of the Gram
/// matrix, min-max normalised.
at::Tensor salienceOf(const at::Tensor& gram, bool scaled, std::int64_t dim) {
  const at::Tensor logits = scaled ? gram / std::sqrt(static_cast<double>(dim)) : gram;
  const at::Tensor sums = logits.softmax(1).sum(0);
  const at::Tensor low = sums.min();
  return (sums - low) / (sums.max() - low + kEpsilon);
}

std::vector<float> toVector(const at::Tensor& tensor) {
  const at::Tensor host = tensor.to(at::kCPU, at::kFloat).contiguous();
  return {host.data_ptr<float>(), host.data_ptr<float>() + host.numel()};
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
        alternating_(get<std::string>(settings, "partition") == "alternating"),
        scaled_(get<std::string>(settings, "affinity") == "scaled"),
        proportional_attention_(get<bool>(settings, "proportional_attention")) {
    if (adaptive_ && context.statistics != nullptr) {
      statistics_ = interpolate(*context.statistics, r_max_);
    }
  }

  Stage stage() const override { return Stage::kBeforeBlock; }
  bool proportionalAttention() const override { return proportional_attention_; }

  MergePlan plan(const LayerTokens& layer) const override {
    MergePlan plan;
    const std::int64_t n = layer.patchCount();
    if (n < 2) return plan;

    const at::Tensor patches = forDeciding(layer.tokens.narrow(0, layer.prefix, n));
    const at::Tensor gram = patches.mm(patches.t());
    plan.macs = static_cast<double>(n) * static_cast<double>(n * patches.size(1));
    const at::Tensor norms = gram.diagonal().clamp_min(0).sqrt().clamp_min(kEpsilon);
    at::Tensor salience;
    if (salience_ || layer.trace) {
      salience = salienceOf(gram, scaled_, patches.size(1));
      plan.salience = toVector(salience);
    }

    const BestMatches best = bestMatches(similarities(gram, norms, salience));
    double sum = 0;
    for (const float score : best.score) sum += score;
    const double redundancy = sum / static_cast<double>(best.score.size());
    plan.redundancy = redundancy;
    const std::int64_t r = std::min(count(redundancy, layer.block, plan), n / 2);

    if (r > 0) merge(layer, best, r, plan);
    return plan;
  }

 private:
  /// Index among the patch tokens of the i-th source and of the j-th destination.
  std::int64_t sourceAt(std::int64_t i) const { return alternating_ ? 2 * i : i; }
  std::int64_t destinationAt(std::int64_t j, std::int64_t sources) const {
    return alternating_ ? 2 * j + 1 : sources + j;
  }
  /// Alternating puts even positions, one more of them where n is odd, on the source side.
  std::int64_t sourceCount(std::int64_t n) const { return alternating_ ? (n + 1) / 2 : n / 2; }

  /// S_ij = salience_i cos(i, j), sources by destinations (AdaMerge, Eq. 3).
  at::Tensor similarities(const at::Tensor& gram, const at::Tensor& norms,
                          const at::Tensor& salience) const {
    const std::int64_t n = gram.size(0);
    const std::int64_t sources = sourceCount(n);
    const auto a = [&](const at::Tensor& t) {
      return alternating_ ? t.slice(0, 0, n, 2) : t.slice(0, 0, sources);
    };
    const auto b = [&](const at::Tensor& t, std::int64_t axis) {
      return alternating_ ? t.slice(axis, 1, n, 2) : t.slice(axis, sources, n);
    };
    at::Tensor scores = b(a(gram), 1) / (a(norms).unsqueeze(1) * b(norms, 0).unsqueeze(0));
    if (salience_) scores = scores * a(salience).unsqueeze(1);
    return scores;
  }

  /// r = floor(r_max sigmoid(alpha z / T)), z = (S - mu) / sigma (AdaMerge, Eq. 5 and 6). Without
  /// statistics z is 0.
  std::int64_t count(double redundancy, int block, MergePlan& plan) const {
    if (!adaptive_) return r_;
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
        std::floor(r_max_ / (1.0 + std::exp(-alpha_ * z / temperature_))));
  }

  void merge(const LayerTokens& layer, const BestMatches& best, std::int64_t r,
             MergePlan& plan) const {
    const std::int64_t n = layer.patchCount();
    const std::int64_t sources = sourceCount(n);
    const std::vector<std::int64_t> order = descending(best.score);
    std::vector<bool> merged(static_cast<std::size_t>(sources), false);
    for (std::int64_t k = 0; k < r; ++k) {
      const std::int64_t i = order[k];
      merged[i] = true;
      plan.merges.push_back({layer.prefix + sourceAt(i),
                             layer.prefix + destinationAt(best.index[i], sources), best.score[i]});
    }
    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    for (std::int64_t i = 0; i < sources; ++i) {
      if (!merged[i]) plan.order.push_back(layer.prefix + sourceAt(i));
    }
    for (std::int64_t j = 0; j < n - sources; ++j) {
      plan.order.push_back(layer.prefix + destinationAt(j, sources));
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
  bool alternating_;
  bool scaled_;
  bool proportional_attention_;
  std::optional<StatisticsEntry> statistics_;
};

}  // namespace

MethodEntry adaMergeEntry() {
  MethodEntry entry;
  MethodInfo& info = entry.info;
  info.id = "adamerge";
  info.label = "AdaMerge";
  info.description =
      "Salience-weighted merging before every block; each image and block gets its own count.";
  info.reference = "AdaMerge, arXiv 2605.27465";
  info.salience = "How much the other patches attend to this one in the patch affinity (Eq. 1-2).";
  info.compression = {{"r_max", 1.0}, {"r", 0.5}};
  info.statistics_settings = {"partition", "affinity",   "salience", "proportional_attention",
                              "alpha",     "temperature"};
  const auto when_adaptive = [](bool on) {
    return std::optional(std::pair<std::string, SettingValue>("adaptive", on));
  };
  SettingInfo r = constantCountSetting();
  r.active_when = when_adaptive(false);
  info.settings = {{"r_max",
                    "r_max",
                    "Most tokens a block may merge; the redundancy of the block decides how "
                    "many of them do (Eq. 6).",
                    std::int64_t{16},
                    0,
                    kMaximumCount,
                    {},
                    when_adaptive(true)},
                   r,
                   {"alpha",
                    "alpha",
                    "Gain on the standardised redundancy z (Eq. 6).",
                    1.0,
                    0,
                    1e6,
                    {},
                    when_adaptive(true)},
                   {"temperature",
                    "Temperature T",
                    "Softens the decision: the count follows sigmoid(alpha z / "
                    "T).",
                    1.0,
                    1e-6,
                    1e6,
                    {},
                    when_adaptive(true)},
                   {"salience",
                    "Salience weighting",
                    "Off: plain cosine similarity and plain averages (the "
                    "paper's Table 3).",
                    true,
                    std::nullopt,
                    std::nullopt,
                    {},
                    std::nullopt},
                   {"adaptive",
                    "Adaptive count",
                    "Off: every block merges r tokens (the paper's Table 3).",
                    true,
                    std::nullopt,
                    std::nullopt,
                    {},
                    std::nullopt},
                   {"partition",
                    "Partition",
                    "Which patch tokens merge into which: the first half into the "
                    "second (sequential), or even into odd positions (alternating).",
                    std::string("sequential"),
                    std::nullopt,
                    std::nullopt,
                    {"sequential", "alternating"},
                    std::nullopt},
                   {"affinity",
                    "Affinity",
                    "raw: dot products as in Eq. 1; scaled: divided by the square root "
                    "of the embedding dimension, which spreads salience over more tokens.",
                    std::string("raw"),
                    std::nullopt,
                    std::nullopt,
                    {"raw", "scaled"},
                    std::nullopt},
                   proportionalAttentionSetting(false)};
  entry.make = [](const Settings& settings, const MethodContext& context) {
    if (!get<bool>(settings, "adaptive")) {
      requireCountFits(getInt(settings, "r"), context.vit, "r");
    } else if (getInt(settings, "r_max") > context.vit.patchTokens()) {
      throw Error(fmt::format("--r-max {} is more than this model's {} patch tokens",
                              getInt(settings, "r_max"), context.vit.patchTokens()));
    }
    return std::make_unique<AdaMerge>(settings, context);
  };
  return entry;
}

}  // namespace adamerge
