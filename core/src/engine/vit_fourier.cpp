// SPDX-License-Identifier: GPL-3.0-or-later
// AFNO's block, and the field that FourCastNet makes of the last tokens.
#include "engine/vit.h"

namespace adamerge {

void VisionTransformer::runFiltered(Pack& pack, int index, const MergeMethod& method,
                                    const Options& options) const {
  const auto block = static_cast<std::size_t>(index);
  const FilterLayers& filter = layers_.blocks[block].filter;
  const MlpLayers& mlp = layers_.blocks[block].mlps.front();
  if (options.record) record(pack, {}, {}, pack.records);
  const at::Tensor filtered = mixers_[block](normed(pack.tokens, filter.norm)).to(stream_dtype_);
  if (config_.filter.double_skip) pack.tokens += filtered;
  // The filter needs the whole grid, so it is the MLP that runs on merged tokens.
  const at::Tensor source = config_.filter.double_skip ? pack.tokens : filtered;
  const at::Tensor input = normed(source, mlp.norm);
  at::Tensor metric;
  if (actsInside(index, method)) metric = metricOf(input.unflatten(1, {config_.heads, -1}));
  const InsideWindows inside =
      enterWindows(pack, index, method, windowsOf(config_, 0), source, input, metric, options);
  for (std::size_t i = 0; i < pack.images.size(); ++i) {
    pack.images[i].noteMlp(static_cast<int>(inside.counts[i]));
  }
  const at::Tensor mixed = mlp.fc2(hidden(mlp, inside.tokens), std::nullopt, stream_dtype_);
  pack.tokens += mixed.index_select(0, inside.back);
}

at::Tensor VisionTransformer::field(const at::Tensor& tokens) const {
  const std::int64_t p = config_.patch_size;
  const std::int64_t rows = config_.gridHeight();
  const std::int64_t columns = config_.gridWidth();
  return layers_.field(tokens.to(dtype_), std::nullopt, stream_dtype_)
      .reshape({rows, columns, p, p, config_.field_channels})
      .permute({4, 0, 2, 1, 3})
      .reshape({config_.field_channels, rows * p, columns * p});
}

}  // namespace adamerge
