// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "adamerge/error.h"
#include "kernels/matching_ops.h"
#include "merging/entries.h"
#include "merging/matching.h"
#include "merging/settings.h"

namespace adamerge {
namespace {

constexpr double kEpsilon = 1e-6;

/// Tokens by the principal component that each loads on most, and how much.
struct Components {
  std::vector<int> group;
  std::vector<double> loading;
};

/// `tokens`: [n, d] fp64. Exact, where the published code takes a randomised decomposition.
Components componentsOf(const at::Tensor& tokens, std::int64_t count, bool centre_channels) {
  at::Tensor y = tokens.sigmoid();
  y = y - y.mean(centre_channels ? 0 : 1, /*keepdim=*/true);
  const auto [values, vectors] = at::linalg_eigh(gramMatrix(y.contiguous(), at::kDouble));
  const std::int64_t n = tokens.size(0);
  const at::Tensor all = vectors.abs().contiguous();  // columns by ascending eigenvalue
  const double* data = all.data_ptr<double>();
  Components result;
  for (std::int64_t i = 0; i < n; ++i) {
    int best = 0;
    for (int j = 1; j < count; ++j) {
      if (data[i * n + n - 1 - j] > data[i * n + n - 1 - best]) best = j;
    }
    result.group.push_back(best);
    result.loading.push_back(data[i * n + n - 1 - best]);
  }
  return result;
}

/// Rounded, half to even, in whole numbers.
std::int64_t roundedQuotient(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t whole = numerator / denominator;
  const std::int64_t twice = 2 * (numerator % denominator);
  return whole + (twice > denominator || (twice == denominator && whole % 2 == 1) ? 1 : 0);
}

class PruneSid final : public ImageMethod {
 public:
  PruneSid(const Settings& settings, const MethodContext& context)
      : keep_(getInt(settings, "keep")),
        at_(getInt(settings, "at")),
        heads_(context.vit.heads),
        dynamic_(get<bool>(settings, "dynamic")),
        by_attention_(get<std::string>(settings, "score") == "attention"),
        centre_channels_(get<std::string>(settings, "centre") == "channel"),
        merges_(get<std::string>(settings, "dropped") == "merge") {
    if (!dynamic_ || context.statistics == nullptr) return;
    const StatisticsEntry entry = interpolate(*context.statistics, keep_);
    const auto block = static_cast<std::size_t>(at_);
    if (entry.mu[block] == 0 && entry.sigma[block] == 0) {
      throw Error(
          fmt::format("the layer statistics were made for another block than --at {}: calibrate "
                      "under this setting",
                      at_));
    }
    usual_ = entry.mu[block];
  }

  Stage stage() const override { return Stage::kBeforeBlock; }
  bool actsIn(int block) const override { return block == at_; }
  WantedStatistics wanted(int block) const override {
    return {.class_attention = by_attention_ && block == at_ - 1};
  }

  bool calibrated() const override { return !dynamic_ || usual_.has_value(); }

  TokenPart reads(int /*block*/) const override { return &LayerTokens::tokens; }
  MergePlan plan(const LayerTokens& layer) const override {
    MergePlan plan;
    const std::int64_t n = layer.patchCount();
    if (n < 2 || keep_ >= n) return plan;
    const std::int64_t width = layer.tokens.size(1);
    const at::Tensor tokens = layer.tokens.narrow(0, layer.prefix, n).to(at::kDouble).contiguous();
    if (!tokens.isfinite().all().item<bool>()) {
      throw Error(fmt::format("PruneSID in block {}: tokens that are not numbers (NaN or infinity)",
                              layer.block));
    }
    const at::Tensor gram =
        gramMatrix(directions(tokens, kLeastTokenNorm, tokens.scalar_type()), at::kDouble);
    const double* cosine = gram.data_ptr<double>();
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      sum = std::accumulate(cosine + i * n + i + 1, cosine + (i + 1) * n, sum);
    }
    const double redundancy = sum / (static_cast<double>(n) * static_cast<double>(n - 1) / 2);
    const int keep = kept(redundancy, n);
    if (keep >= n) {
      plan.redundancy = redundancy;
      plan.mu = usual_;
      return plan;
    }
    const std::int64_t count =
        std::max<std::int64_t>(1, std::min({std::int64_t{keep / 4}, n - 1, width - 1}));
    const Components components = componentsOf(tokens, count, centre_channels_);
    std::vector<double> score = components.loading;
    if (by_attention_) {
      for (std::size_t i = 0; i < score.size(); ++i) {
        score[i] =
            heads_ *
            static_cast<double>(
                layer.attention->class_attention[i + static_cast<std::size_t>(layer.prefix)]);
      }
    }

    const double threshold = redundancy * std::max(1.0, 18.0 * keep / static_cast<double>(n));

    // Each group's tokens by rank: those taken, then those that they suppress.
    std::vector<std::vector<std::int64_t>> groups(static_cast<std::size_t>(count));
    std::vector<int> sizes;
    for (std::int64_t i = 0; i < n; ++i) groups[components.group[i]].push_back(i);
    for (std::vector<std::int64_t>& group : groups) {
      sizes.push_back(static_cast<int>(group.size()));
      std::stable_sort(group.begin(), group.end(),
                       [&](std::int64_t a, std::int64_t b) { return score[a] > score[b]; });
      std::vector<std::int64_t> taken;
      std::vector<std::int64_t> suppressed;
      for (const std::int64_t token : group) {
        const bool redundant = std::any_of(taken.begin(), taken.end(), [&](std::int64_t other) {
          return cosine[other * n + token] > threshold;
        });
        (redundant ? suppressed : taken).push_back(token);
      }
      plan.details.taken.push_back(static_cast<int>(taken.size()));
      group = std::move(taken);
      group.insert(group.end(), suppressed.begin(), suppressed.end());
    }
    plan.details.quota = groupQuotas(sizes, plan.details.taken, keep);

    std::vector<bool> stays(static_cast<std::size_t>(n), false);
    for (std::size_t k = 0; k < groups.size(); ++k) {
      for (int i = 0; i < plan.details.quota[k]; ++i)
        stays[groups[k][static_cast<std::size_t>(i)]] = true;
    }
    fill(plan, layer, stays, cosine);
    plan.redundancy = redundancy;
    plan.mu = usual_;
    plan.details.threshold = threshold;
    plan.details.component.assign(components.group.begin(), components.group.end());
    plan.details.score.assign(score.begin(), score.end());
    if (threshold >= 1) plan.details.note = "no redundancy removed: the threshold is at least 1";
    if (layer.trace) plan.salience = minMaxScaled(score);
    const auto patches = static_cast<double>(n);
    plan.macs =
        2 * patches * patches * static_cast<double>(width) + 10 * patches * patches * patches;
    return plan;
  }

 private:
  /// How many of `n` patch tokens stay of an image: where `dynamic`, more of one less redundant
  /// than usual, in proportion to 1 - redundancy.
  int kept(double redundancy, std::int64_t n) const {
    if (!usual_) return keep_;
    const double keep = std::round(keep_ * (1 - redundancy) / std::max(1 - *usual_, kEpsilon));
    return static_cast<int>(std::clamp(keep, 1.0, static_cast<double>(n)));
  }

  /// Kept tokens in their old order; each other one goes to the most similar of them.
  void fill(MergePlan& plan, const LayerTokens& layer, const std::vector<bool>& kept,
            const double* cosine) const {
    const auto n = static_cast<std::int64_t>(kept.size());
    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    for (std::int64_t i = 0; i < n; ++i) {
      if (kept[i]) {
        plan.order.push_back(layer.prefix + i);
        continue;
      }
      std::int64_t nearest = -1;
      for (std::int64_t j = 0; j < n; ++j) {
        if (kept[j] && (nearest < 0 || cosine[i * n + j] > cosine[i * n + nearest])) nearest = j;
      }
      if (merges_) {
        plan.merges.push_back({layer.prefix + i, layer.prefix + nearest,
                               static_cast<float>(cosine[i * n + nearest])});
      } else {
        plan.dropped.push_back({layer.prefix + i, layer.prefix + nearest});
      }
    }
    if (merges_) plan.weights.assign(static_cast<std::size_t>(layer.count()), 1.0F);
  }

  int keep_;
  int at_;
  int heads_;
  bool dynamic_;
  std::optional<double> usual_;  ///< the mean redundancy over the calibration set; with `dynamic`
  bool by_attention_;
  bool centre_channels_;
  bool merges_;
};

}  // namespace

std::vector<int> groupQuotas(const std::vector<int>& sizes, const std::vector<int>& taken,
                             int keep) {
  const std::size_t groups = sizes.size();
  std::vector<int> most(groups);
  std::vector<int> quota(groups);
  for (std::size_t k = 0; k < groups; ++k) {
    most[k] = std::min({5 * ((keep + 63) / 64), sizes[k], taken[k]});
    quota[k] = std::min(1, sizes[k]);
  }
  while (std::accumulate(most.begin(), most.end(), 0) < keep) {
    for (std::size_t k = 0; k < groups; ++k) most[k] = std::min(most[k] + 1, sizes[k]);
  }
  const std::int64_t rest = std::max(0, keep - std::accumulate(quota.begin(), quota.end(), 0));
  const std::int64_t all = std::accumulate(taken.begin(), taken.end(), std::int64_t{0});
  std::int64_t sum = 0;
  std::int64_t before = 0;
  for (std::size_t k = 0; k < groups; ++k) {
    sum += taken[k];
    const std::int64_t now = roundedQuotient(rest * sum, all);
    quota[k] = std::min(quota[k] + static_cast<int>(now - before), most[k]);
    before = now;
  }
  std::vector<std::size_t> by_taken(groups);
  std::iota(by_taken.begin(), by_taken.end(), 0);
  std::stable_sort(by_taken.begin(), by_taken.end(),
                   [&](std::size_t a, std::size_t b) { return taken[a] > taken[b]; });
  int missing = keep - std::accumulate(quota.begin(), quota.end(), 0);
  for (const std::size_t k : by_taken) {
    const int more = std::clamp(missing, 0, most[k] - quota[k]);
    quota[k] += more;
    missing -= more;
  }
  return quota;
}

MethodEntry pruneSidEntry() {
  MethodEntry entry;
  entry.info.id = "prunesid";
  entry.info.label = "PruneSID";
  entry.info.description =
      "Once, before one block: groups tokens by principal component and keeps of each group those "
      "that stand out and are not alike.";
  entry.info.reference = "PruneSID, ICLR 2026 (arXiv 2603.09480)";
  entry.info.salience = "how much a token loads on its component";
  CompressionKnob knob;
  knob.key = "keep";
  knob.limit = 1;
  knob.keeps = true;
  knob.least = 1;
  knob.active_when = {"dynamic", false};
  CompressionKnob dynamic_knob = knob;
  dynamic_knob.uses_statistics = true;
  dynamic_knob.active_when = {"dynamic", true};
  entry.info.compression = {knob, dynamic_knob};
  entry.info.statistics_settings = {"at"};
  entry.info.uncalibrated = "every image keeps what {} says";

  SettingInfo keep =
      wholeSetting("keep", "keep", "Patch tokens that stay; all of them or more: nothing happens.",
                   98, 1, kMaximumCount);
  keep.of_model = [](const VitConfig& vit) -> SettingValue {
    return static_cast<std::int64_t>((vit.patchTokens() + 1) / 2);
  };
  keep.fallback_text = "half of the patch tokens";
  SettingInfo at = wholeSetting("at", "Block",
                                "The block, from 0, before which tokens are dropped. Earlier saves "
                                "more, later groups better.",
                                6, 0, kMaximumCount);
  at.of_model = [](const VitConfig& vit) -> SettingValue {
    return static_cast<std::int64_t>(vit.depth / 2);
  };
  at.fallback_text = "the middle one";
  at.in_name = true;
  const SettingInfo dynamic = switchSetting("dynamic", "Dynamic budget",
                                            "More tokens stay of an image that is less redundant "
                                            "than the calibration images, in proportion.",
                                            false);
  entry.info.settings = {
      keep,
      at,
      dynamic,
      choiceSetting(
          "score", "Score",
          "What stands out in a group: how much a token loads on the component, or the class "
          "token's attention in the block before.",
          {"component", "attention"}),
      choiceSetting(
          "centre", "Centring",
          "Whose mean is subtracted before the components: each token's over its channels (the "
          "public code) or each channel's over the tokens (the paper).",
          {"token", "channel"}),
      choiceSetting("dropped", "Dropped tokens",
                    "Are gone, or are averaged into the most similar token that stays.",
                    {"prune", "merge"})};
  entry.make = [](const Settings& settings, const MethodContext& context) {
    const int block = getInt(settings, "at");
    if (block >= context.vit.depth) {
      throw Error(
          fmt::format("--at {}: this model has blocks 0 to {}", block, context.vit.depth - 1));
    }
    if (get<std::string>(settings, "score") == "attention") {
      requireClassToken(context.vit, "PruneSID's score attention");
      if (block == 0) {
        throw Error(
            "--score attention reads the attention of the block before, so --at is 1 or "
            "more");
      }
    }
    return std::make_unique<PruneSid>(settings, context);
  };
  return entry;
}

}  // namespace adamerge
