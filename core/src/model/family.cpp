// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/family.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "adamerge/error.h"
#include "model/families/timm.h"
#include "support/text.h"

namespace adamerge {
namespace {

/// Networks that people try and that cannot run here, by a part of a tensor's name or of a config's
/// model_type or architecture, with the reason and what would open instead.
struct Refusal {
  std::string_view part;
  std::string_view reason;
};
/// Tensors' names, the more special first: Segment Anything's children have pyramids too.
constexpr std::array<Refusal, 11> kRefusedTensors{{
    {"lambda_q1", "has differential attention: cannot run here. timm's plain vit_* networks do"},
    {"embeds.proj",
     "is a NaFlex network, with patches of any aspect: cannot run here. The SigLIP "
     "networks of fixed size do"},
    {"image_encoder.trunk.", "is Segment Anything 2: cannot run here. The first one does"},
    {"vision_backbone.trunk.", "is Segment Anything 3: cannot run here. The first one does"},
    {"vision_encoder.backbone.", "is Segment Anything 2 or 3: cannot run here. The first one does"},
    {"image_encoder.patch_embed.seq.",
     "is MobileSAM's encoder: cannot run here. Segment Anything's own does"},
    {"downsample.", "is a pyramid network (Swin): cannot run here. Plain ViTs and DeiTs do"},
    {"stages.", "is a pyramid network: cannot run here. Plain ViTs and DeiTs do"},
    {"temporal_embed", "is a video network: cannot run here. Image networks do"},
    {"patch_embeddings.projection_3d", "is a video network: cannot run here. Image networks do"},
    {"logit_scale_attn", "has scaled cosine attention (Swin 2): cannot run here"},
}};
constexpr std::array<Refusal, 12> kRefusedTypes{{
    {"swin", "has windows and a pyramid: cannot run here; vit, deit, dinov2 and beit do"},
    {"sam",
     "is another Segment Anything than the first: cannot run here; sam, sam_vision_model, sam_hq "
     "and sam_hq_vision_model do"},
    {"siglip2",
     "is a NaFlex network, with patches of any aspect: cannot run here; SigLIP 2 of "
     "fixed size (model_type siglip) does"},
    {"pvt", "is a pyramid network: cannot run here; vit, deit, dinov2 and beit do"},
    {"convnext", "is a convolutional network: it has no tokens to merge"},
    {"resnet", "is a convolutional network: it has no tokens to merge"},
    {"hiera", "is a pyramid network: cannot run here; vit, deit, dinov2 and beit do"},
    {"vivit", "is a video network: cannot run here; image networks do"},
    {"videomae", "is a video network: cannot run here; vit_mae does"},
    {"timesformer", "is a video network: cannot run here; image networks do"},
    {"vjepa2", "is a video network: cannot run here; image networks do"},
    {"levit", "is a pyramid network: cannot run here; deit does"},
}};

constexpr std::string_view kRuns =
    "vit, deit, vit_mae, ijepa, beit, data2vec-vision, dinov2, dinov2_with_registers, dinov3_vit, "
    "clip, clip_vision_model, siglip, siglip_vision_model, sam, sam_vision_model, sam_hq and "
    "sam_hq_vision_model can run here";

void refuseTensors(const FileTensors& tensors) {
  if (tensors.all().empty()) tensors.fail("there are no tensors in it");
  for (const auto& [part, reason] : kRefusedTensors) {
    for (const auto& [name, tensor] : tensors.all()) {
      if (name.find(part) != std::string::npos) {
        tensors.fail(fmt::format("{} (tensor '{}')", reason, printable(name)));
      }
    }
  }
}

[[noreturn]] void failUnrecognised(const FileTensors& tensors) {
  // Its names are those of timm's Segment Anything, which has relative positions besides.
  if (tensors.has("neck.0.weight") && tensors.has("blocks.0.mlp.fc1.weight") &&
      !tensors.has("blocks.0.attn.rel_pos_h")) {
    tensors.fail("is EfficientSAM's encoder: cannot run here. Segment Anything's own does");
  }
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors.all()) names.push_back(name);
  tensors.fail(fmt::format(
      "has the names of no Vision Transformer that is known here: {}. Files of timm, "
      "transformers, open_clip, OpenAI's CLIP, Meta's DINOv2, DINOv3 and SAM and FAIR's MAE can be "
      "opened",
      someOf(names)));
}

/// Families may share names; two patch embeddings are two networks.
void refuseSecondNetwork(const Family& recognised, const FileTensors& tensors) {
  const std::string first = recognised.recognises(tensors);
  for (const Family& family : families()) {
    const std::string second = family.recognises(tensors);
    if (second.empty() || second == first) continue;
    tensors.fail(
        fmt::format("holds two networks: '{}' is {}'s and '{}' is {}'s. A file of one is "
                    "expected",
                    first, recognised.label, second, family.label));
  }
}

const Family* byModelType(const ConfigFields& fields) {
  const std::string type = *fields.text("model_type");
  for (const Family& family : families()) {
    const auto& types = family.model_types;
    if (std::find(types.begin(), types.end(), type) != types.end()) return &family;
  }
  for (const auto& [part, reason] : kRefusedTypes) {
    if (type.starts_with(part)) {
      fields.fail("model_type", fmt::format("is '{}', which {}", printable(type, 60), reason));
    }
  }
  fields.fail("model_type", fmt::format("is '{}'; {}", printable(type, 60), kRuns));
}

}  // namespace

std::span<const Family> families() {
  // The order in which files without config are tried: names that are more special come first.
  static const std::vector<Family> kFamilies{
      openClipFamily(),   openAiClipFamily(), hfClipFamily(),  hfSiglipFamily(),
      hfDinov3Family(),   hfDinov2Family(),   hfBeitFamily(),  hfVitFamily(),
      hfIjepaFamily(),    hfSamFamily(),      metaSamFamily(), metaDinov3Family(),
      metaDinov2Family(), fairMaeFamily(),    afnoFamily(),    timmFamily()};
  return kFamilies;
}

const Family& findFamily(const ConfigFiles& configs, const FileTensors& tensors) {
  const ConfigFormat format = configs.format();
  const Family* named = nullptr;
  if (format == ConfigFormat::kHuggingFace) named = byModelType(configs.fields());
  refuseTensors(tensors);
  const Family* recognised = nullptr;
  for (const Family& family : families()) {
    const bool fits_format = format == ConfigFormat::kNone || family.format == format;
    if (!fits_format || family.recognises(tensors).empty()) continue;
    if (named == &family || (named == nullptr && recognised == nullptr)) recognised = &family;
  }
  if (recognised != nullptr) {
    refuseSecondNetwork(*recognised, tensors);
    return *recognised;
  }
  for (const Family& family : families()) {
    if (format == ConfigFormat::kNone || family.recognises(tensors).empty()) continue;
    const std::string& file =
        configs.open_clip_file.empty() ? configs.config_file : configs.open_clip_file;
    const std::string described =
        named != nullptr
            ? fmt::format("model_type is '{}', which is {}",
                          printable(*configs.fields().text("model_type"), 60), named->label)
            : fmt::format("describes {}", format == ConfigFormat::kTimm
                                              ? "a network of timm's"
                                              : "a network of open_clip's");
    throw Error(fmt::format("{}: {}, but the tensors in {} have the names of {}", file, described,
                            tensors.file(), family.label));
  }
  failUnrecognised(tensors);
}

void requireRunnable(const ConfigFiles& configs) {
  if (configs.format() == ConfigFormat::kHuggingFace) byModelType(configs.fields());
  if (configs.format() == ConfigFormat::kTimm && !describesAfno(configs.fields())) {
    requireTimmArchitecture(configs.fields());
  }
}

std::span<const std::string_view> huggingFaceIgnored() {
  static constexpr std::array<std::string_view, 92> kIgnored{
      // Who wrote the file, and what a call returns.
      "architectures", "model_type", "torch_dtype", "dtype", "transformers_version",
      "_name_or_path", "_commit_hash", "_attn_implementation_autoset", "attn_implementation",
      "id2label", "label2id", "problem_type", "output_attentions", "output_hidden_states",
      "return_dict", "use_return_dict", "torchscript", "use_bfloat16", "tie_word_embeddings",
      // Of models of language, which every config had.
      "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
      "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty",
      "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids",
      "num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id",
      "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty",
      "suppress_tokens", "begin_suppress_tokens", "finetuning_task", "tokenizer_class", "prefix",
      "bos_token_id", "pad_token_id", "eos_token_id", "sep_token_id", "decoder_start_token_id",
      "task_specific_params", "is_decoder", "is_encoder_decoder", "add_cross_attention",
      "cross_attention_hidden_size", "tie_encoder_decoder", "chunk_size_feed_forward",
      "tf_legacy_loss",
      // Training.
      "attention_probs_dropout_prob", "hidden_dropout_prob", "attention_dropout", "dropout",
      "drop_path_rate", "initializer_range", "initializer_factor", "layerscale_value",
      "encoder_stride", "use_mask_token",
      // Of backbones and segmentation.
      "out_features", "out_indices", "_out_features", "_out_indices", "stage_names",
      "apply_layernorm", "reshape_hidden_states", "add_fpn", "semantic_loss_ignore_index",
      "auxiliary_channels", "auxiliary_concat_input", "auxiliary_loss_weight",
      "auxiliary_num_convs", "pool_scales", "use_auxiliary_head",
      // Other parts and their training.
      "vocab_size", "projection_act", "logit_scale_init_value", "mask_ratio", "norm_pix_loss",
      "gradient_checkpointing", "num_labels"};
  return kIgnored;
}

void readHuggingFaceFields(const ConfigFields& fields, ModelConfig& config, int usual_heads) {
  config.format = ConfigFormat::kHuggingFace;
  config.file = fields.file();
  config.architecture = fields.text("model_type").value.value_or("");
  config.patch_size = patchSizeField(fields);
  config.channels = fields.count("num_channels");
  config.dim = fields.count("hidden_size");
  config.depth = fields.count("num_hidden_layers");
  config.heads = fields.count("num_attention_heads");
  // Every class has so many where the file says nothing, whatever the width.
  if (!config.heads) config.heads.value = usual_heads;
  config.mlp_hidden = fields.count("intermediate_size");
  config.trained_size = fields.size("image_size");
  config.norm_epsilon = fields.number("layer_norm_eps");
  config.activation = activationField(fields, "hidden_act");
  if (fields.has("pruned_heads") && !fields.find("pruned_heads")->empty()) {
    fields.fail("pruned_heads", "is not empty: heads that were taken out cannot run here");
  }
}

bool hasKeysWithoutBias(const FileTensors& tensors, const std::string& base) {
  const auto has = [&](const char* name) { return !tensors.first(base + name).empty(); };
  return (has("encoder.layer.*.attention.attention.query.bias") &&
          !has("encoder.layer.*.attention.attention.key.bias")) ||
         (has("layers.*.attention.q_proj.bias") && !has("layers.*.attention.k_proj.bias"));
}

void dropNoRegisters(FileTensors& tensors) {
  const at::Tensor registers = tensors.find("reg_token");
  if (registers.defined() && registers.numel() == 0) tensors.drop("reg_token");
}

std::span<const Renaming> huggingFaceVitNames() {
  static constexpr std::array<Renaming, 51> kNames{{
      {"embeddings.cls_token", "cls_token"},
      {"embeddings.distillation_token", "dist_token"},
      {"embeddings.register_tokens", "reg_token"},
      {"embeddings.position_embeddings", "pos_embed"},
      {"embeddings.patch_embeddings.projection", "patch_embed.proj"},
      // transformers 4 and what 5 writes for models that came from there
      {"encoder.layer.*.attention.attention.query", "blocks.*.attn.q_proj"},
      {"encoder.layer.*.attention.attention.key", "blocks.*.attn.k_proj"},
      {"encoder.layer.*.attention.attention.value", "blocks.*.attn.v_proj"},
      {"encoder.layer.*.attention.output.dense", "blocks.*.attn.proj"},
      {"encoder.layer.*.intermediate.dense", "blocks.*.mlp.fc1"},
      {"encoder.layer.*.output.dense", "blocks.*.mlp.fc2"},
      {"encoder.layer.*.layernorm_before", "blocks.*.norm1"},
      {"encoder.layer.*.layernorm_after", "blocks.*.norm2"},
      {"encoder.layer.*.lambda_1", "blocks.*.ls1.gamma"},
      {"encoder.layer.*.lambda_2", "blocks.*.ls2.gamma"},
      {"encoder.layer.*.attention.attention.relative_position_bias.relative_position_bias_table",
       "blocks.*.attn.relative_position_bias_table"},
      {"encoder.relative_position_bias.relative_position_bias_table",
       "rel_pos_bias.relative_position_bias_table"},
      // transformers 5
      {"layers.*.attention.q_proj", "blocks.*.attn.q_proj"},
      {"layers.*.attention.k_proj", "blocks.*.attn.k_proj"},
      {"layers.*.attention.v_proj", "blocks.*.attn.v_proj"},
      {"layers.*.attention.o_proj", "blocks.*.attn.proj"},
      {"layers.*.mlp.fc1", "blocks.*.mlp.fc1"},
      {"layers.*.mlp.fc2", "blocks.*.mlp.fc2"},
      {"layers.*.layernorm_before", "blocks.*.norm1"},
      {"layers.*.layernorm_after", "blocks.*.norm2"},
      {"layers.*.lambda_1", "blocks.*.ls1.gamma"},
      {"layers.*.lambda_2", "blocks.*.ls2.gamma"},
      {"layers.*.relative_position_bias.relative_position_bias_table",
       "blocks.*.attn.relative_position_bias_table"},
      {"shared_position_bias.relative_position_bias_table",
       "rel_pos_bias.relative_position_bias_table"},
      // DINOv2, in both
      {"encoder.layer.*.attention.q_proj", "blocks.*.attn.q_proj"},
      {"encoder.layer.*.attention.k_proj", "blocks.*.attn.k_proj"},
      {"encoder.layer.*.attention.v_proj", "blocks.*.attn.v_proj"},
      {"encoder.layer.*.attention.o_proj", "blocks.*.attn.proj"},
      {"encoder.layer.*.norm1", "blocks.*.norm1"},
      {"encoder.layer.*.norm2", "blocks.*.norm2"},
      {"encoder.layer.*.layer_scale1.lambda1", "blocks.*.ls1.gamma"},
      {"encoder.layer.*.layer_scale2.lambda1", "blocks.*.ls2.gamma"},
      {"encoder.layer.*.mlp.fc1", "blocks.*.mlp.fc1"},
      {"encoder.layer.*.mlp.fc2", "blocks.*.mlp.fc2"},
      {"encoder.layer.*.mlp.weights_in", "blocks.*.mlp.fc1"},
      {"encoder.layer.*.mlp.weights_out", "blocks.*.mlp.fc2"},
      {"encoder.layer.*.mlp.gate_proj", "blocks.*.mlp.fc1_g"},
      {"encoder.layer.*.mlp.up_proj", "blocks.*.mlp.fc1_x"},
      {"encoder.layer.*.mlp.down_proj", "blocks.*.mlp.fc2"},
      {"layernorm", "norm"},
      {"pooler.layernorm", "fc_norm"},
      {"pooler.dense", "projection"},
      {"classifier", "head"},
      {"cls_classifier", "head"},
      {"distillation_classifier", "head_dist"},
      {"embeddings.mask_token", "mask_token"},
  }};
  return kNames;
}

std::optional<PrefixedTensor> firstBelow(const FileTensors& tensors,
                                         std::span<const std::string_view> prefixes,
                                         std::string_view name) {
  for (const std::string_view prefix : prefixes) {
    std::string whole = std::string(prefix).append(name);
    if (tensors.has(whole)) return PrefixedTensor{std::string(prefix), std::move(whole)};
  }
  return std::nullopt;
}

void removeModelPrefix(FileTensors& tensors, std::span<const std::string_view> prefixes,
                       std::string_view name) {
  const std::optional<PrefixedTensor> found = firstBelow(tensors, prefixes, name);
  if (!found) tensors.fail(fmt::format("tensor '{}' is missing", name));
  tensors.removePrefix(found->prefix);
}

void addBatchToClipTokens(FileTensors& tensors) {
  for (const char* name : {"cls_token", "pos_embed"}) {
    const at::Tensor tensor = tensors.find(name);
    if (!tensor.defined()) continue;
    if (tensor.dim() != (name == std::string_view("cls_token") ? 1 : 2)) {
      tensors.fail(
          fmt::format("tensor '{}' has another number of sizes than CLIP's", tensors.inFile(name)));
    }
    tensors.set(name, tensor.reshape({1, -1, tensor.size(-1)}), tensors.inFile(name));
  }
}

}  // namespace adamerge
