// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "adamerge/error.h"
#include "model/tensor_names.h"
#include "support/text.h"

namespace adamerge {
namespace {

using Renaming = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kPatchEmbedding = "embeddings.patch_embeddings.projection.weight";
constexpr std::string_view kLayers = "encoder.layer.";
constexpr std::array<std::string_view, 4> kPrefixes{"vit.", "deit.", "dinov2.",
                                                    "dinov2_with_registers."};

constexpr std::array<Renaming, 15> kOutside{{
    {"embeddings.cls_token", "cls_token"},
    {"embeddings.distillation_token", "dist_token"},
    {"embeddings.register_tokens", "register_tokens"},
    {"embeddings.mask_token", "mask_token"},
    {"embeddings.position_embeddings", "pos_embed"},
    {kPatchEmbedding, "patch_embed.proj.weight"},
    {"embeddings.patch_embeddings.projection.bias", "patch_embed.proj.bias"},
    {"layernorm.weight", "norm.weight"},
    {"layernorm.bias", "norm.bias"},
    {"classifier.weight", "head.weight"},
    {"classifier.bias", "head.bias"},
    {"cls_classifier.weight", "head.weight"},
    {"cls_classifier.bias", "head.bias"},
    {"distillation_classifier.weight", "head_dist.weight"},
    {"distillation_classifier.bias", "head_dist.bias"},
}};

/// Within a layer, before ".weight" or ".bias" where the name ends so.
constexpr std::array<Renaming, 12> kInside{{
    {"attention.attention.query", "attn.query"},
    {"attention.attention.key", "attn.key"},
    {"attention.attention.value", "attn.value"},
    {"attention.output.dense", "attn.proj"},
    {"intermediate.dense", "mlp.fc1"},
    {"output.dense", "mlp.fc2"},
    {"layernorm_before", "norm1"},
    {"layernorm_after", "norm2"},
    {"norm1", "norm1"},
    {"norm2", "norm2"},
    {"mlp.fc1", "mlp.fc1"},
    {"mlp.fc2", "mlp.fc2"},
}};

/// The prefix before `kPatchEmbedding`, where it is a known one.
const std::string_view* findPrefix(const StateDict& tensors) {
  static constexpr std::string_view kNone;
  if (tensors.contains(kPatchEmbedding)) return &kNone;
  for (const std::string_view& prefix : kPrefixes) {
    if (tensors.contains(std::string(prefix).append(kPatchEmbedding))) return &prefix;
  }
  return nullptr;
}

/// "3.layernorm_before.weight" -> "blocks.3.norm1.weight"; empty where unknown.
std::string insideName(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view index = name.substr(0, dot);
  const std::string_view rest = name.substr(dot + 1);
  if (rest == "layer_scale1.lambda1") return fmt::format("blocks.{}.ls1.gamma", index);
  if (rest == "layer_scale2.lambda1") return fmt::format("blocks.{}.ls2.gamma", index);
  for (const std::string_view end : {".weight", ".bias"}) {
    if (!rest.ends_with(end)) continue;
    const std::string_view part = rest.substr(0, rest.size() - end.size());
    for (const auto& [from, to] : kInside) {
      if (part == from) return fmt::format("blocks.{}.{}{}", index, to, end);
    }
  }
  return {};
}

std::string timmName(std::string_view name) {
  if (name.starts_with(kLayers)) return insideName(name.substr(kLayers.size()));
  for (const auto& [from, to] : kOutside) {
    if (name == from) return std::string(to);
  }
  return name.starts_with("pooler.") ? std::string(name) : std::string();
}

/// One of a block's three projections, under the temporary name insideName gives them.
at::Tensor takePart(StateDict& tensors, const std::string& block, std::string_view part,
                    std::string_view end) {
  auto node = tensors.extract(fmt::format("{}.{}{}", block, part, end));
  return node.empty() ? at::Tensor() : std::move(node.mapped());
}

void joinProjections(StateDict& tensors, const std::string& block, std::string_view end,
                     const std::string& file) {
  std::vector<at::Tensor> parts;
  std::string found;
  for (const std::string_view part : {"query", "key", "value"}) {
    at::Tensor tensor = takePart(tensors, block, part, end);
    if (!tensor.defined()) continue;
    found += fmt::format("{}{}", found.empty() ? "" : ", ", part);
    parts.push_back(std::move(tensor));
  }
  if (parts.empty()) return;
  constexpr std::size_t kParts = 3;
  if (parts.size() != kParts) {
    throw Error(fmt::format("{}: of {}'s query, key and value only {} has '{}'", file, block, found,
                            end.substr(1)));
  }
  for (const at::Tensor& part : parts) {
    if (part.dim() == 0 || part.sizes() != parts[0].sizes() ||
        part.scalar_type() != parts[0].scalar_type()) {
      throw Error(fmt::format("{}: {}'s query, key and value differ in shape or type ('{}')", file,
                              block, end.substr(1)));
    }
  }
  tensors.emplace(fmt::format("{}.qkv{}", block, end), at::cat(parts));
}

}  // namespace

bool hasHuggingFaceNames(const StateDict& tensors) { return findPrefix(tensors) != nullptr; }

StateDict renameHuggingFace(StateDict tensors, const std::string& file) {
  const std::string_view prefix = *findPrefix(tensors);
  StateDict renamed;
  std::set<std::string> blocks;
  while (!tensors.empty()) {
    auto node = tensors.extract(tensors.begin());
    const std::string original = node.key();
    std::string_view name = original;
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    std::string timm = timmName(name);
    if (timm.empty()) timm = original;
    if (const std::size_t end = timm.find(".attn.query"); end != std::string::npos) {
      blocks.insert(timm.substr(0, end) + ".attn");
    }
    node.key() = std::move(timm);
    const auto inserted = renamed.insert(std::move(node));
    if (!inserted.inserted) {
      throw Error(fmt::format("{}: two tensors take the place of '{}', one is '{}'", file,
                              printable(inserted.position->first), printable(original)));
    }
  }
  for (const std::string& block : blocks) {
    for (const std::string_view end : {".weight", ".bias"}) {
      joinProjections(renamed, block, end, file);
    }
  }
  return renamed;
}

}  // namespace adamerge
