// SPDX-License-Identifier: GPL-3.0-or-later
// Parts of a block that run inside windows of the grid on merged tokens, and SAM's blocks, whose
// attention does so.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/image_state.h"
#include "engine/vit.h"
#include "kernels/attention.h"
#include "kernels/padded.h"
#include "merging/apply.h"
#include "merging/inside.h"

namespace adamerge {
namespace {

/// Of all images' tokens, grid by grid in raster order, those of one window after another.
std::vector<std::int64_t> windowOrder(const WindowGrid& grid, std::int64_t images,
                                      std::int64_t patches, int columns) {
  std::vector<std::int64_t> order;
  order.reserve(static_cast<std::size_t>(images * patches));
  for (std::int64_t image = 0; image < images; ++image) {
    for (const Window& window : grid.windows) {
      for (int row = 0; row < window.rows; ++row) {
        const std::int64_t first =
            image * patches + static_cast<std::int64_t>(window.top + row) * columns + window.left;
        for (int column = 0; column < window.columns; ++column) order.push_back(first + column);
      }
    }
  }
  return order;
}

std::vector<std::int64_t> inverse(const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> result(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) {
    result[static_cast<std::size_t>(order[k])] = static_cast<std::int64_t>(k);
  }
  return result;
}

/// Where the tokens of a merged window lie, and after them its padding.
RelativePlaces placesOf(const WindowGrid& grid, const Window& window, const MergePlan& plan,
                        const at::Tensor& tables, TokenPosition position) {
  const auto n = static_cast<std::size_t>(window.rows) * static_cast<std::size_t>(window.columns);
  std::vector<std::vector<std::int64_t>> members(plan.order.size());
  if (position == TokenPosition::kDestination) {
    for (std::size_t t = 0; t < plan.order.size(); ++t) members[t] = {plan.order[t]};
  } else {
    const std::vector<int> positions = newPositions(plan, n);
    for (std::size_t patch = 0; patch < n; ++patch) {
      members[static_cast<std::size_t>(positions[patch])].push_back(
          static_cast<std::int64_t>(patch));
    }
  }
  RelativePlaces places{grid.rows, grid.columns, tables, {}, {}};
  const auto add = [](RelativePlaces::Axis& axis, const std::vector<int>& at, int side) {
    std::vector<float> shares(static_cast<std::size_t>(side), 0.0F);
    for (const int place : at) {
      shares[static_cast<std::size_t>(place)] += 1.0F / static_cast<float>(at.size());
    }
    if (axis.starts.empty()) axis.starts.push_back(0);
    for (int place = 0; place < side; ++place) {
      if (shares[static_cast<std::size_t>(place)] == 0) continue;
      axis.places.push_back(place);
      axis.shares.push_back(shares[static_cast<std::size_t>(place)]);
    }
    axis.starts.push_back(static_cast<std::int32_t>(axis.places.size()));
  };
  for (const std::vector<std::int64_t>& own : members) {
    std::vector<int> rows;
    std::vector<int> columns;
    for (const std::int64_t patch : own) {
      rows.push_back(static_cast<int>(patch) / window.columns);
      columns.push_back(static_cast<int>(patch) % window.columns);
    }
    add(places.rows, rows, grid.rows);
    add(places.columns, columns, grid.columns);
  }
  for (int row = 0; row < grid.rows; ++row) {
    for (int column = row < window.rows ? window.columns : 0; column < grid.columns; ++column) {
      add(places.rows, {row}, grid.rows);
      add(places.columns, {column}, grid.columns);
    }
  }
  return places;
}

}  // namespace

InsideWindows VisionTransformer::enterWindows(Pack& pack, int index, const MergeMethod& method,
                                              const WindowGrid& grid, const at::Tensor& decided,
                                              const at::Tensor& read, const at::Tensor& metric,
                                              const Options& options) const {
  const std::size_t images = pack.images.size();
  const std::size_t windows = grid.windows.size();
  const std::int64_t patches = config_.patchTokens();
  const std::vector<std::int64_t> order =
      windowOrder(grid, static_cast<std::int64_t>(images), patches, config_.gridWidth());
  const at::Tensor places = sentTo(device_, at::tensor(order, at::kLong));
  const bool raster = windows == 1;
  const auto inOrder = [&](const at::Tensor& tokens) {
    return raster ? tokens : tokens.index_select(0, places);
  };
  std::vector<std::int64_t> before;
  for (std::size_t k = 0; k < images * windows; ++k) {
    const Window& window = grid.windows[k % windows];
    before.push_back(static_cast<std::int64_t>(window.rows) * window.columns);
  }

  InsideWindows inside;
  inside.plans.resize(before.size());
  if (metric.defined()) {
    const at::Tensor stream = inOrder(decided);
    const at::Tensor own_metric = inOrder(metric);
    const std::vector<float> ones(static_cast<std::size_t>(patches), 1.0F);
    std::vector<LayerTokens> layers(before.size());
    std::int64_t offset = 0;
    for (std::size_t k = 0; k < layers.size(); ++k) {
      LayerTokens& layer = layers[k];
      layer.block = index;
      layer.tokens = stream.narrow(0, offset, before[k]);
      layer.metric = own_metric.narrow(0, offset, before[k]);
      layer.deciding = deciding();
      layer.trace = options.trace;
      layer.sizes = std::span(ones).first(static_cast<std::size_t>(before[k]));
      layer.window = &grid.windows[k % windows];
      layer.image = static_cast<int>(k / windows);
      if (!pack.places.empty()) layer.place = &pack.places[k / windows];
      offset += before[k];
    }
    inside.plans = method.plans(layers);
  }
  const std::span<const MergePlan> plans = inside.plans;
  for (std::size_t i = 0; i < images; ++i) {
    const auto own = plans.subspan(i * windows, windows);
    pack.images[i].enter(joinedPlan(grid.windows, own, config_.gridWidth()), config_.heads);
  }
  for (std::size_t k = 0; k < before.size(); ++k) {
    inside.counts.push_back(remainingTokens(plans[k], before[k]));
  }
  const bool changes =
      std::any_of(plans.begin(), plans.end(), [](const MergePlan& plan) { return plan.changes(); });
  inside.tokens = changes ? applied(plans, before, inOrder(read)) : inOrder(read);
  const at::Tensor back = rowsBack(plans, before);
  inside.back =
      sentTo(device_, raster ? back : back.index_select(0, at::tensor(inverse(order), at::kLong)));
  return inside;
}

std::vector<Segment> VisionTransformer::windowSegments(int index, const WindowGrid& grid,
                                                       const InsideWindows& inside,
                                                       bool proportional,
                                                       TokenPosition position) const {
  const at::Tensor tables =
      relative_.empty() ? at::Tensor() : relative_[static_cast<std::size_t>(index)];
  std::shared_ptr<const RelativePlaces> whole;
  if (tables.defined()) {
    whole = std::make_shared<const RelativePlaces>(
        RelativePlaces{grid.rows, grid.columns, tables, {}, {}});
  }
  std::vector<Segment> segments(inside.plans.size());
  for (std::size_t k = 0; k < segments.size(); ++k) {
    const Window& window = grid.windows[k % grid.windows.size()];
    const MergePlan& plan = inside.plans[k];
    Segment& segment = segments[k];
    segment.tokens = inside.counts[k] + grid.padding(window);
    segment.places = whole;
    if (!plan.changes()) continue;
    if (tables.defined()) {
      segment.places =
          std::make_shared<const RelativePlaces>(placesOf(grid, window, plan, tables, position));
    }
    if (!proportional) continue;
    const std::vector<float> sizes = applyToSizes(
        plan, std::vector<float>(static_cast<std::size_t>(window.rows * window.columns), 1.0F));
    for (const float size : sizes) segment.key_bias.push_back(std::log(size));
    segment.key_bias.resize(static_cast<std::size_t>(segment.tokens), 0.0F);
  }
  return segments;
}

void VisionTransformer::runWindowed(Pack& pack, int index, const MergeMethod& method,
                                    const Options& options) const {
  const BlockLayers& block = layers_.blocks[static_cast<std::size_t>(index)];
  const AttentionLayers& layers = block.attentions.front();
  const WindowGrid grid =
      windowsOf(config_, config_.windows.sides[static_cast<std::size_t>(index)]);
  const std::size_t windows = grid.windows.size();
  const at::Tensor input = normed(pack.tokens, layers.norm);
  at::Tensor metric;
  if (actsInside(index, method)) metric = metricOf(input.unflatten(1, {config_.heads, -1}));
  const InsideWindows inside =
      enterWindows(pack, index, method, grid, pack.tokens, input, metric, options);
  at::Tensor entry;
  if (options.record && index == 0) entry = pack.tokens.clone();
  int padding = 0;
  for (const Window& window : grid.windows) padding += grid.padding(window);
  for (std::size_t i = 0; i < pack.images.size(); ++i) {
    const auto first = inside.counts.begin() + static_cast<std::ptrdiff_t>(i * windows);
    pack.images[i].noteWindows(grid.rows, grid.columns, padding);
    pack.images[i].noteWindowedAttention(
        windowedWork(config_, grid, {first, first + static_cast<std::ptrdiff_t>(windows)}));
  }

  // Rows of the padded windows: of a whole one in raster order, else tokens first.
  std::vector<std::int64_t> rows;
  std::int64_t total = 0;
  for (std::size_t k = 0; k < inside.plans.size(); ++k) {
    const Window& window = grid.windows[k % windows];
    for (std::int64_t t = 0; t < inside.counts[k]; ++t) {
      rows.push_back(total + (inside.plans[k].changes()
                                  ? t
                                  : t / window.columns * grid.columns + t % window.columns));
    }
    total += inside.counts[k] + grid.padding(window);
  }
  at::Tensor tokens = inside.tokens;
  at::Tensor places;
  if (padding > 0) {
    places = sentTo(device_, at::tensor(rows, at::kLong));
    tokens = at::zeros({total, config_.dim}, inside.tokens.options());
    tokens.index_copy_(0, places, inside.tokens);
  }
  Attending how;
  const at::Tensor qkv = queriesKeysValues(layers, tokens, how);
  const std::vector<Segment> segments =
      windowSegments(index, grid, inside, method.proportionalAttention(), options.position);
  const at::Tensor mixed = attention(qkv, config_.heads, segments).mixed;
  layers.proj.addTo(
      pack.tokens,
      mixed.index_select(0, padding > 0 ? places.index_select(0, inside.back) : inside.back));
  const MlpLayers& mlp = block.mlps.front();
  mlp.fc2.addTo(pack.tokens, hidden(mlp, normed(pack.tokens, mlp.norm)));
  if (!options.record) return;
  const std::int64_t patches = config_.patchTokens();
  for (std::size_t i = 0; i < pack.images.size(); ++i) {
    BlockRecord record{
        pack.images[i].tokensAlone(), pack.images[i].tokensAlone(), {}, {}, {}, std::nullopt};
    if (entry.defined()) {
      record.inputs = {entry.narrow(0, static_cast<std::int64_t>(i) * patches, patches)};
    }
    const auto own = std::span(inside.plans).subspan(i * windows, windows);
    record.windows.assign(own.begin(), own.end());
    pack.records.push_back(std::move(record));
  }
}

WindowLooks VisionTransformer::windowLooks(int block, const at::Tensor& stream,
                                           std::span<const MergePlan> plans, bool proportional,
                                           TokenPosition position, int patch, bool looked_at,
                                           const std::stop_token& stop) const {
  constexpr std::int64_t kQueries = 512;
  const c10::InferenceMode guard;
  const AttentionLayers& layers =
      layers_.blocks[static_cast<std::size_t>(block)].attentions.front();
  const WindowGrid grid =
      windowsOf(config_, config_.windows.sides[static_cast<std::size_t>(block)]);
  const int row = patch / config_.gridWidth();
  const int column = patch % config_.gridWidth();
  const auto found =
      std::find_if(grid.windows.begin(), grid.windows.end(), [&](const Window& window) {
        return row >= window.top && row < window.top + window.rows && column >= window.left &&
               column < window.left + window.columns;
      });
  const Window& window = *found;
  const WindowGrid own{grid.rows, grid.columns, {window}};
  const std::vector<std::int64_t> of_patch =
      windowOrder(own, 1, config_.patchTokens(), config_.gridWidth());
  const auto n = static_cast<std::int64_t>(of_patch.size());
  const MergePlan& plan = plans[static_cast<std::size_t>(found - grid.windows.begin())];
  InsideWindows inside;
  inside.plans = {plan};
  inside.counts = {remainingTokens(plan, n)};
  const at::Tensor read =
      normed(stream.index_select(0, sentTo(device_, at::tensor(of_patch, at::kLong))), layers.norm);
  const std::vector<std::int64_t> before{n};
  inside.tokens = plan.changes() ? applied(inside.plans, before, read) : read;

  // As runWindowed() places them.
  std::vector<std::int64_t> rows;
  for (std::int64_t t = 0; t < inside.counts.front(); ++t) {
    rows.push_back(plan.changes() ? t : t / window.columns * grid.columns + t % window.columns);
  }
  const Segment segment = windowSegments(block, own, inside, proportional, position).front();
  at::Tensor tokens = at::zeros({segment.tokens, config_.dim}, inside.tokens.options());
  tokens.index_copy_(0, sentTo(device_, at::tensor(rows, at::kLong)), inside.tokens);
  Attending how;
  const at::Tensor qkv = queriesKeysValues(layers, tokens, how);

  const std::vector<float> ones(static_cast<std::size_t>(n), 1.0F);
  std::vector<int> token_of(static_cast<std::size_t>(n));
  std::iota(token_of.begin(), token_of.end(), 0);
  if (plan.changes()) token_of = newPositions(plan, static_cast<std::size_t>(n));
  std::vector<float> sizes(static_cast<std::size_t>(segment.tokens), 1.0F);
  const std::vector<float> merged = plan.changes() ? applyToSizes(plan, ones) : ones;
  for (std::size_t t = 0; t < rows.size(); ++t) {
    sizes[static_cast<std::size_t>(rows[t])] = merged[t];
  }
  const auto at_row = [&](std::size_t local) {
    return rows[static_cast<std::size_t>(token_of[local])];
  };
  const std::int64_t query = at_row(
      static_cast<std::size_t>((row - window.top) * window.columns + (column - window.left)));

  const auto onHost = [](const at::Tensor& values) {
    const at::Tensor host = values.to(at::kCPU, at::kFloat).contiguous();
    return std::vector<float>(host.data_ptr<float>(), host.data_ptr<float>() + host.numel());
  };
  WindowLooks looks;
  for (int head = 0; head < config_.heads; ++head) {
    throwIfStopped(stop);
    const std::vector<float> shares =
        onHost(placedWeights(qkv, config_.heads, segment, head, query, 1));
    double entropy = 0;
    for (std::size_t t = 0; t < shares.size(); ++t) {
      if (shares[t] > 0) entropy -= shares[t] * std::log(static_cast<double>(shares[t]) / sizes[t]);
    }
    looks.entropy.push_back(static_cast<float>(entropy));
    std::vector<float> values = shares;
    for (std::size_t t = 0; t < values.size(); ++t) values[t] /= sizes[t];
    if (looked_at) {
      values.clear();
      for (std::int64_t first = 0; first < segment.tokens; first += kQueries) {
        throwIfStopped(stop);
        const std::int64_t count = std::min(kQueries, segment.tokens - first);
        const std::vector<float> part =
            onHost(placedWeights(qkv, config_.heads, segment, head, first, count).select(1, query));
        values.insert(values.end(), part.begin(), part.end());
      }
    }
    std::vector<float> of_grid(static_cast<std::size_t>(config_.patchTokens()),
                               std::numeric_limits<float>::quiet_NaN());
    for (std::size_t local = 0; local < of_patch.size(); ++local) {
      of_grid[static_cast<std::size_t>(of_patch[local])] =
          values[static_cast<std::size_t>(at_row(local))];
    }
    looks.heads.push_back(std::move(of_grid));
  }
  return looks;
}

at::Tensor VisionTransformer::neck(const at::Tensor& tokens) const {
  const NeckLayers& layers = layers_.neck;
  if (!layers.norm.weight.defined()) return tokens;
  at::Tensor features = tokens;
  if (layers.reduce.defined()) {
    const at::Tensor reduced = layerNorm(
        layers.reduce(tokens.to(dtype_), std::nullopt, stream_dtype_), layers.reduce_norm, dtype_);
    const at::Tensor planes =
        reduced.t().reshape({1, -1, config_.gridHeight(), config_.gridWidth()});
    // A convolution is one matrix product over the unfolded neighbourhoods.
    const at::Tensor around = at::im2col(planes, {3, 3}, {1, 1}, {1, 1}, {1, 1})[0].t();
    features = layers.mix(around.contiguous(), std::nullopt, stream_dtype_);
  }
  return layerNorm(features, layers.norm, stream_dtype_);
}

}  // namespace adamerge
