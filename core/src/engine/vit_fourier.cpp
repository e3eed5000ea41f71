// SPDX-License-Identifier: GPL-3.0-or-later
// AFNO's block, and the field that FourCastNet makes of the last tokens.
#include "engine/vit.h"

namespace adamerge {

void VisionTransformer::runFiltered(Pack& pack, int index, const MergeMethod& /*method*/,
                                    const Options& options) const {
  const auto block = static_cast<std::size_t>(index);
  const FilterLayers& filter = layers_.blocks[block].filter;
  const MlpLayers& mlp = layers_.blocks[block].mlps.front();
  if (options.record) record(pack, {}, {}, pack.records);
  const at::Tensor filtered =
      mixers_[block](normed(pack.tokens, filter.norm)).to(stream_dtype_);
  if (config_.filter.double_skip) pack.tokens += filtered;
  for (ImageState& image : pack.images) image.noteMlp();
  const at::Tensor input = normed(config_.filter.double_skip ? pack.tokens : filtered, mlp.norm);
  mlp.fc2.addTo(pack.tokens, hidden(mlp, input));
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
