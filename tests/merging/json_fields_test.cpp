// SPDX-License-Identifier: GPL-3.0-or-later
// Members of a JSON object are read, or refused by name with what stands there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_message.h"
#include "support/json.h"

namespace adamerge {
namespace {

using nlohmann::json;
using testing::ElementsAre;

class JsonFieldsTest : public testing::Test {
 protected:
  /// What is said where `read` reads `key` of {"key": value} below "model_args".
  template <typename Read>
  static std::string problem(const json& value, const Read& read) {
    const json object = {{"key", value}};
    const JsonFields fields(&object, "config.json", "model_args.");
    return test::errorMessage([&] { read(fields); });
  }
};

TEST_F(JsonFieldsTest, ReadsEveryKindOfValue) {
  const json object = json::parse(R"({
    "count": 7, "number": 0.5, "flag": true, "text": "a", "side": 224, "size": [3, 4],
    "color": [0, 0.5, 1], "texts": ["a", "b"], "numbers": [1, 2.5], "null": null,
    "settings": {"r": 8, "alpha": 1.5, "on": true, "name": "x", "list": [1, 2]},
    "below": {"count": 1}, "points": [{"count": 2}, {"count": 3}]})");
  const JsonFields fields = JsonFields::of(object, "file");
  EXPECT_EQ(fields.count("count").required(), 7);
  EXPECT_EQ(fields.number("number").required(), 0.5);
  EXPECT_EQ(fields.positive("number").required(), 0.5);
  EXPECT_TRUE(fields.flag("flag").required());
  EXPECT_EQ(fields.text("text").required(), "a");
  EXPECT_EQ(fields.size("side").required().width, 224);
  EXPECT_EQ(fields.size("size").required().height, 3);
  EXPECT_EQ(fields.size("size").required().width, 4);
  EXPECT_THAT(fields.color("color").required(), ElementsAre(0.0F, 0.5F, 1.0F));
  EXPECT_THAT(fields.texts("texts").required(), ElementsAre("a", "b"));
  EXPECT_THAT(fields.numbers("numbers").required(), ElementsAre(1, 2.5));
  const Settings settings = fields.settings("settings").required();
  EXPECT_EQ(settings.size(), 5U);
  EXPECT_EQ(settings.at("r"), SettingValue(std::int64_t{8}));
  EXPECT_EQ(settings.at("alpha"), SettingValue(1.5));
  EXPECT_EQ(settings.at("list"), SettingValue(std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(fields.below("below").count("count").required(), 1);
  const std::vector<JsonFields> points = fields.list("points");
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[1].count("count").required(), 3);
  EXPECT_EQ(points[1].name("count"), "points[1].count");
  for (const char* key : {"null", "absent"}) {
    EXPECT_FALSE(fields.has(key));
    EXPECT_FALSE(fields.count(key));
    EXPECT_EQ(fields.text(key).valueOr("other"), "other");
    EXPECT_FALSE(fields.below(key).has("x"));
    EXPECT_FALSE(fields.settings(key));
  }
}

TEST_F(JsonFieldsTest, RefusesByName) {
  const auto count = [](const JsonFields& f) { f.count("key"); };
  EXPECT_EQ(problem("many", count),
            "config.json: model_args.key is \"many\", an integer from 0 to 1000000 is expected");
  EXPECT_EQ(problem(-1, count),
            "config.json: model_args.key is -1, an integer from 0 to 1000000 is expected");
  EXPECT_EQ(problem(1.5, count),
            "config.json: model_args.key is 1.5, an integer from 0 to 1000000 is expected");
  EXPECT_EQ(problem(2, [](const JsonFields& f) { f.count("key", 1, 1); }),
            "config.json: model_args.key is 2, 1 is expected");
  EXPECT_EQ(problem(101, [](const JsonFields& f) { f.number("key", 0, 100); }),
            "config.json: model_args.key is 101, a number from 0 to 100 is expected");
  EXPECT_EQ(problem(0, [](const JsonFields& f) { f.positive("key"); }),
            "config.json: model_args.key is 0, a number above 0 is expected");
  EXPECT_EQ(problem(json::array(), [](const JsonFields& f) { f.flag("key"); }),
            "config.json: model_args.key is a JSON array, true or false is expected");
  EXPECT_EQ(problem(3, [](const JsonFields& f) { f.text("key"); }),
            "config.json: model_args.key is 3, a text is expected");
  EXPECT_EQ(problem({1, "x"}, [](const JsonFields& f) { f.numbers("key"); }),
            "config.json: model_args.key holds \"x\", only numbers are expected");
  EXPECT_EQ(problem(3, [](const JsonFields& f) { f.below("key"); }),
            "config.json: model_args.key is 3, an object is expected");
  EXPECT_EQ(problem({{"a", nullptr}}, [](const JsonFields& f) { f.settings("key"); }),
            "config.json: model_args.key.a is null, a number, text, true, false or a list of whole "
            "numbers is expected");
  const auto list = [](const JsonFields& f) { f.list("key"); };
  EXPECT_EQ(problem(json::array(), list),
            "config.json: model_args.key is a JSON array, a list of at least one object is "
            "expected");
  EXPECT_EQ(problem(json::array({json::object(), 4}), list),
            "config.json: model_args.key[1] is 4, an object is expected");
  EXPECT_EQ(problem(nullptr, [](const JsonFields& f) { f.text("key").required(); }),
            "config.json: model_args.key is missing");
  const json array = json::array();
  EXPECT_EQ(test::errorMessage([&] { JsonFields::of(array, "file"); }),
            "file: the top level is a JSON array, an object is expected");
}

TEST_F(JsonFieldsTest, WhatStandsInAFileIsShownAsOneShortLineOfAscii) {
  const std::string message = problem(std::string("\x1b[1m\n\xc3\xa9") + std::string(200, 'x'),
                                      [](const JsonFields& f) { f.count("key"); });
  EXPECT_TRUE(std::all_of(message.begin(), message.end(), [](char c) {
    return c >= ' ' && c <= '~';
  })) << message;
  EXPECT_LT(message.size(), 160U);
}

}  // namespace
}  // namespace adamerge
