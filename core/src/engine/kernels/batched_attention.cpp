// SPDX-License-Identifier: GPL-3.0-or-later
#include <torch/version.h>

#include <cmath>
#include <limits>

#include "engine/kernels/attention.h"
#include "engine/kernels/padding.h"

namespace adamerge {
namespace {

/// [B, 1, 1, longest], added to the logits: log(size) of each key, -infinity where there is none.
/// Undefined where it would be zero throughout.
at::Tensor keyBias(std::span<const AttentionImage> images, const Padding& padding,
                   const at::Tensor& like) {
  bool needed = !padding.even();
  for (const AttentionImage& image : images) needed = needed || !image.log_sizes.empty();
  if (!needed) return {};
  const auto longest = static_cast<std::size_t>(padding.longest());
  std::vector<float> bias(images.size() * longest, -std::numeric_limits<float>::infinity());
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto row = bias.begin() + static_cast<std::ptrdiff_t>(i * longest);
    std::fill_n(row, images[i].tokens, 0.0F);
    std::copy(images[i].log_sizes.begin(), images[i].log_sizes.end(), row);
  }
  return sentTo(like.device(), at::tensor(bias))
      .to(like.scalar_type())
      .reshape({padding.images(), 1, 1, padding.longest()});
}

at::Tensor softmaxOf(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& bias) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(queries.size(-1)));
  const at::Tensor logits = (queries * scale).matmul(keys.transpose(-2, -1));
  return (bias.defined() ? logits + bias : logits).softmax(-1);
}

at::Tensor mix(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
               const at::Tensor& bias) {
#if TORCH_VERSION_MAJOR >= 2
  if (bias.defined()) return at::scaled_dot_product_attention(queries, keys, values, bias);
  return at::scaled_dot_product_attention(queries, keys, values);
#else
  return softmaxOf(queries, keys, bias).matmul(values);
#endif
}

}  // namespace

AttentionOutput batchedAttention(const at::Tensor& qkv, std::int64_t heads,
                                 std::span<const AttentionImage> images) {
  const std::int64_t dim = qkv.size(1) / 3;
  std::vector<std::int64_t> counts;
  bool first_rows = false;
  for (const AttentionImage& image : images) {
    counts.push_back(image.tokens);
    first_rows = first_rows || image.first_row;
  }
  const Padding padding(counts, qkv.device());
  const at::Tensor parts =
      padding.pad(qkv).unflatten(2, {3, heads, dim / heads}).permute({2, 0, 3, 1, 4});
  const at::Tensor bias = keyBias(images, padding, qkv);

  AttentionOutput output;
  output.mixed = padding.unpad(mix(parts[0], parts[1], parts[2], bias).transpose(1, 2).flatten(2));
  output.first_rows.resize(images.size());
  if (!first_rows) return output;
  // Fused kernels keep their weights to themselves, and one row of them costs next to nothing.
  const at::ScalarType exact = qkv.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor rows = softmaxOf(parts[0].narrow(2, 0, 1).to(exact), parts[1].to(exact), bias)
                              .mean(1)
                              .squeeze(1)
                              .to(at::kCPU, at::kFloat)
                              .contiguous();
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (!images[i].first_row) continue;
    const float* row = rows.data_ptr<float>() + static_cast<std::int64_t>(i) * padding.longest();
    output.first_rows[i].assign(row, row + images[i].tokens);
  }
  return output;
}

}  // namespace adamerge
