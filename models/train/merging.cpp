// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging.h"

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "merging/apply.h"

namespace adamerge::training {
namespace {

/// What `plan` does that is no mean and no drop; empty: nothing.
std::string beyondMeans(const MergePlan& plan) {
  if (!plan.keys.empty()) return "hides keys from the attention";
  if (!plan.merges.empty() && plan.combine != Combine::kWeightedMean &&
      plan.combine != Combine::kPrune) {
    return "combines tokens in another way than by means";
  }
  return {};
}

/// Rows `index` [batch, k] of [batch, n, width].
at::Tensor rows(const at::Tensor& tokens, const at::Tensor& index) {
  return tokens.gather(1, index.unsqueeze(-1).expand({-1, -1, tokens.size(-1)}));
}

/// A table of one row an image on the host, `width` wide.
template <typename Value>
class Table {
 public:
  Table(std::size_t images, std::int64_t width, Value filling)
      : width_(width), values_(images * static_cast<std::size_t>(width), filling) {}
  Value& at(std::size_t image, std::int64_t column) {
    return values_[image * static_cast<std::size_t>(width_) + static_cast<std::size_t>(column)];
  }
  at::Tensor on(at::Device device) const {
    return at::tensor(values_).reshape({-1, width_}).to(device);
  }

 private:
  std::int64_t width_;
  std::vector<Value> values_;
};

}  // namespace

void requireTrainable(const MergeMethod& method, const VitConfig& vit, const std::string& label) {
  const auto refuse = [&](const std::string& reason) {
    throw Error(
        fmt::format("{}: training goes through methods that average or drop tokens for good, by "
                    "what these tell themselves; this one {}",
                    label, reason));
  };
  using Stage = MergeMethod::Stage;
  if (method.stage() != Stage::kNever && method.stage() != Stage::kBeforeBlock &&
      method.stage() != Stage::kBetweenAttentionAndMlp) {
    refuse("restores them after each block");
  }
  if (!method.qkvChanges().empty()) refuse("changes the weights by a compensator");
  const c10::NoGradGuard guard;
  const std::int64_t count = vit.prefixTokens() + vit.patchTokens();
  const at::Tensor tokens = (at::arange(count * vit.dim, at::kFloat) * 0.7).sin();
  MergedTokens trial(tokens.view({1, count, vit.dim}), vit.prefixTokens(), vit.patchTokens(), {});
  for (int block = 0; block < vit.depth; ++block) {
    if (method.wanted(block).any()) refuse("reads the attention");
    try {
      trial.merge(method, block, trial.values.narrow(-1, 0, vit.headDim()), vit.heads);
    } catch (const FaultyPlan& fault) {
      refuse(fault.what());
    }
  }
}

std::unique_ptr<const MergeMethod> toMe(std::int64_t r, const VitConfig& vit) {
  return findMethodEntry("tome").make(completeSettings({"tome", {{"r", r}}, nullptr, false}, vit),
                                      {vit});
}

MergedTokens::MergedTokens(const at::Tensor& tokens, std::int64_t prefix, int grid,
                           const at::Tensor& kept)
    : values(tokens), prefix_(prefix), grid_(grid), kept_(kept) {}

/// Not sooner: from a GPU it waits for which patches were kept.
void MergedTokens::begin() {
  images_ = std::vector<Image>(static_cast<std::size_t>(values.size(0)));
  const at::Tensor on_host = kept_.defined() ? kept_.to(at::kCPU).contiguous() : at::Tensor();
  const std::int64_t patches = values.size(1) - prefix_;
  for (std::size_t i = 0; i < images_.size(); ++i) {
    Image& image = images_[i];
    image.sizes.assign(static_cast<std::size_t>(values.size(1)), 1.0F);
    image.patch_tokens.assign(static_cast<std::size_t>(grid_), -1);
    const std::int64_t* own =
        kept_.defined() ? on_host.data_ptr<std::int64_t>() + static_cast<std::int64_t>(i) * patches
                        : nullptr;
    for (std::int64_t k = 0; k < patches; ++k) {
      image.patch_tokens[static_cast<std::size_t>(own != nullptr ? own[k] : k)] =
          static_cast<int>(prefix_ + k);
    }
  }
}

void MergedTokens::merge(const MergeMethod& method, int block, const at::Tensor& keys,
                         std::int64_t heads) {
  if (method.stage() == MergeMethod::Stage::kNever || !method.actsIn(block)) return;
  if (images_.empty()) begin();
  const at::Tensor tokens = values.detach();
  std::vector<LayerTokens> layers(images_.size());
  for (std::size_t i = 0; i < images_.size(); ++i) {
    Image& image = images_[i];
    if (image.memory == nullptr) image.memory = method.newMemory();
    const auto own = [&](const at::Tensor& of) {
      return of.select(0, static_cast<std::int64_t>(i)).narrow(0, 0, image.count());
    };
    LayerTokens& layer = layers[i];
    layer.block = block;
    layer.prefix = static_cast<int>(prefix_);
    layer.tokens = own(tokens);
    if (keys.defined()) layer.metric = own(keys).contiguous();
    layer.deciding = tokens.is_cpu() ? at::kDouble : at::kFloat;
    layer.sizes = image.sizes;
    layer.patch_tokens = image.patch_tokens;
    layer.memory = image.memory.get();
  }
  const std::vector<MergePlan> plans = method.plans(layers);
  bool changes = false;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    checkPlan(plans[i], images_[i].count(), prefix_, block, heads);
    if (const std::string reason = beyondMeans(plans[i]); !reason.empty()) throw FaultyPlan(reason);
    changes = changes || plans[i].changes();
  }
  if (changes) carryOut(plans);
}

void MergedTokens::carryOut(std::span<const MergePlan> plans) {
  std::int64_t longest = 0;
  std::size_t most = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    longest = std::max(longest, remainingTokens(plans[i], images_[i].count()));
    most = std::max(most, plans[i].merges.size());
  }
  const auto sources = static_cast<std::int64_t>(most);
  Table<std::int64_t> order(images_.size(), longest, 0);
  Table<float> stays(images_.size(), longest, 1);  // share of a row's own token in it
  Table<std::int64_t> source(images_.size(), sources, 0);
  Table<std::int64_t> row(images_.size(), sources, longest);  // that a source goes into; past all
  Table<float> share(images_.size(), sources, 0);
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const MergePlan& plan = plans[i];
    Image& image = images_[i];
    if (!plan.changes()) {
      for (std::int64_t k = 0; k < image.count(); ++k) order.at(i, k) = k;
      continue;
    }
    const std::vector<int> positions = newPositions(plan, image.sizes.size());
    for (std::size_t k = 0; k < plan.order.size(); ++k) {
      order.at(i, static_cast<std::int64_t>(k)) = plan.order[k];
    }
    if (plan.combine == Combine::kWeightedMean) {
      std::vector<double> sums(plan.order.size(), 0.0);
      const auto goesInto = [&](const PlannedMerge& merge) { return positions[merge.destination]; };
      for (const PlannedMerge& merge : plan.merges) {
        double& sum = sums[goesInto(merge)];
        if (sum == 0) sum = plan.weights[merge.destination];
        sum += plan.weights[merge.source];
      }
      for (std::size_t k = 0; k < plan.merges.size(); ++k) {
        const PlannedMerge& merge = plan.merges[k];
        const auto column = static_cast<std::int64_t>(k);
        const double sum = sums[goesInto(merge)];
        source.at(i, column) = merge.source;
        row.at(i, column) = goesInto(merge);
        share.at(i, column) = static_cast<float>(plan.weights[merge.source] / sum);
        stays.at(i, goesInto(merge)) = static_cast<float>(plan.weights[merge.destination] / sum);
      }
    }
    for (int& token : image.patch_tokens) token = token < 0 ? token : positions[token];
    image.sizes = applyToSizes(plan, image.sizes);
  }
  const at::Device device = values.device();
  const auto factors = [&](const Table<float>& table) {
    return table.on(device).to(values.scalar_type()).unsqueeze(-1);
  };
  at::Tensor next = rows(values, order.on(device)) * factors(stays);
  if (sources > 0) {
    // A product with zeros and ones, whose sums a GPU makes in one order, unlike scattered ones.
    const at::Tensor joins = at::one_hot(row.on(device), longest + 1)
                                 .narrow(-1, 0, longest)
                                 .to(values.scalar_type())
                                 .transpose(1, 2);
    next = next + joins.bmm(rows(values, source.on(device)) * factors(share));
  }
  values = next;
  merged_ = true;
}

at::Tensor MergedTokens::logitBias(bool proportional) const {
  if (!merged_) return {};
  Table<float> bias(images_.size(), values.size(1), -std::numeric_limits<float>::infinity());
  for (std::size_t i = 0; i < images_.size(); ++i) {
    for (std::int64_t k = 0; k < images_[i].count(); ++k) {
      const float size = images_[i].sizes[static_cast<std::size_t>(k)];
      bias.at(i, k) = proportional ? std::log(size) : 0.0F;
    }
  }
  return bias.on(values.device()).view({values.size(0), 1, 1, -1});
}

}  // namespace adamerge::training
