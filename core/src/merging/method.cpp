// SPDX-License-Identifier: GPL-3.0-or-later
#include "merging/method.h"

#include "kernels/parallel.h"
#include "merging/entries.h"

namespace adamerge {
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
