// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "engine/placed_model.h"
#include "support/files.h"
#include "support/json.h"

namespace adamerge {
namespace {

constexpr int kImportanceFormat = 1;
constexpr int kMostBlocks = 10000;
constexpr int kMostImportanceImages = 1'000'000'000;

/// Their squares are summed in double precision.
constexpr double kLeastScore = 1e-100;
constexpr double kMostScore = 1e100;

/// Images at once.
constexpr std::size_t kImportanceBatch = 8;

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

std::vector<double> row(const JsonFields& fields, const nlohmann::json& values, std::size_t block,
                        std::size_t patches) {
  std::vector<double> scores;
  const bool numbers = values.is_array() && values.size() == patches &&
                       std::all_of(values.begin(), values.end(), [&](const nlohmann::json& value) {
                         if (!value.is_number()) return false;
                         const auto score = value.get<double>();
                         scores.push_back(score);
                         return score == 0 || (score >= kLeastScore && score <= kMostScore);
                       });
  if (!numbers || patches == 0) {
    fields.fail(
        "scores",
        fmt::format("of block {} must be {} numbers, one per patch, each 0 or from {} to {}", block,
                    patches == 0 ? std::string("a list of") : fmt::format("{}", patches),
                    kLeastScore, kMostScore));
  }
  return scores;
}

}  // namespace

bool usesImportance(const MethodChoice& choice) {
  return findMethod(choice.method).setting("importance") != nullptr;
}

Importance readImportance(const std::filesystem::path& path) {
  const nlohmann::json json = readJson(path);
  const JsonFields fields =
      JsonFields::of(json, fmt::format("{}: not usable as importance", path.string()));
  fields.count("format", kImportanceFormat, kImportanceFormat).required();
  Importance importance;
  importance.model = fields.text("model").valueOr("");
  importance.depth = fields.count("depth", 1, kMostBlocks).required();
  importance.source = fields.text("source").valueOr("");
  importance.images = fields.count("images", 0, kMostImportanceImages).valueOr(0);
  importance.kind = fields.text("kind").required();
  if (importance.kind != "gradient" && importance.kind != "received") {
    fields.fail("kind",
                fmt::format("is '{}', 'gradient' or 'received' is expected", importance.kind));
  }
  for (const double block : fields.numbers("blocks").required()) {
    const auto last = importance.blocks.empty() ? -1 : importance.blocks.back();
    if (block != std::floor(block) || block <= last || block >= importance.depth) {
      fields.fail("blocks",
                  fmt::format("must be whole numbers below {}, ascending", importance.depth));
    }
    importance.blocks.push_back(static_cast<int>(block));
  }
  if (importance.blocks.empty()) fields.fail("blocks", "must name at least one block");
  const nlohmann::json* scores = fields.find("scores");
  if (scores == nullptr || !scores->is_array() ||
      scores->size() != static_cast<std::size_t>(importance.depth)) {
    fields.fail("scores", fmt::format("must be {} lists, one per block", importance.depth));
  }
  for (std::size_t block = 0; block < scores->size(); ++block) {
    importance.scores.push_back(row(fields, (*scores)[block], block, scores->front().size()));
  }
  return importance;
}

void writeImportance(const Importance& importance, const std::filesystem::path& path) {
  const nlohmann::ordered_json json = {
      {"format", kImportanceFormat}, {"model", importance.model},   {"depth", importance.depth},
      {"blocks", importance.blocks}, {"source", importance.source}, {"images", importance.images},
      {"kind", importance.kind},     {"scores", importance.scores}};
  writeFileAtomically(path, jsonText(json));
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
  for (std::size_t first = 0; first < count; first += kImportanceBatch) {
    const std::vector<InputTensor> batch = images(first, std::min(kImportanceBatch, count - first));
    for (const ImageResult& image : engine.run(batch, method, {.trace = true}, stop)) {
      ++importance.images;
      for (std::size_t block = 0; block < image.layers.size(); ++block) {
        const std::vector<float>& received = image.layers[block].details.score;
        std::vector<double>& sums = importance.scores[block];
        for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += received[j];
      }
    }
    if (progress) {
      progress({"measuring importance",
                static_cast<std::int64_t>(std::min(first + kImportanceBatch, count)),
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
