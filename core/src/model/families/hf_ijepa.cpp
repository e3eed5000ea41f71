// SPDX-License-Identifier: GPL-3.0-or-later
// I-JEPA of transformers 4 and 5: a ViT without class token, of which the mean is taken.
#include <array>

#include "model/family.h"

namespace adamerge {
namespace hf_ijepa {

constexpr std::array<std::string_view, 2> kPrefixes{"", "ijepa."};

std::string recognises(const FileTensors& tensors) {
  const auto patches = firstBelow(tensors, kPrefixes, kHuggingFacePatches);
  if (!patches) return {};
  const std::string& base = patches->prefix;
  return tensors.has(base + "embeddings.cls_token") ? "" : patches->name;
}

ModelConfig open(const ConfigFiles& files, FileTensors& tensors) {
  removeModelPrefix(tensors, kPrefixes, kHuggingFacePatches);
  tensors.rename(huggingFaceVitNames());
  tensors.drop("mask_token");
  tensors.drop("projection");  // a pooler of the first patch, which nobody trained
  ModelConfig config;
  const ConfigFields fields = files.fields();
  readHuggingFaceFields(fields, config);
  config.classes = fields.count("num_labels");
  if (const auto bias = fields.flag("qkv_bias")) config.qkv_bias = bias;
  if (!config.norm_epsilon) config.norm_epsilon.value = 1e-12;
  config.class_token.value = false;
  config.base.resampling = Resampling::kBicubic;
  config.pooling = {Pooling::kAverage, "model_type"};
  for (const char* key : {"pooler_act", "pooler_output_size"}) static_cast<void>(fields.find(key));
  fields.refuseUnknown(huggingFaceIgnored());
  return config;
}

}  // namespace hf_ijepa

Family hfIjepaFamily() {
  return {"I-JEPA (transformers)",
          ConfigFormat::kHuggingFace,
          {"ijepa"},
          hf_ijepa::recognises,
          hf_ijepa::open};
}

}  // namespace adamerge
