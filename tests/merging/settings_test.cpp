// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adamerge/error.h"
#include "adamerge/methods.h"
#include "adamerge/report.h"
#include "error_message.h"
#include "merging/method.h"

namespace adamerge {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Settings, NamesAreTakenAsPeopleWriteThem) {
  const SettingInfo& position = *findMethod("tome").setting("position");
  EXPECT_EQ(parseSetting(position, "mean_rotation"), SettingValue(std::string("mean-rotation")));
  EXPECT_EQ(parseSetting(position, "Centroid"), SettingValue(std::string("centroid")));
  const SettingInfo& salience = *findMethod("adamerge").setting("salience");
  EXPECT_EQ(parseSetting(salience, "Off"), SettingValue(false));
  EXPECT_EQ(parseSetting(salience, "TRUE"), SettingValue(true));
  EXPECT_THROW(parseSetting(position, "mean rotation"), Error);
}

TEST(Settings, EveryDefaultPassesItsOwnCheckAndSurvivesText) {
  for (const MethodInfo& method : methods()) {
    EXPECT_FALSE(method.label.empty());
    EXPECT_FALSE(method.description.empty());
    for (const SettingInfo& setting : method.settings) {
      SCOPED_TRACE(method.id + " " + setting.key);
      EXPECT_FALSE(setting.help.empty());
      EXPECT_EQ(checkedSetting(setting, setting.fallback), setting.fallback);
      EXPECT_EQ(parseSetting(setting, toText(setting.fallback)), setting.fallback);
      for (const auto& [other, value] : setting.active_when) {
        ASSERT_NE(method.setting(other), nullptr);
        EXPECT_EQ(checkedSetting(*method.setting(other), value), value);
      }
    }
    for (const CompressionKnob& knob : method.compression) {
      ASSERT_NE(method.setting(knob.key), nullptr) << knob.key;
      // requireStatistics() names the setting that a constant count is to be changed by.
      if (knob.uses_statistics) {
        EXPECT_TRUE(knob.active_when || !method.setting(knob.key)->active_when.empty()) << knob.key;
      }
    }
    EXPECT_EQ(method.statisticsKnob() == nullptr, method.statistics_settings.empty());
    EXPECT_EQ(method.statisticsKnob() == nullptr, method.uncalibrated.empty());
    for (const std::string& key : method.statistics_settings) {
      EXPECT_NE(method.setting(key), nullptr) << key;
    }
  }
}

TEST(Settings, WrongValuesNameTheOptionAndWhatItTakes) {
  const MethodInfo& method = findMethod("adamerge");
  const auto parse = [&](const char* key, const char* text) {
    return test::errorMessage([&] { parseSetting(*method.setting(key), text); });
  };
  EXPECT_THAT(parse("r", "-3"), AllOf(HasSubstr("--r"), HasSubstr("from 0"), HasSubstr("-3")));
  EXPECT_THAT(parse("r_max", "many"), AllOf(HasSubstr("--r-max"), HasSubstr("whole number")));
  EXPECT_THAT(parse("r_max", "99999999999999999999"), HasSubstr("--r-max"));
  EXPECT_THAT(parse("partition", "odd"),
              AllOf(HasSubstr("sequential, alternating"), HasSubstr("odd")));
  EXPECT_THAT(parse("temperature", "0"), HasSubstr("--temperature"));
  EXPECT_THAT(parse("alpha", "nan"), HasSubstr("--alpha"));
  EXPECT_THAT(parse("salience", "maybe"), HasSubstr("on or off"));
  EXPECT_THAT(
      test::errorMessage([&] { parseSetting(*findMethod("tome").setting("r_per_block"), "8,,4"); }),
      HasSubstr("separated by commas"));
}

TEST(Settings, AMethodRefusesSettingsOfAnother) {
  const MethodChoice choice{"tome", {{"r_max", std::int64_t{8}}}, nullptr, false};
  EXPECT_THAT(test::errorMessage([&] { completeSettings(choice); }),
              AllOf(HasSubstr("--r-max"), HasSubstr("tome"), HasSubstr("--inflection")));
  EXPECT_THAT(test::errorMessage([] { findMethod("topk"); }),
              AllOf(HasSubstr("topk"), HasSubstr("adamerge"), HasSubstr("pitome")));
}

TEST(Settings, WholeNumbersAreAcceptedForRealSettings) {
  const MethodChoice choice{"adamerge", {{"alpha", std::int64_t{2}}}, nullptr, false};
  EXPECT_EQ(std::get<double>(completeSettings(choice).at("alpha")), 2.0);
}

TEST(Settings, TheCompressionKnobFollowsTheAdaptiveSwitch) {
  EXPECT_EQ(compressionKnob({"adamerge", {}, nullptr, false})->key, "r_max");
  EXPECT_EQ(compressionKnob({"adamerge", {{"adaptive", false}}, nullptr, false})->key, "r");
  EXPECT_EQ(compressionKnob({"none", {}, nullptr, false}), nullptr);
  EXPECT_EQ(compressionKnob({"pitome", {{"keep_ratio", 0.9}}, nullptr, false}), nullptr);
}

TEST(Settings, StatisticsServeCountsThatFollowTheImage) {
  const auto problem = [](const MethodChoice& choice) {
    EXPECT_FALSE(usesStatistics(choice));
    return test::errorMessage([&] { requireStatistics(choice); });
  };
  for (const char* method : {"adamerge", "adamerge+"}) {
    const MethodChoice adaptive{method, {{"adaptive", true}}, nullptr, false};
    EXPECT_TRUE(usesStatistics(adaptive));
    EXPECT_NO_THROW(requireStatistics(adaptive));
    EXPECT_EQ(problem({method, {{"adaptive", false}}, nullptr, false}),
              std::string(method) + " uses layer statistics only with --adaptive on");
  }
  EXPECT_TRUE(usesStatistics({"adamerge", {}, nullptr, false}));
  EXPECT_FALSE(usesStatistics({"adamerge+", {}, nullptr, false}));
  EXPECT_EQ(problem({"tome", {}, nullptr, false}), "tome uses no layer statistics");
  EXPECT_EQ(problem({}), "none uses no layer statistics");
}

TEST(Settings, InForceLeavesOutWhatHasNoEffect) {
  const Settings adaptive = settingsInForce({"adamerge", {}, nullptr, false}, VitConfig{});
  EXPECT_TRUE(adaptive.contains("r_max"));
  EXPECT_FALSE(adaptive.contains("r"));
  const Settings constant =
      settingsInForce({"adamerge", {{"adaptive", false}}, nullptr, false}, VitConfig{});
  EXPECT_TRUE(constant.contains("r"));
  EXPECT_FALSE(constant.contains("r_max"));
  EXPECT_EQ(describe({"adamerge", {{"alpha", 2.0}}, nullptr, false}),
            "AdaMerge, r_max 16, alpha 2");
  EXPECT_EQ(describe({"dsm", {{"r", std::int64_t{17}}}, nullptr, false}), "DSM, r 17, d 4");
}

TEST(Settings, AMistypedKeyOfAMethodIsFound) {
  const Settings settings = completeSettings({"tome", {}, nullptr, false});
  EXPECT_EQ(getInt(settings, "r"), std::get<std::int64_t>(settings.at("r")));
  EXPECT_THROW(getInt(settings, "r_maximum"), std::out_of_range);
  EXPECT_THROW(get<bool>(settings, "r"), std::bad_variant_access);
}

}  // namespace
}  // namespace adamerge
