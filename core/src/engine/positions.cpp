// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/positions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/parallel.h"

namespace adamerge {
namespace {

at::Tensor resampled(const at::Tensor& grid, const VitConfig& config) {
  const std::int64_t size[] = {config.gridHeight(), config.gridWidth()};
  switch (config.resampling) {
    case Resampling::kBicubicAntialiased:
      return at::_upsample_bicubic2d_aa(grid, size, /*align_corners=*/false);
    case Resampling::kBicubic:
      return at::upsample_bicubic2d(grid, size, /*align_corners=*/false);
    case Resampling::kBilinear:
      return at::upsample_bilinear2d(grid, size, /*align_corners=*/false);
    case Resampling::kBicubicOffset:
      break;
  }
  // Meta's code asks for a factor a little above the sizes' own and keeps what comes out of it.
  constexpr double kOffset = 0.1;
  const double rows = (config.gridHeight() + kOffset) / config.position_grid_height;
  const double columns = (config.gridWidth() + kOffset) / config.position_grid_width;
  return at::upsample_bicubic2d(grid, size, /*align_corners=*/false, rows, columns);
}

/// timm's resize_rel_pos_bias_table: where old offsets lie, from -(side / 2) geometrically.
std::vector<double> oldOffsets(std::int64_t source, std::int64_t target) {
  const std::int64_t steps = source / 2;
  const auto reach = [steps](double q) {
    return (1 - std::pow(q, static_cast<double>(steps))) / (1 - q);
  };
  double low = 1.01;
  double high = 1.5;
  double q = low;
  constexpr double kPrecision = 1e-6;
  while (high - low > kPrecision) {
    q = (low + high) / 2;
    if (reach(q) > static_cast<double>(target / 2)) {
      high = q;
    } else {
      low = q;
    }
  }
  std::vector<double> offsets{0};
  double at = 0;
  for (std::int64_t i = 0; i < steps; ++i) {
    at += std::pow(q, static_cast<double>(i));
    offsets.push_back(at);
    offsets.insert(offsets.begin(), -at);
  }
  return offsets;
}

/// values(at `known`, rising) read at whole offsets from -(count / 2), linearly, clamped.
at::Tensor interpolated(const at::Tensor& values, const std::vector<double>& known,
                        std::int64_t count) {
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(i - count / 2);
    const auto above = std::lower_bound(known.begin(), known.end(), x);
    if (above == known.begin()) {
      rows.push_back(values[0]);
    } else if (above == known.end()) {
      rows.push_back(values[static_cast<std::int64_t>(known.size()) - 1]);
    } else {
      const auto index = above - known.begin();
      const double share = (x - known[index - 1]) / (known[index] - known[index - 1]);
      rows.push_back(values[index - 1] * (1 - share) + values[index] * share);
    }
  }
  return at::stack(rows);
}

/// Indices of the tokens, prefix and patches, that each original position belongs to, with the
/// weight of M.
struct Membership {
  std::vector<std::int64_t> token;
  std::vector<float> weight;
};

Membership membership(const ImageState& image) {
  Membership result;
  for (int i = 0; i < image.prefix(); ++i) {
    result.token.push_back(i);
    result.weight.push_back(1);
  }
  for (std::size_t patch = 0; patch < image.patchTokens().size(); ++patch) {
    // A patch that no token stands for weighs nothing, wherever that is added.
    const bool stands = image.stands()[patch];
    const int token = stands ? image.patchTokens()[patch] : image.prefix();
    result.token.push_back(token);
    result.weight.push_back(stands ? 1.0F / image.sizes()[token] : 0.0F);
  }
  return result;
}

}  // namespace

PositionRows positionRows(const VitConfig& config, const at::Tensor& table) {
  const at::Tensor rows = table.to(at::kFloat).squeeze(0);
  const std::int64_t covered = config.position_covers_prefix ? config.prefixTokens() : 0;
  PositionRows positions{rows.narrow(0, 0, covered),
                         rows.narrow(0, covered, rows.size(0) - covered)};
  if (config.gridHeight() == config.position_grid_height &&
      config.gridWidth() == config.position_grid_width) {
    return positions;
  }
  const at::Tensor grid =
      positions.patches
          .reshape({1, config.position_grid_height, config.position_grid_width, config.dim})
          .permute({0, 3, 1, 2})
          .contiguous();
  positions.patches =
      resampled(grid, config).permute({0, 2, 3, 1}).reshape({config.patchTokens(), config.dim});
  if (config.resampling_rounds) {
    positions.patches = positions.patches.to(table.scalar_type()).to(at::kFloat);
  }
  return positions;
}

RotaryPositions::RotaryPositions(const VitConfig& config, const at::Tensor& frequencies,
                                 const at::Tensor& periods) {
  const Rotary& rotary = config.rotary;
  if (!config.isRotary()) return;
  const bool mixed = rotary.form == Rotary::Form::kMixed;
  const std::int64_t half = config.headDim() / 2;
  patches_ = config.patchTokens();
  per_block_ = mixed;
  heads_ = mixed ? config.heads : 1;
  parts_ = heads_ * half;

  // The two coordinates of each patch, in the form's own units.
  const int sizes[] = {config.gridHeight(), config.gridWidth()};
  const int references[] = {rotary.reference_height, rotary.reference_width};
  const auto coordinate = [&](int index, int axis) {
    const double size = sizes[axis];
    if (mixed) return static_cast<double>(index);
    if (rotary.form == Rotary::Form::kDinov3) {
      return 2 * (index + 0.5 + rotary.offset) / size - 1;
    }
    const double at = index + rotary.offset;
    return references[axis] > 0 ? at * references[axis] / size : at;
  };
  std::vector<double> first;
  std::vector<double> second;
  for (int row = 0; row < config.gridHeight(); ++row) {
    for (int column = 0; column < config.gridWidth(); ++column) {
      first.push_back(
          coordinate(rotary.columns_first ? column : row, rotary.columns_first ? 1 : 0));
      second.push_back(
          coordinate(rotary.columns_first ? row : column, rotary.columns_first ? 0 : 1));
    }
  }

  if (mixed) {
    const at::Tensor f = frequencies.to(at::kCPU, at::kDouble).contiguous();  // [2, L, h, d_h / 2]
    const double* data = f.data_ptr<double>();
    const std::int64_t plane = config.depth * parts_;
    for (int block = 0; block < config.depth; ++block) {
      for (std::size_t p = 0; p < first.size(); ++p) {
        for (std::int64_t k = 0; k < parts_; ++k) {
          const std::int64_t at = block * parts_ + k;
          angles_.push_back(first[p] * data[at] + second[p] * data[plane + at]);
        }
      }
    }
    turn();
    return;
  }
  const std::int64_t quarter = half / 2;
  std::vector<double> factors;
  if (rotary.stored_periods) {
    const at::Tensor stored = periods.to(at::kCPU, at::kDouble).contiguous();
    for (std::int64_t k = 0; k < quarter; ++k) factors.push_back(1 / stored.data_ptr<double>()[k]);
  } else {
    for (std::int64_t k = 0; k < quarter; ++k) {
      factors.push_back(
          std::pow(rotary.temperature, -static_cast<double>(k) / static_cast<double>(quarter)));
    }
  }
  if (rotary.form == Rotary::Form::kDinov3) {
    for (double& factor : factors) factor *= 2 * std::numbers::pi;
  }
  for (std::size_t p = 0; p < first.size(); ++p) {
    for (const double factor : factors) angles_.push_back(first[p] * factor);
    for (const double factor : factors) angles_.push_back(second[p] * factor);
  }
  turn();
}

void RotaryPositions::turn() {
  cosines_.reserve(angles_.size());
  sines_.reserve(angles_.size());
  for (const double angle : angles_) {
    cosines_.push_back(std::cos(angle));
    sines_.push_back(std::sin(angle));
  }
}

const double* RotaryPositions::ofBlock(const std::vector<double>& table, int block) const {
  return table.data() + (per_block_ ? block * patches_ * parts_ : 0);
}

RotaryPositions::Table RotaryPositions::of(std::span<const ImageState> images, int block,
                                           TokenPosition position, at::ScalarType dtype) const {
  std::int64_t total = 0;
  for (const ImageState& image : images) total += image.tokens();
  const at::Tensor cosines = at::ones({total, parts_}, at::kDouble);
  const at::Tensor sines = at::zeros({total, parts_}, at::kDouble);
  const double* own_angles = ofBlock(angles_, block);
  const double* own_cosines = ofBlock(cosines_, block);
  const double* own_sines = ofBlock(sines_, block);

  std::vector<std::int64_t> offsets{0};
  for (const ImageState& image : images) offsets.push_back(offsets.back() + image.tokens());
  const auto fill = [&](std::size_t index) {
    const ImageState& image = images[index];
    double* c = cosines.data_ptr<double>() + offsets[index] * parts_;
    double* s = sines.data_ptr<double>() + offsets[index] * parts_;
    if (position == TokenPosition::kDestination || !image.anyMerged()) {
      for (std::int64_t token = image.prefix(); token < image.tokens(); ++token) {
        const std::int64_t from = image.anchors()[token] * parts_;
        std::copy_n(own_cosines + from, parts_, c + token * parts_);
        std::copy_n(own_sines + from, parts_, s + token * parts_);
      }
      return;
    }
    // Means over the patches that a token stands for: of angles, or of what they turn by.
    const bool angles = position == TokenPosition::kCentroid;
    std::vector<double> sums(static_cast<std::size_t>(image.tokens() * parts_));
    std::vector<double> others(angles ? 0 : sums.size());
    for (std::size_t patch = 0; patch < image.patchTokens().size(); ++patch) {
      if (!image.stands()[patch]) continue;
      const std::int64_t token = image.patchTokens()[patch];
      const double weight = 1.0 / image.sizes()[token];
      const std::int64_t from = static_cast<std::int64_t>(patch) * parts_;
      const double* source = (angles ? own_angles : own_cosines) + from;
      for (std::int64_t k = 0; k < parts_; ++k) {
        sums[token * parts_ + k] += weight * source[k];
        if (!angles) others[token * parts_ + k] += weight * own_sines[from + k];
      }
    }
    for (std::int64_t token = image.prefix(); token < image.tokens(); ++token) {
      if (angles) {
        for (std::int64_t k = token * parts_; k < (token + 1) * parts_; ++k) {
          c[k] = std::cos(sums[k]);
          s[k] = std::sin(sums[k]);
        }
        continue;
      }
      std::copy_n(sums.data() + token * parts_, parts_, c + token * parts_);
      std::copy_n(others.data() + token * parts_, parts_, s + token * parts_);
    }
  };
  parallelFor(static_cast<std::int64_t>(images.size()), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) fill(static_cast<std::size_t>(i));
  });
  const std::int64_t shape[] = {total, heads_, parts_ / heads_};
  return {cosines.to(dtype).view(shape), sines.to(dtype).view(shape)};
}

at::Tensor resizedBiasTable(const VitConfig& config, const at::Tensor& table) {
  const at::Tensor rows = table.to(at::kCPU, at::kFloat);
  const RelativeBias& bias = config.relative_bias;
  const bool same =
      bias.window_height == config.gridHeight() && bias.window_width == config.gridWidth();
  // transformers takes the table's picture by its width first and then as if by its height, which
  // changes the tables of all windows but squares, unresized ones too: its numbers count.
  if (same && (bias.geometric || bias.window_height == bias.window_width)) return rows;
  constexpr std::int64_t kClassRows = 3;
  const std::int64_t height = 2LL * bias.window_height - 1;
  const std::int64_t width = 2LL * bias.window_width - 1;
  const std::int64_t new_height = 2LL * config.gridHeight() - 1;
  const std::int64_t new_width = 2LL * config.gridWidth() - 1;
  const std::int64_t heads = rows.size(1);
  const at::Tensor own = rows.narrow(0, rows.size(0) - kClassRows, kClassRows);
  const at::Tensor offsets = rows.narrow(0, 0, height * width);
  at::Tensor picture;
  if (bias.geometric) {
    const at::Tensor exact = offsets.reshape({height, width, heads}).to(at::kDouble);
    const at::Tensor by_rows = interpolated(exact, oldOffsets(height, new_height), new_height);
    picture = interpolated(by_rows.transpose(0, 1), oldOffsets(width, new_width), new_width)
                  .transpose(0, 1)
                  .to(at::kFloat);
  } else {
    picture = offsets.reshape({width, height, heads}).permute({2, 0, 1}).unsqueeze(0).contiguous();
    picture = at::upsample_bilinear2d(picture, {new_height, new_width}, /*align_corners=*/false)
                  .squeeze(0)
                  .permute({1, 2, 0});
  }
  return at::cat({picture.reshape({new_height * new_width, heads}), own});
}

at::Tensor relativeTables(const VitConfig& config, int block, const at::Tensor& rows,
                          const at::Tensor& columns) {
  const int side = config.windows.sides[static_cast<std::size_t>(block)];
  const auto resized = [](const at::Tensor& table, int places) {
    const at::Tensor own = table.to(at::kCPU, at::kFloat);
    const std::int64_t offsets = 2LL * places - 1;
    if (own.size(0) == offsets) return own;
    return at::upsample_linear1d(own.t().unsqueeze(0).contiguous(), {offsets},
                                 /*align_corners=*/false)
        .squeeze(0)
        .t();
  };
  return at::cat({resized(rows, side > 0 ? side : config.gridHeight()),
                  resized(columns, side > 0 ? side : config.gridWidth())})
      .contiguous();
}

at::Tensor pairBias(const at::Tensor& table, int grid_height, int grid_width) {
  const std::int64_t patches = static_cast<std::int64_t>(grid_height) * grid_width;
  const std::int64_t rows = table.size(0);
  const at::Tensor index = at::empty({1 + patches, 1 + patches}, at::kLong);
  auto* data = index.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i <= patches; ++i) data[i] = rows - 3;  // the class token asks
  for (std::int64_t query = 0; query < patches; ++query) {
    std::int64_t* row = data + (1 + query) * (1 + patches);
    row[0] = rows - 2;  // it is asked
    for (std::int64_t key = 0; key < patches; ++key) {
      const std::int64_t dy = query / grid_width - key / grid_width;
      const std::int64_t dx = query % grid_width - key % grid_width;
      row[1 + key] = (dy + grid_height - 1) * (2LL * grid_width - 1) + dx + grid_width - 1;
    }
  }
  data[0] = rows - 1;  // it asks itself
  return table.to(at::kFloat)
      .index_select(0, index.reshape({-1}))
      .reshape({1 + patches, 1 + patches, table.size(1)})
      .permute({2, 0, 1})
      .contiguous();
}

at::Tensor mergedBias(const at::Tensor& bias, const ImageState& image) {
  const Membership members = membership(image);
  const std::int64_t before = bias.size(1);
  const std::int64_t after = image.tokens();
  const at::Tensor merged = at::zeros({bias.size(0), after, after}, at::kFloat);
  parallelFor(bias.size(0), [&](std::int64_t first, std::int64_t last) {
    std::vector<float> rows(static_cast<std::size_t>(after * before));
    for (std::int64_t head = first; head < last; ++head) {
      const float* from = bias.data_ptr<float>() + head * before * before;
      std::fill(rows.begin(), rows.end(), 0.0F);
      for (std::int64_t p = 0; p < before; ++p) {
        const float weight = members.weight[p];
        float* to = rows.data() + members.token[p] * before;
        for (std::int64_t q = 0; q < before; ++q) to[q] += weight * from[p * before + q];
      }
      float* to = merged.data_ptr<float>() + head * after * after;
      for (std::int64_t t = 0; t < after; ++t) {
        for (std::int64_t q = 0; q < before; ++q) {
          to[t * after + members.token[q]] += members.weight[q] * rows[t * before + q];
        }
      }
    }
  });
  return merged;
}

}  // namespace adamerge
