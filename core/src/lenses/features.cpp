// SPDX-License-Identifier: GPL-3.0-or-later
// Components, similarity and change of patch features; docs/lenses.md, "Features".
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adamerge/error.h"
#include "adamerge/lenses.h"
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

}  // namespace adamerge
