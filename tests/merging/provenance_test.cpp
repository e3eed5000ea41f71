// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "adamerge/report.h"
#include "error_message.h"

namespace adamerge {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

std::string sampleJson(int layer = 5) {
  ModelInfo model;
  model.name = "vit \"tiny\"";
  model.source = "/models/größe";
  return provenanceJson(model, "cuda:0", "bfloat16", "bild ä.png",
                        {"adamerge", {{"r_max", std::int64_t{7}}}, nullptr, false}, layer);
}

TEST(Provenance, NamesEverythingInAsciiOnOneLine) {
  const std::string text = sampleJson();
  for (const char c : text) EXPECT_TRUE(c >= ' ' && c <= '~') << text;
  const json object = json::parse(text);
  EXPECT_EQ(object.at("format"), 1);
  EXPECT_EQ(object.at("program"), "AdaMerge Studio");
  EXPECT_EQ(object.at("model"), "vit \"tiny\"");
  EXPECT_EQ(object.at("model_source"), "/models/größe");
  EXPECT_EQ(object.at("image"), "bild ä.png");
  EXPECT_EQ(object.at("method"), "adamerge");
  EXPECT_EQ(object.at("block"), 6);
  EXPECT_EQ(object.at("device"), "cuda:0");
  EXPECT_EQ(object.at("dtype"), "bfloat16");
  EXPECT_EQ(object.at("settings").at("r_max"), 7);
  EXPECT_EQ(object.at("settings").size(), completeSettings({"adamerge", {}, nullptr, false}).size())
      << "defaults";
}

TEST(Provenance, ComesBackAsItWas) {
  for (const MethodInfo& method : methods()) {
    MethodChoice choice{method.id, {}, nullptr, false};
    choice.settings = completeSettings(choice);
    const Provenance back =
        parseProvenance(provenanceJson({}, "cpu", "float32", "a.png", choice, 0)).at(0);
    EXPECT_EQ(back.choice.method, method.id);
    EXPECT_EQ(back.choice.settings, choice.settings) << method.id;
    EXPECT_EQ(back.layer, 0);
    EXPECT_EQ(back.image, "a.png");
  }
  EXPECT_EQ(parseProvenance(sampleJson(-1)).at(0).layer, -1);
  EXPECT_EQ(parseProvenance("[" + sampleJson(0) + "," + sampleJson(1) + "]").size(), 2U);
}

struct Damage {
  const char* patch;  ///< merged into the sample
  const char* message;
};
class DamagedProvenance : public testing::TestWithParam<Damage> {};

TEST_P(DamagedProvenance, IsRefusedWithTheReason) {
  json object = json::parse(sampleJson());
  object.merge_patch(json::parse(GetParam().patch));
  const std::string message = test::errorMessage([&] { parseProvenance(object.dump()); });
  EXPECT_THAT(message, StartsWith("the settings stored in the figure cannot be used: "));
  EXPECT_THAT(message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, DamagedProvenance,
    testing::Values(Damage{R"({"format":2})", "format is 2, 1 is expected"},
                    Damage{R"({"format":null})", "format is missing"},
                    Damage{R"({"model":3})", "model is 3, a text"},
                    Damage{R"({"image":null})", "image is missing"},
                    Damage{R"({"method":"magic"})", "magic"},
                    Damage{R"({"settings":[]})", "settings is a JSON array, an object"},
                    Damage{R"({"settings":{"r_max":-4}})", "r-max"},
                    Damage{R"({"settings":{"r_max":"many"}})", "r-max"},
                    Damage{R"({"settings":{"r_max":{"a":1}}})", "settings.r_max is a JSON object"},
                    Damage{R"({"settings":{"colour":1}})", "colour"},
                    Damage{R"({"block":0})", "block is 0, an integer from 1"},
                    Damage{R"({"block":1e9})", "block is 1000000000.0"},
                    Damage{R"({"block":"six"})", "block is \"six\""},
                    Damage{R"({"dtype":[]})", "dtype is a JSON array, a text"}));

TEST(Provenance, OtherTextIsRefused) {
  for (const char* text : {"", "{", "3", "[]", "[1]", "null"}) {
    EXPECT_THAT(test::errorMessage([&] { parseProvenance(text); }),
                StartsWith("the settings stored in the figure cannot be used: "));
  }
}

}  // namespace
}  // namespace adamerge
