// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/architecture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "adamerge/error.h"
#include "model/network.h"
#include "model/position_grid.h"
#include "support/text.h"

namespace adamerge {
namespace {

class Finder {
 public:
  Finder(const FileTensors& tensors, const ModelConfig& config, std::vector<std::string>& notes)
      : tensors_(tensors), config_(config), notes_(notes), vit_(config.base) {}

  VitConfig find(const std::optional<InputSize>& input_size) {
    readPatches();
    readTokens();
    readBlocks();
    readHeads();
    readNormsAndHead();
    readFilter();
    readPositions(input_size);
    readRelativeBias();
    readWindows();
    chooseInput(input_size);
    readRotary();
    return vit_;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { tensors_.fail(problem); }

  bool has(std::string_view name) const { return tensors_.has(name); }

  /// Length of an axis of a tensor that must have `axes` of them.
  int length(const std::string& name, std::int64_t axes, std::int64_t axis) const {
    const at::Tensor tensor = tensors_.find(name);
    if (!tensor.defined()) {
      fail(fmt::format("tensor '{}' is missing; no Vision Transformer of this kind is without it",
                       tensors_.inFile(name)));
    }
    constexpr std::int64_t kMax = 1 << 24;
    const at::IntArrayRef shape = tensor.sizes();
    if (tensor.dim() != axes || shape[axis] < 1 || shape[axis] > kMax) {
      fail(fmt::format("tensor '{}' has shape [{}], {} sizes are expected", tensors_.inFile(name),
                       fmt::join(shape, ", "), axes));
    }
    return static_cast<int>(shape[axis]);
  }

  template <class T>
  void agree(const Field<T>& field, T found) const {
    if (field && *field != found) {
      throw Error(fmt::format("{}: {} is {}, but the tensors in {} say {}", config_.file, field.key,
                              *field, tensors_.file(), found));
    }
  }

  /// `found`: that `tensor` is there.
  void agree(const Field<bool>& field, bool found, const std::string& tensor) const {
    if (!field || *field == found) return;
    const std::string problem =
        fmt::format("{} is {}, but tensor '{}' is {}", field.key, *field,
                    printable(tensors_.inFile(tensor), 80), found ? "there" : "missing");
    if (config_.file.empty()) fail(fmt::format("in this family {}", problem));
    throw Error(fmt::format("{}: {} in {}", config_.file, problem, tensors_.file()));
  }

  void readPatches() {
    constexpr const char* kName = "patch_embed.proj.weight";
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
    vit_.patch_norm = has("patch_embed.norm.weight");
    agree(config_.patch_size, vit_.patch_size);
    agree(config_.channels, vit_.channels);
    agree(config_.dim, vit_.dim);
  }

  void readTokens() {
    vit_.class_token = has("cls_token");
    vit_.distillation_token = has("dist_token");
    vit_.register_tokens = has("reg_token") ? length("reg_token", 3, 1) : 0;
    agree(config_.class_token, vit_.class_token, "cls_token");
    agree(config_.register_tokens, vit_.register_tokens);
  }

  /// How many different numbers follow `prefix`.
  int countBelow(std::string_view prefix) const {
    std::set<std::string_view> numbers;
    for (const auto& [name, tensor] : tensors_.all()) {
      if (!name.starts_with(prefix)) continue;
      const std::string_view rest = std::string_view(name).substr(prefix.size());
      numbers.insert(rest.substr(0, rest.find('.')));
    }
    return static_cast<int>(numbers.size());
  }

  void readBlocks() {
    vit_.depth = countBelow("blocks.");
    agree(config_.depth, vit_.depth);
    vit_.branches = std::max(countBelow("blocks.0.attns."), 1);
    const bool branches = vit_.branches > 1;
    const std::string attention = branches ? "blocks.0.attns.0." : "blocks.0.";
    const std::string mlp = branches ? "blocks.0.ffns.0." : "blocks.0.";
    vit_.mlp_hidden = length(mlp + "mlp.fc2.weight", 2, 1);
    const int first = length(mlp + "mlp.fc1.weight", 2, 0);
    vit_.gated_mlp = first == 2 * vit_.mlp_hidden;
    agree(config_.gated_mlp, vit_.gated_mlp);
    agree(config_.mlp_hidden, vit_.mlp_hidden);
    if (vit_.gated_mlp && !config_.gated_mlp) vit_.activation = Activation::kSilu;
    // In any block: a tensor that only some blocks have is then missed by its name in the others.
    const auto inAttentions = [&](const std::string& part) {
      return !tensors_.first((branches ? "blocks.*.attns.*." : "blocks.*.") + part).empty();
    };
    const auto inMlps = [&](const std::string& part) {
      return !tensors_.first((branches ? "blocks.*.ffns.*." : "blocks.*.") + part).empty();
    };
    vit_.mlp_bias = inMlps("mlp.fc1.bias") || inMlps("mlp.fc2.bias");
    vit_.mlp_norm = inMlps("mlp.norm.weight");
    vit_.pre_norm = has("norm_pre.weight");
    vit_.rms_norm = !inAttentions(branches ? "norm.bias" : "norm1.bias") &&
                    !inMlps(branches ? "norm.bias" : "norm2.bias") && !has("norm.bias") &&
                    !has("fc_norm.bias");
    vit_.qkv_bias = inAttentions("attn.qkv.bias");
    vit_.proj_bias = inAttentions("attn.proj.bias");
    vit_.attention_norm = inAttentions("attn.norm.weight");
    vit_.qk_norm = inAttentions("attn.q_norm.weight");
    vit_.rms_qk_norm =
        vit_.qk_norm && !inAttentions("attn.q_norm.bias") && !inAttentions("attn.k_norm.bias");
    const std::string scale = attention + (branches ? "ls.gamma" : "ls1.gamma");
    vit_.layer_scale = inAttentions(branches ? "ls.gamma" : "ls1.gamma") ||
                       inMlps(branches ? "ls.gamma" : "ls2.gamma");
    agree(config_.pre_norm, vit_.pre_norm, "norm_pre.weight");
    agree(config_.patch_bias, vit_.patch_bias, "patch_embed.proj.bias");
    agree(config_.qkv_bias, vit_.qkv_bias, attention + "attn.qkv.bias");
    agree(config_.proj_bias, vit_.proj_bias, attention + "attn.proj.bias");
    agree(config_.qk_norm, vit_.qk_norm, attention + "attn.q_norm.weight");
    agree(config_.attention_norm, vit_.attention_norm, attention + "attn.norm.weight");
    agree(config_.mlp_norm, vit_.mlp_norm, mlp + "mlp.norm.weight");
    agree(config_.layer_scale, vit_.layer_scale, scale);
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
    const std::string norm =
        (vit_.branches > 1 ? "blocks.0.attns.0." : "blocks.0.") + std::string("attn.q_norm.weight");
    const int head_width = vit_.qk_norm ? length(norm, 1, 0) : 0;
    if (has("rope.freqs")) agree(config_.heads, length("rope.freqs", 4, 2));
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

  void readPool() {
    AttentionPool& pool = vit_.attention_pool;
    pool.queries = length("attn_pool.latent", 3, 1);
    pool.width = length("attn_pool.latent", 3, 2);
    pool.norms = has("attn_pool.key_norm.weight");
    pool.activation = config_.pool_activation.value_or(vit_.activation);
    pool.mlp_hidden =
        has("attn_pool.mlp.fc1.weight") ? length("attn_pool.mlp.fc1.weight", 2, 0) : 0;
    if (pool.heads < 1 || pool.width % pool.heads != 0) {
      throw Error(
          fmt::format("{}: the attention pooling has {} heads, which do not divide its "
                      "width {}",
                      config_.file, pool.heads, pool.width));
    }
  }

  void readNormsAndHead() {
    vit_.fc_norm = has("fc_norm.weight");
    vit_.final_norm = has("norm.weight");
    agree(config_.fc_norm, vit_.fc_norm, "fc_norm.weight");
    // Without either, only a config can say that none is meant.
    if (!vit_.fc_norm && !vit_.final_norm && !config_.final_norm) vit_.final_norm = true;
    agree(config_.final_norm, vit_.final_norm, "norm.weight");

    if (has("projection.fc1.weight")) {
      vit_.projection_hidden = length("projection.fc1.weight", 2, 0);
      vit_.projection = length("projection.fc2.weight", 2, 0);
      vit_.projection_bias = has("projection.fc1.bias");
    } else if (has("projection.weight")) {
      vit_.projection = length("projection.weight", 2, 0);
      vit_.projection_bias = has("projection.bias");
    }
    agree(config_.projection, vit_.projection);

    const bool head = has("head.weight");
    vit_.classes = head ? length("head.weight", 2, 0) : 0;
    vit_.two_heads = vit_.distillation_token && has("head_dist.weight");
    // Without any head both tokens are the embedding, as in timm.
    vit_.mean_of_tokens =
        vit_.two_heads || (vit_.distillation_token && !head && !has("projection.weight"));
    if (head || config_.format == ConfigFormat::kTimm) agree(config_.classes, vit_.classes);

    if (head && vit_.class_token && length("head.weight", 2, 1) == 2 * vit_.dim &&
        vit_.projection == 0) {
      vit_.pooling = Pooling::kTokenAndAverage;
    } else if (config_.pooling) {
      vit_.pooling = *config_.pooling;
    } else {
      vit_.pooling = vit_.fc_norm || !vit_.class_token ? Pooling::kAverage : Pooling::kToken;
    }
    if (vit_.pooling == Pooling::kToken && !vit_.class_token) {
      throw Error(fmt::format("{}: {} is 'token', but there is no cls_token in {}", config_.file,
                              config_.pooling.key, tensors_.file()));
    }
    const bool attends = vit_.pooling == Pooling::kAttention;
    if (attends != has("attn_pool.latent")) {
      throw Error(fmt::format("{}: {} is {}attention pooling, but tensor '{}' is {} in {}",
                              config_.file.empty() ? tensors_.file() : config_.file,
                              config_.pooling.key, attends ? "" : "not ",
                              tensors_.inFile("attn_pool.latent"), attends ? "missing" : "there",
                              tensors_.file()));
    }
    if (attends) readPool();
  }

  void readFilter() {
    constexpr const char* kName = "blocks.0.filter.w1";
    if (has("field.weight")) {
      const int pixels = vit_.patch_size * vit_.patch_size;
      const int rows = length("field.weight", 2, 0);
      if (rows % pixels != 0) {
        fail(fmt::format("tensor '{}' has {} rows, which are no {} x {} pixels of whole channels",
                         tensors_.inFile("field.weight"), rows, vit_.patch_size, vit_.patch_size));
      }
      vit_.field_channels = rows / pixels;
    }
    if (!has(kName)) return;
    FourierFilter& filter = vit_.filter;
    filter.groups = length(kName, 4, 1);
    const int width = length(kName, 4, 2);
    const int hidden = length(kName, 4, 3);
    if (filter.groups * width != vit_.dim || hidden % width != 0) {
      fail(
          fmt::format("tensor '{}' has {} blocks of {} x {} channels, which do not make the width "
                      "{}",
                      tensors_.inFile(kName), filter.groups, width, hidden, vit_.dim));
    }
    filter.hidden_factor = hidden / width;
    agree(config_.filter_groups, filter.groups);
    agree(config_.filter_factor, filter.hidden_factor);
  }

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
      if (windows.sides[static_cast<std::size_t>(block)] != 0) continue;
      windows.table_height = places(block, "h");
      windows.table_width = places(block, "w");
      break;
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

  const FileTensors& tensors_;
  const ModelConfig& config_;
  std::vector<std::string>& notes_;
  VitConfig vit_;
};

/// "a, b, c, d, e and 7 more"
std::string summary(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  if (names.size() <= kShown) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more", fmt::join(names.begin(), names.begin() + kShown, ", "),
                     names.size() - kShown);
}

void checkNames(const FileTensors& tensors, const std::vector<TensorSpec>& specs) {
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
  std::set<std::string_view> known;
  for (const TensorSpec& spec : specs) {
    known.insert(spec.name);
    if (!tensors.has(spec.name)) missing.push_back(tensors.inFile(spec.name));
  }
  for (const auto& [name, tensor] : tensors.all()) {
    if (!known.contains(name)) unexpected.push_back(printable(tensors.inFile(name), 60));
  }
  if (missing.empty() && unexpected.empty()) return;
  tensors.fail(
      fmt::format("the tensors are not those of this network: {}{}{}",
                  missing.empty() ? "" : fmt::format("missing {}", summary(missing)),
                  missing.empty() || unexpected.empty() ? "" : "; ",
                  unexpected.empty() ? "" : fmt::format("unexpected {}", summary(unexpected))));
}

}  // namespace

VitConfig findArchitecture(const FileTensors& tensors, const ModelConfig& config,
                           const std::optional<InputSize>& input_size,
                           std::vector<std::string>& notes) {
  return Finder(tensors, config, notes).find(input_size);
}

void checkShapes(const FileTensors& tensors, const VitConfig& vit) {
  const std::vector<TensorSpec> specs = networkTensors(vit);
  checkNames(tensors, specs);
  for (const TensorSpec& spec : specs) {
    const at::Tensor tensor = tensors.find(spec.name);
    if (tensor.sizes() != at::IntArrayRef(spec.shape)) {
      tensors.fail(fmt::format("tensor '{}' has shape [{}], expected is [{}]",
                               tensors.inFile(spec.name), fmt::join(tensor.sizes(), ", "),
                               fmt::join(spec.shape, ", ")));
    }
    if (!tensor.is_floating_point()) {
      tensors.fail(fmt::format("tensor '{}' is of type {}, a floating-point type is expected",
                               tensors.inFile(spec.name), at::toString(tensor.scalar_type())));
    }
  }
}

void checkValues(const FileTensors& tensors, const ProgressCallback& progress,
                 const std::stop_token& stop) {
  std::int64_t done = 0;
  for (const auto& [name, tensor] : tensors.all()) {
    throwIfStopped(stop);
    if (!at::isfinite(tensor).all().item<bool>()) {
      tensors.fail(fmt::format("tensor '{}' holds NaN or infinity: the weights are damaged",
                               tensors.inFile(name)));
    }
    ++done;
    if (progress) {
      progress({"checking weights", done, static_cast<std::int64_t>(tensors.all().size())});
    }
  }
}

}  // namespace adamerge
