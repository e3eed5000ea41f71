// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/kernels/attention.h"

#include <algorithm>
#include <cmath>

#include "engine/kernels/amx_kernels.h"
#include "engine/kernels/float_kernels.h"
#include "engine/kernels/parallel.h"

namespace adamerge {
namespace {

float scaleOf(std::int64_t width) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(width)));
}

/// One image's part of the packed rows.
struct Place {
  const AttentionImage* image;
  std::int64_t offset;
  std::vector<float>* first_row;
};

std::vector<Place> placesOf(std::span<const AttentionImage> images, AttentionOutput& output) {
  output.first_rows.resize(images.size());
  std::vector<Place> places;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    places.push_back({&images[i], offset, &output.first_rows[i]});
    offset += images[i].tokens;
  }
  return places;
}

/// Head by head, so that the sum's order is one and the same.
std::vector<float> meanRow(const std::vector<float>& rows, std::int64_t tokens,
                           std::int64_t heads) {
  std::vector<float> mean(static_cast<std::size_t>(tokens), 0.0F);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    mean[i % mean.size()] += rows[i] / static_cast<float>(heads);
  }
  return mean;
}

AttentionOutput fusedAttention(const at::Tensor& qkv, std::int64_t heads,
                               std::span<const AttentionImage> images, Isa isa) {
  const bool half = qkv.scalar_type() == at::kBFloat16;
  const FloatKernels& kernels = floatKernels(isa);
  const std::int64_t dim = qkv.size(1) / 3;
  const std::int64_t width = dim / heads;
  AttentionOutput output;
  output.mixed = at::empty({qkv.size(0), dim}, qkv.options());
  const std::vector<Place> places = placesOf(images, output);
  std::vector<std::vector<float>> head_rows(images.size());
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    largest = std::max(largest, images[i].tokens);
    if (images[i].first_row) {
      head_rows[i].resize(static_cast<std::size_t>(heads * images[i].tokens));
    }
  }
  const std::int64_t bytes =
      half ? amxAttentionScratch(largest, width)
           : kernels.attentionScratch(largest, width) * static_cast<std::int64_t>(sizeof(float));

  // Few heads do not divide evenly among the threads; pieces of them do.
  const auto jobs = static_cast<std::int64_t>(images.size()) * heads;
  const std::int64_t threads = parallelThreads();
  const bool split = jobs % threads != 0 && jobs < 4 * threads;
  const std::int64_t queries = split ? kQueryBlock : std::max<std::int64_t>(largest, 1);
  const std::int64_t pieces = (largest + queries - 1) / queries;
  const auto* data = static_cast<const char*>(qkv.data_ptr());
  auto* mixed = static_cast<char*>(output.mixed.data_ptr());
  const std::int64_t size = qkv.element_size();
  parallelFor(jobs * pieces, [&](std::int64_t first, std::int64_t last) {
    const at::Tensor scratch = at::empty({bytes}, at::kByte);
    for (std::int64_t job = first; job < last; ++job) {
      const std::int64_t head = job / pieces % heads;
      const auto index = static_cast<std::size_t>(job / pieces / heads);
      const Place& place = places[index];
      const std::int64_t tokens = place.image->tokens;
      const std::int64_t first_query = job % pieces * queries;
      if (first_query >= tokens) continue;
      const std::int64_t start = place.offset * qkv.stride(0) + head * width;
      const AttentionCall call{
          data + start * size,
          data + (start + dim) * size,
          data + (start + 2 * dim) * size,
          qkv.stride(0),
          tokens,
          width,
          first_query,
          std::min(first_query + queries, tokens),
          scaleOf(width),
          place.image->log_sizes.empty() ? nullptr : place.image->log_sizes.data(),
          mixed + (place.offset * dim + head * width) * size,
          dim,
          place.image->first_row ? head_rows[index].data() + head * tokens : nullptr};
      if (half) {
        amxAttention(call, scratch.data_ptr());
      } else {
        kernels.attention(call, static_cast<float*>(scratch.data_ptr()));
      }
    }
  });
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images[i].first_row) {
      output.first_rows[i] = meanRow(head_rows[i], images[i].tokens, heads);
    }
  }
  return output;
}

}  // namespace

AttentionOutput plainAttention(const at::Tensor& qkv, std::int64_t heads,
                               std::span<const AttentionImage> images) {
  const std::int64_t dim = qkv.size(1) / 3;
  AttentionOutput output;
  std::vector<at::Tensor> mixed;
  for (const Place& place : placesOf(images, output)) {
    const std::int64_t tokens = place.image->tokens;
    const at::Tensor own = qkv.narrow(0, place.offset, tokens)
                               .reshape({tokens, 3, heads, dim / heads})
                               .permute({1, 2, 0, 3});
    at::Tensor logits = (own[0] * (1.0 / std::sqrt(static_cast<double>(dim / heads))))
                            .matmul(own[1].transpose(1, 2));
    if (!place.image->log_sizes.empty()) {
      logits = logits + at::tensor(place.image->log_sizes).to(logits.options());
    }
    const at::Tensor weights = logits.softmax(-1);
    if (place.image->first_row) {
      const at::Tensor row = weights.select(1, 0).to(at::kFloat).mean(0).to(at::kCPU).contiguous();
      place.first_row->assign(row.data_ptr<float>(), row.data_ptr<float>() + row.numel());
    }
    mixed.push_back(weights.matmul(own[2]).transpose(0, 1).reshape({tokens, dim}));
  }
  output.mixed = mixed.size() == 1 ? mixed.front() : at::cat(mixed);
  return output;
}

AttentionOutput attention(const at::Tensor& qkv, std::int64_t heads,
                          std::span<const AttentionImage> images, Isa isa) {
  if (!qkv.is_cpu()) return batchedAttention(qkv, heads, images);
  const bool tiles = qkv.scalar_type() == at::kBFloat16 && isa == Isa::kAmx;
  if (qkv.scalar_type() != at::kFloat && !tiles) return plainAttention(qkv, heads, images);
  return fusedAttention(qkv.contiguous(), heads, images, isa);
}

}  // namespace adamerge
