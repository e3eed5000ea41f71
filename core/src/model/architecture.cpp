// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/architecture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "adamerge/error.h"
#include "model/position_grid.h"
#include "support/text.h"

namespace adamerge {
namespace {

class Finder {
 public:
  Finder(const StateDict& tensors, const std::string& file, const ModelConfig& config,
         std::vector<std::string>& notes)
      : tensors_(tensors), file_(file), config_(config), notes_(notes) {}

  VitConfig find(const std::optional<InputSize>& input_size) {
    refuseOtherNetworks();
    readPatches();
    readTokens();
    readBlocks();
    readHeads();
    readNormsAndHead();
    readPositions();
    chooseInput(input_size);
    return vit_;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(fmt::format("{}: {}", file_, problem));
  }

  bool has(std::string_view name) const { return tensors_.contains(name); }

  /// Length of an axis of a tensor that must have `axes` of them.
  int length(std::string_view name, std::int64_t axes, std::int64_t axis) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      fail(fmt::format("tensor '{}' is missing; no plain Vision Transformer is without it", name));
    }
    constexpr std::int64_t kMax = 1 << 24;
    const at::IntArrayRef shape = found->second.sizes();
    if (found->second.dim() != axes || shape[axis] < 1 || shape[axis] > kMax) {
      fail(fmt::format("tensor '{}' has shape [{}], {} sizes are expected", name,
                       fmt::join(shape, ", "), axes));
    }
    return static_cast<int>(shape[axis]);
  }

  template <class T>
  void agree(const Field<T>& field, T found) const {
    if (field && *field != found) {
      throw Error(fmt::format("{}: {} is {}, but the tensors in {} say {}", config_.file, field.key,
                              *field, file_, found));
    }
  }

  void refuseOtherNetworks() const {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kForeign{{
        {"relative_position_bias", "relative position bias (BEiT, Swin)"},
        {".q_bias", "separate query and value biases (BEiT)"},
        {"attn_pool.", "attention pooling"},
        {".mlp.w12.", "a SwiGLU MLP"},
        {".mlp.weights_in.", "a SwiGLU MLP"},
        {".mlp.fc1_g.", "a SwiGLU MLP"},
        {"rope", "rotary position embedding"},
        {"freqs", "rotary position embedding"},
        {".rel_pos", "relative positions (SAM)"},
    }};
    if (tensors_.empty()) fail("there are no tensors in it");
    for (const auto& [name, tensor] : tensors_) {
      for (const auto& [part, meaning] : kForeign) {
        if (name.find(part) != std::string::npos) {
          fail(fmt::format("has {} (tensor '{}'): this network cannot run here", meaning,
                           printable(name)));
        }
      }
    }
    if (has("patch_embed.proj.weight") && has("blocks.0.norm1.weight")) return;
    std::vector<std::string> first;
    constexpr std::size_t kShown = 5;
    for (const auto& [name, tensor] : tensors_) {
      if (first.size() == kShown) break;
      first.push_back(printable(name, 60));
    }
    const std::size_t more = tensors_.size() - first.size();
    fail(fmt::format(
        "is no plain Vision Transformer: it has tensors {}{}, but no {}", fmt::join(first, ", "),
        more == 0 ? "" : fmt::format(" and {} more", more),
        has("patch_embed.proj.weight") ? "blocks.0.norm1.weight" : "patch_embed.proj.weight"));
  }

  void readPatches() {
    constexpr std::string_view kName = "patch_embed.proj.weight";
    vit_.dim = length(kName, 4, 0);
    vit_.channels = length(kName, 4, 1);
    vit_.patch_size = length(kName, 4, 2);
    if (const int width = length(kName, 4, 3); width != vit_.patch_size) {
      fail(fmt::format("its patches are {} x {} pixels, only square ones can run here",
                       vit_.patch_size, width));
    }
    if (vit_.channels != 3) {
      fail(fmt::format("its images have {} channels, only 3 (RGB) can run here", vit_.channels));
    }
    vit_.patch_bias = has("patch_embed.proj.bias");
    agree(config_.patch_size, vit_.patch_size);
    agree(config_.channels, vit_.channels);
    agree(config_.dim, vit_.dim);
  }

  void readTokens() {
    vit_.class_token = has("cls_token");
    vit_.distillation_token = has("dist_token");
    vit_.register_tokens = has("reg_token") ? length("reg_token", 3, 1) : 0;
    agree(config_.class_token, vit_.class_token);
    agree(config_.register_tokens, vit_.register_tokens);
  }

  void readBlocks() {
    std::set<std::string_view> blocks;
    constexpr std::string_view kBlocks = "blocks.";
    for (const auto& [name, tensor] : tensors_) {
      if (!name.starts_with(kBlocks)) continue;
      const std::string_view rest = std::string_view(name).substr(kBlocks.size());
      blocks.insert(rest.substr(0, rest.find('.')));
    }
    vit_.depth = static_cast<int>(blocks.size());
    agree(config_.depth, vit_.depth);
    vit_.mlp_hidden = length("blocks.0.mlp.fc1.weight", 2, 0);
    if (length("blocks.0.mlp.fc2.weight", 2, 1) * 2 == vit_.mlp_hidden) {
      fail(
          "has a SwiGLU MLP (blocks.0.mlp.fc2 takes half of what fc1 gives): this network cannot "
          "run here");
    }
    agree(config_.mlp_hidden, vit_.mlp_hidden);
    vit_.pre_norm = has("norm_pre.weight");
    vit_.qkv_bias = has("blocks.0.attn.qkv.bias");
    vit_.qk_norm = has("blocks.0.attn.q_norm.weight");
    vit_.layer_scale = has("blocks.0.ls1.gamma");
    agree(config_.pre_norm, vit_.pre_norm);
    agree(config_.qkv_bias, vit_.qkv_bias);
    agree(config_.qk_norm, vit_.qk_norm);
    agree(config_.layer_scale, vit_.layer_scale);
    if (config_.norm_epsilon) vit_.norm_epsilon = *config_.norm_epsilon;
    if (!(vit_.norm_epsilon >= 0 && vit_.norm_epsilon < 1)) {
      throw Error(fmt::format("{}: {} is {}, a small positive number is expected", config_.file,
                              config_.norm_epsilon.key, vit_.norm_epsilon));
    }
    if (config_.activation) vit_.activation = *config_.activation;
  }

  /// Widths of the usual sizes whose heads are not 64 wide, and those that are.
  int usualHeads() const {
    constexpr std::array<std::pair<int, int>, 8> kUsual{{{192, 3},
                                                         {384, 6},
                                                         {768, 12},
                                                         {1024, 16},
                                                         {1152, 16},
                                                         {1280, 16},
                                                         {1408, 16},
                                                         {1664, 16}}};
    for (const auto& [dim, heads] : kUsual) {
      if (vit_.dim == dim) return heads;
    }
    constexpr int kUsualWidth = 64;
    if (vit_.dim % kUsualWidth == 0) return vit_.dim / kUsualWidth;
    fail(
        fmt::format("the number of attention heads cannot be told from width {}; a config.json "
                    "with model_args.num_heads is needed",
                    vit_.dim));
  }

  void readHeads() {
    const int head_width = vit_.qk_norm ? length("blocks.0.attn.q_norm.weight", 1, 0) : 0;
    if (config_.heads) {
      vit_.heads = *config_.heads;
      if (vit_.heads < 1 || vit_.dim % vit_.heads != 0) {
        throw Error(fmt::format("{}: {} is {}, which does not divide the width {}", config_.file,
                                config_.heads.key, vit_.heads, vit_.dim));
      }
      if (head_width != 0) agree(config_.heads, vit_.dim / head_width);
    } else if (head_width != 0) {
      vit_.heads = std::max(vit_.dim / head_width, 1);
    } else {
      vit_.heads = usualHeads();
      if (config_.format != ConfigFormat::kTimm) {
        notes_.push_back(fmt::format("The number of attention heads, {}, is assumed from width {}.",
                                     vit_.heads, vit_.dim));
      }
    }
    if (vit_.dim % vit_.heads != 0 || (head_width != 0 && vit_.headDim() != head_width)) {
      fail(fmt::format("blocks.0.attn.q_norm has {} entries, which does not divide the width {}",
                       head_width, vit_.dim));
    }
  }

  void readNormsAndHead() {
    vit_.fc_norm = has("fc_norm.weight");
    vit_.final_norm = has("norm.weight");
    agree(config_.fc_norm, vit_.fc_norm);
    if (!vit_.fc_norm) {
      // Without either, only a config can say that none is meant.
      if (!vit_.final_norm && !config_.final_norm) vit_.final_norm = true;
      agree(config_.final_norm, vit_.final_norm);
    }

    const bool head = has("head.weight");
    vit_.classes = head ? length("head.weight", 2, 0) : 0;
    if (head || config_.format == ConfigFormat::kTimm) agree(config_.classes, vit_.classes);

    if (head && vit_.class_token && length("head.weight", 2, 1) == 2 * vit_.dim) {
      vit_.pooling = Pooling::kTokenAndAverage;
    } else if (config_.pooling) {
      vit_.pooling = *config_.pooling;
    } else {
      vit_.pooling = vit_.fc_norm || !vit_.class_token ? Pooling::kAverage : Pooling::kToken;
    }
    if (vit_.pooling == Pooling::kToken && !vit_.class_token) {
      throw Error(fmt::format("{}: {} is 'token', but there is no cls_token in {}", config_.file,
                              config_.pooling.key, file_));
    }
  }

  void readPositions() {
    const int tokens = length("pos_embed", 3, 1);
    const PositionGrid grid =
        findPositionGrid(tokens, vit_.prefixTokens(), vit_.patch_size, config_, file_);
    vit_.position_covers_prefix = grid.covers_prefix;
    vit_.position_grid_height = grid.height;
    vit_.position_grid_width = grid.width;
  }

  void chooseInput(const std::optional<InputSize>& wanted) {
    InputSize size{vit_.position_grid_height * vit_.patch_size,
                   vit_.position_grid_width * vit_.patch_size};
    std::string source = file_;
    if (config_.trained_size) size = *config_.trained_size;
    if (config_.input_size) size = *config_.input_size;
    if (config_.trained_size || config_.input_size) source = config_.file;
    if (wanted) {
      size = *wanted;
      source = "the input size asked for";
    }
    constexpr int kMaxSide = 65536;
    if (size.height < 1 || size.width < 1 || size.height > kMaxSide || size.width > kMaxSide ||
        size.height % vit_.patch_size != 0 || size.width % vit_.patch_size != 0) {
      throw Error(
          fmt::format("{}: {} x {} pixels; height and width must be multiples of the patch "
                      "size {}, up to {}",
                      source, size.height, size.width, vit_.patch_size, kMaxSide));
    }
    constexpr std::int64_t kMaxTokens = 1'000'000;
    const std::int64_t tokens =
        static_cast<std::int64_t>(size.height / vit_.patch_size) * (size.width / vit_.patch_size);
    if (tokens > kMaxTokens) {
      throw Error(fmt::format("{}: {} x {} pixels make {} patches, at most {} are possible", source,
                              size.height, size.width, tokens, kMaxTokens));
    }
    vit_.input_height = size.height;
    vit_.input_width = size.width;
  }

  const StateDict& tensors_;
  const std::string& file_;
  const ModelConfig& config_;
  std::vector<std::string>& notes_;
  VitConfig vit_;
};

}  // namespace

VitConfig findArchitecture(const StateDict& tensors, const std::string& weights_file,
                           const ModelConfig& config, const std::optional<InputSize>& input_size,
                           std::vector<std::string>& notes) {
  return Finder(tensors, weights_file, config, notes).find(input_size);
}

}  // namespace adamerge
