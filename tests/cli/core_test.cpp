// SPDX-License-Identifier: GPL-3.0-or-later
// From an image file to the result, against the reference runs.
#include <cmath>

#include "adamerge/image.h"
#include "adamerge/report.h"
#include "reference_cases.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
const fs::path kModel = fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";

TEST(ImageToLogits, EqualTimmsForEveryVariant) {
  int variants = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(ADAMERGE_TEST_DATA) / "vit-variants")) {
    SCOPED_TRACE(entry.path().filename().string());
    const Engine engine = Engine::load(entry.path(), {.device = "cpu", .dtype = "float32"});
    const PreparedImage prepared =
        prepareImage(loadImage(entry.path() / "image.png"), engine.info().preprocessing);
    const auto logits = engine.run({&prepared.input, 1}, {}).front().logits;
    const auto expected = test::readImageLogits(entry.path() / "case.safetensors");
    ASSERT_EQ(logits.size(), expected.size());
    for (std::size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(logits[i], expected[i], 1e-5);
    ++variants;
  }
  EXPECT_EQ(variants, 13);
}

TEST(ImageToLogits, AllReferenceCasesWhereTheSharedFolderIs) {
  const fs::path shared = fs::path(ADAMERGE_SHARED) / "reference" / "merging";
  if (!fs::exists(shared)) GTEST_SKIP() << shared << " is not here; the drawn pictures ran anyway";
  const Engine engine = Engine::load(kModel, {.device = "cpu", .dtype = "float32"});
  const Engine exact = Engine::load(kModel, {.device = "cpu", .dtype = "float64"});
  const auto statistics = std::make_shared<const Statistics>(readStatistics(shared / "stats.json"));
  test::Comparison comparison;
  for (const test::json& expected : test::readReference(shared / "cases.json")) {
    SCOPED_TRACE(expected.at("image").get<std::string>() + " " + expected.at("settings").dump());
    const PreparedImage prepared = prepareImage(
        loadImage(shared / expected.at("image").get<std::string>()), engine.info().preprocessing);
    const MethodChoice choice = test::choiceOf(expected.at("settings"), statistics);
    test::expectEqualsReference(
        engine.run({&prepared.input, 1}, choice).front(),
        [&] {
          return exact.run({&prepared.input, 1}, choice).front();
        },
        expected, comparison);
  }
  comparison.expectFewExceptions();
}

TEST(Samples, TheBundledModelRecognisesThem) {
  const Engine engine = Engine::load(kModel, {.device = "cpu"});
  int samples = 0;
  for (const fs::path& path : findImages(fs::path(ADAMERGE_MODELS) / "../resources/samples")) {
    const PreparedImage prepared = prepareImage(loadImage(path), engine.info().preprocessing);
    for (const char* method : {"none", "adamerge"}) {
      const auto result = engine.run({&prepared.input, 1}, {method, {}, nullptr, false}).front();
      EXPECT_TRUE(result.calibrated);
      const Prediction top = topPredictions(result.logits, engine.info().labels, 1).front();
      EXPECT_EQ(top.label, path.stem().string()) << method;
      EXPECT_GT(top.probability, 0.5) << path << " " << method;
    }
    ++samples;
  }
  EXPECT_GE(samples, 4);
}

}  // namespace
}  // namespace adamerge
