// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/position_grid.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "adamerge/error.h"

namespace adamerge {
namespace {

/// 0: no square.
int squareRoot(std::int64_t count) {
  if (count <= 0) return 0;
  const auto root = std::llround(std::sqrt(static_cast<double>(count)));
  return root * root == count ? static_cast<int>(root) : 0;
}

class GridFinder {
 public:
  GridFinder(std::int64_t tokens, int prefix, int patch, const ModelConfig& config)
      : tokens_(tokens), prefix_(prefix), patch_(patch), config_(config) {}

  /// The grid of pictures of that size, where the rows fit it.
  std::optional<PositionGrid> ofSize(const InputSize& size) const {
    const std::int64_t height = size.height / patch_;
    const std::int64_t width = size.width / patch_;
    for (const bool covers : {true, false}) {
      if (allowed(covers) && patches(covers) == height * width && height * width > 0) {
        return PositionGrid{covers, static_cast<int>(height), static_cast<int>(width)};
      }
    }
    return std::nullopt;
  }

  std::optional<PositionGrid> square() const {
    for (const bool covers : {true, false}) {
      const int side = squareRoot(patches(covers));
      if (allowed(covers) && side > 0) return PositionGrid{covers, side, side};
    }
    return std::nullopt;
  }

 private:
  std::int64_t patches(bool covers) const { return tokens_ - (covers ? prefix_ : 0); }
  bool allowed(bool covers) const {
    // The two are the same thing without prefix tokens, and folded registers contradict the config.
    if (prefix_ == 0) return covers;
    return config_.format != ConfigFormat::kTimm || !config_.no_embed_class ||
           *config_.no_embed_class != covers;
  }

  std::int64_t tokens_;
  int prefix_;
  int patch_;
  const ModelConfig& config_;
};

}  // namespace

PositionGrid findPositionGrid(std::int64_t tokens, int prefix_tokens, int patch_size,
                              const ModelConfig& config, const std::string& weights_file) {
  const GridFinder finder(tokens, prefix_tokens, patch_size, config);
  if (const auto& size = config.trained_size) {
    if (const auto grid = finder.ofSize(*size)) return *grid;
    throw Error(fmt::format(
        "{}: {} is {} x {}, that is {} x {} patches of {} pixels, but pos_embed in {} has {} rows "
        "for them and {} prefix tokens",
        config.file, size.key, (*size).height, (*size).width, (*size).height / patch_size,
        (*size).width / patch_size, patch_size, weights_file, tokens, prefix_tokens));
  }
  if (const auto grid = finder.square()) return *grid;
  if (config.input_size) {
    if (const auto grid = finder.ofSize(*config.input_size)) return *grid;
  }
  throw Error(
      fmt::format("{}: pos_embed has {} rows for the patches and {} prefix tokens, which make no "
                  "square grid; a "
                  "config.json with model_args.img_size is needed",
                  weights_file, tokens, prefix_tokens));
}

}  // namespace adamerge
