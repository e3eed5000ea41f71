// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/result.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace adamerge {
namespace {

std::vector<double> logSoftmax(const std::vector<float>& logits) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - highest);
  std::vector<double> result;
  for (const float logit : logits) result.push_back(logit - highest - std::log(sum));
  return result;
}

}  // namespace

std::vector<Prediction> topPredictions(const std::vector<float>& logits,
                                       const std::vector<std::string>& labels, int count) {
  if (logits.empty()) return {};
  const std::vector<double> log_probability = logSoftmax(logits);
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logits[a] > logits[b]; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(std::max(count, 0))));
  std::vector<Prediction> top;
  for (const int index : order) {
    const auto at = static_cast<std::size_t>(index);
    top.push_back({index, at < labels.size() ? labels[at] : "class " + std::to_string(index),
                   std::exp(log_probability[at])});
  }
  return top;
}

Fidelity compareLogits(const std::vector<float>& baseline, const std::vector<float>& merged) {
  Fidelity fidelity;
  if (baseline.empty() || baseline.size() != merged.size()) return fidelity;
  const auto top = [](const std::vector<float>& logits) {
    return std::max_element(logits.begin(), logits.end()) - logits.begin();
  };
  fidelity.top1_agrees = top(baseline) == top(merged);

  const auto dot = [](const std::vector<float>& a, const std::vector<float>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  const double norms = std::sqrt(dot(baseline, baseline) * dot(merged, merged));
  fidelity.logit_cosine = norms > 0 ? std::clamp(dot(baseline, merged) / norms, -1.0, 1.0) : 0.0;

  const std::vector<double> p = logSoftmax(baseline);
  const std::vector<double> q = logSoftmax(merged);
  double divergence = 0;
  for (std::size_t i = 0; i < p.size(); ++i) divergence += std::exp(p[i]) * (p[i] - q[i]);
  fidelity.kl_divergence = std::max(0.0, divergence);
  return fidelity;
}

namespace {

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : 0;
}

}  // namespace

double embeddingCosine(const ImageResult& baseline, const ImageResult& merged) {
  return cosine(baseline.embedding, merged.embedding);
}

double patchCosine(const ImageResult& baseline, const ImageResult& merged) {
  const std::size_t patches = baseline.patch_tokens.size();
  const auto tokens = static_cast<std::size_t>(baseline.layers.empty() ? 0 : baseline.layers.back().tokens_out);
  if (patches == 0 || tokens == 0) return 0;
  const std::size_t width = baseline.features.size() / tokens;
  const auto row = [width](const ImageResult& result, int token) {
    return std::span(result.features).subspan(static_cast<std::size_t>(token) * width, width);
  };
  double sum = 0;
  for (std::size_t p = 0; p < patches; ++p) {
    sum += cosine(row(baseline, baseline.patch_tokens[p]), row(merged, merged.patch_tokens[p]));
  }
  return sum / static_cast<double>(patches);
}

}  // namespace adamerge
