// SPDX-License-Identifier: GPL-3.0-or-later
// BEiT and data2vec-vision of transformers 4 and 5.
#include <array>

#include "model/family.h"

namespace adamerge {
namespace hf_beit {

constexpr std::array<std::string_view, 3> kPrefixes{"", "beit.", "data2vec_vision."};

std::string recognises(const FileTensors& tensors) {
  const auto patches = firstBelow(tensors, kPrefixes, kHuggingFacePatches);
  if (!patches) return {};
  return hasKeysWithoutBias(tensors, patches->prefix) ? patches->name : "";
}

ModelConfig open(const ConfigFiles& files, FileTensors& tensors) {
  removeModelPrefix(tensors, kPrefixes, kHuggingFacePatches);
  tensors.rename(huggingFaceVitNames());
  // Masked image modeling has a norm besides that its config does not tell of.
  const bool pretraining = tensors.has("lm_head.weight");
  for (const std::string_view unused :
       {"mask_token", "lm_head", "relative_position_index",
        "encoder.relative_position_bias.relative_position_index",
        "encoder.layer.*.attention.attention.relative_position_bias.relative_position_index",
        "layers.*.relative_position_bias.relative_position_index",
        "shared_position_bias.relative_position_index"}) {
    tensors.drop(unused);
  }
  ModelConfig config;
  const ConfigFields fields = files.fields();
  readHuggingFaceFields(fields, config);
  config.classes = fields.count("num_labels");
  if (!config.norm_epsilon) config.norm_epsilon.value = 1e-12;
  const auto flag = [&fields](const char* key) {
    return Field<bool>{fields.flag(key).value.value_or(false), fields.name(key)};
  };
  config.position_table = flag("use_absolute_position_embeddings");
  config.block_bias = flag("use_relative_position_bias");
  config.shared_bias = flag("use_shared_relative_position_bias");
  if (const Field<double> scale = fields.number("layer_scale_init_value")) {
    config.layer_scale = {*scale > 0, scale.key + " > 0"};
  }
  // Without its tensors only the config can tell: the mean is pooled unless it says otherwise.
  const Field<bool> mean = fields.flag("use_mean_pooling");
  const bool normed_mean = tensors.has("fc_norm.weight");
  if (mean && *mean != normed_mean && (normed_mean || tensors.has("head.weight"))) {
    fields.fail("use_mean_pooling", normed_mean
                                        ? "is false, but the tensors have a 'pooler.layernorm'"
                                        : "is true, but the tensors have no 'pooler.layernorm'");
  }
  if (mean && *mean && tensors.has("norm.weight") && !pretraining) {
    fields.fail("use_mean_pooling",
                "is true, but the tensors have a 'layernorm', which goes with the class token");
  }
  const bool average = normed_mean || (mean.value.value_or(true) && !tensors.has("norm.weight"));
  config.pooling = {average ? Pooling::kAverage : Pooling::kToken, mean.key};
  config.final_norm = {!average, mean.key};
  config.base.resampling = Resampling::kBicubic;
  config.base.relative_bias.geometric = false;
  config.key_bias = false;
  fields.refuseUnknown(huggingFaceIgnored());
  return config;
}

}  // namespace hf_beit

Family hfBeitFamily() {
  return {"BEiT or data2vec (transformers)",
          ConfigFormat::kHuggingFace,
          {"beit", "data2vec-vision"},
          hf_beit::recognises,
          hf_beit::open};
}

}  // namespace adamerge
