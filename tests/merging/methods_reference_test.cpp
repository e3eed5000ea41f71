// SPDX-License-Identifier: GPL-3.0-or-later
// Methods that drop, cluster, restore or hide keys, and Token Compensator, against the reference
// runs of an independent implementation: all that is whole-numbered identical, numbers to 1e-4 of
// their size.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "adamerge/calibrate.h"
#include "error_message.h"
#include "merging/entries.h"
#include "merging/method.h"
#include "method_cases.h"
#include "ppm.h"
#include "test_device.h"

namespace adamerge {
namespace {

using testing::HasSubstr;

const std::filesystem::path kTestData = std::filesystem::path(ADAMERGE_TEST_DATA);

Engine bundled(const std::string& dtype) {
  return Engine::load(std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10",
                      {.device = test::testDevice(), .dtype = dtype});
}

TEST(MethodsReference, EveryCaseOfTheDrawnPictures) {
  const test::json cases = test::readReference(kTestData / "methods" / "cases.json");
  ASSERT_EQ(cases.size(), 79U);
  std::map<std::string, int> per_method;
  for (const char* dtype : {"float32", "float64"}) {
    const Engine engine = bundled(dtype);
    const bool exact = engine.dtype() == "float64";
    for (std::size_t i = 0; i < cases.size(); i += exact ? 4 : 1) {
      const test::json& expected = cases[i];
      SCOPED_TRACE(std::string(dtype) + " " + expected.at("image").get<std::string>() + " " +
                   expected.at("settings").dump());
      std::filesystem::path image = expected.at("image").get<std::string>();
      const InputTensor input =
          test::readPpm(kTestData / "merging" / image.replace_extension(".ppm"));
      const MethodChoice choice = test::methodChoiceOf(expected.at("settings"));
      test::expectMethodCase(engine.run({&input, 1}, choice).front(), expected);
      ++per_method[choice.method];
    }
  }
  for (const char* method :
       {"atc", "ppt", "prunesid", "cubistmerge", "structsam", "prune-merge", "focus", "tome"}) {
    EXPECT_GE(per_method[method], 6) << method;
  }
}

TEST(MethodsReference, ClustersWithTies) {
  const test::json units = test::readReference(kTestData / "methods" / "units.json");
  for (const test::json& unit : units.at("atc_clusters")) {
    const auto rows = unit.at("distances").get<std::vector<std::vector<double>>>();
    std::vector<double> distances;
    for (const auto& row : rows) distances.insert(distances.end(), row.begin(), row.end());
    const std::string name = unit.at("linkage");
    const Linkage linkage = name == "average"    ? Linkage::kAverage
                            : name == "complete" ? Linkage::kComplete
                                                 : Linkage::kSingle;
    const auto n = static_cast<std::int64_t>(rows.size());
    for (const bool whole : {false, true}) {
      const Clustering result =
          clustered(distances, n, linkage, unit.at("count").get<std::int64_t>(), whole);
      std::vector<std::int64_t> wanted(rows.size());
      for (const test::json& cluster : unit.at("clusters")) {
        for (const test::json& member : cluster) {
          wanted[member.get<std::size_t>()] = cluster.front().get<std::int64_t>();
        }
      }
      EXPECT_EQ(result.cluster, wanted) << unit.dump();
      if (whole) {
        EXPECT_EQ(static_cast<std::int64_t>(result.joins.size()), n - 1);
      }
    }
  }
}

TEST(MethodsReference, QuotasWithHalves) {
  const test::json units = test::readReference(kTestData / "methods" / "units.json");
  for (const test::json& unit : units.at("prunesid_quotas")) {
    EXPECT_EQ(groupQuotas(unit.at("sizes").get<std::vector<int>>(),
                          unit.at("taken").get<std::vector<int>>(), unit.at("keep").get<int>()),
              unit.at("quota").get<std::vector<int>>())
        << unit.dump();
  }
}

TEST(Methods, KeepingAllChangesNoBit) {
  const Engine engine = bundled("float32");
  const InputTensor input = test::readPpm(kTestData / "merging" / "drawn-ship.ppm");
  const std::vector<float> plain = engine.run({&input, 1}, MethodChoice{}).front().logits;
  const VitConfig& vit = engine.info().vit;
  for (const MethodInfo& method : methods()) {
    MethodChoice choice{method.id, {}, nullptr, false};
    const CompressionKnob* knob = compressionKnob(choice);
    if (knob == nullptr) continue;
    SCOPED_TRACE(method.id);
    if (method.setting("prune") != nullptr &&
        std::holds_alternative<std::int64_t>(method.setting("prune")->fallback)) {
      choice.settings["prune"] = std::int64_t{0};
    }
    if (method.setting("combine_at") != nullptr) {
      choice.settings["combine_at"] = std::int64_t{vit.depth};
    }
    choice.settings[knob->key] = std::int64_t{knobRange(choice, vit).gentlest};
    const ImageResult result = engine.run({&input, 1}, choice).front();
    EXPECT_EQ(result.logits, plain);
    EXPECT_EQ(result.flops.paper, unmergedFlops(vit).paper);
    for (const LayerTrace& layer : result.layers) EXPECT_EQ(layer.merged, 0);
  }
}

TEST(Methods, DefaultsFollowTheModel) {
  VitConfig vit;
  vit.input_height = vit.input_width = 336;
  vit.patch_size = 14;
  vit.depth = 24;
  const auto of = [&](const char* method) {
    return completeSettings({method, {}, nullptr, false}, vit);
  };
  EXPECT_EQ(of("atc").at("r"), SettingValue(std::int64_t{36}));
  EXPECT_EQ(of("ppt").at("r"), SettingValue(std::int64_t{144}));
  EXPECT_EQ(of("ppt").at("blocks"), SettingValue(std::vector<std::int64_t>{6, 12, 18}));
  EXPECT_EQ(of("prunesid").at("keep"), SettingValue(std::int64_t{288}));
  EXPECT_EQ(of("prunesid").at("at"), SettingValue(std::int64_t{12}));
  EXPECT_EQ(completeSettings({"prunesid", {{"at", std::int64_t{3}}}, nullptr, false}, vit).at("at"),
            SettingValue(std::int64_t{3}));
}

TEST(Methods, SayWhatDoesNotSuitTheModel) {
  const Engine engine = bundled("float32");
  const Engine no_class_token =
      Engine::load(kTestData / "vit-variants" / "avg-pool-no-class-token", {.device = "cpu"});
  const auto problem = [](const Engine& on, const MethodChoice& choice) {
    return test::errorMessage([&] { on.prepare(choice); });
  };
  EXPECT_THAT(problem(no_class_token, {"ppt", {}, nullptr, false}),
              HasSubstr("PPT ranks tokens by the class token's attention, and this model has no"));
  EXPECT_THAT(
      problem(no_class_token, {"prunesid", {{"score", std::string("attention")}}, nullptr, false}),
      HasSubstr("has no class token"));
  EXPECT_THAT(problem(engine, {"prunesid", {{"at", std::int64_t{12}}}, nullptr, false}),
              HasSubstr("--at 12: this model has blocks 0 to 11"));
  EXPECT_THAT(problem(engine, {"atc", {{"r", std::int64_t{196}}}, nullptr, false}),
              HasSubstr("--r 196 would leave no token: this model has 196 patch tokens"));
  EXPECT_THAT(problem(engine, {"prunesid",
                               {{"at", std::int64_t{0}}, {"score", std::string("attention")}},
                               nullptr,
                               false}),
              HasSubstr("--at is 1 or more"));
  EXPECT_THAT(
      problem(engine, {"ppt", {{"blocks", std::vector<std::int64_t>{3, 40}}}, nullptr, false}),
      HasSubstr("--blocks names block 40: this model has blocks 0 to 11"));
}

TEST(Methods, SayThatTokensAreNoNumbers) {
  VitConfig vit;
  vit.input_height = vit.input_width = 32;
  vit.patch_size = 8;
  vit.depth = 4;
  vit.class_token = true;
  AttentionStatistics statistics;
  statistics.class_attention.assign(17, std::numeric_limits<float>::quiet_NaN());
  statistics.value_norms.assign(17, 1.0F);
  const std::vector<float> sizes(17, 1.0F);
  LayerTokens layer;
  layer.prefix = 1;
  layer.block = 2;
  layer.tokens = at::full({17, 8}, std::numeric_limits<double>::quiet_NaN(), at::kFloat);
  layer.metric = layer.tokens.to(at::kDouble);
  layer.sizes = sizes;
  layer.attention = &statistics;
  for (const char* name : {"atc", "ppt", "prunesid"}) {
    const auto method = findMethodEntry(name).make(
        completeSettings({name, {}, nullptr, false}, vit), {vit, nullptr});
    EXPECT_THAT(test::errorMessage([&] {
                  method->plans({&layer, 1});
                }),
                testing::AllOf(HasSubstr("in block 2"), HasSubstr("not numbers")))
        << name;
  }
}

TEST(PruneSid, KeepsMoreOfAnImageThatIsLessRedundantThanUsual) {
  const Engine engine = bundled("float32");
  const InputTensor input = test::readPpm(kTestData / "merging" / "drawn-cat.ppm");
  const auto run = [&](bool dynamic, double usual) {
    MethodChoice choice{"prunesid",
                        {{"keep", std::int64_t{80}}, {"at", std::int64_t{4}}, {"dynamic", dynamic}},
                        nullptr,
                        false};
    if (usual > 0) {
      Statistics statistics;
      statistics.depth = 12;
      statistics.knob = "keep";
      statistics.settings = {{"at", std::int64_t{4}}};
      statistics.entries = {{80, std::vector<double>(12, 0), std::vector<double>(12, 0)}};
      statistics.entries.front().mu[4] = usual;
      choice.statistics = std::make_shared<const Statistics>(statistics);
    }
    return engine.run({&input, 1}, choice).front();
  };
  const ImageResult plain = run(false, 0);
  const double redundancy = *plain.layers[4].redundancy;
  ASSERT_GT(redundancy, 0.05);
  for (const double usual : {redundancy, redundancy / 2, (1 + redundancy) / 2, 0.999}) {
    const ImageResult result = run(true, usual);
    const double keep = std::clamp(std::round(80 * (1 - redundancy) / (1 - usual)), 1.0, 196.0);
    EXPECT_EQ(result.layers[4].tokens_out, 1 + static_cast<int>(keep)) << usual;
    EXPECT_EQ(result.layers[4].redundancy, redundancy);
    EXPECT_EQ(result.layers[4].mu, usual);
    EXPECT_TRUE(result.calibrated);
  }
  EXPECT_EQ(run(true, redundancy).logits, plain.logits);
  EXPECT_EQ(run(true, 0.999).layers[11].tokens_out, 197);

  const ImageResult uncalibrated = run(true, 0);
  EXPECT_FALSE(uncalibrated.calibrated);
  EXPECT_EQ(uncalibrated.logits, plain.logits);
  EXPECT_THAT(uncalibrated.warnings,
              testing::Contains(HasSubstr("every image keeps what keep says until")));
}

TEST(PruneSid, IsCalibratedForItsBlock) {
  const Engine engine = bundled("float32");
  const InputTensor input = test::readPpm(kTestData / "merging" / "drawn-cat.ppm");
  const auto choice = [](int at, int keep) {
    return MethodChoice{"prunesid",
                        {{"keep", std::int64_t{keep}}, {"at", std::int64_t{at}}, {"dynamic", true}},
                        nullptr,
                        false};
  };
  CalibrationOptions options;
  options.choice = choice(4, 80);
  options.r_max = {80};
  const auto images = [&](std::size_t, std::size_t) { return std::vector<InputTensor>{input}; };
  const auto made = std::make_shared<const Statistics>(calibrate(engine, images, 1, options));
  EXPECT_EQ(made->knob, "keep");
  EXPECT_EQ(made->settings.at("at"), SettingValue(std::int64_t{4}));
  MethodChoice own = choice(4, 80);
  own.statistics = made;
  // The one image that it was calibrated on is as redundant as usual.
  EXPECT_EQ(engine.run({&input, 1}, own).front().layers[4].tokens_out, 81);
  MethodChoice other = choice(7, 80);
  other.statistics = made;
  EXPECT_THAT(test::errorMessage([&] { engine.prepare(other); }),
              HasSubstr("made for another block than --at 7"));
  options.r_max = {196};
  EXPECT_THAT(test::errorMessage([&] { calibrate(engine, images, 1, options); }),
              HasSubstr("with --keep 196 no block measures redundancy"));
  MethodChoice adamerge{"adamerge", {}, made, false};
  EXPECT_THAT(test::errorMessage([&] { engine.prepare(adamerge); }),
              HasSubstr("the layer statistics are for --keep"));
}

}  // namespace
}  // namespace adamerge
