// SPDX-License-Identifier: GPL-3.0-or-later
// Networks of timm's classes by their arguments: what a config gives over what an architecture's
// name says.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "adamerge/error.h"
#include "model/families/timm.h"
#include "support/text.h"

namespace adamerge {
namespace {

/// timm's names of plain Vision Transformers start so.
constexpr std::array<std::string_view, 4> kPlain{"vit_", "deit_", "deit3_", "flexivit_"};

enum class Class { kVisionTransformer, kEva, kBeit, kSam };

Class classOf(const std::string& name, const ConfigFields& known, std::vector<std::string>& notes) {
  if (const Field<std::string> type = known.text("class")) {
    if (*type == "Eva") return Class::kEva;
    if (*type == "VisionTransformerSAM") return Class::kSam;
    return *type == "Beit" ? Class::kBeit : Class::kVisionTransformer;
  }
  const bool vit = std::any_of(kPlain.begin(), kPlain.end(), [&name](std::string_view family) {
    return name.starts_with(family);
  });
  if (!vit) {
    throw Error(
        fmt::format("{}: architecture '{}' is not known here: timm's VisionTransformer, "
                    "Eva and Beit architectures can run (vit_*, deit_*, eva_*, eva02_*, "
                    "beit_*, samvit_* and others), pyramids and convolutions cannot",
                    known.file(), printable(name, 60)));
  }
  notes.push_back(
      fmt::format("timm's architecture '{}' is not known here: what neither its "
                  "model_args nor its tensors say is as in timm's VisionTransformer.",
                  printable(name, 60)));
  return Class::kVisionTransformer;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// What replaces a part of the network by another.
void readParts(const TimmArguments& args, const FileTensors& tensors, ModelConfig& config) {
  if (const Field<std::string> block = args.text("block_fn")) {
    const std::string name = lower(*block);
    if (name == "resposblock" || name == "respostblock") {
      config.base.form = BlockForm::kPostNorm;
    } else if (name == "parallelscalingblock") {
      config.base.form = BlockForm::kParallel;
    } else if (name != "block" && name != "parallelthingsblock") {
      args.fail("block_fn", fmt::format("is '{}'; Block, ResPostBlock, ParallelScalingBlock and "
                                        "ParallelThingsBlock can run here",
                                        printable(*block, 40)));
    }
  }
  if (const Field<std::string> attention = args.text("attn_layer");
      attention && !(*attention).empty() && *attention != "attn") {
    args.fail("attn_layer", fmt::format("is '{}'{}: cannot run here, only plain attention can",
                                        printable(*attention, 40),
                                        *attention == "diff" ? " (differential attention)" : ""));
  }
  for (const char* key : {"embed_layer", "attn_head_dim"}) {
    if (args.has(key)) args.fail(key, "replaces a part of the network by another: cannot run here");
  }
  for (const char* key : {"norm_layer", "embed_norm_layer"}) {
    const Field<std::string> norm = args.text(key);
    if (!norm) continue;
    const std::string name = lower(*norm);
    const bool rms = name.find("rmsnorm") != std::string::npos;
    if (!rms && name.find("layernorm") == std::string::npos) {
      args.fail(key,
                fmt::format("is '{}'; layernorm and rmsnorm can run here", printable(*norm, 40)));
    }
    const bool of_patches = key == std::string_view("embed_norm_layer");
    if (of_patches && !tensors.has("patch_embed.norm.weight")) {
      args.fail(key, fmt::format("is '{}', but {} has no 'patch_embed.norm'", printable(*norm, 40),
                                 tensors.file()));
    }
    const bool others_shift = !tensors.first("blocks.*.norm1.bias").empty() ||
                              !tensors.first("blocks.*.attns.*.norm.bias").empty();
    const bool shifts = of_patches ? tensors.has("patch_embed.norm.bias") : others_shift;
    if (rms == shifts) {
      args.fail(key, fmt::format("is '{}', but the norms in {} have {}", printable(*norm, 40),
                                 tensors.file(), shifts ? "a bias" : "no bias"));
    }
    if (shifts != others_shift) {
      args.fail(key, fmt::format("is '{}', and the blocks' norms are of the other kind: such a "
                                 "mixture cannot run here",
                                 printable(*norm, 40)));
    }
  }
  const Field<double> of_patches = args.number("embed_norm_eps");
  if (of_patches && *of_patches != *config.norm_epsilon) {
    args.fail("embed_norm_eps", fmt::format("is {}; all norms have one epsilon here, and that of "
                                            "the others is {}",
                                            *of_patches, *config.norm_epsilon));
  }
}

/// The MLP's width and kind, which the tensors show, to be compared with them.
void readMlp(const TimmArguments& args, Class type, ModelConfig& config) {
  bool packed_half = false;
  if (const Field<std::string> layer = args.text("mlp_layer")) {
    const std::string name = lower(*layer);
    if (name == "swiglu" || name == "swiglupacked" || name == "swiglu_packed") {
      config.gated_mlp = {true, layer.key};
      packed_half = name != "swiglu";
    } else if (name != "mlp") {
      args.fail("mlp_layer", fmt::format("is '{}'; mlp, swiglu and swiglu_packed can run here",
                                         printable(*layer, 40)));
    }
  }
  if (const Field<bool> gated = args.flag("swiglu_mlp")) config.gated_mlp = gated;
  if (type == Class::kVisionTransformer && !config.gated_mlp) {
    config.gated_mlp = {false, args.name("mlp_layer")};
  }
  const double ratio = args.number("mlp_ratio").value.value_or(4.0);
  if (!config.dim) return;
  const double hidden = *config.dim * ratio;
  if (!(hidden >= 1 && hidden <= 1e6)) args.fail("mlp_ratio", "makes no usable width");
  int width = static_cast<int>(hidden);
  if (packed_half) width /= 2;
  const int align = args.count("swiglu_align_to").value.value_or(0);
  if (align > 0 && config.gated_mlp.value.value_or(false)) {
    width = (width + align - 1) / align * align;
  }
  config.mlp_hidden = {width,
                       fmt::format("{} x {}", args.name("embed_dim"), args.name("mlp_ratio"))};
}

void readLayerScale(const TimmArguments& args, Class type, ModelConfig& config) {
  config.base.attention_scale_only = args.flag("attn_only_layer_scale", false);
  config.layer_scale.key = args.name("init_values");
  if (config.base.form == BlockForm::kPostNorm) {
    // There it is what the norms after the branches start with, no scale of its own.
    config.layer_scale.value = false;
  } else if (args.has("init_values")) {
    // Null says nothing here: timm's named architectures may still have layer scale. Zero is none
    // in some classes, and what the scale starts with in others.
    const bool zero_scales = type == Class::kEva || config.base.form == BlockForm::kParallel;
    config.layer_scale.value = zero_scales || *args.number("init_values") != 0;
  }
}

void readNorms(const TimmArguments& args, Class type, ModelConfig& config) {
  const Pooling pooled = *config.pooling;
  const bool averages = pooled == Pooling::kAverage ||
                        (type == Class::kVisionTransformer &&
                         (pooled == Pooling::kMaximum || pooled == Pooling::kAverageAndMaximum));
  const char* key = type == Class::kVisionTransformer ? "fc_norm" : "use_fc_norm";
  const Field<bool> after = args.flag(key);
  const Field<bool> any =
      args.flag(type == Class::kVisionTransformer ? "final_norm" : "use_post_transformer_norm");
  const bool fc = after.value.value_or(averages);
  const std::string reason =
      after ? after.key : fmt::format("{} (by {})", after.key, config.pooling.key);
  // Eva may have both norms; elsewhere the one after pooling replaces the other.
  const bool eva = type == Class::kEva;
  const bool wanted = any.value.value_or(true);
  config.fc_norm = {fc && (eva || wanted), reason};
  config.final_norm = {
      eva ? any.value.value_or(!fc) : !fc && wanted,
      any ? any.key : fmt::format("the norm before pooling, {} being {},", reason, fc)};
}

void readRotary(const TimmArguments& args, ModelConfig& config) {
  const bool rotates = args.flag("use_rot_pos_emb", false);
  const std::string type = args.text("rope_type").value.value_or("cat");
  Rotary& rotary = config.base.rotary;
  const auto size = args.size("ref_feat_shape");
  rotary.temperature = args.number("rope_temperature").value.value_or(10000.0);
  rotary.offset = args.number("rope_grid_offset").value.value_or(0);
  rotary.halves = args.flag("rope_rotate_half", false);
  const std::string indexing = args.text("rope_grid_indexing").value.value_or("ij");
  if (indexing != "ij" && indexing != "xy") {
    args.fail("rope_grid_indexing",
              fmt::format("is '{}'; ij and xy can run here", printable(indexing, 40)));
  }
  rotary.columns_first = indexing == "xy";
  if (size) {
    rotary.reference_height = (*size).height;
    rotary.reference_width = (*size).width;
  }
  if (!(rotary.temperature > 0)) args.fail("rope_temperature", "is not positive");
  if (type == "mixed") {
    rotary.form = Rotary::Form::kMixed;
  } else if (type == "dinov3") {
    rotary.form = Rotary::Form::kDinov3;
  } else if (type == "cat" || type.empty()) {
    rotary.form = Rotary::Form::kAxial;
  } else {
    args.fail("rope_type",
              fmt::format("is '{}'; cat, mixed and dinov3 can run here", printable(type, 40)));
  }
  if (!rotates) rotary = {};
}

void refuseUnknownArguments(const TimmArguments& args) {
  constexpr std::array<std::string_view, 23> kIgnored{
      "drop_rate", "pos_drop_rate", "patch_drop_rate", "proj_drop_rate", "attn_drop_rate",
      "drop_path_rate", "weight_init", "fix_init", "strict_img_size", "pretrained",
      "checkpoint_path", "head_init_scale", "init_std", "features_only", "scriptable", "exportable",
      "no_jit", "cache_dir", "num_classes",
      // How the tensors are stored, which they show; what only training does.
      "qkv_fused", "rope_rescale_coords", "rope_shift_coords", "rope_jitter_coords"};
  args.given().refuseUnknown(kIgnored);
}

}  // namespace

ModelConfig readTimmArguments(const std::string& full_name, const ConfigFields& given,
                              const Field<Pooling>& informative, FileTensors& tensors) {
  const std::string name = full_name.substr(0, full_name.find('.'));
  ModelConfig config;
  config.format = ConfigFormat::kTimm;
  config.file = given.file();
  config.architecture = full_name;
  const ConfigFields known(timmArchitecture(name), given.file(),
                           fmt::format("architecture '{}': ", printable(name, 60)));
  const TimmArguments args(given, known);
  const Class type = classOf(name, known, config.notes);
  if (type == Class::kSam) return readTimmSam(full_name, args, tensors);

  takeTimmNames(tensors);

  config.patch_size = patchSizeField(args.at("patch_size"));
  config.channels = args.count("in_chans");
  config.dim = args.count("embed_dim");
  config.depth = args.count("depth");
  config.heads = args.count("num_heads");
  if (timmArchitecture(name) != nullptr) {
    // The class's own values, where neither config nor architecture has others.
    if (!config.dim) config.dim = {768, known.name("embed_dim")};
    if (!config.depth) config.depth = {12, known.name("depth")};
    if (!config.heads) config.heads = {12, known.name("num_heads")};
    if (!config.patch_size) config.patch_size = {16, known.name("patch_size")};
  }
  const bool plain = type == Class::kVisionTransformer;
  config.register_tokens = args.count(plain ? "reg_tokens" : "num_reg_tokens");
  config.class_token = {args.flag("class_token", true), args.name("class_token")};
  config.no_embed_class = args.flag("no_embed_class");
  const char* pre_norm = plain ? "pre_norm" : "use_pre_transformer_norm";
  config.pre_norm = {args.flag(pre_norm, false), args.name(pre_norm)};
  if (const Field<bool> bias = args.flag("qkv_bias")) config.qkv_bias = bias;
  config.patch_bias.value = !*config.pre_norm;
  config.proj_bias = {args.flag("proj_bias", true), args.name("proj_bias")};
  config.qk_norm = {args.flag("qk_norm", false), args.name("qk_norm")};
  config.norm_epsilon = args.number("norm_eps");
  // A norm that is named replaces the architecture's with its epsilon.
  if (args.given().has("norm_layer") && !args.given().has("norm_eps")) config.norm_epsilon = {};
  if (!config.norm_epsilon) config.norm_epsilon.value = 1e-6;
  if (plain) config.activation = activationField(args.at("act_layer"), "act_layer");
  if (!config.activation) config.activation.value = Activation::kGelu;
  const char* attention_norm = plain ? "scale_attn_norm" : "scale_attn_inner";
  const char* mlp_norm = plain ? "scale_mlp_norm" : "scale_mlp";
  config.attention_norm = {args.flag(attention_norm, false), args.name(attention_norm)};
  config.mlp_norm = {args.flag(mlp_norm, false), args.name(mlp_norm)};
  const Field<std::string> form = args.text("attn_type");
  if (form && *form != "eva" && *form != "rope" && !(*form).empty()) {
    args.fail("attn_type", fmt::format("is '{}'; eva and rope can run here", printable(*form, 40)));
  }
  // "rope" has a bias of keys wherever it has one of queries, "eva" need not.
  config.key_bias = plain || (form && *form == "rope");
  if (args.flag("dynamic_img_pad", false)) {
    args.fail("dynamic_img_pad", "is true: padded inputs cannot run here");
  }
  readParts(args, tensors, config);
  if (args.flag("use_post_norm", false)) config.base.form = BlockForm::kPostNorm;
  repeatTimmKeys(args, tensors, config);
  readLayerScale(args, type, config);
  readMlp(args, type, config);
  // Eva's gate is SiLU, whatever else; VisionTransformer hands its activation on.
  if (!plain && config.gated_mlp.value.value_or(false)) config.activation.value = Activation::kSilu;

  config.pooling = timmPooling(args.at("global_pool"));
  if (!config.pooling && timmArchitecture(name) == nullptr) config.pooling = informative;
  if (!config.pooling) {
    config.pooling = {plain ? Pooling::kToken : Pooling::kAverage, known.name("global_pool")};
  }
  if (!plain && *config.pooling == Pooling::kSelfAttention) {
    args.fail("global_pool", "is 'prr', which the architecture's class, Eva or Beit, has not");
  }
  config.base.pool_prefix = args.flag("pool_include_prefix", false);
  if (*config.pooling == Pooling::kAttention) {
    AttentionPool& pool = config.base.attention_pool;
    pool.prefix = type == Class::kEva || config.base.pool_prefix;
    if (!plain) config.pool_activation = Activation::kGelu;  // whatever the blocks have
    pool.heads = args.count("attn_pool_num_heads").value.value_or(config.heads.value.value_or(0));
    const at::Tensor hidden = tensors.find("attn_pool.mlp.fc1.weight");
    const Field<double> ratio = args.number("attn_pool_mlp_ratio");
    if (ratio && config.dim && hidden.defined() && hidden.dim() == 2 &&
        hidden.size(1) == *config.dim &&
        hidden.size(0) != static_cast<std::int64_t>(*config.dim * *ratio)) {
      args.fail("attn_pool_mlp_ratio", fmt::format("is {}, but '{}' in {} has {} rows", *ratio,
                                                   tensors.inFile("attn_pool.mlp.fc1.weight"),
                                                   tensors.file(), hidden.size(0)));
    }
  }
  for (const char* key : {"attn_pool_num_heads", "attn_pool_mlp_ratio"}) {
    static_cast<void>(args.has(key));  // no say without that pooling
  }
  if (timmArchitecture(name) != nullptr) {
    readNorms(args, type, config);
  } else {
    config.fc_norm = args.flag("fc_norm");
    if (const Field<bool> any = args.flag("final_norm"); any && !*any) config.final_norm = any;
  }
  readRotary(args, config);

  if (type != Class::kVisionTransformer) {
    config.position_table = {args.flag("use_abs_pos_emb", true), args.name("use_abs_pos_emb")};
  } else if (const Field<std::string> table = args.text("pos_embed")) {
    if (!(*table).empty() && *table != "none" && *table != "learn") {
      args.fail("pos_embed",
                fmt::format("is '{}'; learn and none can run here", printable(*table, 40)));
    }
    config.position_table = {*table == "learn", table.key};
  }
  if (type == Class::kBeit) {
    config.block_bias = {args.flag("use_rel_pos_bias", false), args.name("use_rel_pos_bias")};
    config.shared_bias = {args.flag("use_shared_rel_pos_bias", false),
                          args.name("use_shared_rel_pos_bias")};
  }
  const bool bilinear = name.starts_with("flexivit") || name.find("radio") != std::string::npos;
  // A dynamic network resamples in its forward pass, where all do it alike.
  const bool dynamic = args.flag("dynamic_img_size", false);
  config.base.resampling =
      bilinear && !dynamic ? Resampling::kBilinear : Resampling::kBicubicAntialiased;
  config.base.resampling_rounds = !dynamic;
  config.trained_size = args.size("img_size");
  refuseUnknownArguments(args);
  return config;
}

ModelConfig readTimmNetwork(const std::string& name, const nlohmann::json& args,
                            const std::string& file, const std::string& prefix,
                            FileTensors& tensors) {
  ModelConfig config = readTimmArguments(name, ConfigFields(&args, file, prefix), {}, tensors);
  const nlohmann::json* known = timmArchitecture(name.substr(0, name.find('.')));
  if (known != nullptr && known->contains("weights_img_size")) {
    const ConfigFields fields(known, file, fmt::format("architecture '{}': ", printable(name, 60)));
    config.trained_size = fields.size("weights_img_size");
  }
  return config;
}

void requireTimmArchitecture(const ConfigFields& config) {
  const std::string full = *config.text("architecture");
  const std::string name = full.substr(0, full.find('.'));
  const ConfigFields known(timmArchitecture(name), config.file());
  std::vector<std::string> notes;
  classOf(name, known, notes);
}

}  // namespace adamerge
