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
#include "support/text.h"

namespace adamerge {
namespace {

class Finder : private TensorReader {
 public:
  Finder(const FileTensors& tensors, const ModelConfig& config, std::vector<std::string>& notes)
      : TensorReader(tensors, config), notes_(notes), vit_(config.base) {}

  VitConfig find(const std::optional<InputSize>& input_size) {
    readPatches();
    readTokens();
    readBlocks();
    readHeads();
    readNormsAndHead();
    readFilter();
    readPositions(*this, input_size, vit_, notes_);
    return vit_;
  }

 private:
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
    // Without any head timm takes both tokens, transformers the class token.
    vit_.mean_of_tokens = vit_.two_heads || (vit_.distillation_token && !head &&
                                             config_.format != ConfigFormat::kHuggingFace);
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

  std::vector<std::string>& notes_;
  VitConfig vit_;
};

}  // namespace

int TensorReader::length(const std::string& name, std::int64_t axes, std::int64_t axis) const {
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

void TensorReader::agree(const Field<bool>& field, bool found, const std::string& tensor) const {
  if (!field || *field == found) return;
  const std::string problem =
      fmt::format("{} is {}, but tensor '{}' is {}", field.key, *field,
                  printable(tensors_.inFile(tensor), 80), found ? "there" : "missing");
  if (config_.file.empty()) fail(fmt::format("in this family {}", problem));
  throw Error(fmt::format("{}: {} in {}", config_.file, problem, tensors_.file()));
}

VitConfig findArchitecture(const FileTensors& tensors, const ModelConfig& config,
                           const std::optional<InputSize>& input_size,
                           std::vector<std::string>& notes) {
  return Finder(tensors, config, notes).find(input_size);
}

}  // namespace adamerge
