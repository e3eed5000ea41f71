// SPDX-License-Identifier: GPL-3.0-or-later
// ViT, DeiT and ViTMAE of transformers 4 and 5.
#include <fmt/format.h>

#include <array>

#include "model/family.h"
#include "support/text.h"

namespace adamerge {
namespace hf_vit {

constexpr std::array<std::string_view, 3> kPrefixes{"", "vit.", "deit."};

std::string recognises(const FileTensors& tensors) {
  const auto patches = firstBelow(tensors, kPrefixes, kHuggingFacePatches);
  if (!patches) return {};
  const std::string& base = patches->prefix;
  const bool others =
      !tensors.first(base + "encoder.layer.*.norm1").empty() || hasKeysWithoutBias(tensors, base);
  return tensors.has(base + "embeddings.cls_token") && !others ? patches->name : "";
}

ModelConfig open(const ConfigFiles& files, FileTensors& tensors) {
  tensors.drop("decoder");
  removeModelPrefix(tensors, kPrefixes, kHuggingFacePatches);
  tensors.rename(huggingFaceVitNames());
  tensors.drop("mask_token");
  ModelConfig config;
  const ConfigFields fields = files.fields();
  readHuggingFaceFields(fields, config);
  if ((config.architecture == "deit") != tensors.has("dist_token")) {
    fields.fail("model_type", fmt::format("is '{}', but the tensors have {} distillation token",
                                          printable(config.architecture, 60),
                                          tensors.has("dist_token") ? "a" : "no"));
  }
  config.classes = fields.count("num_labels");
  if (const auto bias = fields.flag("qkv_bias")) config.qkv_bias = bias;
  if (!config.norm_epsilon) config.norm_epsilon.value = 1e-12;
  if (tensors.has("head.weight")) {
    tensors.drop("projection");  // a classifier takes the token itself
  } else if (tensors.has("projection.weight")) {
    config.base.projection_tanh = true;
    const Field<std::string> act = fields.text("pooler_act");
    if (act && *act != "tanh") fields.fail("pooler_act", "is not 'tanh', which alone can run here");
    config.projection = fields.count("pooler_output_size");
  }
  config.base.resampling = Resampling::kBicubic;
  constexpr std::array<std::string_view, 5> kDecoder{
      "decoder_hidden_size", "decoder_intermediate_size", "decoder_num_attention_heads",
      "decoder_num_hidden_layers", "image_mean"};
  for (const std::string_view key : kDecoder) static_cast<void>(fields.find(key));
  static_cast<void>(fields.find("pooler_act"));
  static_cast<void>(fields.find("pooler_output_size"));
  fields.refuseUnknown(huggingFaceIgnored());
  return config;
}

}  // namespace hf_vit

Family hfVitFamily() {
  return {"ViT, DeiT or ViTMAE (transformers)",
          ConfigFormat::kHuggingFace,
          {"vit", "deit", "vit_mae"},
          hf_vit::recognises,
          hf_vit::open};
}

}  // namespace adamerge
