// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "merging/entries.h"
#include "merging/matching.h"
#include "merging/settings.h"
#include "support/numbers.h"

namespace adamerge {
namespace {

constexpr double kLeastSpread = 1e-12;
constexpr double kProtected = 0.1;  // unimportance below 0.9
constexpr double kLayerNormEpsilon = 1e-6;

/// `percent` of `keys`, whole numbers, those of the highest scores; lowest of equals first.
std::vector<std::int64_t> highest(std::vector<std::int64_t> keys, const std::vector<double>& scores,
                                  int percent) {
  const std::size_t count = keys.size() * static_cast<std::size_t>(percent) / 100;
  std::stable_sort(keys.begin(), keys.end(),
                   [&](std::int64_t a, std::int64_t b) { return scores[a] > scores[b]; });
  keys.resize(count);
  return keys;
}

}  // namespace

FuzzyPruning fuzzyPruning(const std::vector<std::vector<double>>& scores,
                          const std::vector<std::vector<std::int64_t>>& left, int percent,
                          bool fuzzy) {
  FuzzyPruning result;
  double limit = std::numeric_limits<double>::infinity();
  if (fuzzy) {
    std::vector<double> all;
    for (std::size_t head = 0; head < left.size(); ++head) {
      for (const std::int64_t key : left[head]) all.push_back(scores[head][key]);
    }
    std::sort(all.begin(), all.end());
    const double a = quantile(all, 0.25);
    const double b = quantile(all, 0.75);
    result.quartiles = {a, b};
    if (b - a < kLeastSpread) {
      result.stay = left;
      return result;
    }
    limit = a + kProtected * (b - a);
  }
  for (std::size_t head = 0; head < left.size(); ++head) {
    std::vector<std::int64_t> stay;
    std::vector<std::int64_t> others;
    for (const std::int64_t key : left[head]) {
      (scores[head][key] > limit ? stay : others).push_back(key);
    }
    const std::vector<std::int64_t> best = highest(others, scores[head], percent);
    stay.insert(stay.end(), best.begin(), best.end());
    if (stay.empty()) {
      stay.push_back(*std::max_element(
          others.begin(), others.end(),
          [&](std::int64_t a, std::int64_t b) { return scores[head][a] < scores[head][b]; }));
    }
    std::sort(stay.begin(), stay.end());
    result.stay.push_back(std::move(stay));
  }
  return result;
}

Combination combination(const at::Tensor& tokens, std::int64_t count, std::int64_t first) {
  const at::Tensor exact = tokens.to(at::kDouble);
  const at::Tensor normalised = at::layer_norm(exact, {exact.size(1)}, {}, {}, kLayerNormEpsilon);
  const at::Tensor units =
      normalised / normalised.norm(2, {1}, /*keepdim=*/true).clamp_min(kLeastTokenNorm);
  const auto n = static_cast<std::size_t>(tokens.size(0));

  // Per token the most similar seed so far, of equals the one that was found first.
  std::vector<double> nearest(n, -std::numeric_limits<double>::infinity());
  std::vector<bool> is_seed(n, false);
  std::vector<std::vector<double>> similarities;
  std::vector<std::int64_t> found;
  for (std::int64_t seed = first; static_cast<std::int64_t>(found.size()) < count;) {
    is_seed[static_cast<std::size_t>(seed)] = true;
    found.push_back(seed);
    const at::Tensor cosines = units.mv(units[seed]).contiguous();
    const double* own = cosines.data_ptr<double>();
    similarities.emplace_back(own, own + n);
    for (std::size_t token = 0; token < n; ++token) {
      // A token that is not finite is like none.
      double& cosine = similarities.back()[token];
      if (std::isnan(cosine)) cosine = -std::numeric_limits<double>::infinity();
      nearest[token] = std::max(nearest[token], cosine);
    }
    std::size_t next = 0;
    for (std::size_t token = 0; token < n; ++token) {
      if (is_seed[token]) continue;
      if (is_seed[next] || nearest[token] < nearest[next]) next = token;
    }
    seed = static_cast<std::int64_t>(next);
  }

  std::vector<std::size_t> by_position(found.size());
  std::iota(by_position.begin(), by_position.end(), 0);
  std::sort(by_position.begin(), by_position.end(),
            [&](std::size_t a, std::size_t b) { return found[a] < found[b]; });
  Combination result;
  result.group.resize(n);
  result.similarity.resize(n, 1.0);
  for (const std::size_t k : by_position) result.seeds.push_back(found[k]);
  for (std::size_t token = 0; token < n; ++token) {
    if (is_seed[token]) {
      result.group[token] = static_cast<std::int64_t>(token);
      continue;
    }
    std::size_t best = by_position.front();
    for (const std::size_t k : by_position) {
      if (similarities[k][token] > similarities[best][token]) best = k;
    }
    result.group[token] = found[best];
    result.similarity[token] = similarities[best][token];
  }
  return result;
}

namespace {

/// The patch keys of one image that are still in, per head or for all heads.
struct KeysLeft final : MethodMemory {
  std::vector<std::vector<std::int64_t>> keys;
};

class Focus final : public ImageMethod {
 public:
  Focus(const Settings& settings, const VitConfig& vit)
      : percent_(getInt(settings, "p")),
        fuzzy_(get<bool>(settings, "fuzzy")),
        each_head_(get<std::string>(settings, "heads") == "each"),
        drops_(get<std::string>(settings, "prune") == "tokens"),
        combine_at_(getInt(settings, "combine_at")),
        combine_tokens_(getInt(settings, "combine_tokens")),
        depth_(vit.depth),
        lists_(each_head_ ? vit.heads : 1) {}

  Stage stage() const override { return Stage::kBeforeBlock; }
  bool proportionalAttention() const override { return true; }
  bool actsIn(int block) const override { return !drops_ || prunesIn(block) || combinesIn(block); }
  WantedStatistics wanted(int block) const override {
    return {.received = prunesIn(block + 1) || combinesIn(block + 1)};
  }
  std::unique_ptr<MethodMemory> newMemory() const override { return std::make_unique<KeysLeft>(); }

  /// The other blocks decide by attention, which is on the host.
  TokenPart reads(int block) const override {
    return combinesIn(block) ? &LayerTokens::tokens : nullptr;
  }
  MergePlan plan(const LayerTokens& layer) const override {
    MergePlan plan;
    if (prunesIn(layer.block)) {
      prune(layer, plan);
    } else if (combinesIn(layer.block)) {
      combine(layer, plan);
    }
    if (!drops_ && plan.details.keys.empty()) {
      const std::int64_t left =
          plan.changes() ? static_cast<std::int64_t>(plan.order.size()) : layer.count();
      plan.details.keys.assign(static_cast<std::size_t>(lists_), static_cast<int>(left));
    }
    return plan;
  }

 private:
  bool prunesIn(int block) const { return percent_ < 100 && block > 0 && block < combine_at_; }
  bool combinesIn(int block) const { return block == combine_at_ && combine_at_ < depth_; }

  /// Of each patch key what it receives: a list for each head, or their mean.
  static std::vector<std::vector<double>> scoresOf(const LayerTokens& layer, bool each_head) {
    const at::Tensor received =
        layer.attention->received.narrow(1, layer.prefix, layer.patchCount()).to(at::kDouble);
    const at::Tensor rows =
        (each_head ? received : received.mean(0, /*keepdim=*/true)).contiguous();
    if (!rows.isfinite().all().item<bool>()) {
      throw Error(fmt::format(
          "Focus on the Core cannot rank keys before block {}: the attention there is not finite",
          layer.block));
    }
    std::vector<std::vector<double>> scores;
    for (std::int64_t row = 0; row < rows.size(0); ++row) {
      const double* own = rows.data_ptr<double>() + row * rows.size(1);
      scores.emplace_back(own, own + rows.size(1));
    }
    return scores;
  }

  void prune(const LayerTokens& layer, MergePlan& plan) const {
    const std::vector<std::vector<double>> scores = scoresOf(layer, each_head_);
    std::vector<std::int64_t> all(static_cast<std::size_t>(layer.patchCount()));
    std::iota(all.begin(), all.end(), 0);
    auto& left = static_cast<KeysLeft&>(*layer.memory).keys;
    if (left.empty() || drops_) left.assign(scores.size(), all);
    FuzzyPruning pruning = fuzzyPruning(scores, left, percent_, fuzzy_);
    if (pruning.quartiles) {
      plan.details.quartiles.assign(pruning.quartiles->begin(), pruning.quartiles->end());
    }
    if (drops_) {
      drop(layer, pruning.stay.front(), plan);
      return;
    }
    bool any_hidden = false;
    for (std::size_t head = 0; head < left.size(); ++head) {
      std::vector<int> out;
      std::set_difference(left[head].begin(), left[head].end(), pruning.stay[head].begin(),
                          pruning.stay[head].end(), std::back_inserter(out));
      plan.details.pruned_keys.push_back(std::move(out));
      any_hidden = any_hidden || pruning.stay[head].size() < all.size();
      plan.details.keys.push_back(layer.prefix + static_cast<int>(pruning.stay[head].size()));
    }
    left = std::move(pruning.stay);
    if (!any_hidden) return;
    for (const std::vector<std::int64_t>& own : left) {
      std::vector<std::int64_t> keys(static_cast<std::size_t>(layer.prefix));
      std::iota(keys.begin(), keys.end(), 0);
      for (const std::int64_t key : own) keys.push_back(layer.prefix + key);
      plan.keys.push_back(std::move(keys));
    }
  }

  static void drop(const LayerTokens& layer, const std::vector<std::int64_t>& stay,
                   MergePlan& plan) {
    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    for (const std::int64_t patch : stay) plan.order.push_back(layer.prefix + patch);
    std::vector<bool> stays(static_cast<std::size_t>(layer.patchCount()), false);
    for (const std::int64_t patch : stay) stays[static_cast<std::size_t>(patch)] = true;
    for (std::int64_t patch = 0; patch < layer.patchCount(); ++patch) {
      if (!stays[static_cast<std::size_t>(patch)]) plan.dropped.push_back({layer.prefix + patch});
    }
  }

  void combine(const LayerTokens& layer, MergePlan& plan) const {
    const std::int64_t n = layer.patchCount();
    if (combine_tokens_ >= n) return;
    const std::vector<double> scores = scoresOf(layer, /*each_head=*/false).front();
    const auto first = std::max_element(scores.begin(), scores.end()) - scores.begin();
    const Combination decided =
        combination(layer.tokens.narrow(0, layer.prefix, n), combine_tokens_, first);
    plan.macs = static_cast<double>(n * combine_tokens_ * layer.tokens.size(1));
    plan.weights.assign(layer.sizes.begin(), layer.sizes.end());
    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    for (const std::int64_t seed : decided.seeds) {
      plan.order.push_back(layer.prefix + seed);
      plan.details.seeds.push_back(static_cast<int>(seed));
    }
    for (std::int64_t token = 0; token < n; ++token) {
      const auto index = static_cast<std::size_t>(token);
      if (decided.group[index] == token) continue;
      plan.merges.push_back({layer.prefix + token, layer.prefix + decided.group[index],
                             static_cast<float>(decided.similarity[index])});
    }
  }

  int percent_;
  bool fuzzy_;
  bool each_head_;
  bool drops_;
  int combine_at_;
  std::int64_t combine_tokens_;
  int depth_;
  int lists_;  ///< of keys
};

std::vector<SettingInfo> focusSettings() {
  SettingInfo p =
      wholeSetting("p", "Kept (%)",
                   "Of the keys that the fuzzy rule does not protect, those that stay, by the "
                   "attention that they receive.",
                   90, 0, 100);
  SettingInfo fuzzy =
      switchSetting("fuzzy", "Fuzzy rule",
                    "Protects keys that receive much. Off: the share is taken of all keys.", true);
  SettingInfo heads =
      choiceSetting("heads", "Heads",
                    "mean: one set of keys for all heads; each: a set for each, as in the paper.",
                    {"mean", "each"});
  SettingInfo prune =
      choiceSetting("prune", "Prunes",
                    "keys: queries and MLP run on, as in the paper; tokens: they leave altogether.",
                    {"keys", "tokens"});
  SettingInfo combine_at =
      wholeSetting("combine_at", "Combine at block",
                   "Before this block (0-based) all tokens go into a few combination tokens, "
                   "and pruning ends; the model's depth: never.",
                   10, 1, kMaximumCount);
  combine_at.of_model = [](const VitConfig& vit) -> SettingValue {
    return std::int64_t{std::max(1, vit.depth - 2)};
  };
  combine_at.fallback_text = "the last block but one";
  SettingInfo combine_tokens =
      wholeSetting("combine_tokens", "Combination tokens",
                   "How many patch tokens are left once they are combined.", 49, 1, kMaximumCount);
  combine_tokens.of_model = [](const VitConfig& vit) -> SettingValue {
    return std::int64_t{(vit.patchTokens() + 3) / 4};
  };
  combine_tokens.fallback_text = "a quarter of the patch tokens";
  return {p, fuzzy, heads, prune, combine_at, combine_tokens};
}

void requireSuits(const Settings& settings, const VitConfig& vit) {
  if (get<std::string>(settings, "prune") == "tokens" &&
      get<std::string>(settings, "heads") == "each") {
    throw Error(
        "--prune tokens needs --heads mean: a token leaves for all heads or for none, so each head "
        "cannot choose its own");
  }
  if (vit.branches > 1 && get<std::string>(settings, "heads") == "each") {
    throw Error(
        fmt::format("--heads each: this model has {} attentions in a block, so it needs "
                    "--heads mean",
                    vit.branches));
  }
  if (getInt(settings, "combine_at") > vit.depth) {
    throw Error(
        fmt::format("--combine-at {} is beyond this model's {} blocks: give 1 to {}, the "
                    "last of which switches combining off",
                    getInt(settings, "combine_at"), vit.depth, vit.depth));
  }
  if (getInt(settings, "combine_tokens") > vit.patchTokens()) {
    throw Error(fmt::format("--combine-tokens {} is more than this model's {} patch tokens",
                            getInt(settings, "combine_tokens"), vit.patchTokens()));
  }
}

}  // namespace

MethodEntry focusEntry() {
  MethodEntry entry;
  entry.info.id = "focus";
  entry.info.label = "Focus on the Core";
  entry.info.description =
      "Prunes the keys that receive little attention block by block, then combines all tokens into "
      "a few.";
  entry.info.reference =
      "Focus on the Core: Efficient Attention via Pruned Token Compression, EMNLP Findings 2023";
  CompressionKnob knob{"p"};
  knob.keeps = true;
  knob.varies = true;
  knob.most = [](const Settings& /*settings*/, const VitConfig& /*vit*/) { return 100; };
  entry.info.compression = {knob};
  entry.info.settings = focusSettings();
  entry.make = [](const Settings& settings, const MethodContext& context) {
    requireSuits(settings, context.vit);
    return std::make_unique<Focus>(settings, context.vit);
  };
  return entry;
}

}  // namespace adamerge
