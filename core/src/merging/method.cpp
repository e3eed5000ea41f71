// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/method.h"

#include <fmt/format.h>

#include "kernels/parallel.h"
#include "merging/entries.h"

namespace adamerge {
namespace {

enum class Fate : char { kUnknown, kStays, kGoes };

bool isMatrix(const at::Tensor& x, std::int64_t rows, std::int64_t columns) {
  return x.defined() && x.dim() == 2 && x.size(0) == rows && x.size(1) == columns;
}

}  // namespace

void checkPlan(const MergePlan& plan, std::int64_t count, std::int64_t prefix, int block,
               std::int64_t heads) {
  const auto require = [block](bool holds, std::string_view what, std::int64_t position) {
    if (holds) return;
    throw FaultyPlan(fmt::format("block {}: token {} {}", block, position, what));
  };
  const auto requireSize = [block](std::size_t size, std::int64_t wanted, std::string_view what) {
    if (size == static_cast<std::size_t>(wanted)) return;
    throw FaultyPlan(fmt::format("block {}: {} {} for {} tokens", block, size, what, wanted));
  };
  if (!plan.salience.empty()) requireSize(plan.salience.size(), count - prefix, "saliences");
  if (!plan.details.score.empty()) {
    requireSize(plan.details.score.size(), count - prefix, "scores");
  }
  if (!plan.details.component.empty()) {
    requireSize(plan.details.component.size(), count - prefix, "components");
  }
  const std::int64_t left = plan.changes() ? static_cast<std::int64_t>(plan.order.size()) : count;
  if (plan.keys.size() > 1) {
    requireSize(plan.keys.size(), heads, "lists of keys");
  }
  for (const std::vector<std::int64_t>& keys : plan.keys) {
    std::int64_t last = -1;
    for (const std::int64_t key : keys) {
      require(key > last && key < left, "is no key, or stands out of order", key);
      last = key;
    }
    if (keys.empty()) throw FaultyPlan(fmt::format("block {}: no key is left", block));
  }
  if (!plan.changes()) return;
  if (const Restoration* restoration = plan.restoration.get(); restoration != nullptr) {
    if (!isMatrix(restoration->merge, left, count) ||
        !isMatrix(restoration->recover, count, left) || !restoration->rest.defined() ||
        restoration->rest.numel() != count) {
      throw FaultyPlan(
          fmt::format("block {}: the matrices that restore it are not for {} tokens, {} inside",
                      block, count, left));
    }
  } else if (plan.combine == Combine::kWeightedMean && !plan.merges.empty()) {
    requireSize(plan.weights.size(), count, "weights");
  }

  std::vector<Fate> fates(static_cast<std::size_t>(count), Fate::kUnknown);
  const auto decide = [&](std::int64_t position, Fate fate) {
    require(position >= 0 && position < count, "does not exist", position);
    Fate& present = fates[static_cast<std::size_t>(position)];
    require(present == Fate::kUnknown, "is there twice", position);
    present = fate;
  };
  for (std::size_t k = 0; k < plan.order.size(); ++k) {
    decide(plan.order[k], Fate::kStays);
    const auto place = static_cast<std::int64_t>(k);
    require(place >= prefix || plan.order[k] == place, "is where a prefix token belongs",
            plan.order[k]);
  }
  for (const PlannedMerge& merge : plan.merges) decide(merge.source, Fate::kGoes);
  for (const PlannedDrop& drop : plan.dropped) decide(drop.position, Fate::kGoes);
  for (std::int64_t position = 0; position < count; ++position) {
    const Fate fate = fates[static_cast<std::size_t>(position)];
    require(fate != Fate::kUnknown, "neither stays nor merges nor is dropped", position);
    require(position >= prefix || fate == Fate::kStays, "is a prefix token and goes", position);
  }
  for (const PlannedMerge& merge : plan.merges) {
    const std::int64_t destination = merge.destination;
    require(destination >= prefix && destination < count, "is no token to merge into", destination);
    require(fates[static_cast<std::size_t>(destination)] == Fate::kStays,
            "is merged into and does not stay", destination);
  }
  for (const PlannedDrop& drop : plan.dropped) {
    if (drop.stand_in < 0) continue;
    require(drop.stand_in >= prefix && drop.stand_in < count &&
                fates[static_cast<std::size_t>(drop.stand_in)] == Fate::kStays,
            "stands for a dropped one and does not stay", drop.stand_in);
  }
  if (left <= prefix) throw FaultyPlan(fmt::format("block {}: no patch token is left", block));
}

namespace {

class None final : public ImageMethod {
 public:
  Stage stage() const override { return Stage::kNever; }
  MergePlan plan(const LayerTokens& /*layer*/) const override { return {}; }
};

}  // namespace

void forEachImage(std::size_t images, const std::function<void(std::size_t)>& work) {
  if (images == 1) {
    work(0);
    return;
  }
  parallelFor(static_cast<std::int64_t>(images), [&](std::int64_t first, std::int64_t last) {
    const c10::InferenceMode guard;
    for (std::int64_t i = first; i < last; ++i) work(static_cast<std::size_t>(i));
  });
}

std::vector<MergePlan> MergeMethod::plans(std::span<const LayerTokens> images) const {
  std::vector<MergePlan> plans(images.size());
  if (images.front().tokens.is_cpu()) {
    forEachImage(images.size(), [&](std::size_t i) {
      plans[i] = std::move(planSet(images.subspan(i, 1)).front());
    });
  } else {
    plans = planSet(images);
  }
  settle(images, plans);
  return plans;
}

std::vector<MergePlan> ImageMethod::planSet(std::span<const LayerTokens> images) const {
  std::vector<MergePlan> plans(images.size());
  const TokenPart part = reads(images.front().block);
  if (part == nullptr || images.front().tokens.is_cpu()) {
    for (std::size_t i = 0; i < images.size(); ++i) plans[i] = plan(images[i]);
    return plans;
  }
  std::vector<at::Tensor> parts;
  for (const LayerTokens& image : images) parts.push_back(image.*part);
  const at::Tensor host = at::cat(parts).to(at::kCPU);
  std::vector<LayerTokens> own(images.begin(), images.end());
  std::int64_t offset = 0;
  for (LayerTokens& image : own) {
    const std::int64_t count = image.count();
    image.*part = host.narrow(0, offset, count);
    offset += count;
  }
  forEachImage(own.size(), [&](std::size_t i) { plans[i] = plan(own[i]); });
  return plans;
}

MethodEntry noneEntry() {
  MethodEntry entry;
  entry.info.id = "none";
  entry.info.merges_inside = true;
  entry.info.label = "Unmerged";
  entry.info.description = "The model as it is: no token merges.";
  entry.make = [](const Settings&, const MethodContext&) { return std::make_unique<None>(); };
  return entry;
}

}  // namespace adamerge
