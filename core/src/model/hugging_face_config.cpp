// SPDX-License-Identifier: GPL-3.0-or-later
// Hugging Face's config.json and preprocessor_config.json.
#include <fmt/format.h>

#include "model/model_config.h"
#include "weights/json_text.h"

namespace adamerge {
namespace {

constexpr std::string_view kDinov2 = "dinov2";
constexpr std::string_view kDinov2WithRegisters = "dinov2_with_registers";

void checkModelType(const ConfigFields& fields, const std::string& type) {
  if (type != "vit" && type != "deit" && type != kDinov2 && type != kDinov2WithRegisters) {
    fields.fail("model_type",
                fmt::format("is '{}'; vit, deit, dinov2 and dinov2_with_registers can run here",
                            printable(type, 60)));
  }
}

void readMlpWidth(const ConfigFields& fields, ModelConfig& config) {
  config.mlp_hidden = fields.count("intermediate_size");
  const Field<double> ratio = fields.number("mlp_ratio");
  if (config.mlp_hidden || !ratio || !config.dim) return;
  const double hidden = *config.dim * *ratio;
  if (!(hidden >= 1 && hidden <= 1e6)) fields.fail("mlp_ratio", "makes no usable width");
  config.mlp_hidden = {static_cast<int>(hidden), "hidden_size x mlp_ratio"};
}

}  // namespace

ModelConfig readHuggingFaceConfig(const ConfigFields& fields, const ConfigFields& preprocessor) {
  ModelConfig config;
  config.format = ConfigFormat::kHuggingFace;
  config.file = fields.file();
  config.architecture = *fields.text("model_type");
  checkModelType(fields, config.architecture);
  const bool dinov2 = config.architecture.starts_with(kDinov2);
  if (fields.flag("use_swiglu_ffn").value.value_or(false)) {
    fields.fail("use_swiglu_ffn", "is true: networks with SwiGLU cannot run here");
  }

  config.patch_size = fields.count("patch_size");
  config.channels = fields.count("num_channels");
  config.dim = fields.count("hidden_size");
  config.depth = fields.count("num_hidden_layers");
  config.classes = fields.count("num_labels");
  config.heads = fields.count("num_attention_heads");
  config.qkv_bias = fields.flag("qkv_bias");
  config.trained_size = fields.size("image_size");
  config.norm_epsilon = fields.number("layer_norm_eps");
  if (!config.norm_epsilon) config.norm_epsilon.value = dinov2 ? 1e-6 : 1e-12;
  config.activation = activationField(fields, "hidden_act");
  if (config.architecture == kDinov2WithRegisters) {
    config.register_tokens = fields.count("num_register_tokens");
  }
  readMlpWidth(fields, config);
  config.labels = numberedLabels(fields.below("id2label"));
  config.preprocessing = readHuggingFacePreprocessing(preprocessor, config.architecture);
  config.input_size = {config.preprocessing.crop, "size"};
  return config;
}

}  // namespace adamerge
