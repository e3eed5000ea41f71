// SPDX-License-Identifier: GPL-3.0-or-later
// The files of a model, and what its configs say, whichever library wrote them. Absent fields are
// decided by the tensors or by that library's defaults.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/model_info.h"
#include "model/preprocessing_config.h"

namespace adamerge {

struct ModelFiles {
  std::filesystem::path weights;
  std::filesystem::path config;        ///< config.json or open_clip_config.json; empty: none
  std::filesystem::path preprocessor;  ///< empty: none
  std::vector<std::string> notes;      ///< which of several weight files was taken
};

/// Of a model folder or a weight file, or of a config whose folder is meant. In a folder the names
/// of Hugging Face, timm and open_clip come first, safetensors before `.bin`; else its only weight
/// file, whatever its name. Throws Error: missing, unreadable, no weights in the folder (with what
/// is there instead), or several files that could be meant.
ModelFiles findModelFiles(const std::filesystem::path& path);

/// With the configs beside a weight file, which itself need not be there.
ModelFiles filesBeside(std::filesystem::path weights);

/// By its name: it has an ending of weight files and is none of what a Trainer leaves beside them.
bool mayBeWeights(std::string_view file_name);

/// Whether a weight file's name says nothing of the network, so that its folder's must.
bool isUsualWeightName(const std::string& file_name);

/// What weight files, or the indexes of their shards, are usually called; the first found is taken.
std::span<const std::string_view> weightFileNames();

enum class ConfigFormat { kNone, kTimm, kHuggingFace, kOpenClip };

/// The config files beside the weights; an empty object where there is none.
struct ConfigFiles {
  nlohmann::json config = nlohmann::json::object();            ///< config.json
  nlohmann::json preprocessor = nlohmann::json::object();      ///< preprocessor_config.json
  nlohmann::json open_clip = nlohmann::json::object();         ///< open_clip_config.json
  std::string config_file, preprocessor_file, open_clip_file;  ///< empty: none

  ConfigFormat format() const;
  ConfigFields fields() const { return {&config, config_file}; }
  ConfigFields preprocessorFields() const { return {&preprocessor, preprocessor_file}; }
  ConfigFields openClipFields() const { return {&open_clip, open_clip_file}; }
};

struct ModelConfig {
  ConfigFormat format = ConfigFormat::kNone;
  std::string file;          ///< for messages
  std::string architecture;  ///< timm's `architecture` or Hugging Face's `model_type`

  /// What no tensor shows: rotary positions, resampling, order of norms, heads of the pooling.
  VitConfig base;
  /// The files of this network hold no config and say nothing of the grid, so only a wanted input
  /// size can.
  bool size_must_be_named = false;
  /// What the tensors show too, to be compared with them.
  Field<int> filter_groups, filter_factor;  ///< of FourierFilter
  Field<int> patch_size, channels, dim, depth, heads, mlp_hidden, classes, register_tokens,
      projection;
  Field<int> neck_channels{std::nullopt, "the neck's channels"};
  Field<bool> relative{std::nullopt, "decomposed relative positions"};
  Field<int> window;  ///< side of those that WindowedAttention::sides has
  Field<bool> no_embed_class, pre_norm, qk_norm, layer_scale, fc_norm;
  Field<bool> final_norm, gated_mlp, attention_norm, mlp_norm, proj_bias;
  // What most families have, or none but a few.
  Field<bool> class_token{true, "the class token"};
  Field<bool> position_table{true, "the position table"};
  Field<bool> patch_bias{true, "the patch embedding's bias"};
  Field<bool> qkv_bias{true, "the bias of queries, keys and values"};
  Field<bool> block_bias{false, "the blocks' relative position bias"};
  Field<bool> shared_bias{false, "the shared relative position bias"};
  bool key_bias = true;           ///< false: keys may lack the bias that queries and values have
  Field<InputSize> trained_size;  ///< the position embedding's
  Field<InputSize> input_size;
  Field<double> norm_epsilon;
  Field<Activation> activation;
  Field<Pooling> pooling;
  std::optional<Activation> pool_activation;  ///< of attention pooling; none: the blocks'
  std::vector<std::string> labels;            ///< empty: none named
  PreprocessingConfig preprocessing;
  std::vector<std::string> notes;
};

/// `config`: config.json or open_clip_config.json. Empty paths: no such file. Throws Error: broken
/// JSON, no library's that is known here.
ConfigFiles readConfigFiles(const std::filesystem::path& config,
                            const std::filesystem::path& preprocessor);

/// Throws Error where the configs alone show that the network cannot run here.
void requireRunnable(const ConfigFiles& configs);

/// {"0": "cat", ...} in the order of the numbers; empty where the keys are not 0, 1, 2, ...
std::vector<std::string> numberedLabels(const ConfigFields& table);

/// `patch_size`, one number or a pair of equal ones.
Field<int> patchSizeField(const ConfigFields& fields);

/// "gelu", "gelu_tanh", "quick_gelu", "silu", "relu" and their other spellings.
Field<Activation> activationField(const ConfigFields& fields, std::string_view key);

}  // namespace adamerge
