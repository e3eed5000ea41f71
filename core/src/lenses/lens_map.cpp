// SPDX-License-Identifier: GPL-3.0-or-later
// Lenses on patches; components, similarity and change of their features: docs/lenses.md,
// "Features".
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "adamerge/error.h"
#include "adamerge/lenses.h"
#include "engine/vit.h"
#include "lenses/parts.h"
#include "support/numbers.h"

namespace adamerge {
namespace {

constexpr int kComponents = 3;
/// A component whose variance is not above this share of the first one's is none.
constexpr double kLeastVariance = 1e-12;

/// The three eigenvectors of the covariance of centred rows [n, D] with the largest eigenvalues,
/// [3, D] fp64, from the smaller of both Gram matrices; signs and empty ones as the lens wants
/// them.
at::Tensor leadingVectors(const at::Tensor& centred) {
  const std::int64_t rows = centred.size(0);
  const std::int64_t width = centred.size(1);
  const bool by_rows = rows < width;
  const at::Tensor gram = by_rows ? centred.mm(centred.t()) : centred.t().mm(centred);
  const auto [values, vectors] = at::linalg_eigh(gram);  // ascending
  at::Tensor result = at::zeros({kComponents, width}, centred.options());
  const std::int64_t count = gram.size(0);
  const double first = values[count - 1].item<double>();
  for (int k = 0; k < kComponents && k < count; ++k) {
    const double value = values[count - 1 - k].item<double>();
    if (!(value > kLeastVariance * first) || !(first > 0)) break;
    at::Tensor vector = vectors.select(1, count - 1 - k);
    if (by_rows) vector = centred.t().mv(vector);
    vector = vector / vector.norm();
    const auto largest = vector.abs().argmax().item<std::int64_t>();
    if (vector[largest].item<double>() < 0) vector = -vector;
    result[k].copy_(vector);
  }
  return result;
}

at::Tensor matrixOf(const std::vector<float>& values, std::int64_t rows, std::int64_t columns) {
  return at::from_blob(const_cast<float*>(values.data()), {rows, columns}, at::kFloat)
      .to(at::kDouble);
}

std::vector<float> numbersOf(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kFloat).contiguous();
  const auto* first = values.data_ptr<float>();
  return {first, first + values.numel()};
}

}  // namespace

double percentile(std::vector<float> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return quantile(values, q / 100);
}

ComponentBasis principalComponents(const std::vector<float>& features, int rows, int width) {
  const c10::InferenceMode guard;
  const at::Tensor all = matrixOf(features, rows, width);
  const at::Tensor mean = all.mean(0);
  ComponentBasis basis;
  basis.vectors = numbersOf(leadingVectors(all - mean));
  basis.mean = numbersOf(mean);
  const std::vector<float> scores = scoresOn(basis, features, rows, width);
  for (std::size_t k = 0; k < kComponents; ++k) {
    std::vector<float> own;
    for (std::size_t i = k; i < scores.size(); i += kComponents) own.push_back(scores[i]);
    basis.low[k] = static_cast<float>(percentile(own, 1));
    basis.high[k] = static_cast<float>(percentile(std::move(own), 99));
  }
  return basis;
}

std::vector<float> scoresOn(const ComponentBasis& basis, const std::vector<float>& features,
                            int rows, int width) {
  const c10::InferenceMode guard;
  const at::Tensor centred = matrixOf(features, rows, width) - matrixOf(basis.mean, 1, width);
  return numbersOf(centred.mm(matrixOf(basis.vectors, kComponents, width).t()));
}

std::vector<float> componentScores(const Recording& run, const ComponentBasis& basis, int block) {
  if (basis.mean.size() != static_cast<std::size_t>(run.width())) {
    throw Error("the components are those of a network of another width");
  }
  return scoresOn(basis, run.features(block), run.patches(), run.width());
}

std::vector<float> changeOf(const std::vector<float>& features, const std::vector<float>& other,
                            int rows, int width) {
  std::vector<float> change;
  for (int row = 0; row < rows; ++row) {
    const auto a = rowOf(features, row, width);
    const auto b = rowOf(other, row, width);
    const bool same = std::equal(a.begin(), a.end(), b.begin());
    change.push_back(same ? 0 : static_cast<float>(std::max(0.0, 1 - cosine(a, b))));
  }
  return change;
}

FeatureChange featureChange(const Recording& run, const Recording& other, int block) {
  if (run.gridHeight() != other.gridHeight() || run.gridWidth() != other.gridWidth() ||
      run.width() != other.width()) {
    throw Error("features of networks of different grids or widths cannot be compared");
  }
  FeatureChange change;
  change.patches = changeOf(run.features(block), other.features(block), run.patches(), run.width());
  for (const float value : change.patches) change.mean += value;
  change.mean /= static_cast<double>(change.patches.size());
  change.worst = percentile(change.patches, 90);
  return change;
}

std::vector<FeatureChange> featureChanges(const Recording& run, const Recording& other) {
  std::vector<FeatureChange> changes;
  for (int block = 0; block < run.blocks(); ++block) {
    changes.push_back(featureChange(run, other, block));
  }
  return changes;
}

namespace {

std::vector<bool> droppedAfter(const Recording& run, int block) {
  std::vector<bool> dropped;
  for (const int group : run.groupsAfter(block)) dropped.push_back(group < 0);
  return dropped;
}

const Recording& required(const Recording* other) {
  if (other == nullptr) throw Error("this lens compares with the unmerged run, and there is none");
  return *other;
}

LensMap rolloutMap(const Recording& run, const std::stop_token& stop) {
  Rollout values = rollout(run, stop);
  LensMap map;
  map.values = std::move(values.patches);
  map.prefix = std::move(values.prefix);
  map.hatched.assign(map.values.size(), false);
  return map;
}

std::uint8_t toColor(double score, double low, double high) {
  const double place = high > low ? std::clamp((score - low) / (high - low), 0.0, 1.0) : 0.5;
  return static_cast<std::uint8_t>(std::lround(255 * place));
}

LensMap componentMap(const Recording& run, const Recording& unmerged, int block,
                     Foreground foreground) {
  const std::shared_ptr<const ComponentBasis> basis = unmerged.components(block);
  const std::vector<float> scores = componentScores(run, *basis, block);
  LensMap map;
  map.hatched = droppedAfter(run, block);
  for (std::size_t patch = 0; patch < map.hatched.size(); ++patch) {
    const float* own = scores.data() + 3 * patch;
    map.colors.push_back({toColor(own[0], basis->low[0], basis->high[0]),
                          toColor(own[1], basis->low[1], basis->high[1]),
                          toColor(own[2], basis->low[2], basis->high[2])});
    if (foreground == Foreground::kAll) continue;
    if ((own[0] > 0) != (foreground == Foreground::kAbove)) map.hatched[patch] = true;
  }
  return map;
}

LensMap similarityMap(const Recording& run, int block, int patch) {
  const std::vector<float> features = run.features(block);
  const std::span<const float> anchor = rowOf(features, patch, run.width());
  LensMap map;
  map.hatched = droppedAfter(run, block);
  for (int p = 0; p < run.patches(); ++p) {
    map.values.push_back(static_cast<float>(cosine(rowOf(features, p, run.width()), anchor)));
  }
  return map;
}

LensMap normMap(const Recording& run, int block) {
  const std::vector<float> features = run.features(block);
  LensMap map;
  map.hatched = droppedAfter(run, block);
  for (int p = 0; p < run.patches(); ++p) {
    double sum = 0;
    for (const double value : rowOf(features, p, run.width())) sum += value * value;
    map.values.push_back(static_cast<float>(std::sqrt(sum)));
  }
  return map;
}

/// Of what pads a picture: it has no class worth showing.
constexpr std::array<std::uint8_t, 3> kPaddingColor{0, 0, 0};

LensMap classLensMap(const Recording& run, const Recording& unmerged) {
  const std::shared_ptr<const ClassMap> classes = run.classes();
  LensMap map;
  const std::vector<bool>& shown = classes->patches_in_picture;
  for (std::size_t patch = 0; patch < classes->patches.size(); ++patch) {
    const bool padding = !shown.empty() && !shown[patch];
    map.colors.push_back(padding ? kPaddingColor : classColor(classes->patches[patch]));
  }
  map.hatched = changedPatches(*unmerged.classes(), *classes);
  return map;
}

std::string nameOf(const LensToken& token, int grid_width, bool class_token) {
  if (token.patch) {
    return fmt::format("patch {},{}", token.index % grid_width, token.index / grid_width);
  }
  if (class_token && token.index == 0) return "the class token";
  return fmt::format("register {}", token.index + (class_token ? 0 : 1));
}

}  // namespace

std::string describe(const LensQuery& query, int grid_width, bool class_token, bool every_head) {
  switch (query.kind) {
    case LensKind::kAttention: {
      const std::string heads = every_head       ? "every head"
                                : query.head < 0 ? "mean over heads"
                                                 : fmt::format("head {}", query.head);
      const std::string token = nameOf(query.token, grid_width, class_token);
      return query.looked_at ? fmt::format("who looks at {}, {}", token, heads)
                             : fmt::format("where {} looks, {}", token, heads);
    }
    case LensKind::kRollout:
      return class_token ? "rollout to the class token" : "rollout to the mean of all tokens";
    case LensKind::kComponents:
      return "first three components";
    case LensKind::kSimilarity:
      return fmt::format("similarity to {}", nameOf(query.token, grid_width, class_token));
    case LensKind::kNorm:
      return "length of the features";
    case LensKind::kClasses:
      return "classes of the dense head";
    case LensKind::kChange:
      break;
  }
  return query.from_other ? "change: 1 − cosine to the other run's features"
                          : "change: 1 − cosine to the unmerged features";
}

std::array<std::uint8_t, 3> classColor(int index) {
  constexpr double kGoldenAngle = 0.381966011250105;  // of a turn
  const double hue = std::fmod(0.58 + index * kGoldenAngle, 1.0) * 6;
  const double value = index % 2 == 0 ? 0.92 : 0.72;
  constexpr double kSaturation = 0.68;
  const auto part = [&](double offset) {
    const double place = std::fmod(offset + hue, 6.0);
    const double share = std::clamp(std::min(place, 4 - place), 0.0, 1.0);
    return static_cast<std::uint8_t>(std::lround(255 * value * (1 - kSaturation * share)));
  };
  return {part(5), part(3), part(1)};
}

std::vector<ClassEntry> classEntries(const Recording& run, const Recording& unmerged) {
  std::map<int, int> counts;
  for (const Recording* one : {&run, &unmerged}) {
    const ClassMap& map = *one->classes();
    for (std::size_t patch = 0; patch < map.patches.size(); ++patch) {
      const bool shown = map.patches_in_picture.empty() || map.patches_in_picture[patch];
      if (shown) ++counts[map.patches[patch]];
    }
  }
  std::vector<std::pair<int, int>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  const std::vector<std::string>& names = run.state().network->config().dense.names;
  std::vector<ClassEntry> entries;
  for (const auto& [index, count] : order) {
    entries.push_back(
        {names.empty() ? fmt::format("class {}", index) : names[static_cast<std::size_t>(index)],
         classColor(index)});
  }
  return entries;
}

bool isOfAllBlocks(LensKind kind) {
  return kind == LensKind::kRollout || kind == LensKind::kClasses;
}

void requireLens(const Recording& run, const LensQuery& query) {
  if (query.kind == LensKind::kClasses && run.classes() == nullptr) {
    throw Error(
        "this model has no dense head whose classes could be shown; --dense-head names one");
  }
  if (run.heads() == 0 &&
      (query.kind == LensKind::kAttention || query.kind == LensKind::kRollout)) {
    throw Error("this network mixes its tokens by a Fourier filter: it has no attention to show");
  }
  if (query.kind == LensKind::kRollout && attendsInWindows(run)) {
    throw Error(
        "rollout multiplies the attention of all tokens through all blocks; here attention runs "
        "inside windows, and is shown of one patch in its window");
  }
  if (query.kind == LensKind::kAttention) {
    if (query.head >= run.heads()) {
      throw Error(
          fmt::format("there is no attention head {}: a block of this model has heads 0 to {}",
                      query.head, run.heads() - 1));
    }
    if (!query.token.patch && query.token.index >= run.prefix()) {
      throw Error(
          run.prefix() == 0
              ? std::string("this model has no class token and no registers whose attention "
                            "could be shown; name a patch")
              : fmt::format("there is no prefix token {}: this model has {} of them",
                            query.token.index, run.prefix()));
    }
  }
  if (query.kind == LensKind::kSimilarity && !query.token.patch) {
    throw Error("similarity is that to one patch; name a patch");
  }
  const bool asks_patch = query.kind == LensKind::kAttention || query.kind == LensKind::kSimilarity;
  if (asks_patch && query.token.patch &&
      (query.token.index < 0 || query.token.index >= run.patches())) {
    throw Error(fmt::format("there is no patch {}: the grid has columns 0 to {} and rows 0 to {}",
                            query.token.index, run.gridWidth() - 1, run.gridHeight() - 1));
  }
}

LensMap lensMap(const Recording& run, const Recording* other, int block, const LensQuery& query,
                const std::stop_token& stop) {
  requireLens(run, query);
  throwIfStopped(stop);
  switch (query.kind) {
    case LensKind::kAttention:
      if (attendsInWindows(run)) {
        return mapOf(windowLooks(run, block, query.token.index, query.looked_at, stop), query.head);
      }
      return attentionMap(run.attention(block, stop), query);
    case LensKind::kRollout:
      return rolloutMap(run, stop);
    case LensKind::kComponents:
      return componentMap(run, required(other), block, query.foreground);
    case LensKind::kSimilarity:
      return similarityMap(run, block, query.token.index);
    case LensKind::kNorm:
      return normMap(run, block);
    case LensKind::kClasses:
      return classLensMap(run, required(other));
    case LensKind::kChange:
      break;
  }
  LensMap map;
  map.values = featureChange(run, required(other), block).patches;
  map.hatched = droppedAfter(run, block);
  return map;
}

}  // namespace adamerge
