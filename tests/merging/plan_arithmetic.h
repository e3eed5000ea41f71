// SPDX-License-Identifier: GPL-3.0-or-later
// What tests of merge plans share: tokens drawn at random, and the arithmetic of the definitions in
// plain loops.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "merging/method.h"

namespace adamerge::test {

using Rows = std::vector<std::vector<double>>;

inline VitConfig squareModel(int side, int prefix, int depth) {
  VitConfig vit;
  vit.patch_size = 4;
  vit.input_height = vit.input_width = 4 * side;
  vit.depth = depth;
  vit.class_token = prefix > 0;
  vit.distillation_token = false;
  vit.register_tokens = std::max(0, prefix - 1);
  return vit;
}

inline at::Tensor randomTokens(int count, int dim, int seed) {
  at::manual_seed(seed);
  return at::randn({count, dim}, at::kFloat);
}

inline Rows rowsOf(const at::Tensor& tensor, int first) {
  const at::Tensor host = tensor.to(at::kDouble).contiguous();
  Rows rows;
  for (std::int64_t i = first; i < host.size(0); ++i) {
    const double* row = host.data_ptr<double>() + i * host.size(1);
    rows.emplace_back(row, row + host.size(1));
  }
  return rows;
}

inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}
inline double cosine(const std::vector<double>& a, const std::vector<double>& b) {
  return dot(a, b) / (std::max(1e-6, std::sqrt(dot(a, a))) * std::max(1e-6, std::sqrt(dot(b, b))));
}

struct Best {
  double score = -std::numeric_limits<double>::infinity();
  std::size_t match = 0;
};

inline LayerTokens layerOf(const at::Tensor& tokens, int prefix, int block,
                           const std::vector<float>& sizes) {
  LayerTokens layer;
  layer.tokens = tokens;
  layer.metric = tokens;
  layer.prefix = prefix;
  layer.block = block;
  layer.trace = true;
  layer.sizes = sizes;
  return layer;
}

inline MergePlan planOf(const MergeMethod& method, const LayerTokens& layer) {
  return std::move(method.plans({&layer, 1}).front());
}

inline MergePlan planOf(const std::string& method, const Settings& settings, const VitConfig& vit,
                        const LayerTokens& layer, const Statistics* statistics = nullptr) {
  const MethodChoice choice{method, settings, nullptr, false};
  return planOf(*findMethodEntry(method).make(completeSettings(choice), {vit, statistics}), layer);
}

/// How many of 196 patches, all of size 1, each of 12 blocks would merge.
inline std::vector<int> countsPerBlock(const std::string& method, const Settings& settings) {
  const VitConfig vit = squareModel(14, 1, 12);
  const at::Tensor tokens = randomTokens(197, 4, 3);
  const std::vector<float> sizes(197, 1.0F);
  std::vector<int> counts;
  for (int block = 0; block < vit.depth; ++block) {
    const MergePlan plan = planOf(method, settings, vit, layerOf(tokens, 1, block, sizes));
    counts.push_back(static_cast<int>(plan.merges.size()));
  }
  return counts;
}

}  // namespace adamerge::test
