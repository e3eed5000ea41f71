// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "config_fixture.h"
#include "error_message.h"
#include "model/load_model.h"
#include "small_model.h"

namespace adamerge {
namespace {

using nlohmann::json;
using test::errorMessage;
using test::NamedTensors;
using ::testing::AllOf;
using ::testing::HasSubstr;

using ConfigErrors = test::ConfigTest;

TEST_F(ConfigErrors, DisagreementsNameBothSides) {
  const auto expect = [this](const std::string& key, const json& value, const std::string& claimed,
                             const std::string& found) {
    EXPECT_THAT(errorFor(with("/model_args/" + key, value)),
                AllOf(HasSubstr(config_), HasSubstr(weights_), HasSubstr("model_args." + key),
                      HasSubstr("is " + claimed), HasSubstr("say " + found)))
        << key;
  };
  expect("patch_size", 16, "16", "8");
  expect("embed_dim", 64, "64", "32");
  expect("depth", 0, "0", "2");
  expect("depth", 12, "12", "2");
  expect("in_chans", 1, "1", "3");
  expect("reg_tokens", 4, "4", "0");
  expect("mlp_ratio", 3, "96", "128");
  const auto expectTensor = [this](const std::string& key, const json& value,
                                   const std::string& claimed, const std::string& tensor) {
    EXPECT_THAT(errorFor(with("/model_args/" + key, value)),
                AllOf(HasSubstr(config_), HasSubstr(weights_),
                      HasSubstr("model_args." + key + " is " + claimed), HasSubstr(tensor)))
        << key;
  };
  expectTensor("class_token", false, "false", "'cls_token' is there");
  expectTensor("qkv_bias", false, "false", "'blocks.0.attn.qkv.bias' is there");
  expectTensor("qk_norm", true, "true", "'blocks.0.attn.q_norm.weight' is missing");
  expectTensor("pre_norm", true, "true", "'norm_pre.weight' is missing");
  expectTensor("init_values", 0.1, "true", "'blocks.0.ls1.gamma' is missing");
  expectTensor("fc_norm", true, "true", "'fc_norm.weight' is missing");
  expectTensor("final_norm", false, "false", "'norm.weight' is there");
  EXPECT_THAT(errorFor(with("/num_classes", 10)),
              AllOf(HasSubstr("num_classes is 10"), HasSubstr("say 7"), HasSubstr(config_),
                    HasSubstr(weights_)));
  EXPECT_THAT(errorFor(with("/model_args/img_size", 64)),
              AllOf(HasSubstr("img_size is 64 x 64"), HasSubstr("8 x 8 patches"),
                    HasSubstr("17 rows"), HasSubstr(weights_)));
  EXPECT_THAT(errorFor(with("/model_args/no_embed_class", true)), HasSubstr("17 rows"));
}

TEST_F(ConfigErrors, RefusesValuesOutOfRange) {
  for (const json& heads : {json(0), json(5), json(64)}) {
    EXPECT_THAT(errorFor(with("/model_args/num_heads", heads)),
                AllOf(HasSubstr("num_heads is " + heads.dump()), HasSubstr("width 32")));
  }
  for (const json& value : {json(-1), json(1e10), json(4000000000U), json(18446744073709551615U),
                            json("2"), json(2.5), json::array({2}), json(true)}) {
    EXPECT_THAT(errorFor(with("/model_args/depth", value)),
                AllOf(HasSubstr("model_args.depth is "), HasSubstr("integer")))
        << value;
  }
  EXPECT_THAT(errorFor(with("/model_args/patch_size", 0)), HasSubstr("patch_size is 0"));
  EXPECT_THAT(errorFor(with("/model_args/img_size", 0)), HasSubstr("img_size is 0"));
  EXPECT_THAT(errorFor(with("/model_args/img_size", {1, 2, 3})), HasSubstr("img_size"));
  EXPECT_THAT(errorFor(with("/model_args/img_size", 65536)), HasSubstr("8192 x 8192 patches"));
  EXPECT_THAT(errorFor(with("/model_args/mlp_ratio", 1e300)), HasSubstr("mlp_ratio"));
  EXPECT_THAT(errorFor(with("/model_args/norm_eps", -1)), HasSubstr("norm_eps is -1"));
  EXPECT_THAT(errorFor(with("/model_args/qkv_bias", 1)), HasSubstr("true or false"));
  EXPECT_THAT(errorFor(with("/model_args", 3)), HasSubstr("an object is expected"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/crop_pct", 0)), HasSubstr("crop_pct is 0"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/std", {0.5, 0, 0.5})), HasSubstr("std"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/mean", {0.5, 0.5})), HasSubstr("3 numbers"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/input_size", {3, 32})), HasSubstr("input_size"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/input_size", {3, 0, 32})), HasSubstr("input_size"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/input_size", {1, 32, 32})), HasSubstr("1 channels"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/input_size", {3, 4, 32})),
              AllOf(HasSubstr("4 x 32"), HasSubstr("patch size 8")));
}

TEST_F(ConfigErrors, RefusesWhatCannotRun) {
  EXPECT_THAT(errorFor(with("/architecture", "swin_tiny_patch4_window7_224")),
              AllOf(HasSubstr("swin_tiny"), HasSubstr("VisionTransformer, Eva and Beit")));
  EXPECT_THAT(errorFor(with("/global_pool", "mean")), HasSubstr("global_pool is 'mean'"));
  EXPECT_THAT(errorFor(with("/model_args/global_pool", "")), HasSubstr("global_pool is empty"));
  EXPECT_THAT(errorFor(with("/model_args/global_pool", "map")), HasSubstr("'attn_pool.latent'"));
  EXPECT_THAT(errorFor(with("/model_args/act_layer", "mish")), HasSubstr("act_layer is 'mish'"));
  EXPECT_THAT(errorFor(with("/model_args/shiny", 3)), HasSubstr("model_args.shiny is 3"));
  EXPECT_THAT(errorFor(with("/model_args/pos_embed", "sincos")),
              HasSubstr("pos_embed is 'sincos'"));
  EXPECT_THAT(errorFor(with("/model_args/norm_layer", "rmsnorm")), HasSubstr("rmsnorm"));
  EXPECT_THAT(errorFor(with("/model_args/block_fn", "ParallelBlock")), HasSubstr("block_fn"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/interpolation", "box")), HasSubstr("'box'"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/crop_mode", "x")), HasSubstr("crop_mode is 'x'"));
  EXPECT_THAT(errorFor({{"model_type", "swin"}}), AllOf(HasSubstr("swin"), HasSubstr("dinov2")));
  EXPECT_THAT(errorFor({{"name", "x"}}), AllOf(HasSubstr("architecture"), HasSubstr("model_type")));
  EXPECT_THAT(errorFor({{"architecture", 3}}), HasSubstr("a text is expected"));
  EXPECT_THAT(errorFor(json::array()), HasSubstr("JSON array"));
  folder_.tensors(test::smallTensors());
  test::writeBytes(config_, "{\"architecture\":");
  EXPECT_THAT(errorMessage([&] { loadModel(folder_.path()); }),
              AllOf(HasSubstr(config_), HasSubstr("not valid JSON")));
}

TEST_F(ConfigErrors, RefusesTensorsOfOtherNetworks) {
  for (const auto& [name, meaning] : std::map<std::string, std::string>{
           {"blocks.0.attn.relative_position_bias_table", "bias_table' is there"},
           {"rel_pos_bias.relative_position_bias_table", "bias_table' is there"},
           {"blocks.0.attn.q_bias", "'blocks.0.attn.k_bias' is missing"},
           {"attn_pool.latent", "'attn_pool.latent' is there"},
           {"blocks.0.mlp.w12.weight", "unexpected blocks.0.mlp.w12.weight"},
           {"blocks.0.mlp.weights_in.weight", "unexpected blocks.0.mlp.weights_in.weight"},
           {"rope.freqs", "tensor 'rope.freqs' has shape [2]"}}) {
    NamedTensors tensors = test::smallTensors();
    tensors[name] = at::ones({2});
    EXPECT_THAT(errorForTensors(tensors), HasSubstr(meaning)) << name;
  }
  NamedTensors tensors = test::smallTensors();
  tensors["blocks.0.mlp.fc1.weight"] = at::ones({256, 32});
  EXPECT_THAT(errorForTensors(tensors), AllOf(HasSubstr("mlp_layer is false"), HasSubstr("true")));
  tensors = test::smallTensors();
  tensors["patch_embed.proj.weight"] = at::ones({32, 3, 8, 4});
  EXPECT_THAT(errorForTensors(tensors), HasSubstr("8 x 4"));
  tensors["patch_embed.proj.weight"] = at::ones({32, 1, 8, 8});
  EXPECT_THAT(errorForTensors(tensors), HasSubstr("1 channels"));
  tensors["patch_embed.proj.weight"] = at::ones({32, 192});
  EXPECT_THAT(errorForTensors(tensors),
              AllOf(HasSubstr("patch_embed.proj"), HasSubstr("[32, 192]")));
  NamedTensors other;
  for (int i = 0; i < 9; ++i) other["stages." + std::to_string(i) + ".conv"] = at::ones({2});
  EXPECT_THAT(errorForTensors(other), AllOf(HasSubstr("stages.0.conv"), HasSubstr("pyramid")));
  EXPECT_THAT(errorForTensors({}), HasSubstr("no tensors"));
}

/// By the names in their published files.
TEST_F(ConfigErrors, OtherSegmentAnythingsAreNamed) {
  const auto problem = [this](std::initializer_list<const char*> names) {
    NamedTensors tensors;
    for (const char* name : names) tensors[name] = at::ones({2});
    return errorForTensors(tensors);
  };
  EXPECT_THAT(problem({"image_encoder.neck.convs.0.conv.weight", "image_encoder.trunk.pos_embed",
                       "mask_downsample.weight", "memory_encoder.fuser.layers.0.gamma"}),
              HasSubstr("Segment Anything 2:"));
  EXPECT_THAT(problem({"vision_encoder.backbone.blocks.0.attn.qkv.weight",
                       "vision_encoder.neck.convs.0.weight"}),
              HasSubstr("Segment Anything 2 or 3"));
  EXPECT_THAT(problem({"detector.backbone.vision_backbone.trunk.blocks.0.attn.qkv.weight",
                       "tracker.mask_downsample.weight"}),
              HasSubstr("Segment Anything 3:"));
  EXPECT_THAT(problem({"detector_model.vision_encoder.backbone.layers.0.attention.qkv.weight",
                       "tracker_model.mask_downsample.weight"}),
              HasSubstr("Segment Anything 2 or 3"));
  EXPECT_THAT(problem({"image_encoder.layers.0.downsample.conv1.c.weight",
                       "image_encoder.patch_embed.seq.0.c.weight"}),
              HasSubstr("MobileSAM"));
  EXPECT_THAT(
      problem({"image_encoder.blocks.0.attn.qkv.weight", "image_encoder.blocks.0.mlp.fc1.weight",
               "image_encoder.neck.0.weight", "image_encoder.patch_embed.proj.weight",
               "image_encoder.pos_embed", "prompt_encoder.not_a_point_embed.weight"}),
      HasSubstr("EfficientSAM"));
  // The first one's in timm has the same names and relative positions.
  EXPECT_THAT(problem({"blocks.0.attn.qkv.weight", "blocks.0.attn.rel_pos_h", "pos_embed",
                       "blocks.0.mlp.fc1.weight", "neck.0.weight", "patch_embed.proj.weight"}),
              testing::Not(HasSubstr("EfficientSAM")));
}

TEST_F(ConfigErrors, ListsMissingAndUnexpectedTensors) {
  NamedTensors tensors = test::smallTensors();
  for (const char* name : {"norm1.bias", "norm1.weight", "norm2.bias", "norm2.weight",
                           "attn.proj.bias", "attn.proj.weight", "mlp.fc2.bias"}) {
    tensors.erase(std::string("blocks.1.") + name);
  }
  tensors["extra.weight"] = at::ones({1});
  EXPECT_THAT(errorForTensors(tensors),
              AllOf(HasSubstr("missing blocks.1.norm1.weight, blocks.1.norm1.bias, "
                              "blocks.1.attn.proj.weight, blocks.1.attn.proj.bias, "),
                    HasSubstr("and 2 more; unexpected extra.weight")));
  tensors = test::smallTensors();
  tensors.erase("norm.weight");
  tensors.erase("norm.bias");
  EXPECT_THAT(errorForTensors(tensors), HasSubstr("'norm.weight' is missing"));
  tensors = test::smallTensors();
  tensors.erase("pos_embed");
  EXPECT_THAT(errorForTensors(tensors), HasSubstr("'pos_embed' is missing"));
}

TEST_F(ConfigErrors, ChecksShapesTypesAndValues) {
  const auto errorWith = [this](const std::string& name, const at::Tensor& tensor) {
    NamedTensors tensors = test::smallTensors();
    tensors[name] = tensor;
    const std::string message = errorForTensors(tensors);
    EXPECT_THAT(message, HasSubstr("'" + name + "'"));
    return message;
  };
  EXPECT_THAT(errorWith("blocks.1.attn.qkv.weight", at::ones({95, 32})),
              AllOf(HasSubstr("[95, 32]"), HasSubstr("[96, 32]")));
  EXPECT_THAT(errorWith("cls_token", at::ones({1, 32})),
              AllOf(HasSubstr("[1, 32]"), HasSubstr("[1, 1, 32]")));
  EXPECT_THAT(errorWith("head.weight", at::ones({7, 31})),
              AllOf(HasSubstr("[7, 31]"), HasSubstr("[7, 32]")));
  EXPECT_THAT(errorWith("head.weight", at::ones({0, 32})), HasSubstr("[0, 32]"));
  EXPECT_THAT(errorWith("norm.bias", at::ones({32}, at::kLong)), HasSubstr("floating-point"));
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16, at::kDouble}) {
      at::Tensor tensor = at::ones({32}, type);
      tensor[31] = bad;
      EXPECT_THAT(errorWith("blocks.0.norm1.weight", tensor), HasSubstr("NaN or infinity"));
    }
  }
}

}  // namespace
}  // namespace adamerge
