// SPDX-License-Identifier: GPL-3.0-or-later
// Segment Anything's image encoder of transformers (SAM-HQ's is the same), of Meta's files and of
// timm (VisionTransformerSAM).
#include <fmt/format.h>

#include <array>

#include "model/families/timm.h"
#include "support/text.h"

namespace adamerge {
namespace sam {

constexpr std::array<std::string_view, 2> kPrefixes{"", "vision_encoder."};
constexpr std::string_view kPatches = "patch_embed.projection.weight";
constexpr std::array<std::string_view, 2> kMetaPrefixes{"image_encoder.", ""};
constexpr std::string_view kMetaPatches = "patch_embed.proj.weight";

std::string recognises(const FileTensors& tensors) {
  const auto patches = firstBelow(tensors, kPrefixes, kPatches);
  if (!patches) return {};
  return tensors.first(patches->prefix + "layers.*.attn.qkv").empty() ? "" : patches->name;
}

std::string recognisesMeta(const FileTensors& tensors) {
  const auto patches = firstBelow(tensors, kMetaPrefixes, kMetaPatches);
  if (!patches) return {};
  return tensors.first(patches->prefix + "blocks.*.mlp.lin1").empty() ? "" : patches->name;
}

/// Windows of `side` patches in all blocks but those of `global`, which config.depth must know.
/// Throws Error naming a field.
void setWindows(const ConfigFields& fields, const Field<int>& side,
                const std::vector<double>& global, ModelConfig& config) {
  const int depth = *config.depth;
  constexpr int kMostBlocks = 10000;
  if (depth > kMostBlocks) fields.fail("num_hidden_layers", "is more than any encoder has");
  std::vector<int>& sides = config.base.windows.sides;
  config.window = side;
  sides.assign(static_cast<std::size_t>(depth), *side);
  for (const double index : global) {
    const int block = static_cast<int>(index);
    if (block != index || block < 0 || block >= depth) {
      fields.fail(
          "global_attn_indexes",
          fmt::format("names block {}, which a network of {} blocks has not", index, depth));
    }
    sides[static_cast<std::size_t>(block)] = 0;
  }
}

/// What all have, and the table of positions [1, rows, columns, d] as one of tokens.
void readEncoder(ModelConfig& config, FileTensors& tensors) {
  config.class_token.value = false;
  config.pooling = {Pooling::kAverage, "Segment Anything"};
  config.final_norm = {false, "the norm after the blocks, which Segment Anything has in its neck,"};
  config.fc_norm = {false, "a norm after pooling"};
  config.base.resampling = Resampling::kBicubicAntialiased;
  const at::Tensor positions = tensors.find("pos_embed");
  const at::Tensor patches = tensors.find("patch_embed.proj.weight");
  if (!positions.defined() || positions.dim() != 4) return;
  const auto patch = static_cast<int>(patches.dim() == 4 ? patches.size(2) : 1);
  if (const auto& size = config.trained_size;
      size && patch > 0 && !size.key.empty() &&
      ((*size).height / patch != positions.size(1) || (*size).width / patch != positions.size(2))) {
    throw Error(fmt::format("{}: {} is {} x {}, but '{}' in {} is of {} x {} patches of {}",
                            config.file, size.key, (*size).height, (*size).width,
                            tensors.inFile("pos_embed"), tensors.file(), positions.size(1),
                            positions.size(2), patch));
  }
  config.trained_size.value = InputSize{static_cast<int>(positions.size(1)) * patch,
                                        static_cast<int>(positions.size(2)) * patch};
  tensors.set("pos_embed", positions.flatten(1, 2), tensors.inFile("pos_embed"));
}

/// What only the parts that draw masks use.
void dropDecoder(FileTensors& tensors) {
  for (const std::string_view part :
       {"shared_image_embedding", "prompt_encoder", "mask_decoder", "pixel_mean", "pixel_std"}) {
    tensors.drop(part);
  }
}

/// The field, or what the class has where no file says so.
template <class T>
Field<T> usual(Field<T> field, T value) {
  if (!field) field.value = std::move(value);
  return field;
}

void readWindows(const ConfigFields& fields, ModelConfig& config) {
  constexpr int kUsualSide = 14;
  const Field<int> side = usual(fields.count("window_size"), kUsualSide);
  const std::vector<double> global =
      fields.numbers("global_attn_indexes").value.value_or(std::vector<double>{2, 5, 8, 11});
  setWindows(fields, side, global, config);
}

ModelConfig open(const ConfigFiles& files, FileTensors& tensors) {
  dropDecoder(tensors);
  removeModelPrefix(tensors, kPrefixes, kPatches);
  constexpr std::array<Renaming, 9> kNames{{{"patch_embed.projection", "patch_embed.proj"},
                                            {"layers.*.layer_norm1", "blocks.*.norm1"},
                                            {"layers.*.layer_norm2", "blocks.*.norm2"},
                                            {"layers.*.attn", "blocks.*.attn"},
                                            {"layers.*.mlp.lin1", "blocks.*.mlp.fc1"},
                                            {"layers.*.mlp.lin2", "blocks.*.mlp.fc2"},
                                            {"neck.conv1", "neck.0"},
                                            {"neck.layer_norm1", "neck.1"},
                                            {"neck.conv2", "neck.2"}}};
  constexpr std::array<Renaming, 1> kLast{{{"neck.layer_norm2", "neck.3"}}};
  tensors.rename(kNames);
  tensors.rename(kLast);
  const ConfigFields root = files.fields();
  const bool nested = root.has("vision_config");
  const ConfigFields fields = nested ? root.below("vision_config") : root;
  const std::string type = *root.text("model_type");
  if (const Field<std::string> tower = fields.text("model_type");
      nested && tower && !(*tower).empty() && *tower != type + "_vision_model") {
    fields.fail("model_type", fmt::format("is '{}' below a model_type of '{}'; {}_vision_model is "
                                          "expected",
                                          printable(*tower, 40), type, type));
  }
  ModelConfig config;
  readHuggingFaceFields(fields, config);
  config.architecture = type;
  constexpr int kWidth = 768;
  constexpr int kLayers = 12;
  constexpr int kSide = 1024;
  constexpr int kPatch = 16;
  constexpr int kChannels = 256;
  config.dim = usual(config.dim, kWidth);
  config.depth = usual(config.depth, kLayers);
  config.patch_size = usual(config.patch_size, kPatch);
  config.trained_size = usual(config.trained_size, InputSize{kSide, kSide});
  config.norm_epsilon = usual(config.norm_epsilon, 1e-6);
  config.activation = usual(config.activation, Activation::kGelu);
  // Published files carry an intermediate_size that means nothing.
  config.mlp_hidden = fields.count("mlp_dim");
  if (!config.mlp_hidden) {
    const double ratio = fields.number("mlp_ratio", 0, 1000).value.value_or(4.0);
    config.mlp_hidden = {static_cast<int>(*config.dim * ratio), fields.name("mlp_ratio")};
  }
  static_cast<void>(fields.find("mlp_ratio"));
  config.qkv_bias = usual(fields.flag("qkv_bias"), true);
  config.position_table = usual(fields.flag("use_abs_pos"), true);
  config.neck_channels = usual(fields.count("output_channels"), kChannels);
  config.relative = usual(fields.flag("use_rel_pos"), true);
  readWindows(fields, config);
  readEncoder(config, tensors);
  std::vector<std::string_view> ignored(huggingFaceIgnored().begin(), huggingFaceIgnored().end());
  for (const std::string_view key :
       {"num_pos_feats", "projection_dim", "scale", "intermediate_size"}) {
    ignored.push_back(key);
  }
  fields.refuseUnknown(ignored);
  if (nested) {
    for (const char* other : {"mask_decoder_config", "prompt_encoder_config"}) {
      static_cast<void>(root.find(other));
    }
    root.refuseUnknown(huggingFaceIgnored());
  }
  return config;
}

/// A global block's tables have the offsets of the grid, another's those of its window.
void windowsOfTables(const FileTensors& tensors, std::int64_t side, ModelConfig& config) {
  for (int block = 0;; ++block) {
    const std::string name = fmt::format("blocks.{}.attn.rel_pos_h", block);
    const at::Tensor table = tensors.find(name);
    if (!table.defined()) break;
    if (table.dim() != 2 || table.size(0) % 2 == 0) {
      tensors.fail(fmt::format("tensor '{}' is no table of relative rows", tensors.inFile(name)));
    }
    const std::int64_t own = (table.size(0) + 1) / 2;
    config.base.windows.sides.push_back(own == side ? 0 : static_cast<int>(own));
    config.heads.value = static_cast<int>(tensors.find("patch_embed.proj.weight").size(0) /
                                          std::max<std::int64_t>(table.size(1), 1));
  }
}

ModelConfig openMeta(const ConfigFiles& /*files*/, FileTensors& tensors) {
  dropDecoder(tensors);
  removeModelPrefix(tensors, kMetaPrefixes, kMetaPatches);
  constexpr std::array<Renaming, 2> kNames{
      {{"blocks.*.mlp.lin1", "blocks.*.mlp.fc1"}, {"blocks.*.mlp.lin2", "blocks.*.mlp.fc2"}}};
  tensors.rename(kNames);
  ModelConfig config;
  config.architecture = "sam";
  config.norm_epsilon.value = 1e-6;
  config.activation.value = Activation::kGelu;
  config.preprocessing = publishedPreprocessing(Publisher::kMetaSam);
  const at::Tensor positions = tensors.find("pos_embed");
  if (!positions.defined() || positions.dim() != 4 || positions.size(1) != positions.size(2)) {
    tensors.fail("has no square 'image_encoder.pos_embed', which tells the size of its pictures");
  }
  windowsOfTables(tensors, positions.size(1), config);
  if (config.base.windows.sides.empty()) {
    tensors.fail(
        "has no tables of relative positions, and nothing else tells the windows of a Segment "
        "Anything encoder");
  }
  readEncoder(config, tensors);
  return config;
}

}  // namespace sam

Family hfSamFamily() {
  return {"Segment Anything (transformers)",
          ConfigFormat::kHuggingFace,
          {"sam", "sam_vision_model", "sam_hq", "sam_hq_vision_model"},
          sam::recognises,
          sam::open};
}
Family metaSamFamily() {
  return {"Segment Anything (Meta)", ConfigFormat::kNone, {}, sam::recognisesMeta, sam::openMeta};
}

ModelConfig readTimmSam(const std::string& name, const TimmArguments& args, FileTensors& tensors) {
  const auto count = [&](std::string_view key, int fallback) {
    return sam::usual(args.count(key), fallback);
  };
  const auto flag = [&](std::string_view key, bool fallback) {
    return sam::usual(args.flag(key), fallback);
  };
  for (const char* key : {"use_rope", "head_hidden_size"}) {
    const nlohmann::json* value = args.at(key).find(key);
    if (value != nullptr && *value != false) {
      args.fail(key, "is set, which no published network has: cannot run here");
    }
  }
  constexpr std::array<Renaming, 1> kNames{{{"head.fc", "head"}}};
  tensors.rename(kNames);

  ModelConfig config;
  config.format = ConfigFormat::kTimm;
  config.file = args.given().file();
  config.architecture = name;
  constexpr int kWidth = 768;
  constexpr int kBlocks = 12;
  constexpr int kPatch = 16;
  config.dim = count("embed_dim", kWidth);
  config.depth = count("depth", kBlocks);
  config.heads = count("num_heads", kBlocks);
  config.patch_size = patchSizeField(args.at("patch_size"));
  if (!config.patch_size) config.patch_size.value = kPatch;
  config.channels = args.count("in_chans");
  const double ratio = args.at("mlp_ratio").number("mlp_ratio", 0, 1000).value.value_or(4.0);
  config.mlp_hidden = {static_cast<int>(*config.dim * ratio), args.name("mlp_ratio")};
  config.qkv_bias = flag("qkv_bias", true);
  config.qk_norm = flag("qk_norm", false);
  config.layer_scale.key = args.name("init_values");
  if (args.has("init_values")) {
    config.layer_scale.value = *args.number("init_values") != 0;
  }
  config.pre_norm = flag("pre_norm", false);
  config.patch_bias.value = !*config.pre_norm;
  config.position_table = flag("use_abs_pos", true);
  config.relative = flag("use_rel_pos", false);
  config.norm_epsilon.value = 1e-5;
  config.activation.value = Activation::kGelu;
  constexpr int kNeck = 256;
  // Null says that there are no convolutions.
  config.neck_channels = args.isNull("neck_chans") ? Field<int>{0, args.name("neck_chans")}
                                                   : count("neck_chans", kNeck);
  constexpr int kSide = 14;
  const ConfigFields& global = args.at("global_attn_indexes");
  sam::setWindows(global, count("window_size", kSide),
                  global.numbers("global_attn_indexes").value.value_or(std::vector<double>{}),
                  config);
  if (const Field<std::string> pooled = args.text("global_pool"); pooled && *pooled != "avg") {
    args.fail("global_pool", fmt::format("is '{}'; avg can run here", *pooled));
  }
  config.trained_size = args.size("img_size");
  sam::readEncoder(config, tensors);
  constexpr std::array<std::string_view, 14> kIgnored{
      "drop_rate",       "pos_drop_rate", "patch_drop_rate", "proj_drop_rate",  "attn_drop_rate",
      "drop_path_rate",  "weight_init",   "fix_init",        "strict_img_size", "pretrained",
      "checkpoint_path", "features_only", "num_classes",     "cache_dir"};
  args.given().refuseUnknown(kIgnored);
  return config;
}

}  // namespace adamerge
