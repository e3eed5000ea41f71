// SPDX-License-Identifier: GPL-3.0-or-later
// Files that are damaged, mixed up or of another network: one sentence that names the tensor or
// field, what was found and what was expected.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "error_message.h"
#include "family_folders.h"
#include "model/load_model.h"
#include "small_model.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::errorMessage;
using test::NamedTensors;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// A copy of a family's folder whose tensors and config a test changes.
class Copy {
 public:
  explicit Copy(const char* name) : Copy(test::kOwnFamilies / name) {}
  explicit Copy(const fs::path& source) {
    const bool alone = test::published(source) != source;
    for (const char* name : {"config.json", "open_clip_config.json", "preprocessor_config.json"}) {
      if (!alone && fs::exists(source / name)) fs::copy(source / name, folder_.path() / name);
    }
    tensors = readWeights(test::weightsOf(source)).tensors;
    whole_ = tensors;
    if (fs::exists(folder_.path() / "config.json")) {
      config = json::parse(test::readBytes(folder_.path() / "config.json"));
    }
  }

  fs::path path() const { return folder_.path(); }
  LoadedModel load(const LoadOptions& options = {}) {
    folder_.tensors(tensors);
    if (!config.is_null()) folder_.json("config.json", config);
    return loadModel(folder_.path(), options);
  }
  std::string error() {
    const std::string message = errorMessage([this] { load(); });
    tensors = whole_;
    return message;
  }

  NamedTensors tensors;
  json config;

 private:
  test::ModelFolder folder_;
  NamedTensors whole_;
};

TEST(BadInput, TwoFamiliesThatFitAreNotChosenFrom) {
  Copy mixed("hf-siglip-vision");
  mixed.config = nullptr;
  fs::remove(mixed.path() / "config.json");
  fs::remove(mixed.path() / "preprocessor_config.json");
  for (const auto& [name, tensor] : test::smallTensors(192)) mixed.tensors[name] = tensor;
  EXPECT_THAT(mixed.error(),
              AllOf(HasSubstr("two networks"), HasSubstr("'embeddings.patch_embedding.weight'"),
                    HasSubstr("SigLIP (transformers)"), HasSubstr("'patch_embed.proj.weight'"),
                    HasSubstr("timm's VisionTransformer"), HasSubstr("A file of one is expected")));
}

TEST(BadInput, AConfigOfOneFamilyAndTensorsOfAnother) {
  Copy model("hf-siglip-vision");
  model.config = {{"model_type", "dinov2"}};
  EXPECT_THAT(model.error(), AllOf(HasSubstr("config.json: model_type is 'dinov2'"),
                                   HasSubstr("model.safetensors"),
                                   HasSubstr("have the names of SigLIP (transformers)")));
  model.config = test::smallConfig();
  EXPECT_THAT(model.error(), AllOf(HasSubstr("describes a network of timm's"),
                                   HasSubstr("have the names of SigLIP (transformers)")));
  Copy timm("timm-aimv2");
  timm.config = {{"model_type", "vit"}};
  EXPECT_THAT(timm.error(), AllOf(HasSubstr("model_type is 'vit'"),
                                  HasSubstr("have the names of timm's VisionTransformer")));
}

TEST(BadInput, ASizeThatIsNotTheTablesIsNotPassedOver) {
  Copy sam(fs::path(ADAMERGE_TEST_DATA) / "dense" / "sam-hf");
  json& fields = sam.config.contains("vision_config") ? sam.config["vision_config"] : sam.config;
  fields["image_size"] = 2 * fields.at("image_size").get<int>();
  EXPECT_THAT(sam.error(), AllOf(HasSubstr("image_size is "), HasSubstr("pos_embed' in ")));
}

TEST(BadInput, AMissingHalfOfAPairIsNamed) {
  Copy clip("timm-eva02-clip");
  const auto without = [](Copy& model, const std::string& name) {
    EXPECT_EQ(model.tensors.erase(name), 1U) << name;
    return model.error();
  };
  EXPECT_THAT(without(clip, "blocks.1.mlp.fc1_x.weight"),
              HasSubstr("'blocks.1.mlp.fc1_x.weight' is missing, though blocks.1.mlp.fc1_g.weight "
                        "is there"));
  EXPECT_THAT(without(clip, "blocks.1.attn.v_proj.bias"),
              HasSubstr("'blocks.1.attn.v_proj.bias' is missing"));
  EXPECT_THAT(without(clip, "blocks.1.attn.q_proj.bias"),
              HasSubstr("'blocks.1.attn.q_proj.bias' is missing"));
  EXPECT_THAT(without(clip, "blocks.0.attn.k_proj.weight"),
              HasSubstr("'blocks.0.attn.k_proj.weight' is missing, though"));
  Copy gated("hf-dinov3-gated");
  EXPECT_THAT(without(gated, "model.layer.1.mlp.gate_proj.bias"),
              HasSubstr("'model.layer.1.mlp.gate_proj.bias' is missing"));
  Copy siglip("hf-siglip-vision");
  EXPECT_THAT(without(siglip, "head.attention.in_proj_bias"),
              HasSubstr("'head.attention.in_proj_bias' is missing"));
  // Keys of SigLIP have a bias: without, they are damaged, not of another kind.
  EXPECT_THAT(without(siglip, "encoder.layers.1.self_attn.k_proj.bias"),
              HasSubstr("'encoder.layers.1.self_attn.k_proj.bias' is missing"));
}

TEST(BadInput, QueriesKeysAndValuesOfOtherWidths) {
  Copy clip("timm-eva02-clip");
  const at::Tensor keys = clip.tensors.at("blocks.1.attn.k_proj.weight");
  const std::int64_t width = keys.size(0);
  const auto with = [&](const at::Tensor& tensor) {
    clip.tensors["blocks.1.attn.k_proj.weight"] = tensor;
    return clip.error();
  };
  EXPECT_THAT(
      with(at::ones({width, width / 2})),
      AllOf(HasSubstr("'blocks.1.attn.q_proj.weight'"), HasSubstr("must be of one shape and type"),
            HasSubstr(fmt::format("'blocks.1.attn.k_proj.weight' is [{}, {}]", width, width / 2))));
  EXPECT_THAT(
      with(at::ones({width / 2, width})),
      HasSubstr(fmt::format("'blocks.1.attn.k_proj.weight' is [{}, {}]", width / 2, width)));
  EXPECT_THAT(with(at::ones({width, width}, at::kHalf)), HasSubstr("of Half"));
}

TEST(BadInput, RotaryHeadsMustBeDivisibleByFour) {
  for (const char* name : {"timm-eva02-clip", "timm-pe-core"}) {
    Copy model(name);
    const int width = model.config.at("model_args").at("embed_dim");
    const int heads = width / 2;
    model.config["model_args"]["num_heads"] = heads;
    EXPECT_THAT(model.error(),
                AllOf(HasSubstr(fmt::format("num_heads: {} heads of a width of {} are 2 wide",
                                            heads, width)),
                      HasSubstr("divisible by four")))
        << name;
  }
  Copy dinov3("hf-dinov3-gated");
  const int width = dinov3.config.at("hidden_size");
  dinov3.config["num_attention_heads"] = width / 2;
  EXPECT_THAT(dinov3.error(), AllOf(HasSubstr("num_attention_heads"), HasSubstr("are 2 wide")));
}

TEST(BadInput, RelativeTablesOfAnotherWindow) {
  Copy beit("hf-beit-resampled");
  std::vector<std::string> tables;
  for (const auto& [name, tensor] : beit.tensors) {
    if (name.find("relative_position_bias_table") != std::string::npos) tables.push_back(name);
  }
  ASSERT_EQ(tables.size(), 2U);
  const std::int64_t heads = beit.tensors.at(tables[0]).size(1);
  for (const std::string& name : tables) beit.tensors[name] = at::ones({28, heads});
  EXPECT_THAT(beit.error(), AllOf(HasSubstr("image_size is 20 x 20"), HasSubstr(tables[0]),
                                  HasSubstr("is of 3 x 3 patches")));
  for (const std::string& name : tables) beit.tensors[name] = at::ones({30, heads});
  EXPECT_THAT(beit.error(), AllOf(HasSubstr("image_size is 20 x 20"), HasSubstr(tables[0]),
                                  HasSubstr("30 rows"), HasSubstr("no such grid")));
  beit.tensors[tables[1]] = at::ones({28, heads});
  EXPECT_THAT(beit.error(), AllOf(HasSubstr(tables[1]), HasSubstr("[28, ")));
}

/// A file for --head.
fs::path writeHead(const fs::path& folder, const NamedTensors& tensors) {
  test::writeSafetensors(folder / "head.file", tensors);
  return folder / "head.file";
}

TEST(BadInput, HeadsThatDoNotFitAreRefusedAndLogarithmsTold) {
  Copy clip("open-clip-quickgelu");
  const LoadedModel model = clip.load();
  const int width = model.info.vit.embeddingWidth();
  const at::Tensor weight = at::randn({5, width});
  const auto with = [&](const NamedTensors& tensors) {
    return clip.load({.head = writeHead(clip.path(), tensors)});
  };
  const auto error = [&](const NamedTensors& tensors) {
    const std::string message = errorMessage([&] { with(tensors); });
    EXPECT_THAT(message, HasSubstr((clip.path() / "head.file").string()));
    return message;
  };
  EXPECT_THAT(error({{"weight", at::randn({5, width + 1})}}),
              AllOf(HasSubstr(fmt::format("'weight' has shape [5, {}]", width + 1)),
                    HasSubstr(fmt::format("[classes, {}] is expected", width))));
  EXPECT_THAT(error({{"weight", at::randn({width})}}), HasSubstr("'weight' has shape"));
  EXPECT_THAT(error({{"bias", at::randn({5})}}), HasSubstr("no tensor 'weight'"));
  EXPECT_THAT(error({{"weight", weight}, {"bias", at::randn({4})}}),
              AllOf(HasSubstr("'bias' has shape [4]"), HasSubstr("[5]")));
  EXPECT_THAT(error({{"weight", weight}, {"scale", at::ones({1})}}), HasSubstr("tensor 'scale'"));
  EXPECT_THAT(error({{"weight", at::ones({5, width}, at::kLong)}}), HasSubstr("floating-point"));
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const char* name : {"weight", "bias", "logit_scale"}) {
      NamedTensors tensors{{"weight", weight.clone()},
                           {"bias", at::zeros({5})},
                           {"logit_scale", at::full({1}, 100.0)}};
      tensors.at(name).view({-1})[0] = bad;
      EXPECT_THAT(error(tensors), HasSubstr(fmt::format("'{}' holds NaN or infinity", name)));
    }
  }
  for (const double scale : {0.0, -3.0}) {
    EXPECT_THAT(error({{"weight", weight}, {"logit_scale", at::full({1}, scale)}}),
                AllOf(HasSubstr("'logit_scale' is "), HasSubstr("above 0")));
  }
  for (const double length : {0.0, 1e-30, 3e38}) {
    at::Tensor odd = weight.clone();
    odd[3].fill_(length);
    EXPECT_THAT(error({{"weight", odd}, {"logit_scale", at::full({1}, 100.0)}}),
                AllOf(HasSubstr("row 3 of 'weight'"), HasSubstr("no direction")));
  }
  EXPECT_THAT(error({{"weight", weight}, {"logit_scale", at::ones({2})}}),
              HasSubstr("one number is expected"));
  test::writeBytes(clip.path() / "head.file", "no tensors");
  EXPECT_THAT(errorMessage([&] { clip.load({.head = clip.path() / "head.file"}); }),
              HasSubstr("no safetensors file"));

  const ModelInfo logarithm = with({{"weight", weight}, {"logit_scale", at::full({1}, 4.6)}}).info;
  EXPECT_THAT(logarithm.notes, Contains(AllOf(HasSubstr("4.6"), HasSubstr("logarithm"))));
  const LoadedModel usual = with({{"weight", weight}, {"logit_scale", at::full({1}, 100.0)}});
  EXPECT_THAT(usual.info.notes, Not(Contains(HasSubstr("logarithm"))));
  EXPECT_TRUE(usual.info.vit.normalised_head);
  EXPECT_EQ(usual.info.vit.classes, 5);
  EXPECT_EQ(usual.info.labels.back(), "class 4");
  EXPECT_TRUE(at::allclose(usual.weights.at("head.weight").norm(2, 1), at::full({5}, 100.0)));
}

/// What a network can do without, in its library too.
bool optional(const std::string& name) {
  if (name.find("mask_token") != std::string::npos) return true;  // of training
  // Texts and decoders; registers of Meta's DINOv3, whose number nothing but the tensor tells.
  constexpr std::array<std::string_view, 8> kStarts{
      "text",         "decoder",     "token_embedding",      "ln_final",
      "transformer.", "logit_scale", "positional_embedding", "storage_tokens"};
  return std::any_of(kStarts.begin(), kStarts.end(),
                     [&name](std::string_view start) { return name.starts_with(start); });
}

TEST(BadInput, EveryTensorThatIsMissingIsNamed) {
  int removed = 0;
  for (const fs::path& folder : test::familyFolders(test::kOwnFamilies)) {
    Copy model(folder);
    ASSERT_NO_THROW(model.load()) << folder.filename();
    const NamedTensors whole = model.tensors;
    for (const auto& [name, tensor] : whole) {
      if (optional(name) || tensor.numel() == 0) continue;
      model.tensors.erase(name);
      const std::string message = model.error();
      ++removed;
      const std::string base = name.substr(0, name.rfind('.'));
      // Without what a family is told by, its tensors are another's.
      EXPECT_THAT(message,
                  AnyOf(HasSubstr(base), HasSubstr("have the names of"),
                        HasSubstr("has the names of no"), HasSubstr("no square grid"),
                        HasSubstr("have no 'attn_pool.query'"), HasSubstr("'pos_embed' is missing"),
                        // Counts that the config holds against what is left.
                        HasSubstr("num_classes is "), HasSubstr("num_register_tokens is "),
                        HasSubstr("number of attention heads cannot be told"),
                        HasSubstr("is 'deit', but the tensors have no distillation token")))
          << folder.filename() << " without " << name;
    }
  }
  EXPECT_GT(removed, 300);
}

TEST(BadInput, ATensorTooManyIsNamed) {
  for (const fs::path& folder : test::familyFolders(test::kOwnFamilies)) {
    Copy model(folder);
    // Beside one of the first block's, and at the network's root.
    std::string block;
    for (const auto& [name, tensor] : model.tensors) {
      if (name.find("norm1") != std::string::npos || name.find("ln_1") != std::string::npos ||
          name.find("layer_norm1") != std::string::npos ||
          name.find("layernorm_before") != std::string::npos ||
          name.find("in_norm") != std::string::npos ||
          name.find("attns.0.norm") != std::string::npos) {
        if (!name.starts_with("text") && !name.starts_with("decoder") &&
            !name.starts_with("transformer")) {
          block = name;
          break;
        }
      }
    }
    ASSERT_FALSE(block.empty()) << folder.filename();
    const std::string added = block.substr(0, block.rfind('.')) + "_adapter.weight";
    model.tensors[added] = at::ones({2});
    EXPECT_THAT(model.error(), AllOf(HasSubstr("unexpected"), HasSubstr(added)))
        << folder.filename();
    const std::string root = block.starts_with("visual.") ? "visual.shiny" : "shiny";
    model.tensors[root] = at::ones({2});
    EXPECT_THAT(model.error(), AllOf(HasSubstr("unexpected"), HasSubstr(root)))
        << folder.filename();
  }
}

}  // namespace
}  // namespace adamerge
