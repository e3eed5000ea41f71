// SPDX-License-Identifier: GPL-3.0-or-later
// No field of a config is passed over: for every case of every family, each field of its configs,
// the preprocessor's included, is changed. Either the change is refused with a sentence that names
// the field, or the network or what is shown of it changes, or the field is in the list below of
// those without a say.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "engine/vit.h"
#include "family_folders.h"
#include "model/load_model.h"
#include "safetensors_writer.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Pointer = json::json_pointer;

/// Without a say at inference, by what a pointer ends with; "FOLDER:" before it where that is so in
/// one case only, with the reason.
const std::map<std::string, std::string, std::less<>> kWithoutSay{
    // Who wrote the file, and how its tensors are stored.
    {"/architectures", "the head follows from the tensors"},
    {"/dtype", "the tensors have types of their own"},
    {"/transformers_version", ""},
    {"/label2id", "id2label says the same"},
    {"/tag", ""},
    {"/custom_load", "how timm fetches files"},
    {"/license", ""},
    {"/origin_url", ""},
    {"/paper_ids", ""},
    {"/min_input_size/0", "timm itself runs smaller ones"},
    {"/min_input_size/1", "the same"},
    {"/min_input_size/2", "the same"},
    {"/notes", ""},
    {"/first_conv", "a tensor's name, for changing channels"},
    {"/classifier", "a tensor's name, for changing classes"},
    {"/pool_size", "of convolutional networks"},
    {"/timm_model_pretrained", "which weights training began with"},
    {"/qkv_fused", "the tensors show it"},
    // Training.
    {"/attention_probs_dropout_prob", ""},
    {"/hidden_dropout_prob", ""},
    {"/attention_dropout", ""},
    {"/drop_path_rate", ""},
    {"/patch_dropout", ""},
    {"/initializer_range", ""},
    {"/initializer_factor", ""},
    {"/layerscale_value", "what layer scale starts with"},
    {"timm-eva-two-norms:/model_args/init_values", "the same, and in an Eva 0 is not none"},
    {"/layer_scale_init_value", "what layer scale starts with; 0 is none and is compared"},
    {"/ls_init_value", "what layer scale starts with"},
    {"/logit_scale_init_value", ""},
    {"/init_logit_bias", ""},
    {"/pos_embed_jitter", ""},
    {"/pos_embed_rescale", ""},
    {"/pos_embed_shift", ""},
    {"/rope_shift_coords", ""},
    {"/mask_ratio", "the encoder sees all patches"},
    {"/norm_pix_loss", ""},
    {"/use_mask_token", ""},
    {"/vocab_size", "of visual tokens, which pretraining guesses"},
    // Of parts that an image network's embedding does not use.
    {"/encoder_stride", "SimMIM's decoder"},
    {"/decoder_hidden_size", "MAE's decoder"},
    {"/decoder_intermediate_size", "MAE's decoder"},
    {"/decoder_num_attention_heads", "MAE's decoder"},
    {"/decoder_num_hidden_layers", "MAE's decoder"},
    {"/text_config", "the text tower"},
    {"/text_cfg", "the text tower"},
    {"/multimodal_cfg", "the text tower"},
    {"/custom_text", "the text tower"},
    {"/output_tokens", "what else is returned"},
    {"/apply_layernorm", "of backbones"},
    {"/reshape_hidden_states", "of backbones"},
    {"/out_features", "of backbones"},
    {"/out_indices", "of backbones"},
    {"/stage_names", "of backbones"},
    {"/add_fpn", "segmentation"},
    {"/auxiliary_channels", "segmentation"},
    {"/auxiliary_concat_input", "segmentation"},
    {"/auxiliary_loss_weight", "segmentation"},
    {"/auxiliary_num_convs", "segmentation"},
    {"/pool_scales", "segmentation"},
    {"/semantic_loss_ignore_index", "segmentation"},
    {"/use_auxiliary_head", "segmentation"},
    // timm's order: model_args, architecture, then the root, then pretrained_cfg.
    {"/pretrained_cfg/num_classes", "the root's num_classes replaces it"},
    {"timm:/global_pool",
     "informative, says the specification; model_args or the architecture decide"},
    {"/pretrained_cfg/fixed_input_size", "decides only where img_size and input_size differ"},
    {"/pretrained_cfg/input_size", "model_args.img_size overrules it where the size is fixed"},
    // DINOv3 has no table: image_size is that of the pictures, which the processor's overrules.
    {"hf-dinov3:/image_size", ""},
    {"hf-dinov3-gated:/image_size", ""},
    {"hf-dinov3-rectangular-v4:/image_size", ""},
    {"hf-dinov3-no-registers:/image_size", ""},
    {"hf-dinov2-swiglu:/hidden_act", "SwiGLU's gate is SiLU"},
    {"hf-dinov2-swiglu-v4:/hidden_act", "SwiGLU's gate is SiLU"},
    {"hf-clip-vision:/projection_dim", "the class has no projection"},
    {"open-clip-clipa:/pos_embed_type", "the table is stored either way"},
    {"open-clip-timm-trunk:/quick_gelu", "the trunk's activation is its architecture's"},
    {"vit:/pooler_act", "a classifier takes the token itself"},
    {"vit:/pooler_output_size", "a classifier takes the token itself"},
    {"deit:/pooler_act", "a classifier takes the token itself"},
    {"deit:/pooler_output_size", "a classifier takes the token itself"},
    {"ijepa:/pooler_act", "the mean is the embedding"},
    {"ijepa:/pooler_output_size", "the mean is the embedding"},
    // The preprocessor's: how pictures are handed over, and of parts besides the picture.
    {"/processor_class", ""},
    {"/do_convert_rgb", "pictures are RGB here"},
    {"/data_format", ""},
    {"/input_data_format", ""},
    {"/return_tensors", ""},
    {"/device", ""},
    {"/disable_grouping", ""},
    {"/reduce_labels", "of segmentation's labels"},
    {"/do_reduce_labels", "of segmentation's labels"},
    {"/mask_size", "of a prompt's mask"},
    {"/mask_pad_size", "of a prompt's mask"},
    {"beit:/crop_size", "do_center_crop is false"},
    {"data2vec-vision:/crop_size", "do_center_crop is false"},
    {"dinov3_vit:/crop_size", "do_center_crop is null, which is no"},
    {"dinov3_vit:/default_to_square", "of a size in one number"},
    {"hf-beit:/do_center_crop", "the crop is as large as what it is of"},
    {"hf-beit-resampled:/do_center_crop", "as in hf-beit"},
    {"hf-beit-shared:/do_center_crop", "as in hf-beit"},
    {"hf-data2vec:/do_center_crop", "as in hf-beit"},
    {"hf-deit-classify:/do_center_crop", "as in hf-beit"},
    {"hf-deit-distilled:/do_center_crop", "as in hf-beit"},
    {"hf-deit-distilled-v4:/do_center_crop", "as in hf-beit"},
    {"dense-dinov2:/model_args/init_values", "what layer scale starts with"},
    // Segment Anything's other parts, and what its encoder's class has no use for.
    {"sam:/vision_config/projection_dim", ""},
    {"sam:/vision_config/intermediate_size", "mlp_dim says it"},
    {"sam_vision_model:/mlp_ratio", "mlp_dim says it"},
    {"/num_pos_feats", "of the prompts"},
    {"/dropout", ""},
    {"/tie_word_embeddings", ""},
    {"/mask_decoder_config", "of the masks"},
    {"/prompt_encoder_config", "of the prompts"},
};

bool withoutSay(const std::string& folder, const std::string& kind, const std::string& pointer) {
  return std::any_of(kWithoutSay.begin(), kWithoutSay.end(), [&](const auto& entry) {
    std::string_view end = entry.first;
    bool anywhere = true;
    if (const std::size_t colon = end.find(':'); colon != std::string_view::npos) {
      const std::string_view where = end.substr(0, colon);
      if (where != folder && where != kind) return false;
      end.remove_prefix(colon + 1);
      anywhere = where != "timm";
    }
    if (!anywhere) return pointer == end;
    // Below a tower's object, whatever stands there.
    const std::size_t at = pointer.find(end);
    return at != std::string::npos &&
           (at + end.size() == pointer.size() || pointer[at + end.size()] == '/');
  });
}

/// All of it, so that no change goes unseen.
std::string text(const VitConfig& vit) {
  const Rotary& rotary = vit.rotary;
  const WindowedAttention& windows = vit.windows;
  const RelativeBias& bias = vit.relative_bias;
  const AttentionPool& pool = vit.attention_pool;
  return fmt::format("{}", fmt::join(std::vector<double>{1.0 * vit.input_height,
                                                         1.0 * vit.input_width,
                                                         1.0 * vit.patch_size,
                                                         1.0 * vit.channels,
                                                         1.0 * vit.dim,
                                                         1.0 * vit.depth,
                                                         1.0 * vit.heads,
                                                         1.0 * vit.mlp_hidden,
                                                         1.0 * vit.class_token,
                                                         1.0 * vit.distillation_token,
                                                         1.0 * vit.register_tokens,
                                                         1.0 * vit.position_table,
                                                         1.0 * vit.position_covers_prefix,
                                                         1.0 * vit.position_grid_height,
                                                         1.0 * vit.position_grid_width,
                                                         1.0 * static_cast<int>(vit.resampling),
                                                         1.0 * vit.resampling_rounds,
                                                         1.0 * static_cast<int>(rotary.form),
                                                         rotary.temperature,
                                                         rotary.offset,
                                                         1.0 * rotary.reference_height,
                                                         1.0 * rotary.reference_width,
                                                         1.0 * rotary.columns_first,
                                                         1.0 * rotary.halves,
                                                         1.0 * rotary.stored_periods,
                                                         1.0 * bias.per_block,
                                                         1.0 * bias.shared,
                                                         1.0 * bias.window_height,
                                                         1.0 * bias.window_width,
                                                         1.0 * bias.geometric,
                                                         1.0 * vit.patch_bias,
                                                         1.0 * vit.patch_norm,
                                                         1.0 * vit.pre_norm,
                                                         1.0 * static_cast<int>(vit.form),
                                                         1.0 * vit.branches,
                                                         1.0 * vit.rms_norm,
                                                         1.0 * vit.qkv_bias,
                                                         1.0 * vit.qk_norm,
                                                         1.0 * vit.rms_qk_norm,
                                                         1.0 * vit.attention_norm,
                                                         1.0 * vit.proj_bias,
                                                         1.0 * vit.layer_scale,
                                                         1.0 * vit.gated_mlp,
                                                         1.0 * vit.mlp_norm,
                                                         1.0 * vit.mlp_bias,
                                                         1.0 * vit.final_norm,
                                                         1.0 * vit.fc_norm,
                                                         vit.norm_epsilon,
                                                         1.0 * static_cast<int>(vit.activation),
                                                         1.0 * static_cast<int>(vit.pooling),
                                                         1.0 * vit.pool_prefix,
                                                         1.0 * pool.queries,
                                                         1.0 * pool.heads,
                                                         1.0 * pool.width,
                                                         1.0 * pool.mlp_hidden,
                                                         1.0 * pool.norms,
                                                         1.0 * pool.prefix,
                                                         1.0 * vit.projection,
                                                         1.0 * vit.projection_hidden,
                                                         1.0 * vit.projection_bias,
                                                         1.0 * vit.projection_tanh,
                                                         1.0 * vit.classes,
                                                         1.0 * vit.normalised_head,
                                                         1.0 * vit.two_heads,
                                                         1.0 * vit.mean_of_tokens,
                                                         1.0 * windows.relative,
                                                         1.0 * windows.table_height,
                                                         1.0 * windows.table_width,
                                                         1.0 * vit.neck_channels,
                                                         1.0 * vit.neck_norm,
                                                         1.0 * vit.filter.groups,
                                                         1.0 * vit.filter.hidden_factor,
                                                         1.0 * vit.filter.double_skip,
                                                         vit.filter.threshold,
                                                         vit.filter.fraction,
                                                         1.0 * vit.filter.rows_and_columns,
                                                         1.0 * vit.field_channels},
                                     " ")) +
         fmt::format(" {}", fmt::join(windows.sides, " "));
}

std::string text(const Preprocessing& pre) {
  return fmt::format("{} {}x{} {}x{} {} {} {} {} | {} | {} | {}", static_cast<int>(pre.resize),
                     pre.resize_height, pre.resize_width, pre.crop_height, pre.crop_width,
                     pre.crop_rounds_down, pre.in_corner, static_cast<int>(pre.interpolation),
                     pre.floating_point, fmt::join(pre.mean, " "), fmt::join(pre.std, " "),
                     fmt::join(pre.fill, " "));
}

at::Tensor output(const LoadedModel& model, const at::Tensor& input) {
  const VitConfig& vit = model.info.vit;
  const VisionTransformer network(vit, model.weights, at::kCPU, at::kFloat);
  const auto none = findMethodEntry("none").make(completeSettings({}), MethodContext{vit});
  return network.forward(input, *none, {}).embedding;
}

/// A value with others of its type, that a hasty reader would take as well.
std::vector<json> others(const std::string& key, const json& value) {
  if (value.is_boolean()) return {!value.get<bool>()};
  if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    // One more pixel may leave the grid as it was, which is no other table.
    if (key.find("size") != std::string::npos) return {2 * number + 3};
    return {number + 1, 2 * number + 3};
  }
  if (value.is_number()) return {2 * value.get<double>() + 0.01};
  if (value.is_null()) return {"shiny", 7};
  if (!value.is_string()) return {};
  std::vector<json> words{"shiny"};
  const auto add = [&](std::initializer_list<const char*> known) {
    for (const char* word : known) {
      if (value != word) words.emplace_back(word);
    }
  };
  if (key == "hidden_act") add({"gelu", "gelu_pytorch_tanh", "quick_gelu", "silu", "relu"});
  if (key == "global_pool") add({"token", "avg", "max", "avgmax", "map", "prr", ""});
  if (key == "pool_type") add({"tok", "avg", "last", "none"});
  if (key == "timm_pool") add({"token", "avg", "map", "abs_attn"});
  if (key == "timm_proj") add({"linear", "mlp", "none"});
  if (key == "interpolation") add({"bicubic", "bilinear", "lanczos"});
  if (key == "crop_mode") add({"center", "squash", "border"});
  if (key == "resize_mode") add({"shortest", "longest", "squash"});
  if (key == "pos_embed") add({"none", "learn"});
  if (key == "pooler_act") add({"gelu"});
  if (key == "model_type") {
    // vit_mae computes as vit does, and data2vec-vision as beit.
    add({"vit", "deit", "ijepa", "beit", "dinov2", "dinov2_with_registers", "dinov3_vit", "clip",
         "siglip", "siglip2", "swin"});
  }
  if (key == "architecture") {
    add({"swin_tiny_patch4_window7_224", "eva02_tiny_patch14_224", "beit_base_patch16_224",
         "vit_dpwee_patch16_reg1_gap_256"});
  }
  return words;
}

class ChangedConfig {
 public:
  ChangedConfig(const fs::path& source, const std::string& name) : source_(source), name_(name) {
    for (const auto& entry : fs::directory_iterator(source)) {
      const fs::path name = entry.path().filename();
      if (name != "case.safetensors" && name != name_) {
        fs::copy(entry.path(), folder_.path() / name);
      }
    }
    whole_ = json::parse(test::readBytes(source / name_));
    test::writeBytes(folder_.path() / name_, whole_.dump());
    const bool open_clip = !fs::exists(source / "config.json");
    const json network =
        json::parse(test::readBytes(source / (open_clip ? name_ : std::string("config.json"))));
    kind_ = network.contains("architecture") ? "timm" : network.value("model_type", "open_clip");
    const LoadedModel model = loadModel(folder_.path());
    vit_ = text(model.info.vit);
    shown_ = shown(model.info);
    notes_ = fmt::format("{}", fmt::join(model.info.notes, " "));
    input_ = at::rand({1, 3, model.info.vit.input_height, model.info.vit.input_width});
    embedding_ = output(model, input_);
  }

  void changeAll() { walk(Pointer(), whole_); }

  void addToAll() {
    for (const char* place :
         {"", "/model_args", "/vision_config", "/model_cfg", "/model_cfg/vision_cfg",
          "/pretrained_cfg", "/preprocess_cfg", "/size", "/crop_size", "/pad_size"}) {
      const Pointer at(place);
      if (!whole_.contains(at) || !whole_.at(at).is_object()) continue;
      json config = whole_;
      config[at]["shiny"] = 3;
      const std::string message = outcome(config);
      EXPECT_NE(message.find("shiny"), std::string::npos)
          << source_.filename() << " with " << place << "/shiny: " << message;
    }
  }

  int changes() const { return changes_; }

 private:
  static std::string shown(const ModelInfo& info) {
    return fmt::format("{} | {} | {}", info.architecture, text(info.preprocessing),
                       fmt::join(info.labels, ", "));
  }

  /// The refusal, or the notes.
  std::string outcome(const json& config) {
    test::writeBytes(folder_.path() / name_, config.dump());
    try {
      return fmt::format("{}", fmt::join(loadModel(folder_.path()).info.notes, " "));
    } catch (const Error& error) {
      return error.what();
    }
  }

  void walk(const Pointer& at, const json& value) {
    const std::string place = at.to_string();
    if (value.is_object()) {
      for (const auto& [key, below] : value.items()) walk(at / key, below);
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) walk(at / i, value[i]);
    } else {
      std::string key = at.back();
      if (std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        key = at.parent_pointer().back();
      }
      for (const json& other : others(key, value)) change(at, key, other);
    }
  }

  void change(const Pointer& at, const std::string& key, const json& other) {
    ++changes_;
    json config = whole_;
    config[at] = other;
    test::writeBytes(folder_.path() / name_, config.dump());
    const std::string what =
        fmt::format("{}: {} = {}", source_.filename().string(), at.to_string(), other.dump());
    const bool listed = withoutSay(source_.filename().string(), kind_, at.to_string());
    try {
      const LoadedModel model = loadModel(folder_.path());
      const VitConfig& vit = model.info.vit;
      if (text(vit) != vit_) {
        const bool other_size =
            vit.input_height != input_.size(2) || vit.input_width != input_.size(3);
        // Of files in single precision, rounding a resampled table to the file's type does nothing.
        EXPECT_TRUE(other_size || key == "dynamic_img_size" ||
                    !output(model, input_).equal(embedding_))
            << what << " changes the network, but not its embedding";
      } else if (shown(model.info) == shown_ && !listed) {
        // An architecture that timm may have added since is told of, and a preprocessor's class.
        const std::string notes = fmt::format("{}", fmt::join(model.info.notes, " "));
        EXPECT_TRUE(notes != notes_ && notes.find(key) != std::string::npos)
            << what << " is passed over";
      }
    } catch (const Error& error) {
      // Under another architecture it is one of that one's arguments that does not fit.
      EXPECT_TRUE(key == "architecture" ||
                  std::string_view(error.what()).find(key) != std::string_view::npos)
          << what << " is refused, but not by its name: " << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << what << ": " << error.what();
    }
  }

  test::TemporaryFolder folder_;
  fs::path source_;
  std::string name_, kind_;
  json whole_;
  std::string vit_, shown_, notes_;
  at::Tensor input_, embedding_;
  int changes_ = 0;
};

int changeAll(const fs::path& root) {
  int changes = 0;
  for (const fs::path& folder : test::familyFolders(root)) {
    for (const char* name : {"config.json", "open_clip_config.json", "preprocessor_config.json"}) {
      if (!fs::exists(folder / name)) continue;
      ChangedConfig config(folder, name);
      config.changeAll();
      config.addToAll();
      changes += config.changes();
    }
  }
  return changes;
}

TEST(ConfigFields, NoneIsPassedOver) { EXPECT_GT(changeAll(test::kOwnFamilies), 300); }

TEST(ConfigFields, NoneOfDenseNetworksIsPassedOver) {
  EXPECT_GT(changeAll(fs::path(ADAMERGE_TEST_DATA) / "dense"), 200);
}

TEST(ConfigFields, SharedNoneIsPassedOver) {
  if (!fs::is_directory(test::kSharedFamilies)) {
    GTEST_SKIP() << test::kSharedFamilies << " is not here";
  }
  EXPECT_GT(changeAll(test::kSharedFamilies), 1500);
}

}  // namespace
}  // namespace adamerge
