// SPDX-License-Identifier: GPL-3.0-or-later
#include "sample_figure.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>

namespace adamerge::test {
namespace {

/// Merges every even one of the first tokens into its successor, and numbers anew.
LayerTrace nextLayer(const std::vector<int>& entry, int tokens) {
  LayerTrace trace;
  std::vector<int> target(static_cast<std::size_t>(tokens));
  std::iota(target.begin(), target.end(), 0);
  for (int source = 0; source + 1 < tokens && source < tokens / 3; source += 2) {
    target[static_cast<std::size_t>(source)] = source + 1;
    trace.merges.push_back({source, source + 1, 0.5F});
  }
  std::map<int, int> numbers;
  for (const int group : entry) {
    const int reached = target[static_cast<std::size_t>(group)];
    trace.groups.push_back(
        numbers.emplace(reached, static_cast<int>(numbers.size())).first->second);
  }
  trace.merged = static_cast<int>(trace.merges.size());
  trace.tokens_in = tokens + 1;
  trace.tokens_out = trace.tokens_in - trace.merged;
  return trace;
}

}  // namespace

Image gradientImage(int width, int height) {
  Image image{width, height, {}};
  image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at(x, y)[0] = static_cast<std::uint8_t>(255 * x / std::max(width - 1, 1));
      image.at(x, y)[1] = static_cast<std::uint8_t>(255 * y / std::max(height - 1, 1));
      image.at(x, y)[2] = static_cast<std::uint8_t>((x * 7 + y * 13) % 256);
    }
  }
  return image;
}

FigureInput sampleInput(const SampleShape& shape) {
  FigureInput input;
  input.title = "sample.png";
  input.subtitle = "AdaMerge · r_max 4";
  input.grid_height = shape.grid_height;
  input.grid_width = shape.grid_width;
  input.prefix_tokens = 1;
  const int width = shape.grid_width * shape.patch;
  const int height = shape.grid_height * shape.patch;
  input.image.view = gradientImage(width, height);
  input.image.crop = {4, 2, static_cast<double>(width), static_cast<double>(height)};
  input.original = std::make_shared<const Image>(gradientImage(width + 8, height + 4));
  const int patches = shape.grid_height * shape.grid_width;
  std::vector<int> groups(static_cast<std::size_t>(patches));
  std::iota(groups.begin(), groups.end(), 0);
  int tokens = patches;
  const auto lens = std::make_shared<LensPictures>();
  for (int layer = 0; layer < shape.layers; ++layer) {
    LayerTrace trace = nextLayer(groups, tokens);
    trace.index = layer;
    if (shape.salience) {
      for (const int group : groups) {
        trace.salience.push_back(static_cast<float>(group) / static_cast<float>(patches));
      }
    }
    LensMap map;
    for (const int group : groups) map.values.push_back(1 / static_cast<float>(group + 2));
    lens->blocks.push_back(std::move(map));
    if (shape.statistics) {
      trace.redundancy = 0.3 + 0.05 * layer;
      trace.mu = 0.25 + 0.06 * layer;
      trace.sigma = 0.04;
      trace.z = (*trace.redundancy - *trace.mu) / *trace.sigma;
    }
    groups = trace.groups;
    tokens = trace.tokens_out - 1;
    input.result.layers.push_back(std::move(trace));
  }
  lens->heads = {lens->blocks.back(), lens->blocks.back()};
  lens->heads_block = shape.layers - 1;
  lens->unmerged = lens->blocks.front();
  lens->classes = {{"sky", {90, 150, 230}}, {"ground", {160, 120, 60}}};
  lens->entropy = {1.5F, 2.5F};
  input.lens = lens;
  return input;
}

std::string fileText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace adamerge::test
