// SPDX-License-Identifier: GPL-3.0-or-later
// DINOv2, with registers and without, of transformers 4 and 5.
#include <array>
#include <cmath>

#include "model/family.h"

namespace adamerge {
namespace hf_dinov2 {

constexpr std::array<std::string_view, 3> kPrefixes{"", "dinov2.", "dinov2_with_registers."};

std::string recognises(const FileTensors& tensors) {
  const auto patches = firstBelow(tensors, kPrefixes, kHuggingFacePatches);
  if (!patches) return {};
  const std::string& base = patches->prefix;
  return tensors.first(base + "encoder.layer.*.norm1").empty() ? "" : patches->name;
}

/// The width of giant's MLP, which no field holds.
void readMlpWidth(const ConfigFields& fields, ModelConfig& config) {
  const Field<double> ratio = fields.number("mlp_ratio");
  if (config.mlp_hidden || !ratio || !config.dim) return;
  const double hidden = *config.dim * *ratio;
  if (!(hidden >= 1 && hidden <= 1e6)) fields.fail("mlp_ratio", "makes no usable width");
  int width = static_cast<int>(hidden);
  if (config.gated_mlp.value.value_or(false)) width = (width * 2 / 3 + 7) / 8 * 8;
  config.mlp_hidden = {width, "hidden_size x mlp_ratio"};
}

ModelConfig open(const ConfigFiles& files, FileTensors& tensors) {
  removeModelPrefix(tensors, kPrefixes, kHuggingFacePatches);
  tensors.rename(huggingFaceVitNames());
  tensors.drop("mask_token");
  dropNoRegisters(tensors);
  ModelConfig config;
  const ConfigFields fields = files.fields();
  readHuggingFaceFields(fields, config);
  const bool registers = config.architecture == "dinov2_with_registers";
  const bool wanted = registers && fields.count("num_register_tokens").value.value_or(4) > 0;
  if (wanted != tensors.has("reg_token")) {
    fields.fail("model_type", registers ? "is 'dinov2_with_registers', but the tensors have none"
                                        : "is 'dinov2', but the tensors have registers");
  }
  config.classes = fields.count("num_labels");
  if (const auto bias = fields.flag("qkv_bias")) config.qkv_bias = bias;
  if (!config.norm_epsilon) config.norm_epsilon.value = 1e-6;
  config.gated_mlp = fields.flag("use_swiglu_ffn");
  if (config.gated_mlp.value.value_or(false)) {
    config.activation.value = Activation::kSilu;  // hidden_act has no say there
  }
  readMlpWidth(fields, config);
  if (registers) config.register_tokens = fields.count("num_register_tokens");
  config.base.resampling = registers ? Resampling::kBicubicAntialiased : Resampling::kBicubic;
  if (tensors.has("reg_token")) foldClassPosition(tensors);
  fields.refuseUnknown(huggingFaceIgnored());
  return config;
}

}  // namespace hf_dinov2

Family hfDinov2Family() {
  return {"DINOv2 (transformers)",
          ConfigFormat::kHuggingFace,
          {"dinov2", "dinov2_with_registers"},
          hf_dinov2::recognises,
          hf_dinov2::open};
}

}  // namespace adamerge
