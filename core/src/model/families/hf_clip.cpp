// SPDX-License-Identifier: GPL-3.0-or-later
// The image towers of CLIP and SigLIP in transformers.
#include <fmt/format.h>

#include <array>

#include "model/family.h"
#include "support/text.h"

namespace adamerge {
namespace hf_clip {

constexpr std::array<std::string_view, 2> kPrefixes{"", "vision_model."};
constexpr std::string_view kPatches = "embeddings.patch_embedding.weight";

constexpr std::array<Renaming, 19> kNames{{
    {"embeddings.class_embedding", "cls_token"},
    {"embeddings.patch_embedding", "patch_embed.proj"},
    {"embeddings.position_embedding.weight", "pos_embed"},
    {"pre_layrnorm", "norm_pre"},
    {"encoder.layers.*.layer_norm1", "blocks.*.norm1"},
    {"encoder.layers.*.layer_norm2", "blocks.*.norm2"},
    {"encoder.layers.*.self_attn.q_proj", "blocks.*.attn.q_proj"},
    {"encoder.layers.*.self_attn.k_proj", "blocks.*.attn.k_proj"},
    {"encoder.layers.*.self_attn.v_proj", "blocks.*.attn.v_proj"},
    {"encoder.layers.*.self_attn.out_proj", "blocks.*.attn.proj"},
    {"encoder.layers.*.mlp", "blocks.*.mlp"},
    {"post_layernorm", "norm"},
    {"visual_projection", "projection"},
    {"classifier", "classifier"},
    {"head.probe", "attn_pool.latent"},
    {"head.attention.out_proj", "attn_pool.proj"},
    {"head.layernorm", "attn_pool.norm"},
    {"head.mlp", "attn_pool.mlp"},
    {"head.attention", "attn_pool.in"},
}};

std::string findTower(const FileTensors& tensors, bool class_token) {
  const auto patches = firstBelow(tensors, kPrefixes, kPatches);
  if (!patches) return {};
  const std::string& base = patches->prefix;
  const bool fits = tensors.has(base + "embeddings.position_embedding.weight") &&
                    tensors.has(base + "embeddings.class_embedding") == class_token;
  return fits ? patches->name : "";
}
std::string findClip(const FileTensors& tensors) { return findTower(tensors, true); }
std::string findSiglip(const FileTensors& tensors) { return findTower(tensors, false); }

/// Leaves the image tower under the names of model/network.h; the classifier is called "head".
void renameTower(FileTensors& tensors) {
  for (const std::string_view other :
       {"text_model", "text_projection", "logit_scale", "logit_bias"}) {
    tensors.drop(other);
  }
  removeModelPrefix(tensors, kPrefixes, kPatches);
  tensors.drop("embeddings.position_ids");
  tensors.rename(kNames);
  constexpr std::array<Renaming, 1> kHead{{{"classifier", "head"}}};
  tensors.rename(kHead);
  addBatchToClipTokens(tensors);
}

/// The tower's fields lie below `vision_config`, or at the root of a config of the tower alone.
/// `own` reads what only this family has.
template <class Own>
ModelConfig readTower(const ConfigFiles& files, Own&& own) {
  const ConfigFields root = files.fields();
  ModelConfig config;
  const std::string type = *root.text("model_type");
  const bool nested = !type.ends_with("_vision_model");
  // Older files carry both; the second one wins.
  const char* key = root.has("vision_config_dict") ? "vision_config_dict" : "vision_config";
  if (nested && !root.has(key)) {
    root.fail("model_type", fmt::format("is '{0}', but there is no vision_config; a tower alone is "
                                        "of model_type {0}_vision_model",
                                        type));
  }
  const ConfigFields fields = nested ? root.below(key) : root;
  if (const Field<std::string> tower = fields.text("model_type");
      nested && tower && *tower != type + "_vision_model") {
    fields.fail("model_type", fmt::format("is '{}' below a model_type of '{}'; {}_vision_model is "
                                          "expected",
                                          printable(*tower, 40), type, type));
  }
  readHuggingFaceFields(fields, config);
  config.architecture = type;
  // A whole model's own value counts, which stands at the root.
  config.projection = root.count("projection_dim");
  static_cast<void>(fields.find("projection_dim"));
  config.classes = root.count("num_labels");
  own(fields);
  fields.refuseUnknown(huggingFaceIgnored());
  if (nested) {
    for (const char* other : {"text_config", "text_config_dict", "vision_config"}) {
      static_cast<void>(root.find(other));
    }
    root.refuseUnknown(huggingFaceIgnored());
  }
  return config;
}

ModelConfig openClip(const ConfigFiles& files, FileTensors& tensors) {
  renameTower(tensors);
  ModelConfig config = readTower(files, [](const ConfigFields&) {});
  if (!config.norm_epsilon) config.norm_epsilon.value = 1e-5;
  if (!config.activation) config.activation.value = Activation::kQuickGelu;
  config.base.resampling = Resampling::kBicubic;
  config.pooling = {Pooling::kToken, "model_type"};
  config.patch_bias.value = false;
  config.pre_norm = {true, "model_type"};
  if (tensors.has("head.weight")) {
    // CLIPForImageClassification takes the mean of the patches, without the last norm.
    tensors.drop("norm");
    tensors.drop("projection");
    config.final_norm = {false, "model_type"};
    config.pooling.value = Pooling::kAverage;
  }
  if (!tensors.has("projection.weight")) {
    // The image tower alone, and the one with a classifier, have none.
    if (config.architecture == "clip" && !tensors.has("head.weight")) {
      tensors.fail(fmt::format("tensor '{}' is missing", tensors.inFile("projection.weight")));
    }
    config.projection = {};
  }
  return config;
}

ModelConfig openSiglip(const ConfigFiles& files, FileTensors& tensors) {
  renameTower(tensors);
  const bool pools = tensors.has("attn_pool.latent");
  ModelConfig config = readTower(files, [pools](const ConfigFields& fields) {
    if (const Field<bool> head = fields.flag("vision_use_head"); head && *head != pools) {
      fields.fail("vision_use_head", pools ? "is false, but the tensors have a pooling head"
                                           : "is true, but the tensors have no pooling head");
    }
  });
  config.projection = {};
  config.class_token.value = false;
  if (!config.norm_epsilon) config.norm_epsilon.value = 1e-6;
  if (!config.activation) config.activation.value = Activation::kGeluTanh;
  config.base.resampling = Resampling::kBicubic;
  if (tensors.has("head.weight") || !pools) {
    tensors.drop("attn_pool");
    config.pooling = {Pooling::kAverage, "model_type"};
    if (!tensors.has("head.weight")) {
      config.notes.emplace_back(
          "The model has no pooling head: the mean of its patches is taken as the embedding.");
    }
    return config;
  }
  config.pooling = {Pooling::kAttention, "model_type"};
  config.base.attention_pool.heads = *config.heads;
  for (const char* end : {"weight", "bias"}) {
    const std::string name = fmt::format("attn_pool.in.in_proj_{}", end);
    const std::string original = tensors.inFile(name);
    const at::Tensor all = tensors.take(name);
    if (!all.defined() || all.dim() == 0 || all.size(0) % 3 != 0) {
      tensors.fail(fmt::format("tensor '{}' is missing or has no three parts", original));
    }
    const std::int64_t width = all.size(0) / 3;
    tensors.set(fmt::format("attn_pool.q.{}", end), all.narrow(0, 0, width), original);
    tensors.set(fmt::format("attn_pool.kv.{}", end), all.narrow(0, width, 2 * width), original);
  }
  return config;
}

}  // namespace hf_clip

Family hfClipFamily() {
  return {"CLIP (transformers)",
          ConfigFormat::kHuggingFace,
          {"clip", "clip_vision_model"},
          hf_clip::findClip,
          hf_clip::openClip};
}

Family hfSiglipFamily() {
  return {"SigLIP (transformers)",
          ConfigFormat::kHuggingFace,
          {"siglip", "siglip_vision_model"},
          hf_clip::findSiglip,
          hf_clip::openSiglip};
}

}  // namespace adamerge
