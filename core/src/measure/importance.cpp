// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <numeric>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "adamerge/methods.h"
#include "engine/placed_model.h"

namespace adamerge {
namespace {

/// Images at once, and their patches, of large images fewer: a stop waits for what is made of all.
constexpr std::size_t kImportanceBatch = 8;
constexpr std::size_t kImportancePatches = 8192;

/// Changes nothing, and tells of every patch the attention that it receives.
class ReceivedAttention final : public ImageMethod {
 public:
  Stage stage() const override { return Stage::kBetweenAttentionAndMlp; }
  WantedStatistics wanted(int /*block*/) const override { return {.received = true}; }
  MergePlan plan(const LayerTokens& layer) const override {
    const at::Tensor mean = layer.attention->received.to(at::kDouble)
                                .mean(0)
                                .narrow(0, layer.prefix, layer.patchCount())
                                .to(at::kFloat)
                                .contiguous();
    MergePlan plan;
    plan.details.score.assign(mean.data_ptr<float>(), mean.data_ptr<float>() + mean.numel());
    return plan;
  }
};

/// As Engine::prepare() makes it for a method of the registry.
PreparedMethod measuring(const Engine& engine) {
  const PreparedMethod unmerged = engine.prepare({});
  auto state = std::make_shared<PreparedMethod::State>();
  state->choice = unmerged.choice();
  state->engine = unmerged.state().engine;
  state->method = std::make_unique<ReceivedAttention>();
  return PreparedMethod(std::move(state));
}

}  // namespace

bool usesImportance(const MethodChoice& choice) {
  return findMethod(choice.method).setting("importance") != nullptr;
}

Importance measureImportance(const Engine& engine, const BatchSource& images, std::size_t count,
                             const ProgressCallback& progress, const std::stop_token& stop) {
  const VitConfig& vit = engine.info().vit;
  Importance importance;
  importance.model = engine.info().name;
  importance.depth = vit.depth;
  importance.blocks.resize(static_cast<std::size_t>(vit.depth));
  std::iota(importance.blocks.begin(), importance.blocks.end(), 0);
  importance.kind = "received";
  importance.scores.assign(importance.blocks.size(),
                           std::vector<double>(static_cast<std::size_t>(vit.patchTokens()), 0.0));
  const PreparedMethod method = measuring(engine);
  const std::size_t at_once =
      std::clamp<std::size_t>(kImportancePatches / vit.patchTokens(), 1, kImportanceBatch);
  for (std::size_t first = 0; first < count; first += at_once) {
    const std::vector<InputTensor> batch = images(first, std::min(at_once, count - first));
    for (const ImageResult& image : engine.run(batch, method, {.trace = true}, stop)) {
      ++importance.images;
      for (std::size_t block = 0; block < image.layers.size(); ++block) {
        const std::vector<float>& received = image.layers[block].details.score;
        std::vector<double>& sums = importance.scores[block];
        for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += received[j];
      }
    }
    if (progress) {
      progress({"measuring importance", static_cast<std::int64_t>(std::min(first + at_once, count)),
                static_cast<std::int64_t>(count)});
    }
  }
  if (importance.images == 0) throw Error("no image could be read, so nothing was measured");
  for (std::vector<double>& sums : importance.scores) {
    for (double& sum : sums) sum /= importance.images;
  }
  return importance;
}

}  // namespace adamerge
