// SPDX-License-Identifier: GPL-3.0-or-later
// timm's VisionTransformer, Eva and Beit, in its hub format (https://huggingface.co/docs/timm).
#include "model/families/timm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "adamerge/error.h"
#include "support/text.h"

namespace adamerge {
namespace {

constexpr std::array<Renaming, 14> kNames{{
    {"blocks.*.gamma_1", "blocks.*.ls1.gamma"},
    {"blocks.*.gamma_2", "blocks.*.ls2.gamma"},
    // ParallelScalingBlock
    {"blocks.*.in_norm", "blocks.*.norm1"},
    {"blocks.*.q_norm", "blocks.*.attn.q_norm"},
    {"blocks.*.k_norm", "blocks.*.attn.k_norm"},
    {"blocks.*.attn_out_proj", "blocks.*.attn.proj"},
    {"blocks.*.mlp_out_proj", "blocks.*.mlp.fc2"},
    {"blocks.*.ls", "blocks.*.ls1"},
    {"blocks.*.attn.relative_position_index", "unused.*"},
    {"rel_pos_bias.relative_position_index", "unused"},
    {"relative_position_index", "unused"},
    {"rope.periods", "unused"},  // a buffer that timm computes anew
    {"mask_token", "unused.mask"},
    {"pos_drop", "unused.drop"},
}};

constexpr const char* kPatches = "patch_embed.proj.weight";

std::string recognises(const FileTensors& tensors) {
  const bool blocks = tensors.has("blocks.0.norm1.weight") ||
                      tensors.has("blocks.0.in_norm.weight") ||
                      tensors.has("blocks.0.attns.0.norm.weight");
  return tensors.has(kPatches) && blocks ? kPatches : "";
}

/// Arguments as a config gives them, over those that an architecture is known by.
class Arguments {
 public:
  Arguments(const ConfigFields& given, const ConfigFields& known) : given_(given), known_(known) {}
  const ConfigFields& at(std::string_view key) const {
    static_cast<void>(known_.find(key));
    return given_.has(key) ? given_ : known_;
  }
  bool has(std::string_view key) const { return at(key).has(key); }
  Field<int> count(std::string_view key) const { return at(key).count(key); }
  Field<double> number(std::string_view key) const { return at(key).number(key); }
  Field<bool> flag(std::string_view key) const { return at(key).flag(key); }
  bool flag(std::string_view key, bool fallback) const {
    return flag(key).value.value_or(fallback);
  }
  Field<std::string> text(std::string_view key) const { return at(key).text(key); }
  Field<InputSize> size(std::string_view key) const { return at(key).size(key); }
  [[noreturn]] void fail(std::string_view key, std::string_view problem) const {
    at(key).fail(key, problem);
  }
  std::string name(std::string_view key) const { return at(key).name(key); }
  const ConfigFields& given() const { return given_; }

 private:
  ConfigFields given_, known_;
};

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

/// in_proj of a parallel block is [MLP | queries | keys | values]; both branches share one scale.
void splitParallelBlocks(FileTensors& tensors) {
  for (std::string name; !(name = tensors.first("blocks.*.in_proj.weight")).empty();) {
    const std::string base = name.substr(0, name.find("in_proj"));
    const at::Tensor out = tensors.find(base + "mlp.fc2.weight");
    const at::Tensor in = tensors.find(name);
    if (!out.defined() || out.dim() != 2 || in.dim() != 2 || in.size(0) <= out.size(1)) {
      tensors.fail(fmt::format("'{}' and '{}' do not fit each other", tensors.inFile(name),
                               tensors.inFile(base + "mlp.fc2.weight")));
    }
    const std::int64_t hidden = out.size(1);
    for (const std::string end : {"weight", "bias"}) {
      const std::string joined = base + "in_proj." + end;
      const std::string original = tensors.inFile(joined);
      const at::Tensor all = tensors.take(joined);
      if (!all.defined()) continue;
      if (all.size(0) != in.size(0))
        tensors.fail(fmt::format("'{}' has another length than its weight", original));
      tensors.set(base + "mlp.fc1." + end, all.narrow(0, 0, hidden), original);
      tensors.set(base + "attn.qkv." + end, all.narrow(0, hidden, all.size(0) - hidden), original);
    }
    if (const std::string bias = base + "mlp_bias"; tensors.has(bias)) {
      if (tensors.has(base + "mlp.fc1.bias"))
        tensors.fail(fmt::format("'{}' is there beside a bias of in_proj", bias));
      const at::Tensor own = tensors.take(bias);
      tensors.set(base + "mlp.fc1.bias", own, bias);
    }
    if (const std::string scale = base + "ls1.gamma"; tensors.has(scale)) {
      tensors.set(base + "ls2.gamma", tensors.find(scale), tensors.inFile(scale));
    }
  }
  if (const std::string bias = tensors.first("blocks.*.mlp_bias"); !bias.empty()) {
    tensors.fail(fmt::format("tensor '{}in_proj.weight' is missing, though '{}' is there",
                             bias.substr(0, bias.find("mlp_bias")), bias));
  }
}

Field<Pooling> pooling(const ConfigFields& fields) {
  const Field<std::string> name = fields.text("global_pool");
  Field<Pooling> field{std::nullopt, name.key};
  if (!name) return field;
  constexpr std::array<std::pair<std::string_view, Pooling>, 6> kPoolings{
      {{"token", Pooling::kToken},
       {"avg", Pooling::kAverage},
       {"max", Pooling::kMaximum},
       {"avgmax", Pooling::kAverageAndMaximum},
       {"map", Pooling::kAttention},
       {"prr", Pooling::kSelfAttention}}};
  for (const auto& [word, value] : kPoolings) {
    if (*name == word) field.value = value;
  }
  if (!field) {
    fields.fail("global_pool",
                (*name).empty() ? std::string("is empty: without pooling there is no embedding; "
                                              "token, avg, max, avgmax, map and prr can run here")
                                : fmt::format("is '{}'; token, avg, max, avgmax, map and prr can "
                                              "run here",
                                              printable(*name, 40)));
  }
  return field;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// What replaces a part of the network by another.
void readParts(const Arguments& args, const FileTensors& tensors, ModelConfig& config) {
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
  if (args.has("num_kv_heads")) {
    args.fail("num_kv_heads", "gives keys fewer heads than queries: cannot run here");
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
  if (args.flag("attn_only_layer_scale", false)) {
    args.fail("attn_only_layer_scale",
              "is true: MLPs without a layer scale beside attentions with "
              "one cannot run here");
  }
}

/// The MLP's width and kind, which the tensors show, to be compared with them.
void readMlp(const Arguments& args, Class type, ModelConfig& config) {
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

void readLayerScale(const Arguments& args, Class type, ModelConfig& config) {
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

void readNorms(const Arguments& args, Class type, ModelConfig& config) {
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

void readRotary(const Arguments& args, ModelConfig& config) {
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

void refuseUnknownArguments(const Arguments& args) {
  constexpr std::array<std::string_view, 23> kIgnored{
      "drop_rate", "pos_drop_rate", "patch_drop_rate", "proj_drop_rate", "attn_drop_rate",
      "drop_path_rate", "weight_init", "fix_init", "strict_img_size", "pretrained",
      "checkpoint_path", "head_init_scale", "init_std", "features_only", "scriptable", "exportable",
      "no_jit", "cache_dir", "num_classes",
      // How the tensors are stored, which they show; what only training does.
      "qkv_fused", "rope_rescale_coords", "rope_shift_coords", "rope_jitter_coords"};
  args.given().refuseUnknown(kIgnored);
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
  if ((*value)[0] != 3) {
    fields.fail("input_size",
                fmt::format("has {} channels, only 3 (RGB) can run here", (*value)[0].get<int>()));
  }
  field.value = InputSize{(*value)[1].get<int>(), (*value)[2].get<int>()};
  return field;
}

/// `label_names` by number or in order; where `label_descriptions` explains one, "what it says
/// (name)".
std::vector<std::string> labels(const ConfigFields& fields) {
  const nlohmann::json* value = fields.find("label_names");
  if (value == nullptr) return {};
  if (value->is_object()) return numberedLabels(fields.below("label_names"));
  std::vector<std::string> names = *fields.texts("label_names");
  const nlohmann::json* descriptions = fields.find("label_descriptions");
  if (descriptions == nullptr || !descriptions->is_object()) return names;
  for (std::string& name : names) {
    const auto found = descriptions->find(name);
    if (found == descriptions->end() || !found->is_string() || *found == name) continue;
    name = fmt::format("{} ({})", found->get_ref<const std::string&>(), name);
  }
  return names;
}

ModelConfig readNetwork(const std::string& full_name, const ConfigFields& given,
                        const Field<Pooling>& informative, FileTensors& tensors) {
  const std::string name = full_name.substr(0, full_name.find('.'));
  ModelConfig config;
  config.format = ConfigFormat::kTimm;
  config.file = given.file();
  config.architecture = full_name;
  const ConfigFields known(timmArchitecture(name), given.file(),
                           fmt::format("architecture '{}': ", printable(name, 60)));
  const Arguments args(given, known);
  const Class type = classOf(name, known, config.notes);
  if (type == Class::kSam) return readTimmSam(full_name, given, known, tensors);

  tensors.rename(kNames);
  tensors.drop("unused");
  splitParallelBlocks(tensors);

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
  config.key_bias = plain;
  // "rope" has a bias of keys, "eva" has none: the tensors show it.
  if (const Field<std::string> form = args.text("attn_type");
      form && *form != "eva" && *form != "rope" && !(*form).empty()) {
    args.fail("attn_type", fmt::format("is '{}'; eva and rope can run here", printable(*form, 40)));
  }
  if (args.flag("dynamic_img_pad", false)) {
    args.fail("dynamic_img_pad", "is true: padded inputs cannot run here");
  }
  readParts(args, tensors, config);
  if (args.flag("use_post_norm", false)) config.base.form = BlockForm::kPostNorm;
  readLayerScale(args, type, config);
  readMlp(args, type, config);
  // Eva's gate is SiLU, whatever else; VisionTransformer hands its activation on.
  if (!plain && config.gated_mlp.value.value_or(false)) config.activation.value = Activation::kSilu;

  config.pooling = pooling(args.at("global_pool"));
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

/// A weight file without config: a plain ViT or DeiT, for which timm's usual values are assumed.
ModelConfig openAlone(FileTensors& tensors) {
  for (const char* pattern :
       {"blocks.*.attn.rel_pos_h", "blocks.*.attn.q_bias", "blocks.*.attn.q_proj",
        "blocks.*.mlp.fc1_g", "blocks.*.in_proj", "blocks.*.attns", "rope.freqs"}) {
    if (const std::string name = tensors.first(pattern); !name.empty()) {
      tensors.fail(
          fmt::format("needs its config.json: it has '{}', and no tensor says which "
                      "positions, epsilon and pooling go with that",
                      name));
    }
  }
  tensors.rename(kNames);
  tensors.drop("unused");
  ModelConfig config;
  config.class_token = {};  // the tensors show both
  config.qkv_bias = {};
  config.activation.value = Activation::kGelu;
  config.base.resampling_rounds = true;
  return config;
}

ModelConfig open(const ConfigFiles& files, FileTensors& tensors) {
  const ConfigFields fields = files.fields();
  if (files.config_file.empty()) return openAlone(tensors);
  const ConfigFields args = fields.below("model_args");
  // Older files have these at the top.
  const ConfigFields pretrained =
      fields.has("pretrained_cfg") ? fields.below("pretrained_cfg") : fields;
  Field<Pooling> informative = pooling(pretrained);
  if (!informative) informative = pooling(fields);
  ModelConfig config = readNetwork(*fields.text("architecture"), args, informative, tensors);

  config.classes = args.count("num_classes");
  // The root's count, where it is there, replaces that of pretrained_cfg.
  Field<int> stored = fields.count("num_classes");
  if (!stored) stored = pretrained.count("num_classes");
  if (config.classes && stored && *config.classes != *stored) {
    throw Error(fmt::format("{}: {} is {}, but {} is {}", fields.file(), stored.key, *stored,
                            config.classes.key, *config.classes));
  }
  if (!config.classes) config.classes = stored;
  const at::Tensor patches = tensors.find(kPatches);
  // Of Segment Anything's encoder the neck's.
  const bool neck = config.neck_channels.value.value_or(0) > 0;
  if (const Field<int> width = fields.count("num_features");
      width && !neck && patches.defined() && patches.dim() == 4 && *width != patches.size(0)) {
    fields.fail("num_features", fmt::format("is {}, but the tensors in {} say {}", *width,
                                            tensors.file(), patches.size(0)));
  }
  for (const ConfigFields& level : {fields, pretrained}) {
    noteUnknownFields(level,
                      {"architecture",
                       "num_classes",
                       "num_features",
                       "global_pool",
                       "model_args",
                       "pretrained_cfg",
                       "url",
                       "file",
                       "hf_hub_id",
                       "hf_hub_filename",
                       "source",
                       "tag",
                       "custom_load",
                       "input_size",
                       "test_input_size",
                       "min_input_size",
                       "fixed_input_size",
                       "interpolation",
                       "crop_pct",
                       "test_crop_pct",
                       "crop_mode",
                       "mean",
                       "std",
                       "label_offset",
                       "label_names",
                       "label_descriptions",
                       "pool_size",
                       "test_pool_size",
                       "first_conv",
                       "classifier",
                       "license",
                       "description",
                       "origin_url",
                       "paper_name",
                       "paper_ids",
                       "notes",
                       "state_dict"},
                      config.notes);
    if (!fields.has("pretrained_cfg")) break;
  }
  // A network of fixed size is built for model_args.img_size, else for the input size.
  const bool fixed = pretrained.flag("fixed_input_size").value.value_or(false);
  const bool sized = args.has("img_size");
  config.input_size = inputSize(pretrained);
  if (fixed && sized) config.input_size = config.trained_size;
  if (fixed && !sized && config.input_size) config.trained_size = config.input_size;
  if (!sized && !fixed) config.trained_size = {};
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
  return config;
}

}  // namespace

ModelConfig readTimmNetwork(const std::string& name, const nlohmann::json& args,
                            const std::string& file, const std::string& prefix,
                            FileTensors& tensors) {
  ModelConfig config = readNetwork(name, ConfigFields(&args, file, prefix), {}, tensors);
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

Family timmFamily() {
  return {"timm's VisionTransformer, Eva or Beit", ConfigFormat::kTimm, {}, recognises, open};
}

}  // namespace adamerge
