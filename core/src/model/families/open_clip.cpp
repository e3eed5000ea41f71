// SPDX-License-Identifier: GPL-3.0-or-later
// The image towers of open_clip, and of OpenAI's CLIP, whose names they took over.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "adamerge/error.h"
#include "model/families/timm.h"
#include "model/family.h"
#include "support/text.h"

namespace adamerge {
namespace open_clip {

constexpr std::array<Renaming, 19> kNames{{
    {"conv1", "patch_embed.proj"},
    {"class_embedding", "cls_token"},
    {"positional_embedding", "pos_embed"},
    {"ln_pre", "norm_pre"},
    {"transformer.resblocks.*.ln_1", "blocks.*.norm1"},
    {"transformer.resblocks.*.ln_2", "blocks.*.norm2"},
    {"transformer.resblocks.*.attn.in_proj_weight", "blocks.*.attn.qkv.weight"},
    {"transformer.resblocks.*.attn.in_proj_bias", "blocks.*.attn.qkv.bias"},
    {"transformer.resblocks.*.attn.out_proj", "blocks.*.attn.proj"},
    {"transformer.resblocks.*.mlp.c_fc", "blocks.*.mlp.fc1"},
    {"transformer.resblocks.*.mlp.c_proj", "blocks.*.mlp.fc2"},
    {"transformer.resblocks.*.ls_1.gamma", "blocks.*.ls1.gamma"},
    {"transformer.resblocks.*.ls_2.gamma", "blocks.*.ls2.gamma"},
    {"attn_pool.query", "attn_pool.latent"},
    {"attn_pool.ln_q", "attn_pool.query_norm"},
    {"attn_pool.ln_k", "attn_pool.key_norm"},
    {"attn_pool.attn.out_proj", "attn_pool.proj"},
    {"attn_pool.attn", "attn_pool.in"},
    {"proj", "proj"},
}};

bool isTower(const FileTensors& tensors) {
  return tensors.has("visual.conv1.weight") && tensors.has("visual.class_embedding");
}
constexpr const char* kPatches = "visual.conv1.weight";
constexpr const char* kTrunkPatches = "visual.trunk.patch_embed.proj.weight";

/// OpenAI's archives hold the input's resolution, open_clip's files do not.
std::string findOpenClip(const FileTensors& tensors) {
  if (tensors.has(kTrunkPatches)) return kTrunkPatches;
  return isTower(tensors) && !tensors.has("input_resolution") ? kPatches : "";
}
std::string findOpenAi(const FileTensors& tensors) {
  return isTower(tensors) && tensors.has("input_resolution") ? kPatches : "";
}

/// Rows of the in-projection, whichever of PyTorch's two forms it has.
at::Tensor poolProjection(FileTensors& tensors, const char* part, int index) {
  if (at::Tensor all = tensors.find("attn_pool.in.in_proj_weight"); all.defined()) {
    if (all.dim() != 2 || all.size(0) % 3 != 0)
      tensors.fail("'attn_pool.attn.in_proj_weight' has no three parts");
    return all.narrow(0, index * (all.size(0) / 3), all.size(0) / 3);
  }
  const std::string name = fmt::format("attn_pool.in.{}_proj_weight", part);
  at::Tensor own = tensors.find(name);
  if (!own.defined() || own.dim() != 2) {
    tensors.fail(fmt::format("tensor '{}' is missing", tensors.inFile(name)));
  }
  return own;
}

void splitPool(FileTensors& tensors) {
  const std::string original = tensors.inFile("attn_pool.in");
  const at::Tensor q = poolProjection(tensors, "q", 0);
  const at::Tensor k = poolProjection(tensors, "k", 1);
  const at::Tensor v = poolProjection(tensors, "v", 2);
  const at::Tensor bias = tensors.find("attn_pool.in.in_proj_bias");
  const std::int64_t width = q.size(0);
  if (!bias.defined() || bias.dim() != 1 || bias.size(0) != 3 * width || k.sizes() != v.sizes()) {
    tensors.fail(fmt::format("tensors below '{}' do not fit each other", original));
  }
  tensors.set("attn_pool.q.weight", q, original);
  tensors.set("attn_pool.kv.weight", at::cat({k, v}), original);
  tensors.set("attn_pool.q.bias", bias.narrow(0, 0, width), original);
  tensors.set("attn_pool.kv.bias", bias.narrow(0, width, 2 * width), original);
  for (const char* part :
       {"in_proj_weight", "in_proj_bias", "q_proj_weight", "k_proj_weight", "v_proj_weight"}) {
    tensors.take(fmt::format("attn_pool.in.{}", part));
  }
  const at::Tensor latent = tensors.find("attn_pool.latent");
  if (latent.defined()) {
    tensors.set("attn_pool.latent", latent.unsqueeze(0), tensors.inFile("attn_pool.latent"));
  }
}

/// The tower below "visual." with the names of model/network.h.
void renameTower(FileTensors& tensors) {
  tensors.keepBelow("visual.");
  tensors.rename(kNames);
  addBatchToClipTokens(tensors);
  if (const at::Tensor proj = tensors.take("proj"); proj.defined()) {
    if (proj.dim() != 2) tensors.fail("tensor 'visual.proj' is no matrix");
    tensors.set("projection.weight", proj.t(), "visual.proj");
  } else {
    tensors.fail("tensor 'visual.proj' is missing");
  }
  if (tensors.has("attn_pool.latent")) splitPool(tensors);
}

void refuse(const ConfigFields& fields, const char* key, const char* meaning) {
  if (fields.flag(key).value.value_or(false)) {
    fields.fail(key, fmt::format("is true: {} cannot run here", meaning));
  }
}

/// `vision_cfg` of open_clip's own tower.
void readVision(const ConfigFields& vision, FileTensors& tensors, ModelConfig& config) {
  if (const auto* layers = vision.find("layers"); layers != nullptr && layers->is_array()) {
    vision.fail("layers", "is a list: that is a ResNet, which has no tokens to merge");
  }
  config.depth = vision.count("layers");
  config.dim = vision.count("width");
  config.patch_size = patchSizeField(vision);
  config.trained_size = vision.size("image_size");
  constexpr int kHeadWidth = 64;
  const Field<int> head_width = vision.count("head_width");
  const int width = tensors.find("cls_token").size(-1);
  const int per_head = head_width.value.value_or(kHeadWidth);
  if (per_head < 1 || width % per_head != 0) {
    vision.fail("head_width",
                fmt::format("is {}, which does not divide the width {}", per_head, width));
  }
  config.heads = {width / per_head, vision.name("width") + " / head_width"};
  if (const Field<double> ratio = vision.number("mlp_ratio"); ratio && config.dim) {
    config.mlp_hidden = {static_cast<int>(*config.dim * *ratio), "width x mlp_ratio"};
  }
  if (vision.has("ls_init_value")) {
    config.layer_scale = {true, vision.name("ls_init_value")};
  }
  if (const Field<bool> none = vision.flag("no_ln_pre")) config.pre_norm = {!*none, none.key};
  const bool after = vision.flag("final_ln_after_pool").value.value_or(false);
  const Field<std::string> type = vision.text("pool_type");
  if (type && *type != "tok" && *type != "avg") {
    vision.fail("pool_type",
                fmt::format("is '{}'; tok and avg can run here", printable(*type, 40)));
  }
  config.pooling = {type && *type == "avg" ? Pooling::kAverage : Pooling::kToken,
                    vision.name("pool_type")};
  bool pools = false;
  if (const auto* pool = vision.find("attentional_pool"); pool != nullptr) {
    if (!pool->is_boolean())
      vision.fail("attentional_pool",
                  "is no truth value: parallel and cascaded pooling cannot run here");
    pools = pool->get<bool>();
  }
  if (pools != tensors.has("attn_pool.latent")) {
    vision.fail("attentional_pool", pools
                                        ? "is true, but the tensors have no 'attn_pool.query'"
                                        : "is not set, but the tensors have an 'attn_pool.query'");
  }
  const Field<int> queries = vision.count("attn_pooler_queries");
  const Field<int> heads = vision.count("attn_pooler_heads");
  if (pools) {
    if (*config.pooling == Pooling::kAverage) {
      vision.fail("pool_type", "is 'avg': the mean of several queries cannot run here, tok can");
    }
    constexpr int kPoolHeads = 8;
    config.pooling.value = Pooling::kAttention;
    config.base.attention_pool.heads = heads.value.value_or(kPoolHeads);
    config.base.attention_pool.prefix = true;
    const at::Tensor latent = tensors.find("attn_pool.latent");
    if (queries && latent.dim() == 3 && *queries != latent.size(1)) {
      vision.fail("attn_pooler_queries",
                  fmt::format("is {}, but the tensors have {}", *queries, latent.size(1)));
    }
    const int pool_heads = config.base.attention_pool.heads;
    if (latent.dim() == 3 && (pool_heads < 1 || latent.size(2) % pool_heads != 0)) {
      vision.fail("attn_pooler_heads", fmt::format("is {}, which does not divide the pooling's "
                                                   "width {}",
                                                   pool_heads, latent.size(2)));
    }
  }
  if (pools || after) {
    constexpr std::array<Renaming, 1> kAfter{{{"ln_post", "fc_norm"}}};
    tensors.rename(kAfter);
    config.final_norm = {false, vision.name("final_ln_after_pool")};
  } else {
    constexpr std::array<Renaming, 1> kBefore{{{"ln_post", "norm"}}};
    tensors.rename(kBefore);
  }
  const ConfigFields norms = vision.below("norm_kwargs");
  if (const Field<double> eps = norms.number("eps")) config.norm_epsilon = eps;
  norms.refuseUnknown({});
  vision.below("act_kwargs").refuseUnknown({});
  if (const Field<std::string> block = vision.text("block_type"); block && *block != "default") {
    vision.fail("block_type",
                fmt::format("is '{}'; only default can run here", printable(*block, 40)));
  }
  for (const char* key : {"qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn_inner",
                          "scale_attn", "scale_fc"}) {
    refuse(vision, key, "open_clip's custom block");
  }
  if (const Field<std::string> positions = vision.text("pos_embed_type");
      positions && *positions != "learnable" && *positions != "sin_cos_2d") {
    vision.fail("pos_embed_type", "is neither learnable nor sin_cos_2d");
  }
  constexpr std::array<std::string_view, 3> kIgnored{"patch_dropout", "output_tokens",
                                                     "input_patchnorm"};
  refuse(vision, "input_patchnorm", "a norm of the patches");
  vision.refuseUnknown(kIgnored);
}

void finishTower(ModelConfig& config) {
  config.patch_bias.value = false;
  if (!config.pre_norm) config.pre_norm = {true, "ln_pre"};
  if (!config.norm_epsilon) config.norm_epsilon.value = 1e-5;
  config.base.resampling = Resampling::kBicubicAntialiased;
}

/// What the trunk's vector is projected by, as `timm_proj` must say: "linear" or "mlp" of
/// open_clip's, "" (null) the trunk's own classifier, "none".
std::string compareProjection(const ConfigFields& vision, const FileTensors& tensors) {
  const auto given = vision.object().find("timm_proj");
  const bool null = given != vision.object().end() && given->is_null();
  const std::string said = null ? "" : vision.text("timm_proj").value.value_or("linear");
  const std::string matrix = tensors.inFile("projection.weight");
  std::string found = "none";
  if (tensors.has("projection.fc1.weight")) {
    found = "mlp";
  } else if (tensors.has("projection.weight")) {
    found = matrix.find("trunk.head") != std::string::npos ? "" : "linear";
  }
  if (said != found) {
    const auto word = [](const std::string& kind) {
      return kind.empty() ? std::string("null") : fmt::format("'{}'", printable(kind, 40));
    };
    vision.fail("timm_proj", fmt::format("is {}, but the tensors in {} are those of {}; 'linear', "
                                         "'mlp', 'none' and null can run here",
                                         word(said), tensors.file(), word(found)));
  }
  const Field<bool> bias = vision.flag("timm_proj_bias");
  const std::string last = found == "mlp" ? "mlp.fc2" : "proj";
  const bool there = tensors.has(found == "mlp" ? "projection.fc2.bias" : "projection.bias");
  if (bias && (found == "linear" || found == "mlp") && *bias != there) {
    vision.fail("timm_proj_bias", fmt::format("is {}, but there is {} 'visual.head.{}.bias'", *bias,
                                              there ? "a" : "no", last));
  }
  return found;
}

/// Beside a projection of open_clip's the trunk is made as its architecture says and then pools
/// otherwise: its norms stay where its own pooling has put them.
void keepNorms(const nlohmann::json& architecture, nlohmann::json& args) {
  const bool plain = architecture.value("class", "VisionTransformer") == "VisionTransformer";
  const char* key = plain ? "fc_norm" : "use_fc_norm";
  if (architecture.contains(key)) return;
  const std::string own = architecture.value("global_pool", plain ? "token" : "avg");
  args[key] = own == "avg" || (plain && (own == "avgmax" || own == "max"));
}

ModelConfig openTrunk(const ConfigFields& vision, const Field<int>& width, FileTensors& tensors) {
  tensors.keepBelow("visual.");
  const std::string name = vision.text("timm_model_name").value.value_or("");
  if (name.empty())
    vision.fail("timm_model_name", "is missing, though the tensors are a timm trunk's");
  if (timmArchitecture(name.substr(0, name.find('.'))) == nullptr) {
    vision.fail("timm_model_name",
                fmt::format("is '{}', which is no VisionTransformer, Eva or Beit "
                            "of timm 1.0.31: nothing tells what it computes",
                            printable(name, 60)));
  }
  // The head's names, and the trunk's, which are timm's.
  constexpr std::array<Renaming, 3> kHead{
      {{"head.proj", "projection"}, {"head.mlp", "projection"}, {"trunk.head", "projection"}}};
  tensors.rename(kHead);
  tensors.removePrefix("trunk.");
  const std::string projection = compareProjection(vision, tensors);
  const bool projects = projection != "none";
  if (const at::Tensor last = tensors.find("projection.fc2.weight");
      last.defined() && last.dim() == 2 && !tensors.has("projection.fc2.bias")) {
    tensors.set("projection.fc2.bias", at::zeros({last.size(0)}, last.options()),
                tensors.inFile("projection.fc2.weight"));
  }
  const at::Tensor patches = tensors.find("patch_embed.proj.weight");
  if (!projects && width && patches.dim() == 4 && patches.size(0) != *width) {
    throw Error(fmt::format("{}: {} is {}, but without a projection the embedding of {} is {} wide",
                            vision.file(), width.key, *width, tensors.file(), patches.size(0)));
  }
  nlohmann::json args = nlohmann::json::object();
  const Field<std::string> pool = vision.text("timm_pool");
  // Absent means the mean; an empty word the architecture's own.
  if (!pool || !(*pool).empty()) {
    std::string word = pool.value.value_or("avg");
    constexpr std::array<std::string_view, 6> kPools{"token", "avg", "max", "avgmax", "map", "prr"};
    if (std::find(kPools.begin(), kPools.end(), word) == kPools.end()) {
      vision.fail("timm_pool", fmt::format("is '{}'; {} can run here", printable(word, 40),
                                           fmt::join(kPools, ", ")));
    }
    args["global_pool"] = word;
    if (projection == "linear" || projection == "mlp") {
      keepNorms(*timmArchitecture(name.substr(0, name.find('.'))), args);
    }
  }
  ModelConfig config = readTimmNetwork(name, args, vision.file(), vision.name(""), tensors);
  // The config calls the trunk's `global_pool` so.
  for (std::string* key : {&config.pooling.key, &config.fc_norm.key, &config.final_norm.key}) {
    if (const std::size_t at = key->find("global_pool"); at != std::string::npos) {
      key->replace(at, std::string_view("global_pool").size(), "timm_pool");
    }
  }
  config.format = ConfigFormat::kOpenClip;
  config.file = vision.file();
  config.projection = projects ? width : Field<int>{};
  config.input_size = vision.size("image_size");
  for (const char* key :
       {"timm_model_pretrained", "timm_drop", "timm_drop_path", "patch_dropout", "output_tokens"}) {
    static_cast<void>(vision.find(key));
  }
  vision.refuseUnknown({});
  return config;
}

ModelConfig openOpenClip(const ConfigFiles& files, FileTensors& tensors) {
  if (files.open_clip_file.empty()) {
    tensors.fail(
        "needs its open_clip_config.json beside it: no tensor says how many heads there "
        "are and which GELU");
  }
  const ConfigFields root = files.openClipFields();
  const ConfigFields model = root.below("model_cfg");
  const ConfigFields vision = model.below("vision_cfg");
  const Field<int> width = model.count("embed_dim");
  ModelConfig config;
  if (tensors.has(kTrunkPatches)) {
    config = openTrunk(vision, width, tensors);
  } else {
    renameTower(tensors);
    readVision(vision, tensors, config);
    config.activation.value =
        model.flag("quick_gelu").value.value_or(false) ? Activation::kQuickGelu : Activation::kGelu;
    config.projection = width;
    finishTower(config);
  }
  config.format = ConfigFormat::kOpenClip;
  config.file = root.file();
  if (config.architecture.empty()) config.architecture = "open_clip";
  config.preprocessing = readOpenClipPreprocessing(root.below("preprocess_cfg"));
  constexpr std::array<std::string_view, 12> kOther{
      "text_cfg",        "custom_text",           "multimodal_cfg",
      "init_logit_bias", "init_logit_scale",      "embed_dim",
      "quick_gelu",      "output_dict",           "cast_dtype",
      "output_tokens",   "nonscalar_logit_scale", "vision_cfg"};
  model.refuseUnknown(kOther);
  root.refuseUnknown({});
  return config;
}

ModelConfig openOpenAi(const ConfigFiles& /*files*/, FileTensors& tensors) {
  renameTower(tensors);
  constexpr std::array<Renaming, 1> kNorm{{{"ln_post", "norm"}}};
  tensors.rename(kNorm);
  ModelConfig config;
  config.architecture = "clip";
  config.activation.value = Activation::kQuickGelu;
  config.pooling.value = Pooling::kToken;
  constexpr int kHeadWidth = 64;
  config.heads.value = static_cast<int>(tensors.find("cls_token").size(-1) / kHeadWidth);
  finishTower(config);
  config.preprocessing = publishedPreprocessing(Publisher::kOpenAiClip);
  return config;
}

}  // namespace open_clip

Family openClipFamily() {
  return {
      "open_clip", ConfigFormat::kOpenClip, {}, open_clip::findOpenClip, open_clip::openOpenClip};
}

Family openAiClipFamily() {
  return {"CLIP (OpenAI)", ConfigFormat::kNone, {}, open_clip::findOpenAi, open_clip::openOpenAi};
}

}  // namespace adamerge
