// SPDX-License-Identifier: GPL-3.0-or-later
// timm's VisionTransformerSAM.
#include <fmt/format.h>

#include <array>

#include "model/families/sam.h"
#include "model/families/timm.h"

namespace adamerge {

ModelConfig readTimmSam(const std::string& name, const ConfigFields& given,
                        const ConfigFields& known, FileTensors& tensors) {
  const auto at = [&](std::string_view key) -> const ConfigFields& {
    static_cast<void>(known.find(key));
    return given.has(key) ? given : known;
  };
  const auto count = [&](std::string_view key, int usual) {
    Field<int> field = at(key).count(key);
    if (!field) field.value = usual;
    return field;
  };
  const auto flag = [&](std::string_view key, bool usual) {
    Field<bool> field = at(key).flag(key);
    if (!field) field.value = usual;
    return field;
  };
  for (const char* key : {"use_rope", "head_hidden_size"}) {
    const nlohmann::json* value = at(key).find(key);
    if (value != nullptr && *value != false) {
      at(key).fail(key, "is set, which no published network has: cannot run here");
    }
  }
  constexpr std::array<Renaming, 1> kNames{{{"head.fc", "head"}}};
  tensors.rename(kNames);

  ModelConfig config;
  config.format = ConfigFormat::kTimm;
  config.file = given.file();
  config.architecture = name;
  constexpr int kWidth = 768;
  constexpr int kBlocks = 12;
  constexpr int kPatch = 16;
  config.dim = count("embed_dim", kWidth);
  config.depth = count("depth", kBlocks);
  config.heads = count("num_heads", kBlocks);
  config.patch_size = patchSizeField(at("patch_size"));
  if (!config.patch_size) config.patch_size.value = kPatch;
  config.channels = at("in_chans").count("in_chans");
  const double ratio = at("mlp_ratio").number("mlp_ratio", 0, 1000).value.value_or(4.0);
  config.mlp_hidden = {static_cast<int>(*config.dim * ratio), at("mlp_ratio").name("mlp_ratio")};
  config.qkv_bias = flag("qkv_bias", true);
  config.qk_norm = flag("qk_norm", false);
  config.layer_scale.key = at("init_values").name("init_values");
  if (at("init_values").has("init_values")) {
    config.layer_scale.value = *at("init_values").number("init_values") != 0;
  }
  config.pre_norm = flag("pre_norm", false);
  config.patch_bias.value = !*config.pre_norm;
  config.position_table = flag("use_abs_pos", true);
  config.relative = flag("use_rel_pos", false);
  config.norm_epsilon.value = 1e-5;
  config.activation.value = Activation::kGelu;
  constexpr int kNeck = 256;
  // Null says that there are no convolutions.
  const bool stated = given.object().contains("neck_chans");
  const bool none =
      stated ? given.object().at("neck_chans").is_null()
             : known.object().contains("neck_chans") && known.object().at("neck_chans").is_null();
  config.neck_channels =
      none ? Field<int>{0, at("neck_chans").name("neck_chans")} : count("neck_chans", kNeck);
  constexpr int kSide = 14;
  setWindows(at("global_attn_indexes"), *count("window_size", kSide),
             at("global_attn_indexes")
                 .numbers("global_attn_indexes")
                 .value.value_or(std::vector<double>{}),
             config);
  if (const Field<std::string> pooled = at("global_pool").text("global_pool");
      pooled && *pooled != "avg") {
    at("global_pool").fail("global_pool", fmt::format("is '{}'; avg can run here", *pooled));
  }
  config.trained_size = at("img_size").size("img_size");
  readEncoder(config, tensors);
  constexpr std::array<std::string_view, 14> kIgnored{
      "drop_rate",       "pos_drop_rate", "patch_drop_rate", "proj_drop_rate",  "attn_drop_rate",
      "drop_path_rate",  "weight_init",   "fix_init",        "strict_img_size", "pretrained",
      "checkpoint_path", "features_only", "num_classes",     "cache_dir"};
  given.refuseUnknown(kIgnored);
  return config;
}

}  // namespace adamerge
