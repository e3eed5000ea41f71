// SPDX-License-Identifier: GPL-3.0-or-later
// timm's hub format: https://huggingface.co/docs/timm
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "model/model_config.h"
#include "support/text.h"

namespace adamerge {
namespace {

/// timm's names of plain Vision Transformers start so.
void checkArchitecture(const ConfigFields& fields, const std::string& name) {
  constexpr std::array<std::string_view, 4> kFamilies{"vit_", "deit_", "deit3_", "flexivit_"};
  if (std::none_of(kFamilies.begin(), kFamilies.end(),
                   [&name](std::string_view family) { return name.starts_with(family); })) {
    fields.fail("architecture",
                fmt::format("is '{}'; only plain Vision Transformers can run here (vit_*, deit_*, "
                            "deit3_*, flexivit_*)",
                            printable(name, 60)));
  }
}

Field<Pooling> pooling(const ConfigFields& fields) {
  const Field<std::string> name = fields.text("global_pool");
  Field<Pooling> field{std::nullopt, name.key};
  if (!name) return field;
  if (*name == "token") {
    field.value = Pooling::kToken;
  } else if (*name == "avg") {
    field.value = Pooling::kAverage;
  } else if (!(*name).empty()) {
    fields.fail("global_pool",
                fmt::format("is '{}'{}; token and avg can run here", printable(*name, 40),
                            *name == "map" ? " (attention pooling)" : ""));
  }
  return field;
}

void readArchitecture(const ConfigFields& args, ModelConfig& config) {
  config.patch_size = args.count("patch_size");
  config.channels = args.count("in_chans");
  config.dim = args.count("embed_dim");
  config.depth = args.count("depth");
  config.heads = args.count("num_heads");
  config.register_tokens = args.count("reg_tokens");
  config.class_token = args.flag("class_token");
  config.no_embed_class = args.flag("no_embed_class");
  config.pre_norm = args.flag("pre_norm");
  config.qkv_bias = args.flag("qkv_bias");
  config.qk_norm = args.flag("qk_norm");
  config.fc_norm = args.flag("fc_norm");
  config.final_norm = args.flag("final_norm");
  config.trained_size = args.size("img_size");
  config.norm_epsilon = args.number("norm_eps");
  config.activation = activationField(args, "act_layer");
  config.layer_scale.key = args.name("init_values");
  // Null says nothing here: timm's named architectures may still have layer scale.
  if (args.has("init_values")) config.layer_scale.value = *args.number("init_values") != 0;
}

/// The mlp_ratio as a width, which is what the tensors show.
void readMlpRatio(const ConfigFields& args, ModelConfig& config) {
  const Field<double> ratio = args.number("mlp_ratio");
  config.mlp_hidden.key = fmt::format("{} x {}", args.name("embed_dim"), ratio.key);
  if (!ratio || !config.dim) return;
  const double hidden = *config.dim * *ratio;
  if (!(hidden >= 1 && hidden <= 1e6)) args.fail("mlp_ratio", "makes no usable width");
  config.mlp_hidden.value = static_cast<int>(hidden);
}

void checkLayers(const ConfigFields& args) {
  if (const Field<std::string> norm = args.text("norm_layer"); norm) {
    std::string name = *norm;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (name.find("layernorm") == std::string::npos) {
      args.fail("norm_layer",
                fmt::format("is '{}'; only layernorm can run here", printable(*norm, 40)));
    }
  }
  for (const char* key : {"block_fn", "mlp_layer", "attn_layer", "embed_layer"}) {
    if (args.has(key)) args.fail(key, "replaces a part of the network by another: cannot run here");
  }
  if (args.flag("dynamic_img_pad").value.value_or(false)) {
    args.fail("dynamic_img_pad", "is true: padded inputs cannot run here");
  }
}

void noteUnknown(const ConfigFields& args, ModelConfig& config) {
  constexpr std::array<std::string_view, 34> kKnown{
      "patch_size",     "in_chans",        "embed_dim",      "depth",         "num_heads",
      "reg_tokens",     "class_token",     "no_embed_class", "pre_norm",      "qkv_bias",
      "qk_norm",        "fc_norm",         "final_norm",     "img_size",      "norm_eps",
      "act_layer",      "init_values",     "mlp_ratio",      "norm_layer",    "dynamic_img_pad",
      "global_pool",    "num_classes",     "drop_rate",      "pos_drop_rate", "patch_drop_rate",
      "proj_drop_rate", "attn_drop_rate",  "drop_path_rate", "weight_init",   "dynamic_img_size",
      "fix_init",       "strict_img_size", "pretrained",     "pos_embed"};
  for (const auto& [key, value] : args.object().items()) {
    if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end() && !value.is_null()) {
      config.notes.push_back(fmt::format("{} in the config is not known here and ignored.",
                                         printable(args.name(key))));
    }
  }
}

/// `label_names` by number or in order, replaced by `label_descriptions` where it explains a name.
std::vector<std::string> labels(const ConfigFields& fields) {
  const nlohmann::json* value = fields.find("label_names");
  if (value == nullptr) return {};
  if (value->is_object()) return numberedLabels(fields.below("label_names"));
  std::vector<std::string> names = *fields.texts("label_names");
  const nlohmann::json* descriptions = fields.find("label_descriptions");
  if (descriptions == nullptr || !descriptions->is_object()) return names;
  for (std::string& name : names) {
    const auto found = descriptions->find(name);
    if (found != descriptions->end() && found->is_string()) name = found->get<std::string>();
  }
  return names;
}

/// What an architecture's name says that the tensors do not show.
void applyName(const std::string& name, ModelConfig& config) {
  const auto contains = [&name](std::string_view part) {
    return name.find(part) != std::string::npos;
  };
  if (!config.norm_epsilon) config.norm_epsilon.value = contains("_clip_") ? 1e-5 : 1e-6;
  if (config.activation) return;
  if (contains("quickgelu")) config.activation.value = Activation::kQuickGelu;
  if (contains("so400m") && contains("siglip")) config.activation.value = Activation::kGeluTanh;
}

Field<InputSize> inputSize(const ConfigFields& fields) {
  Field<InputSize> field{std::nullopt, fields.name("input_size")};
  const nlohmann::json* value = fields.find("input_size");
  if (value == nullptr) return field;
  const auto usable = [](const nlohmann::json& number) {
    return number.is_number_integer() && number >= 1 && number <= 65536;
  };
  if (!value->is_array() || value->size() != 3 ||
      !std::all_of(value->begin(), value->end(), usable)) {
    fields.fail("input_size", "is not [channels, height, width]");
  }
  field.value = InputSize{(*value)[1].get<int>(), (*value)[2].get<int>()};
  return field;
}

}  // namespace

ModelConfig readTimmConfig(const ConfigFields& fields) {
  ModelConfig config;
  config.format = ConfigFormat::kTimm;
  config.file = fields.file();
  config.architecture = *fields.text("architecture");
  checkArchitecture(fields, config.architecture);

  const ConfigFields args = fields.below("model_args");
  // Older files have these at the top.
  const ConfigFields pretrained =
      fields.has("pretrained_cfg") ? fields.below("pretrained_cfg") : fields;
  readArchitecture(args, config);
  readMlpRatio(args, config);
  checkLayers(args);
  noteUnknown(args, config);

  config.pooling = pooling(args);
  if (!config.pooling) config.pooling = pooling(pretrained);
  if (!config.pooling) config.pooling = pooling(fields);
  config.classes = args.count("num_classes");
  if (!config.classes) config.classes = fields.count("num_classes");
  if (!config.classes) config.classes = pretrained.count("num_classes");
  config.input_size = inputSize(pretrained);
  config.labels = labels(pretrained);
  if (config.labels.empty()) config.labels = labels(fields);

  const bool describes_images =
      pretrained.has("mean") || pretrained.has("input_size") || pretrained.has("crop_pct");
  if (describes_images) {
    config.preprocessing = readTimmPreprocessing(pretrained);
  } else {
    config.notes.push_back(
        "The config describes no preprocessing: timm's default for ViTs is used.");
  }
  applyName(config.architecture, config);
  return config;
}

}  // namespace adamerge
