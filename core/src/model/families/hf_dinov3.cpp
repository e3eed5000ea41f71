// SPDX-License-Identifier: GPL-3.0-or-later
// DINOv3's ViTs of transformers.
#include <fmt/format.h>

#include <array>

#include "model/family.h"

namespace adamerge {
namespace hf_dinov3 {

constexpr std::array<Renaming, 17> kNames{{
    {"embeddings.cls_token", "cls_token"},
    {"embeddings.mask_token", "mask_token"},
    {"embeddings.register_tokens", "reg_token"},
    {"embeddings.patch_embeddings", "patch_embed.proj"},
    {"layer.*.norm1", "blocks.*.norm1"},
    {"layer.*.norm2", "blocks.*.norm2"},
    {"layer.*.attention.q_proj", "blocks.*.attn.q_proj"},
    {"layer.*.attention.k_proj", "blocks.*.attn.k_proj"},
    {"layer.*.attention.v_proj", "blocks.*.attn.v_proj"},
    {"layer.*.attention.o_proj", "blocks.*.attn.proj"},
    {"layer.*.layer_scale1.lambda1", "blocks.*.ls1.gamma"},
    {"layer.*.layer_scale2.lambda1", "blocks.*.ls2.gamma"},
    {"layer.*.mlp.gate_proj", "blocks.*.mlp.fc1_g"},
    {"layer.*.mlp.up_proj", "blocks.*.mlp.up"},
    {"layer.*.mlp.down_proj", "blocks.*.mlp.fc2"},
    {"rope_embeddings", "rope_embeddings"},
    {"norm", "norm"},
}};

std::string recognises(const FileTensors& tensors) {
  constexpr const char* kPatches = "embeddings.patch_embeddings.weight";
  return tensors.has(kPatches) && tensors.has("embeddings.cls_token") ? kPatches : "";
}

/// Only the tensors of a class's first block are asked: the others must be as that.
void compareBias(const ConfigFields& fields, const char* key, const FileTensors& tensors,
                 const char* layer) {
  const Field<bool> bias = fields.flag(key);
  const std::string name = std::string("blocks.0.") + layer + ".bias";
  if (!bias || *bias == tensors.has(name)) return;
  fields.fail(key, fmt::format("is {}, but {} has {}'{}'", *bias, tensors.file(),
                               *bias ? "no " : "", tensors.inFile(name)));
}

/// Queries, keys and values have biases each for themselves: where one kind has them, those of a
/// kind that has none anywhere are zero.
void completeBiases(FileTensors& tensors) {
  const auto any = [&tensors](const char* layer) {
    return !tensors.first(fmt::format("blocks.*.attn.{}_proj.bias", layer)).empty();
  };
  if (!any("q") && !any("k") && !any("v")) return;
  for (const char* layer : {"q", "v"}) {
    if (any(layer)) continue;
    for (int block = 0;; ++block) {
      const std::string name = fmt::format("blocks.{}.attn.{}_proj.", block, layer);
      const at::Tensor weight = tensors.find(name + "weight");
      if (!weight.defined() || weight.dim() != 2) break;
      tensors.set(name + "bias", at::zeros({weight.size(0)}, weight.options()),
                  tensors.inFile(name + "weight"));
    }
  }
}

ModelConfig open(const ConfigFiles& files, FileTensors& tensors) {
  constexpr std::array<Renaming, 1> kModel{{{"model.layer.*", "layer.*"}}};
  tensors.rename(kModel);
  tensors.rename(kNames);
  const bool gated = !tensors.first("blocks.*.mlp.fc1_g").empty();
  const std::array<Renaming, 1> up{
      {{"blocks.*.mlp.up", gated ? "blocks.*.mlp.fc1_x" : "blocks.*.mlp.fc1"}}};
  tensors.rename(up);
  tensors.drop("mask_token");
  dropNoRegisters(tensors);
  tensors.drop("rope_embeddings");

  ModelConfig config;
  const ConfigFields fields = files.fields();
  readHuggingFaceFields(fields, config, /*usual_heads=*/6);
  if (!config.norm_epsilon) config.norm_epsilon.value = 1e-5;
  config.register_tokens = fields.count("num_register_tokens");
  config.gated_mlp = fields.flag("use_gated_mlp");
  if (!config.gated_mlp) config.gated_mlp = fields.flag("use_swiglu_ffn");
  compareBias(fields, "query_bias", tensors, "attn.q_proj");
  compareBias(fields, "key_bias", tensors, "attn.k_proj");
  compareBias(fields, "value_bias", tensors, "attn.v_proj");
  compareBias(fields, "mlp_bias", tensors, gated ? "mlp.fc1_g" : "mlp.fc1");
  completeBiases(tensors);
  config.proj_bias = fields.flag("proj_bias");
  config.key_bias = false;
  config.qkv_bias = {};
  config.base.rotary.form = Rotary::Form::kDinov3;
  config.base.rotary.temperature = fields.number("rope_theta").value.value_or(100);
  config.base.rotary.halves = true;
  if (!(config.base.rotary.temperature > 0)) fields.fail("rope_theta", "is not positive");
  config.position_table = {false, "model_type"};
  // `image_size` has no part in the positions, only in the pictures.
  config.input_size = config.trained_size;
  config.trained_size = {};
  constexpr std::array<std::string_view, 5> kTraining{"pos_embed_shift", "pos_embed_jitter",
                                                      "pos_embed_rescale", "return_class_token",
                                                      "apply_layernorm"};
  for (const std::string_view key : kTraining) static_cast<void>(fields.find(key));
  fields.refuseUnknown(huggingFaceIgnored());
  return config;
}

}  // namespace hf_dinov3

Family hfDinov3Family() {
  return {"DINOv3 (transformers)",
          ConfigFormat::kHuggingFace,
          {"dinov3_vit"},
          hf_dinov3::recognises,
          hf_dinov3::open};
}

}  // namespace adamerge
