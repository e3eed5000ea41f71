// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_message.h"
#include "model/load_model.h"
#include "small_model.h"
#include "vit_config_matcher.h"

namespace adamerge {
namespace {

using test::errorMessage;
using test::NamedTensors;
using ::testing::AllOf;
using ::testing::HasSubstr;

nlohmann::json huggingFaceConfig(const std::string& type) {
  nlohmann::json config{{"model_type", type},       {"hidden_size", 32},
                        {"num_hidden_layers", 2},   {"image_size", 32},
                        {"num_attention_heads", 4}, {"patch_size", 8},
                        {"layer_norm_eps", 1e-6},   {"hidden_act", "gelu"}};
  const bool dinov2 = type.starts_with("dinov2");
  config[dinov2 ? "mlp_ratio" : "intermediate_size"] = dinov2 ? 4 : 128;
  return config;
}

void expectSameTensors(const StateDict& found, const NamedTensors& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (const auto& [name, tensor] : wanted) {
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_TRUE(found.at(name).equal(tensor)) << name;
  }
}

TEST(Names, HuggingFaceVitUnderEveryPrefix) {
  const NamedTensors tensors = test::smallTensors();
  for (const char* prefix : {"vit.", "deit.", ""}) {
    const test::ModelFolder folder;
    folder.tensors(test::huggingFaceNames(tensors, prefix, false));
    folder.json("config.json", huggingFaceConfig("vit"));
    const LoadedModel model = loadModel(folder.path());
    expectSameTensors(model.weights, tensors);
    test::expectSame(model.info.vit, test::smallVit());
  }
}

// The width would say 3.
TEST(Names, HeadsThatNoFieldTellsAreTheClasses) {
  const test::ModelFolder folder;
  folder.tensors(test::huggingFaceNames(test::smallTensors(192), "vit.", false));
  folder.json("config.json", {{"model_type", "vit"}, {"image_size", 32}});
  EXPECT_EQ(loadModel(folder.path()).info.vit.heads, 12);
}

TEST(Names, ClassPositionsOfHalvesAreAddedInSinglePrecision) {
  NamedTensors tensors = test::smallTensors();
  tensors["register_tokens"] = at::randn({1, 4, 32});
  for (const char* name :
       {"blocks.0.ls1.gamma", "blocks.0.ls2.gamma", "blocks.1.ls1.gamma", "blocks.1.ls2.gamma"}) {
    tensors[name] = at::randn({32});
  }
  tensors["head.weight"] = at::randn({7, 64});
  NamedTensors stored = test::huggingFaceNames(tensors, "dinov2_with_registers.", true);
  for (auto& [name, tensor] : stored) tensor = tensor.to(at::kBFloat16);
  const test::ModelFolder folder;
  folder.tensors(stored);
  folder.json("config.json", huggingFaceConfig("dinov2_with_registers"));
  const at::Tensor sum = tensors.at("cls_token").to(at::kBFloat16).to(at::kFloat) +
                         tensors.at("pos_embed").narrow(1, 0, 1).to(at::kBFloat16).to(at::kFloat);
  EXPECT_TRUE(loadModel(folder.path()).weights.at("cls_token").equal(sum));
}

TEST(Names, WithoutAHeadBothTokensOfADistilledNetworkAreTheEmbeddingInTimm) {
  NamedTensors tensors = test::smallTensors(32, 2);
  tensors["dist_token"] = at::randn({1, 1, 32});
  const auto means = [&](bool timm) {
    const test::ModelFolder folder;
    folder.tensors(timm ? tensors : test::huggingFaceNames(tensors, "deit.", false));
    nlohmann::json config = timm ? test::smallConfig() : huggingFaceConfig("deit");
    if (timm) config["architecture"] = "deit_tiny_distilled_patch16_224";
    if (timm) config["num_classes"] = 0;
    folder.json("config.json", config);
    return loadModel(folder.path()).info.vit.mean_of_tokens;
  };
  EXPECT_FALSE(means(false)) << "its classifier reads the class token alone";
  tensors.erase("head.weight");
  tensors.erase("head.bias");
  EXPECT_TRUE(means(true));
  EXPECT_FALSE(means(false)) << "as its pooler and its classifiers";
}

TEST(Names, MessagesCallTensorsAsTheFileDoes) {
  NamedTensors tensors = test::huggingFaceNames(test::smallTensors(), "vit.", false);
  tensors.at("classifier.weight") = tensors.at("classifier.weight").to(at::kLong);
  const test::ModelFolder folder;
  folder.tensors(tensors);
  folder.json("config.json", huggingFaceConfig("vit"));
  EXPECT_THAT(errorMessage([&] { loadModel(folder.path()); }),
              HasSubstr("tensor 'classifier.weight' is of type Long"));
}

TEST(Names, Dinov2WithItsClassifier) {
  NamedTensors tensors = test::smallTensors();
  for (const char* name :
       {"blocks.0.ls1.gamma", "blocks.0.ls2.gamma", "blocks.1.ls1.gamma", "blocks.1.ls2.gamma"}) {
    tensors[name] = at::randn({32});
  }
  tensors["head.weight"] = at::randn({7, 64});
  NamedTensors stored = test::huggingFaceNames(tensors, "dinov2.", true);
  stored["dinov2.embeddings.mask_token"] = at::zeros({1, 32});
  const test::ModelFolder folder;
  folder.tensors(stored);
  folder.json("config.json", huggingFaceConfig("dinov2"));
  folder.json("preprocessor_config.json", {{"image_processor_type", "BitImageProcessor"},
                                           {"do_resize", true},
                                           {"size", {{"shortest_edge", 64}}},
                                           {"do_center_crop", true},
                                           {"crop_size", {{"height", 56}, {"width", 56}}},
                                           {"resample", 3},
                                           {"image_mean", {0.485, 0.456, 0.406}},
                                           {"image_std", {0.229, 0.224, 0.225}}});
  const LoadedModel model = loadModel(folder.path());
  expectSameTensors(model.weights, tensors);
  VitConfig wanted = test::smallVit();
  wanted.layer_scale = true;
  wanted.pooling = Pooling::kTokenAndAverage;
  wanted.input_height = 56;
  wanted.input_width = 56;
  test::expectSame(model.info.vit, wanted);
  EXPECT_EQ(model.info.preprocessing.resize, Preprocessing::Resize::kShorterSide);
  EXPECT_EQ(model.info.preprocessing.resize_height, 64);
  EXPECT_EQ(model.info.preprocessing.crop_width, 56);
  EXPECT_EQ(model.info.preprocessing.interpolation, Interpolation::kBicubic);
  EXPECT_FLOAT_EQ(model.info.preprocessing.mean[1], 0.456F);
  EXPECT_THAT(model.info.notes, ::testing::ElementsAre(HasSubstr("mask_token"),
                                                       HasSubstr("4 x 4 patches is resampled")));
}

TEST(Names, Dinov2RegistersTakeNoPosition) {
  NamedTensors tensors = test::smallTensors();
  tensors.erase("head.weight");
  tensors.erase("head.bias");
  tensors["register_tokens"] = at::randn({1, 4, 32});
  nlohmann::json config = huggingFaceConfig("dinov2_with_registers");
  config["num_register_tokens"] = 4;

  NamedTensors wanted = tensors;
  wanted["reg_token"] = wanted.at("register_tokens");
  wanted.erase("register_tokens");
  const at::Tensor rows = tensors.at("pos_embed");
  wanted["cls_token"] = tensors.at("cls_token") + rows.slice(1, 0, 1);
  wanted["pos_embed"] = rows.slice(1, 1);
  VitConfig vit = test::smallVit();
  vit.register_tokens = 4;
  vit.position_covers_prefix = false;
  vit.classes = 0;

  for (const char* prefix : {"", "dinov2_with_registers."}) {
    const test::ModelFolder folder;
    folder.tensors(test::huggingFaceNames(tensors, prefix, true));
    folder.json("config.json", config);
    const LoadedModel model = loadModel(folder.path());
    expectSameTensors(model.weights, wanted);
    test::expectSame(model.info.vit, vit);
    EXPECT_TRUE(model.info.labels.empty());
  }
  // Meta's own names of the same network, which no config describes.
  NamedTensors wide = test::smallTensors(192);
  wide.erase("head.weight");
  wide.erase("head.bias");
  wide["register_tokens"] = at::randn({1, 4, 192});
  const test::ModelFolder folder;
  folder.tensors(wide);
  const LoadedModel model = loadModel(folder.path());
  EXPECT_EQ(model.info.family, "DINOv2 (Meta)");
  NamedTensors expected = wide;
  expected["reg_token"] = wide.at("register_tokens");
  expected.erase("register_tokens");
  expected["cls_token"] = wide.at("cls_token") + wide.at("pos_embed").slice(1, 0, 1);
  expected["pos_embed"] = wide.at("pos_embed").slice(1, 1);
  expectSameTensors(model.weights, expected);
  EXPECT_FALSE(model.info.vit.position_covers_prefix);
}

TEST(Names, DeitWithAndWithoutASecondHead) {
  NamedTensors tensors = test::smallTensors(32, 2);
  tensors["dist_token"] = at::randn({1, 1, 32});
  VitConfig vit = test::smallVit();
  vit.distillation_token = true;
  NamedTensors stored = test::huggingFaceNames(tensors, "deit.", false);
  {
    const test::ModelFolder folder;
    folder.tensors(stored);
    folder.json("config.json", huggingFaceConfig("deit"));
    const LoadedModel model = loadModel(folder.path());
    expectSameTensors(model.weights, tensors);
    test::expectSame(model.info.vit, vit);
  }
  tensors["head_dist.weight"] = at::randn({7, 32});
  tensors["head_dist.bias"] = at::randn({7});
  for (const char* end : {"weight", "bias"}) {
    stored[std::string("cls_classifier.") + end] = tensors.at(std::string("head.") + end);
    stored.erase(std::string("classifier.") + end);
    stored[std::string("distillation_classifier.") + end] =
        tensors.at(std::string("head_dist.") + end);
  }
  const test::ModelFolder folder;
  folder.tensors(stored);
  folder.json("config.json", huggingFaceConfig("deit"));
  const LoadedModel model = loadModel(folder.path());
  expectSameTensors(model.weights, tensors);
  test::expectSame(model.info.vit, vit);
}

TEST(Names, ProjectionsMustFitTogether) {
  const NamedTensors whole = test::huggingFaceNames(test::smallTensors(), "vit.", false);
  const std::string base = "vit.encoder.layer.1.attention.attention.";
  const auto errorFor = [](const NamedTensors& tensors) {
    const test::ModelFolder folder;
    folder.tensors(tensors);
    folder.json("config.json", huggingFaceConfig("vit"));
    const std::string message = errorMessage([&] { loadModel(folder.path()); });
    EXPECT_THAT(message, HasSubstr(folder.file("model.safetensors")));
    return message;
  };
  NamedTensors tensors = whole;
  tensors.erase(base + "key.bias");
  EXPECT_THAT(errorFor(tensors),
              AllOf(HasSubstr("'" + base + "key.bias' is missing"), HasSubstr(base + "query.bias"),
                    HasSubstr(base + "value.bias")));
  tensors = whole;
  tensors[base + "key.weight"] = at::ones({32, 16});
  EXPECT_THAT(errorFor(tensors), HasSubstr("'" + base + "key.weight' is [32, 16]"));
  tensors = whole;
  tensors[base + "value.weight"] = at::ones({32, 32}, at::kHalf);
  EXPECT_THAT(errorFor(tensors), HasSubstr("'" + base + "value.weight' is [32, 32] of Half"));
  tensors = whole;
  tensors["cls_classifier.weight"] = at::ones({7, 32});
  EXPECT_THAT(errorFor(tensors), HasSubstr("two tensors take one place in the network"));
  tensors = whole;
  tensors["vit.encoder.layer.0.adapter.weight"] = at::ones({2});
  EXPECT_THAT(errorFor(tensors), HasSubstr("unexpected vit.encoder.layer.0.adapter.weight"));
}

TEST(Names, PoolerIsIgnored) {
  NamedTensors stored = test::huggingFaceNames(test::smallTensors(), "vit.", false);
  stored["vit.pooler.dense.weight"] = at::ones({32, 32});
  stored["vit.pooler.dense.bias"] = at::ones({32});
  const test::ModelFolder folder;
  folder.tensors(stored);
  folder.json("config.json", huggingFaceConfig("vit"));
  EXPECT_THAT(loadModel(folder.path()).info.notes,
              ::testing::Contains(HasSubstr("vit.pooler.dense.bias, vit.pooler.dense.weight")));
}

TEST(Names, DeitThreeLayerScale) {
  NamedTensors tensors = test::smallTensors(192);
  for (const char* name :
       {"blocks.0.gamma_1", "blocks.0.gamma_2", "blocks.1.gamma_1", "blocks.1.gamma_2"}) {
    tensors[name] = at::randn({192});
  }
  const test::ModelFolder folder;
  folder.tensors(tensors);
  const LoadedModel model = loadModel(folder.path());
  EXPECT_TRUE(model.info.vit.layer_scale);
  EXPECT_TRUE(model.weights.at("blocks.1.ls2.gamma").equal(tensors.at("blocks.1.gamma_2")));
}

TEST(Names, OneOfSeveralSetsOfWeightsIsChosenByName) {
  const NamedTensors student = test::smallTensors();
  const NamedTensors teacher = test::smallTensors();
  NamedTensors both;
  for (const auto& [name, tensor] : student) both["student." + name] = tensor;
  for (const auto& [name, tensor] : teacher) both["teacher." + name] = tensor;
  const test::ModelFolder folder;
  folder.tensors(both);
  folder.json("config.json",
              {{"architecture", "vit_small_patch8"}, {"model_args", {{"num_heads", 4}}}});
  const LoadedModel usual = loadModel(folder.path());
  expectSameTensors(usual.weights, teacher);
  EXPECT_TRUE(usual.info.weight_set.empty());
  const LoadedModel named = loadModel(folder.path(), {.weight_set = "student"});
  expectSameTensors(named.weights, student);
  EXPECT_EQ(named.info.weight_set, "student");
  EXPECT_THAT(named.info.notes, ::testing::Contains(HasSubstr("student was taken, not teacher")));
  EXPECT_THAT(errorMessage([&] { loadModel(folder.path(), {.weight_set = "ema"}); }),
              AllOf(HasSubstr("'ema'"), HasSubstr("student"), HasSubstr("teacher")));
}

}  // namespace
}  // namespace adamerge
