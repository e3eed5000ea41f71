// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_fixture.h"
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

using ModelDescription = test::ConfigTest;

TEST_F(ModelDescription, KeepsHalfPrecision) {
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    NamedTensors tensors = test::smallTensors();
    for (auto& [name, tensor] : tensors) tensor = tensor.to(type);
    EXPECT_EQ(load(test::smallConfig(), tensors).weights.at("norm.bias").scalar_type(), type);
  }
}

TEST_F(ModelDescription, WithoutOneTimmsDefaultsAreAssumed) {
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

TEST_F(ModelDescription, WithoutOneSomeThingsCannotBeTold) {
  folder_.tensors(test::smallTensors(32));
  EXPECT_THAT(errorMessage([&] { loadModel(folder_.path()); }),
              AllOf(HasSubstr(weights_), HasSubstr("width 32"), HasSubstr("num_heads")));
  folder_.tensors(test::smallTensors(192, 7));
  EXPECT_THAT(errorMessage([&] { loadModel(folder_.path()); }),
              AllOf(HasSubstr("23 rows"), HasSubstr("config.json"), HasSubstr("img_size")));
}

TEST_F(ModelDescription, TheArchitecturesNameDecidesWhatTensorsDoNotShow) {
  const auto vit = [this](const std::string& name) {
    json config = with("/architecture", name);
    // What the tensors show is not what this is about.
    for (const char* absent : {"pre_norm", "no_embed_class", "fc_norm"}) {
      config["model_args"][absent] = false;
    }
    for (const char* present : {"class_token", "final_norm", "qkv_bias"}) {
      config["model_args"][present] = true;
    }
    config["model_args"]["global_pool"] = "token";
    config["model_args"]["mlp_ratio"] = 4;
    return load(config).info.vit;
  };
  EXPECT_EQ(vit("vit_base_patch16_224").norm_epsilon, 1e-6);
  EXPECT_EQ(vit("vit_base_patch16_clip_224").norm_epsilon, 1e-5);
  EXPECT_EQ(vit("vit_base_patch16_clip_224").activation, Activation::kGelu);
  EXPECT_EQ(vit("vit_base_patch16_clip_quickgelu_224").activation, Activation::kQuickGelu);
  // Of timm's SigLIP networks those of patch 14 have the exact GELU.
  EXPECT_EQ(vit("vit_so400m_patch14_siglip_gap_224").activation, Activation::kGelu);
  EXPECT_EQ(vit("vit_base_patch32_siglip_gap_256").activation, Activation::kGeluTanh);
  EXPECT_EQ(load(with("/model_args/act_layer", "gelu_tanh")).info.vit.activation,
            Activation::kGeluTanh);
}

TEST_F(ModelDescription, AveragePoolingKeepsTheFinalNormWhereFcNormIsFalse) {
  json config = with("/model_args/global_pool", "avg");
  EXPECT_THAT(errorFor(config), HasSubstr("fc_norm (by model_args.global_pool) is true"));
  config["model_args"]["fc_norm"] = false;
  const VitConfig vit = load(config).info.vit;
  EXPECT_EQ(vit.pooling, Pooling::kAverage);
  EXPECT_TRUE(vit.final_norm);
  EXPECT_FALSE(vit.fc_norm);
}

TEST_F(ModelDescription, ANormThatIsNamedHasItsOwnEpsilon) {
  json config = with("/architecture", "vit_base_patch16_clip_224");
  config["model_args"]["pre_norm"] = false;
  EXPECT_EQ(load(config).info.vit.norm_epsilon, 1e-5);
  config["model_args"]["norm_layer"] = "layernorm";
  EXPECT_EQ(load(config).info.vit.norm_epsilon, 1e-6);
}

TEST_F(ModelDescription, DynamicNetworksResampleAlike) {
  json config = with("/architecture", "flexivit_small");
  config["model_args"]["no_embed_class"] = false;
  EXPECT_EQ(load(config).info.vit.resampling, Resampling::kBilinear);
  config["model_args"]["dynamic_img_size"] = true;
  EXPECT_EQ(load(config).info.vit.resampling, Resampling::kBicubicAntialiased);
}

TEST_F(ModelDescription, PatchSizeMayBeAPairOfOneNumber) {
  EXPECT_EQ(load(with("/model_args/patch_size", {8, 8})).info.vit.patch_size, 8);
  EXPECT_THAT(errorFor(with("/model_args/patch_size", {8, 4})),
              HasSubstr("model_args.patch_size is 8 x 4, only square patches"));
}

TEST_F(ModelDescription, HeadlessModelGivesFeatures) {
  NamedTensors tensors = test::smallTensors();
  tensors.erase("head.weight");
  EXPECT_THAT(errorForTensors(tensors), HasSubstr("num_classes is 7"));
  tensors.erase("head.bias");
  const ModelInfo info = load(with("/num_classes", 0), tensors).info;
  EXPECT_EQ(info.vit.classes, 0);
  EXPECT_TRUE(info.labels.empty());
}

TEST_F(ModelDescription, InputSizeCanBeChosen) {
  const LoadedModel model = load(test::smallConfig(), test::smallTensors(), InputSize{48, 64});
  EXPECT_EQ(model.info.vit.input_height, 48);
  EXPECT_EQ(model.info.vit.input_width, 64);
  EXPECT_EQ(model.info.vit.position_grid_width, 4);
  EXPECT_EQ(model.info.preprocessing.crop_width, 64);
  EXPECT_EQ(model.info.preprocessing.resize_height, 60);
  EXPECT_EQ(model.info.preprocessing.resize_width, 80);
  for (const InputSize& size :
       {InputSize{7, 32}, InputSize{0, 32}, InputSize{-8, 32}, InputSize{32, 1 << 20}}) {
    EXPECT_THAT(errorMessage([&] { loadModel(folder_.path(), {size}); }),
                AllOf(HasSubstr(std::to_string(size.height)), HasSubstr(std::to_string(size.width)),
                      HasSubstr("patch size 8")));
  }
  EXPECT_THAT(loadModel(folder_.path(), {InputSize{36, 32}}).info.notes,
              Contains(HasSubstr("the last 4 rows and 0 columns")));
  EXPECT_THAT(errorMessage([&] {
                loadModel(folder_.path(), {InputSize{65536, 65536}});
              }),
              HasSubstr("67108864 patches"));
}

TEST_F(ModelDescription, ReadsTimmsPreprocessing) {
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

TEST_F(ModelDescription, ReadsHuggingFacesPreprocessing) {
  const NamedTensors tensors = test::huggingFaceNames(test::smallTensors(), "vit.", false);
  const json config{{"model_type", "vit"}, {"num_attention_heads", 4}, {"image_size", 32}};
  const auto read = [&](const json& preprocessor) {
    folder_.json("preprocessor_config.json", preprocessor);
    return load(config, tensors).info.preprocessing;
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
  EXPECT_EQ(loadModel(folder_.path(), {InputSize{64, 64}}).info.preprocessing.resize_height, 80);
}

TEST_F(ModelDescription, LabelsOfAnotherNumberAreNotUsed) {
  const ModelInfo info = load(with("/pretrained_cfg/label_names", {"a", "b"})).info;
  EXPECT_EQ(info.labels[6], "class 6");
  EXPECT_THAT(info.notes, Contains(AllOf(HasSubstr("2 classes"), HasSubstr("has 7"))));
  EXPECT_THAT(errorFor(with("/pretrained_cfg/label_names", {1, 2})), HasSubstr("label_names"));
}

TEST_F(ModelDescription, LabelsMayBeNumberedOrDescribed) {
  json config = with("/pretrained_cfg/label_descriptions", {{"b", "a bee"}});
  EXPECT_EQ(load(config).info.labels[1], "a bee (b)") << "data sets may go by the name";
  EXPECT_EQ(load(config).info.labels[2], "c");
  config = with("/pretrained_cfg/label_names", json::object());
  for (int i = 0; i < 7; ++i) {
    config["pretrained_cfg"]["label_names"][std::to_string(i)] = "number " + std::to_string(i);
  }
  EXPECT_EQ(load(config).info.labels[5], "number 5");
}

TEST_F(ModelDescription, ConfigsMayBeTextOfOtherSystems) {
  const std::string text = with("/pretrained_cfg/label_names/0", "B\u00e4r").dump();
  folder_.tensors(test::smallTensors());
  const auto labelFrom = [&](const std::string& bytes) {
    test::writeBytes(folder_.path() / "config.json", bytes);
    return loadModel(folder_.path()).info.labels[0];
  };
  const auto utf16 = [&](bool big_endian) {
    std::string bytes;
    const auto add = [&](unsigned unit) {
      const char low = static_cast<char>(unit & 0xFFU);
      const char high = static_cast<char>(unit >> 8U);
      bytes += big_endian ? std::string{high, low} : std::string{low, high};
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool umlaut = text.compare(i, 2, "\u00e4") == 0;
      add(umlaut ? 0xE4U : static_cast<unsigned char>(text[i]));
      if (umlaut) ++i;
    }
    return bytes;
  };
  EXPECT_EQ(labelFrom("\xEF\xBB\xBF" + text), "B\u00e4r");
  EXPECT_EQ(labelFrom("\xFF\xFE" + utf16(false)), "B\u00e4r");
  EXPECT_EQ(labelFrom("\xFE\xFF" + utf16(true)), "B\u00e4r");
  EXPECT_EQ(labelFrom(utf16(false)), "B\u00e4r") << "no mark";
  EXPECT_THAT(test::errorMessage([&] { labelFrom("\xFF\xFE{"); }),
              AllOf(HasSubstr("config.json: "), HasSubstr("UTF-16")));
}

TEST_F(ModelDescription, UnknownFieldsOfTheDescriptionAreNoted) {
  for (const char* place : {"/shiny", "/pretrained_cfg/shiny"}) {
    EXPECT_THAT(load(with(place, 3)).info.notes, Contains(HasSubstr("shiny"))) << place;
  }
}

TEST_F(ModelDescription, FindsTheFilesOfAModel) {
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

TEST_F(ModelDescription, ReportsProgressAndStops) {
  load(test::smallConfig());
  std::map<std::string, std::int64_t, std::less<>> last;
  loadModel(folder_.path(), {}, [&last](const Progress& progress) {
    EXPECT_LE(progress.done, progress.total);
    last[std::string(progress.stage)] = progress.total - progress.done;
  });
  EXPECT_EQ(last, (std::map<std::string, std::int64_t, std::less<>>{{"reading weights", 0},
                                                                    {"checking weights", 0}}));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(loadModel(folder_.path(), {}, {}, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace adamerge
