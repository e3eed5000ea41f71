// SPDX-License-Identifier: GPL-3.0-or-later
// CubistMerge, StructSAM, Prune and Merge, Focus on the Core and Token Compensator against runs of
// an independent implementation: whole numbers identical, logits to 1e-4.
#include <map>

#include "adamerge/image.h"
#include "adamerge/preprocess.h"
#include "reference_cases.h"

namespace adamerge {
namespace {

using test::json;

const std::filesystem::path kData = std::filesystem::path(ADAMERGE_TEST_DATA) / "methods";
const std::filesystem::path kModel = std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";

const Engine& engine() {
  static const Engine loaded = Engine::load(kModel, {.device = "cpu", .dtype = "float32"});
  return loaded;
}

/// The settings of a case, its files in tests/data.
MethodChoice choiceOf(const json& settings) {
  json flat = settings;
  if (const auto compensator = settings.find("compensator"); compensator != settings.end()) {
    flat.erase("compensator");
    flat["source"] = compensator->at("source");
    flat["scale"] = compensator->at("scale");
    flat["compensator"] = (kData / compensator->at("file").get<std::string>()).string();
  }
  if (const auto file = settings.find("importance_file"); file != settings.end()) {
    flat["importance_file"] = (kData / file->get<std::string>()).string();
  }
  return test::choiceOf(flat, nullptr);
}

void expectLayer(const LayerTrace& layer, const json& wanted) {
  EXPECT_EQ(layer.tokens_in, wanted.at("tokens_in").get<int>());
  EXPECT_EQ(layer.tokens_out, wanted.at("tokens_out").get<int>());
  EXPECT_EQ(layer.merged, wanted.at("merged").get<int>());
  EXPECT_EQ(layer.groups, wanted.at("groups").get<std::vector<int>>());
}

/// `picture`: of the model's input size, so nothing is resized.
InputTensor inputOf(const std::filesystem::path& picture) {
  return prepareImage(loadImage(picture), engine().info().preprocessing).input;
}

void expectCase(const json& expected, const std::filesystem::path& pictures) {
  SCOPED_TRACE(expected.at("image").get<std::string>() + " " + expected.at("settings").dump());
  const InputTensor input = inputOf(pictures / expected.at("image").get<std::string>());
  const ImageResult result = engine().run({&input, 1}, choiceOf(expected.at("settings"))).front();
  const auto logits = expected.at("logits").get<std::vector<double>>();
  ASSERT_EQ(result.logits.size(), logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(result.logits[i], logits[i], 1e-4);
  EXPECT_NEAR(result.flops.paper, expected.at("flops_paper").get<double>(), 1e-9);
  ASSERT_EQ(result.layers.size(), expected.at("layers").size());
  for (std::size_t block = 0; block < result.layers.size(); ++block) {
    SCOPED_TRACE("block " + std::to_string(block));
    expectLayer(result.layers[block], expected.at("layers").at(block));
  }
}

TEST(GridMethods, EveryCaseOfTheReference) {
  const std::filesystem::path shared = std::filesystem::path(ADAMERGE_SHARED) / "reference";
  if (!std::filesystem::exists(shared / "methods")) GTEST_SKIP() << "no ../shared/reference";
  std::map<std::string, int> per_method;
  for (const json& expected : test::readReference(shared / "methods" / "cases.json")) {
    const std::string method = expected.at("settings").at("method");
    if (method != "tome") continue;
    expectCase(expected, shared / "merging");
    ++per_method[method];
  }
  EXPECT_EQ(per_method["tome"], 28);
}

}  // namespace
}  // namespace adamerge
