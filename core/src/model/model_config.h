// SPDX-License-Identifier: GPL-3.0-or-later
// What a model's config files say, whichever library wrote them. Absent fields are decided by the
// tensors or by that library's defaults.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/model_info.h"
#include "model/config_fields.h"
#include "model/preprocessing_config.h"

namespace adamerge {

enum class ConfigFormat { kNone, kTimm, kHuggingFace };

struct ModelConfig {
  ConfigFormat format = ConfigFormat::kNone;
  std::string file;          ///< for messages
  std::string architecture;  ///< timm's `architecture` or Hugging Face's `model_type`

  Field<int> patch_size, channels, dim, depth, heads, mlp_hidden, classes, register_tokens;
  Field<bool> class_token, no_embed_class, pre_norm, qkv_bias, qk_norm, layer_scale, fc_norm;
  Field<bool> final_norm;
  Field<InputSize> trained_size;  ///< the position embedding's
  Field<InputSize> input_size;
  Field<double> norm_epsilon;
  Field<Activation> activation;
  Field<Pooling> pooling;
  std::vector<std::string> labels;  ///< empty: none named
  PreprocessingConfig preprocessing;
  std::vector<std::string> notes;
};

/// `config` and `preprocessor` may be empty paths: no such file. Throws Error: broken JSON, neither
/// timm's nor Hugging Face's, an architecture that cannot run here, values out of range.
ModelConfig readModelConfig(const std::filesystem::path& config,
                            const std::filesystem::path& preprocessor);

ModelConfig readTimmConfig(const ConfigFields& config);
/// `preprocessor`: the fields of preprocessor_config.json, empty where there is none.
ModelConfig readHuggingFaceConfig(const ConfigFields& config, const ConfigFields& preprocessor);

/// {"0": "cat", ...} in the order of the numbers; empty where the keys are not 0, 1, 2, ...
std::vector<std::string> numberedLabels(const ConfigFields& table);

/// "gelu", "gelu_tanh", "quick_gelu" and their other spellings.
Field<Activation> activationField(const ConfigFields& fields, std::string_view key);

}  // namespace adamerge
