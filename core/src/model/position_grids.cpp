// SPDX-License-Identifier: GPL-3.0-or-later
// A network's positions: the grid of its table, relative bias, windows, rotation, and the size of
// the input that they are resampled to.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "adamerge/error.h"
#include "model/architecture.h"
#include "model/network.h"

namespace adamerge {
namespace {

struct PositionGrid {
  bool covers_prefix = true;
  int height = 0;
  int width = 0;
};

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

/// How the `tokens` rows of a position embedding stand for prefix tokens and a grid of patches: as
/// the config says, else the grid is taken as square.
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

class PositionFinder : private TensorReader {
 public:
  PositionFinder(const TensorReader& tensors, VitConfig& vit, std::vector<std::string>& notes)
      : TensorReader(tensors), vit_(vit), notes_(notes) {}

  void find(const std::optional<InputSize>& wanted) {
    readPositions(wanted);
    readRelativeBias();
    readWindows();
    chooseInput(wanted);
    readRotary();
  }

 private:
  /// FourCastNet's file says how many patches there are, not of how many rows.
  PositionGrid namedGrid(const std::optional<InputSize>& wanted, int tokens) const {
    const std::string patches = fmt::format(
        "its position table has {} patches of {} x {} pixels, and nothing in the file "
        "says in how many rows",
        tokens, vit_.patch_size, vit_.patch_size);
    if (!wanted) fail(patches + "; --input-size HEIGHTxWIDTH must, as 720x1440");
    const int rows = wanted->height / vit_.patch_size;
    const int columns = wanted->width / vit_.patch_size;
    if (static_cast<std::int64_t>(rows) * columns != tokens) {
      fail(fmt::format("{}; --input-size {}x{} makes {} x {}", patches, wanted->height,
                       wanted->width, rows, columns));
    }
    return {true, rows, columns};
  }

  void readPositions(const std::optional<InputSize>& wanted) {
    vit_.position_table = has("pos_embed");
    agree(config_.position_table, vit_.position_table, "pos_embed");
    if (!vit_.position_table) {
      vit_.position_grid_height = 0;
      vit_.position_grid_width = 0;
      return;
    }
    const int tokens = length("pos_embed", 3, 1);
    const PositionGrid grid = config_.size_must_be_named
                                  ? namedGrid(wanted, tokens)
                                  : findPositionGrid(tokens, vit_.prefixTokens(), vit_.patch_size,
                                                     config_, tensors_.file());
    vit_.position_covers_prefix = grid.covers_prefix;
    vit_.position_grid_height = grid.height;
    vit_.position_grid_width = grid.width;
  }

  void readRelativeBias() {
    constexpr const char* kOwn = "blocks.0.attn.relative_position_bias_table";
    constexpr const char* kShared = "rel_pos_bias.relative_position_bias_table";
    RelativeBias& bias = vit_.relative_bias;
    bias.per_block = has(kOwn);
    bias.shared = has(kShared);
    agree(config_.block_bias, bias.per_block, kOwn);
    agree(config_.shared_bias, bias.shared, kShared);
    if (!vit_.hasRelativeBias()) return;
    if (!vit_.class_token || vit_.prefixTokens() != 1) {
      fail("has a relative position bias, which needs a class token and no other prefix tokens");
    }
    const std::string name = bias.per_block ? kOwn : kShared;
    const int rows = length(name, 2, 0);
    agree(config_.heads, length(name, 2, 1));
    InputSize window{};
    if (const auto& size = config_.trained_size) {
      window = {(*size).height / vit_.patch_size, (*size).width / vit_.patch_size};
    } else if (vit_.position_table) {
      window = {vit_.position_grid_height, vit_.position_grid_width};
    }
    if (window.height < 1 || relativeRows(window.height, window.width) != rows) {
      // timm takes a table of another length than the config's grid as a square's.
      const auto side =
          static_cast<int>(std::lround((std::sqrt(std::max(rows - 3.0, 1.0)) + 1) / 2));
      if (relativeRows(side, side) != rows) {
        if (const auto& size = config_.trained_size) {
          throw Error(
              fmt::format("{}: {} is {} x {}, but '{}' in {} has {} rows, which are the offsets of "
                          "no such grid",
                          config_.file, size.key, (*size).height, (*size).width,
                          tensors_.inFile(name), tensors_.file(), rows));
        }
        fail(fmt::format("tensor '{}' has {} rows, which are the offsets of no grid of patches",
                         tensors_.inFile(name), rows));
      }
      if (config_.trained_size && config_.format != ConfigFormat::kTimm) {
        throw Error(fmt::format("{}: {} is {} x {}, but '{}' in {} is of {} x {} patches",
                                config_.file, config_.trained_size.key,
                                (*config_.trained_size).height, (*config_.trained_size).width,
                                tensors_.inFile(name), tensors_.file(), side, side));
      }
      window = {side, side};
    }
    bias.window_height = window.height;
    bias.window_width = window.width;
  }

  /// Sides of windows as the family says; tables and neck as the tensors show them.
  void readWindows() {
    WindowedAttention& windows = vit_.windows;
    if (windows.sides.empty()) return;
    if (static_cast<int>(windows.sides.size()) != vit_.depth) {
      fail(
          fmt::format("has windows for {} blocks and {} blocks", windows.sides.size(), vit_.depth));
    }
    windows.relative = !tensors_.first("blocks.*.attn.rel_pos_h").empty();
    agree(config_.relative, windows.relative, "blocks.0.attn.rel_pos_h");
    const auto places = [&](int block, const char* axis) {
      return (length(fmt::format("blocks.{}.attn.rel_pos_{}", block, axis), 2, 0) + 1) / 2;
    };
    for (int block = 0; windows.relative && block < vit_.depth; ++block) {
      const int side = windows.sides[static_cast<std::size_t>(block)];
      const int rows = places(block, "h");
      if (side == 0 && windows.table_height == 0) {
        windows.table_height = rows;
        windows.table_width = places(block, "w");
      } else if (side != 0 && side != rows && config_.window) {
        throw Error(fmt::format(
            "{}: {} is {} and global_attn_indexes does not name block {}, but '{}' in {} is of "
            "windows of {}",
            config_.file, config_.window.key, side, block,
            tensors_.inFile(fmt::format("blocks.{}.attn.rel_pos_h", block)), tensors_.file(),
            rows));
      }
    }
    if (windows.relative) {
      agree(config_.heads, vit_.dim / length("blocks.0.attn.rel_pos_h", 2, 1));
    }
    if (const auto& size = config_.trained_size;
        size && !size.key.empty() && !vit_.position_table && windows.table_height > 0 &&
        ((*size).height / vit_.patch_size != windows.table_height ||
         (*size).width / vit_.patch_size != windows.table_width)) {
      throw Error(
          fmt::format("{}: {} is {} x {}, but the tables of global blocks in {} are of {} x "
                      "{} patches of {}",
                      config_.file, size.key, (*size).height, (*size).width, tensors_.file(),
                      windows.table_height, windows.table_width, vit_.patch_size));
    }
    vit_.neck_channels = has("neck.0.weight") ? length("neck.0.weight", 4, 0) : 0;
    vit_.neck_norm = vit_.neck_channels == 0 && has("neck.weight");
    agree(config_.neck_channels, vit_.neck_channels);
  }

  void chooseInput(const std::optional<InputSize>& wanted) {
    InputSize size{vit_.position_grid_height * vit_.patch_size,
                   vit_.position_grid_width * vit_.patch_size};
    if (!vit_.position_table) {
      size = {vit_.relative_bias.window_height * vit_.patch_size,
              vit_.relative_bias.window_width * vit_.patch_size};
      constexpr int kUsualSide = 224;
      if (size.height == 0) size = {kUsualSide, kUsualSide};
    }
    std::string source = tensors_.file();
    if (config_.trained_size) size = *config_.trained_size;
    if (config_.input_size) size = *config_.input_size;
    if (config_.trained_size || config_.input_size) source = config_.file;
    if (wanted) {
      size = *wanted;
      source = "the input size asked for";
    }
    constexpr int kMaxSide = 65536;
    if (size.height < vit_.patch_size || size.width < vit_.patch_size || size.height > kMaxSide ||
        size.width > kMaxSide) {
      throw Error(
          fmt::format("{}: {} x {} pixels; height and width from the patch size {} up to {} are "
                      "possible",
                      source, size.height, size.width, vit_.patch_size, kMaxSide));
    }
    constexpr std::int64_t kMaxTokens = 1'000'000;
    const std::int64_t tokens =
        static_cast<std::int64_t>(size.height / vit_.patch_size) * (size.width / vit_.patch_size);
    if (tokens > kMaxTokens) {
      throw Error(fmt::format("{}: {} x {} pixels make {} patches, at most {} are possible", source,
                              size.height, size.width, tokens, kMaxTokens));
    }
    if (vit_.mixesByFourier() && (size.height / vit_.patch_size != vit_.position_grid_height ||
                                  size.width / vit_.patch_size != vit_.position_grid_width)) {
      throw Error(fmt::format(
          "{}: {} x {} pixels (height x width); an AFNO runs at the size that it was trained at, "
          "which is {} x {}",
          source, size.height, size.width, vit_.position_grid_height * vit_.patch_size,
          vit_.position_grid_width * vit_.patch_size));
    }
    vit_.input_height = size.height;
    vit_.input_width = size.width;
    const int unseen_rows = size.height % vit_.patch_size;
    const int unseen_columns = size.width % vit_.patch_size;
    if (unseen_rows + unseen_columns > 0) {
      notes_.push_back(fmt::format(
          "Of {} x {} pixels the last {} rows and {} columns make no whole patch of {} and are "
          "never seen, as in the library.",
          size.height, size.width, unseen_rows, unseen_columns, vit_.patch_size));
    }
    if (vit_.position_table && (vit_.gridHeight() != vit_.position_grid_height ||
                                vit_.gridWidth() != vit_.position_grid_width)) {
      notes_.push_back(
          fmt::format("The position table of {} x {} patches is resampled to {} x {}{}.",
                      vit_.position_grid_height, vit_.position_grid_width, vit_.gridHeight(),
                      vit_.gridWidth(), how(vit_.resampling)));
    }
    const WindowedAttention& windows = vit_.windows;
    if (windows.table_height > 0 &&
        (vit_.gridHeight() != windows.table_height || vit_.gridWidth() != windows.table_width)) {
      notes_.push_back(fmt::format(
          "The relative positions of global blocks, of {} x {} patches, are resampled to {} x {} "
          "(linear).",
          windows.table_height, windows.table_width, vit_.gridHeight(), vit_.gridWidth()));
    }
    const RelativeBias& bias = vit_.relative_bias;
    if (vit_.hasRelativeBias() &&
        (vit_.gridHeight() != bias.window_height || vit_.gridWidth() != bias.window_width)) {
      notes_.push_back(fmt::format(
          "The relative position tables of {} x {} patches are resized to {} x {}, as {} does.",
          bias.window_height, bias.window_width, vit_.gridHeight(), vit_.gridWidth(),
          bias.geometric ? "timm" : "transformers"));
    }
  }

  static const char* how(Resampling resampling) {
    switch (resampling) {
      case Resampling::kBicubicAntialiased:
        return " (bicubic, antialiased)";
      case Resampling::kBicubic:
        return " (bicubic)";
      case Resampling::kBicubicOffset:
        return " (bicubic, by Meta's offset of 0.1)";
      case Resampling::kBilinear:
        return " (bilinear)";
    }
    return "";
  }

  void readRotary() {
    if (!vit_.isRotary()) return;
    constexpr int kParts = 4;
    if (vit_.headDim() % kParts == 0) return;
    const std::string problem = fmt::format(
        "{} heads of a width of {} are {} wide each, and rotary positions need a width "
        "divisible by four",
        vit_.heads, vit_.dim, vit_.headDim());
    if (!config_.heads || config_.file.empty()) fail(problem);
    throw Error(fmt::format("{}: {}: {}", config_.file, config_.heads.key, problem));
  }

  VitConfig& vit_;
  std::vector<std::string>& notes_;
};

}  // namespace

void readPositions(const TensorReader& tensors, const std::optional<InputSize>& wanted,
                   VitConfig& vit, std::vector<std::string>& notes) {
  PositionFinder(tensors, vit, notes).find(wanted);
}

}  // namespace adamerge
