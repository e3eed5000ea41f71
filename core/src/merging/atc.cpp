// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "adamerge/error.h"
#include "kernels/matching_ops.h"
#include "kernels/parallel.h"
#include "merging/entries.h"
#include "merging/matching.h"
#include "merging/settings.h"

namespace adamerge {
namespace {

/// Clusters that join one by one. Each row knows its nearest cluster among those after it, so that
/// a join looks again at few rows.
class Clusters {
 public:
  /// Throws Cancelled.
  Clusters(std::vector<double> distances, std::int64_t n, Linkage linkage)
      : n_(n),
        linkage_(linkage),
        linked_(std::move(distances)),
        members_(static_cast<std::size_t>(n), 1),
        nearest_(static_cast<std::size_t>(n), -1) {
    for (std::int64_t row = 0; row < n_; ++row) {
      throwIfStopWithin();
      // Among clusters of one token each, which takes a quarter of the time.
      look(
          row, [](std::int64_t) { return true; },
          [&](std::int64_t other) { return linked_[row * n_ + other]; });
    }
  }

  ClusterJoin join() {
    std::int64_t first = -1;
    for (std::int64_t row = 0; row < n_; ++row) {
      if (members_[row] == 0 || nearest_[row] < 0) continue;
      if (first < 0 || distance(row, nearest_[row]) < distance(first, nearest_[first])) first = row;
    }
    const std::int64_t second = nearest_[first];
    const ClusterJoin made{static_cast<int>(first), static_cast<int>(second),
                           distance(first, second)};
    for (std::int64_t other = 0; other < n_; ++other) {
      if (members_[other] == 0 || other == first || other == second) continue;
      double& own = linked_[first * n_ + other];
      const double theirs = linked_[second * n_ + other];
      own = linkage_ == Linkage::kAverage    ? own + theirs
            : linkage_ == Linkage::kComplete ? std::max(own, theirs)
                                             : std::min(own, theirs);
      linked_[other * n_ + first] = own;
    }
    members_[first] += members_[second];
    members_[second] = 0;
    for (std::int64_t row = 0; row < second; ++row) {
      if (members_[row] == 0) continue;
      if (row == first || nearest_[row] == first || nearest_[row] == second) {
        look(row);
      } else if (row < first && isNearer(row, first, nearest_[row])) {
        nearest_[row] = first;
      }
    }
    return made;
  }

 private:
  /// Averages are kept as sums over the pairs of members: those of equal averages stay equal.
  double distance(std::int64_t a, std::int64_t b) const {
    const double linked = linked_[a * n_ + b];
    const std::int64_t pairs = members_[a] * members_[b];
    // Most clusters are of one token, and divisions are what the rest costs.
    return linkage_ == Linkage::kAverage && pairs > 1 ? linked / static_cast<double>(pairs)
                                                      : linked;
  }
  bool isNearer(std::int64_t row, std::int64_t candidate, std::int64_t present) const {
    const double a = distance(row, candidate);
    const double b = distance(row, present);
    return a < b || (a == b && candidate < present);
  }
  void look(std::int64_t row) {
    look(
        row, [&](std::int64_t other) { return members_[other] != 0; },
        [&](std::int64_t other) { return distance(row, other); });
  }
  template <class Exists, class DistanceTo>
  void look(std::int64_t row, Exists exists, DistanceTo distance_to) {
    std::int64_t nearest = -1;
    double least = 0;
    for (std::int64_t other = row + 1; other < n_; ++other) {
      if (!exists(other)) continue;
      const double own = distance_to(other);
      if (nearest >= 0 && !(own < least)) continue;
      nearest = other;
      least = own;
    }
    nearest_[row] = nearest;
  }

  std::int64_t n_;
  Linkage linkage_;
  std::vector<double> linked_;
  std::vector<std::int64_t> members_;  ///< 0: went into another
  std::vector<std::int64_t> nearest_;  ///< -1: none after it
};

class Atc final : public ImageMethod {
 public:
  Atc(const Settings& settings, const VitConfig& vit)
      : keep_ratio_(get<double>(settings, "keep_ratio")),
        patches_(vit.patchTokens()),
        counts_(givenCounts(settings, vit, vit.patchTokens() - 1)),
        blocks_(chosenBlocks(settings, "blocks", vit.depth)),
        proportional_attention_(get<bool>(settings, "proportional_attention")) {
    if (counts_.empty()) {
      counts_ =
          inflectedSchedule(getInt(settings, "r"), get<double>(settings, "inflection"), vit.depth);
    }
    const std::string& name = get<std::string>(settings, "linkage");
    linkage_ = name == "complete" ? Linkage::kComplete
               : name == "single" ? Linkage::kSingle
                                  : Linkage::kAverage;
  }

  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }
  bool proportionalAttention() const override { return proportional_attention_; }
  bool actsIn(int block) const override {
    const auto index = static_cast<std::size_t>(block);
    return keep_ratio_ < 1 ? blocks_[index] : counts_[index] > 0;
  }

  TokenPart reads(int /*block*/) const override { return &LayerTokens::metric; }
  MergePlan plan(const LayerTokens& layer) const override {
    MergePlan plan;
    const std::int64_t n = layer.patchCount();
    const std::int64_t count = clustersLeft(layer.block, n);
    if (count >= n) return plan;
    // The tree hangs on the order of all distances, so it is made in fp64 everywhere.
    constexpr double kLeastNorm = 1e-12;
    const at::Tensor keys = layer.metric.narrow(0, layer.prefix, n).to(at::kDouble).contiguous();
    const at::Tensor gram = gramMatrix(directions(keys, kLeastNorm, at::kDouble), at::kDouble);
    const double* cosine = gram.data_ptr<double>();
    // A key that is no number makes its own product none.
    for (std::int64_t i = 0; i < n; ++i) {
      if (std::isfinite(cosine[i * (n + 1)])) continue;
      throw Error(
          fmt::format("ATC in block {}: keys that are not numbers (NaN or infinity)", layer.block));
    }
    std::vector<double> distances(cosine, cosine + n * n);
    forRowPieces(n, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first * n; i < last * n; ++i) distances[i] = 1 - distances[i];
    });
    Clustering clusters = clustered(std::move(distances), n, linkage_, count, layer.trace);
    for (std::int64_t i = 0; i < layer.prefix; ++i) plan.order.push_back(i);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t lowest = clusters.cluster[i];
      if (lowest == i) {
        plan.order.push_back(layer.prefix + i);
      } else {
        plan.merges.push_back(
            {layer.prefix + i, layer.prefix + lowest, static_cast<float>(cosine[i * n + lowest])});
      }
    }
    plan.weights.assign(layer.sizes.begin(), layer.sizes.end());
    plan.details.joins = std::move(clusters.joins);
    plan.macs = static_cast<double>(n * n) * static_cast<double>(layer.metric.size(1));
    return plan;
  }

 private:
  std::int64_t clustersLeft(int block, std::int64_t n) const {
    if (keep_ratio_ >= 1) {
      return n - std::min(counts_[static_cast<std::size_t>(block)], n - 1);
    }
    const auto before = std::count(blocks_.begin(), blocks_.begin() + block, true);
    const double left = patches_ * std::pow(keep_ratio_, static_cast<double>(before + 1));
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(left)));
  }

  double keep_ratio_;
  int patches_;
  std::vector<std::int64_t> counts_;
  std::vector<bool> blocks_;
  bool proportional_attention_;
  Linkage linkage_ = Linkage::kAverage;
};

}  // namespace

Clustering clustered(std::vector<double> distances, std::int64_t n, Linkage linkage,
                     std::int64_t count, bool whole_tree) {
  Clustering result;
  result.cluster.resize(static_cast<std::size_t>(n));
  std::iota(result.cluster.begin(), result.cluster.end(), 0);
  Clusters clusters(std::move(distances), n, linkage);
  for (std::int64_t left = n; left > (whole_tree ? 1 : count); --left) {
    throwIfStopWithin();
    const ClusterJoin join = clusters.join();
    result.joins.push_back(join);
    if (left <= count) continue;
    std::replace(result.cluster.begin(), result.cluster.end(),
                 static_cast<std::int64_t>(join.second), static_cast<std::int64_t>(join.first));
  }
  return result;
}

MethodEntry atcEntry() {
  MethodEntry entry;
  entry.info.id = "atc";
  entry.info.label = "ATC";
  entry.info.description =
      "Joins the nearest clusters of tokens, by attention keys, bottom up, until the count is met; "
      "any number of tokens may join in one block.";
  entry.info.reference = "Haurum et al., Agglomerative Token Clustering, ECCV 2024";
  entry.info.matches_keys = true;
  CompressionKnob knob;
  knob.key = "r";
  knob.limit = 1;
  knob.most = [](const Settings&, const VitConfig& vit) { return vit.patchTokens() - 1; };
  entry.info.compression = {knob};

  SettingInfo r = constantCountSetting();
  r.help = "Tokens merged in every block; at least one patch token is left.";
  constexpr std::int64_t kUsual = 12;
  r.fallback = kUsual;
  r.of_model = [](const VitConfig& vit) -> SettingValue {
    return static_cast<std::int64_t>(vit.patchTokens() / 16);
  };
  r.fallback_text = "a sixteenth of the patch tokens";
  SettingInfo per_block = countsPerBlockSetting();
  per_block.active_when = {{"keep_ratio", 1.0}};
  r.active_when = {{"keep_ratio", 1.0}, {per_block.key, per_block.fallback}};
  SettingInfo inflection = inflectionSetting();
  inflection.active_when = r.active_when;
  const SettingInfo ratio = realSetting("keep_ratio", "Keep ratio",
                                        "Share of the patch tokens that each of the listed blocks "
                                        "keeps; 1 uses the r of every block.",
                                        1, 0.05, 1);
  const SettingInfo blocks =
      blocksSetting("Blocks, from 0, after whose attention the keep ratio holds.");
  const SettingInfo linkage = choiceSetting("linkage", "Linkage",
                                            "Distance of two clusters: the mean, the largest or "
                                            "the smallest of their members' distances.",
                                            {"average", "complete", "single"});
  entry.info.settings = {
      r, inflection, per_block, ratio, blocks, linkage, proportionalAttentionSetting(true)};
  entry.make = [](const Settings& settings, const MethodContext& context) {
    const int patches = context.vit.patchTokens();
    if (get<double>(settings, "keep_ratio") >= 1 && getInt(settings, "r") >= patches &&
        get<std::vector<std::int64_t>>(settings, "r_per_block").empty()) {
      throw Error(fmt::format(
          "--r {} would leave no token: this model has {} patch tokens, so at most {} can merge in "
          "one block",
          getInt(settings, "r"), patches, patches - 1));
    }
    return std::make_unique<Atc>(settings, context.vit);
  };
  return entry;
}

}  // namespace adamerge
