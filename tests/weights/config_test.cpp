// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "error_message.h"
#include "model/load_model.h"
#include "small_model.h"
#include "vit_config_matcher.h"

namespace adamerge {
namespace {

using nlohmann::json;
using test::errorMessage;
using test::NamedTensors;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class Config : public ::testing::Test {
 protected:
  LoadedModel load(const json& config, const NamedTensors& tensors = test::smallTensors(),
                   const std::optional<InputSize>& size = std::nullopt) {
    folder_.tensors(tensors);
    folder_.json("config.json", config);
    return loadModel(folder_.path(), size);
  }
  std::string errorFor(const json& config, const NamedTensors& tensors = test::smallTensors()) {
    const std::string message = errorMessage([&] { load(config, tensors); });
    EXPECT_THAT(message, HasSubstr(folder_.path().string()));
    return message;
  }
  std::string errorForTensors(const NamedTensors& tensors) {
    const std::string message = errorFor(test::smallConfig(), tensors);
    EXPECT_THAT(message, HasSubstr(weights_));
    return message;
  }
  static json with(const std::string& pointer, const json& value) {
    json config = test::smallConfig();
    config[json::json_pointer(pointer)] = value;
    return config;
  }

  test::ModelFolder folder_;
  std::string weights_ = folder_.file("model.safetensors");
  std::string config_ = folder_.file("config.json");
};

TEST_F(Config, DisagreementsNameBothSides) {
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
  expect("class_token", false, "false", "true");
  expect("reg_tokens", 4, "4", "0");
  expect("mlp_ratio", 3, "96", "128");
  expect("qkv_bias", false, "false", "true");
  expect("qk_norm", true, "true", "false");
  expect("pre_norm", true, "true", "false");
  expect("init_values", 0.1, "true", "false");
  expect("fc_norm", true, "true", "false");
  expect("final_norm", false, "false", "true");
  EXPECT_THAT(errorFor(with("/num_classes", 10)),
              AllOf(HasSubstr("num_classes is 10"), HasSubstr("say 7"), HasSubstr(config_),
                    HasSubstr(weights_)));
  EXPECT_THAT(errorFor(with("/model_args/img_size", 64)),
              AllOf(HasSubstr("img_size is 64 x 64"), HasSubstr("8 x 8 patches"),
                    HasSubstr("17 rows"), HasSubstr(weights_)));
  EXPECT_THAT(errorFor(with("/model_args/no_embed_class", true)), HasSubstr("17 rows"));
}

TEST_F(Config, RefusesValuesOutOfRange) {
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
  EXPECT_THAT(errorFor(with("/pretrained_cfg/mean", {0.5})), HasSubstr("3 numbers"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/input_size", {3, 32})), HasSubstr("input_size"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/input_size", {3, 0, 32})), HasSubstr("input_size"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/input_size", {3, 36, 32})),
              AllOf(HasSubstr("36 x 32"), HasSubstr("patch size 8")));
}

TEST_F(Config, RefusesWhatCannotRun) {
  EXPECT_THAT(errorFor(with("/architecture", "swin_tiny_patch4_window7_224")),
              AllOf(HasSubstr("swin_tiny"), HasSubstr("plain Vision Transformers")));
  EXPECT_THAT(errorFor(with("/global_pool", "map")), HasSubstr("attention pooling"));
  EXPECT_THAT(errorFor(with("/model_args/global_pool", "avgmax")), HasSubstr("avgmax"));
  EXPECT_THAT(errorFor(with("/model_args/act_layer", "silu")), HasSubstr("'silu'"));
  EXPECT_THAT(errorFor(with("/model_args/norm_layer", "rmsnorm")), HasSubstr("rmsnorm"));
  EXPECT_THAT(errorFor(with("/model_args/block_fn", "ParallelBlock")), HasSubstr("block_fn"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/interpolation", "box")), HasSubstr("'box'"));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/crop_mode", "x")), HasSubstr("crop_mode is 'x'"));
  EXPECT_THAT(errorFor({{"model_type", "swin"}}), AllOf(HasSubstr("swin"), HasSubstr("dinov2")));
  EXPECT_THAT(errorFor({{"model_type", "dinov2"}, {"use_swiglu_ffn", true}}), HasSubstr("SwiGLU"));
  EXPECT_THAT(errorFor({{"model_type", "vit"}, {"hidden_act", "relu"}}), HasSubstr("'relu'"));
  EXPECT_THAT(errorFor({{"name", "x"}}), AllOf(HasSubstr("architecture"), HasSubstr("model_type")));
  EXPECT_THAT(errorFor({{"architecture", 3}}), HasSubstr("a text is expected"));
  EXPECT_THAT(errorFor(json::array()), HasSubstr("JSON array"));
  folder_.tensors(test::smallTensors());
  test::writeBytes(config_, "{\"architecture\":");
  EXPECT_THAT(errorMessage([&] { loadModel(folder_.path()); }),
              AllOf(HasSubstr(config_), HasSubstr("not valid JSON")));
}

TEST_F(Config, RefusesTensorsOfOtherNetworks) {
  for (const auto& [name, meaning] :
       std::map<std::string, std::string>{{"blocks.0.attn.relative_position_bias_table", "BEiT"},
                                          {"blocks.0.attn.q_bias", "BEiT"},
                                          {"attn_pool.latent", "attention pooling"},
                                          {"blocks.0.mlp.w12.weight", "SwiGLU"},
                                          {"blocks.0.mlp.weights_in.weight", "SwiGLU"},
                                          {"rope.freqs", "rotary"}}) {
    NamedTensors tensors = test::smallTensors();
    tensors[name] = at::ones({2});
    EXPECT_THAT(errorForTensors(tensors), AllOf(HasSubstr(meaning), HasSubstr(name)));
  }
  NamedTensors tensors = test::smallTensors();
  tensors["blocks.0.mlp.fc1.weight"] = at::ones({256, 32});
  EXPECT_THAT(errorForTensors(tensors), HasSubstr("SwiGLU"));
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
  EXPECT_THAT(errorForTensors(other),
              AllOf(HasSubstr("stages.0.conv, stages.1.conv"), HasSubstr("and 4 more"),
                    HasSubstr("no patch_embed.proj.weight")));
  EXPECT_THAT(errorForTensors({}), HasSubstr("no tensors"));
}

TEST_F(Config, ListsMissingAndUnexpectedTensors) {
  NamedTensors tensors = test::smallTensors();
  for (const char* name : {"norm1.bias", "norm1.weight", "norm2.bias", "norm2.weight",
                           "attn.proj.bias", "attn.proj.weight", "mlp.fc2.bias"}) {
    tensors.erase(std::string("blocks.1.") + name);
  }
  tensors["extra.weight"] = at::ones({1});
  EXPECT_THAT(errorForTensors(tensors),
              AllOf(HasSubstr("missing blocks.1.attn.proj.bias, blocks.1.attn.proj.weight, "),
                    HasSubstr("and 2 more; unexpected extra.weight")));
  tensors = test::smallTensors();
  tensors.erase("norm.weight");
  tensors.erase("norm.bias");
  EXPECT_THAT(errorForTensors(tensors), HasSubstr("missing norm.bias, norm.weight"));
  tensors = test::smallTensors();
  tensors.erase("pos_embed");
  EXPECT_THAT(errorForTensors(tensors), HasSubstr("'pos_embed' is missing"));
}

TEST_F(Config, ChecksShapesTypesAndValues) {
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

TEST_F(Config, KeepsHalfPrecision) {
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    NamedTensors tensors = test::smallTensors();
    for (auto& [name, tensor] : tensors) tensor = tensor.to(type);
    EXPECT_EQ(load(test::smallConfig(), tensors).weights.at("norm.bias").scalar_type(), type);
  }
}

TEST_F(Config, WithoutOneTimmsDefaultsAreAssumed) {
  folder_.tensors(test::smallTensors(192));
  const ModelInfo info = loadModel(folder_.path()).info;
  VitConfig wanted = test::smallVit();
  wanted.dim = 192;
  wanted.heads = 3;
  wanted.mlp_hidden = 768;
  test::expectSame(info.vit, wanted);
  EXPECT_EQ(info.preprocessing.resize_height, 35);
  EXPECT_EQ(info.preprocessing.crop_height, 32);
  EXPECT_EQ(info.preprocessing.mean[0], 0.5F);
  EXPECT_EQ(info.labels[6], "class 6");
  EXPECT_EQ(info.architecture, "");
  EXPECT_THAT(info.notes, AllOf(Contains(HasSubstr("heads, 3")), Contains(HasSubstr("no config"))));
}

TEST_F(Config, WithoutOneSomeThingsCannotBeTold) {
  folder_.tensors(test::smallTensors(32));
  EXPECT_THAT(errorMessage([&] { loadModel(folder_.path()); }),
              AllOf(HasSubstr(weights_), HasSubstr("width 32"), HasSubstr("num_heads")));
  folder_.tensors(test::smallTensors(192, 7));
  EXPECT_THAT(errorMessage([&] { loadModel(folder_.path()); }),
              AllOf(HasSubstr("23 rows"), HasSubstr("config.json"), HasSubstr("img_size")));
}

TEST_F(Config, TheArchitecturesNameDecidesWhatTensorsDoNotShow) {
  const auto vit = [this](const std::string& name) {
    return load(with("/architecture", name)).info.vit;
  };
  EXPECT_EQ(vit("vit_base_patch16_224").norm_epsilon, 1e-6);
  EXPECT_EQ(vit("vit_base_patch16_clip_224").norm_epsilon, 1e-5);
  EXPECT_EQ(vit("vit_base_patch16_clip_224").activation, Activation::kGelu);
  EXPECT_EQ(vit("vit_base_patch16_clip_quickgelu_224").activation, Activation::kQuickGelu);
  EXPECT_EQ(vit("vit_so400m_patch14_siglip_gap_224").activation, Activation::kGeluTanh);
  EXPECT_EQ(load(with("/model_args/act_layer", "gelu_tanh")).info.vit.activation,
            Activation::kGeluTanh);
}

TEST_F(Config, AveragePoolingMayKeepTheFinalNorm) {
  const VitConfig vit = load(with("/model_args/global_pool", "avg")).info.vit;
  EXPECT_EQ(vit.pooling, Pooling::kAverage);
  EXPECT_TRUE(vit.final_norm);
  EXPECT_FALSE(vit.fc_norm);
}

TEST_F(Config, HeadlessModelGivesFeatures) {
  NamedTensors tensors = test::smallTensors();
  tensors.erase("head.weight");
  EXPECT_THAT(errorForTensors(tensors), HasSubstr("num_classes is 7"));
  tensors.erase("head.bias");
  const ModelInfo info = load(with("/num_classes", 0), tensors).info;
  EXPECT_EQ(info.vit.classes, 0);
  EXPECT_TRUE(info.labels.empty());
}

TEST_F(Config, InputSizeCanBeChosen) {
  const LoadedModel model = load(test::smallConfig(), test::smallTensors(), InputSize{48, 64});
  EXPECT_EQ(model.info.vit.input_height, 48);
  EXPECT_EQ(model.info.vit.input_width, 64);
  EXPECT_EQ(model.info.vit.position_grid_width, 4);
  EXPECT_EQ(model.info.preprocessing.crop_width, 64);
  EXPECT_EQ(model.info.preprocessing.resize_height, 60);
  EXPECT_EQ(model.info.preprocessing.resize_width, 80);
  for (const InputSize& size :
       {InputSize{36, 32}, InputSize{0, 32}, InputSize{-8, 32}, InputSize{32, 1 << 20}}) {
    EXPECT_THAT(errorMessage([&] { loadModel(folder_.path(), size); }),
                AllOf(HasSubstr(std::to_string(size.height)), HasSubstr(std::to_string(size.width)),
                      HasSubstr("patch size 8")));
  }
  EXPECT_THAT(errorMessage([&] {
                loadModel(folder_.path(), InputSize{65536, 65536});
              }),
              HasSubstr("67108864 patches"));
}

TEST_F(Config, ReadsTimmsPreprocessing) {
  const auto read = [this](const std::string& key, const json& value) {
    return load(with("/pretrained_cfg/" + key, value)).info.preprocessing;
  };
  EXPECT_EQ(read("crop_pct", 0.8).resize_height, 40);
  EXPECT_EQ(read("crop_pct", 0.9).resize_height, 35);
  EXPECT_EQ(read("crop_pct", nullptr).resize_height, 36);
  EXPECT_EQ(read("crop_mode", "squash").resize, Preprocessing::Resize::kExact);
  EXPECT_EQ(read("crop_mode", "center").fill[0], 0);
  const Preprocessing border = read("crop_mode", "border");
  EXPECT_EQ(border.resize, Preprocessing::Resize::kLongerSide);
  EXPECT_EQ(border.fill[0], 128);
  EXPECT_EQ(read("interpolation", "bilinear").interpolation, Interpolation::kBilinear);
  EXPECT_FLOAT_EQ(read("mean", nullptr).mean[2], 0.406F);
  json old = test::smallConfig();
  for (const auto& [key, value] : old.at("pretrained_cfg").items()) old[key] = value;
  old.erase("pretrained_cfg");
  const ModelInfo info = load(old).info;
  EXPECT_EQ(info.preprocessing.resize_height, 40);
  EXPECT_EQ(info.labels[2], "c");
}

TEST_F(Config, ReadsHuggingFacesPreprocessing) {
  const json config{{"model_type", "vit"}, {"num_attention_heads", 4}, {"image_size", 32}};
  const auto read = [&](const json& preprocessor) {
    folder_.json("preprocessor_config.json", preprocessor);
    return load(config).info.preprocessing;
  };
  const Preprocessing square = read({{"size", {{"height", 48}, {"width", 48}}}, {"crop_size", 32}});
  EXPECT_EQ(square.resize, Preprocessing::Resize::kExact);
  EXPECT_EQ(square.resize_width, 48);
  EXPECT_EQ(square.crop_width, 32);
  EXPECT_EQ(read({{"size", 32}}).resize_width, 32);
  const Preprocessing bytes = read({{"size", 32},
                                    {"do_rescale", false},
                                    {"image_mean", {127.5, 51, 0}},
                                    {"image_std", {255, 255, 51}}});
  EXPECT_FLOAT_EQ(bytes.mean[0], 0.5F);
  EXPECT_FLOAT_EQ(bytes.mean[1], 0.2F);
  EXPECT_FLOAT_EQ(bytes.std[2], 0.2F);
  const Preprocessing plain = read({{"size", 32}, {"do_normalize", false}});
  EXPECT_FLOAT_EQ(plain.mean[0], 0.0F);
  EXPECT_FLOAT_EQ(plain.std[0], 1.0F);
  EXPECT_EQ(read({{"size", 32}, {"resample", 1}}).interpolation, Interpolation::kLanczos);
  EXPECT_EQ(read({{"do_resize", false}, {"size", 32}}).resize, Preprocessing::Resize::kExact);
  EXPECT_THAT(errorMessage([&] { read({{"resample", 5}}); }), HasSubstr("resample is 5"));
  EXPECT_THAT(errorMessage([&] { read({{"size", {{"width", 3}}}}); }), HasSubstr("shortest_edge"));
  // Another size keeps the proportion of resize and crop.
  folder_.json("preprocessor_config.json", {{"size", 40}, {"crop_size", 32}});
  EXPECT_EQ(loadModel(folder_.path(), InputSize{64, 64}).info.preprocessing.resize_height, 80);
}

TEST_F(Config, LabelsOfAnotherNumberAreNotUsed) {
  const ModelInfo info = load(with("/pretrained_cfg/label_names", {"a", "b"})).info;
  EXPECT_EQ(info.labels[6], "class 6");
  EXPECT_THAT(info.notes, Contains(AllOf(HasSubstr("2 classes"), HasSubstr("has 7"))));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/label_names", {1, 2})), HasSubstr("label_names"));
}

TEST_F(Config, UnknownArgumentsAreNoted) {
  EXPECT_THAT(load(with("/model_args/shiny", 3)).info.notes,
              Contains(HasSubstr("model_args.shiny")));
}

TEST_F(Config, FindsTheFilesOfAModel) {
  EXPECT_THAT(errorMessage([&] { loadModel(folder_.path() / "none"); }), HasSubstr("none"));
  EXPECT_THAT(errorMessage([&] { loadModel(folder_.path()); }),
              AllOf(HasSubstr(folder_.path().string()), HasSubstr("model.safetensors"),
                    HasSubstr("pytorch_model.bin"), HasSubstr("*.pth")));
  folder_.json("config.json", test::smallConfig());
  test::writeSafetensors(folder_.file("mine.pth"), test::smallTensors());
  EXPECT_EQ(loadModel(folder_.path()).info.vit.heads, 4);
  EXPECT_EQ(loadModel(folder_.file("mine.pth")).info.name, "mine");
  EXPECT_EQ(loadModel(config_).info.name, folder_.path().filename().string());
  test::writeSafetensors(folder_.file("other.pt"), test::smallTensors());
  EXPECT_THAT(errorMessage([&] { loadModel(folder_.path()); }),
              HasSubstr("several weight files in this folder (mine.pth, other.pt)"));
  folder_.tensors(test::smallTensors());
  EXPECT_EQ(loadModel(folder_.path().string() + "/").info.name, folder_.path().filename().string());
}

TEST_F(Config, ReportsProgressAndStops) {
  load(test::smallConfig());
  std::map<std::string, std::int64_t, std::less<>> last;
  loadModel(folder_.path(), std::nullopt, [&last](const Progress& progress) {
    EXPECT_LE(progress.done, progress.total);
    last[std::string(progress.stage)] = progress.total - progress.done;
  });
  EXPECT_EQ(last, (std::map<std::string, std::int64_t, std::less<>>{{"reading weights", 0},
                                                                    {"checking weights", 0}}));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(loadModel(folder_.path(), std::nullopt, {}, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace adamerge
