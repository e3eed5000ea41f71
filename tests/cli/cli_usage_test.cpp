// SPDX-License-Identifier: GPL-3.0-or-later
// A wrong command line: status 2 and one line that names the option and what it takes.
#include "cli_runner.h"

namespace adamerge::test {
namespace {

struct WrongUsage {
  std::string name;
  std::vector<std::string> arguments;
  std::vector<std::string> says;
};

/// All in one test: each start of a program with LibTorch takes a third of a second.
void expectRefused(const std::vector<WrongUsage>& usages) {
  const TemporaryFolder folder;
  for (const WrongUsage& usage : usages) {
    SCOPED_TRACE(usage.name);
    const CliResult result = adamergeCli(usage.arguments, {.folder = folder.path()});
    expectProblem(result, 2, usage.says);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());
  }
}

std::vector<std::string> inspect(std::vector<std::string> options) {
  options.insert(options.begin(), {"inspect", "image.png"});
  return options;
}

std::vector<std::string> calibrate(std::vector<std::string> options) {
  options.insert(options.begin(), {"calibrate", "folder", "-o", "stats.json"});
  return options;
}

TEST(Usage, CommandsAreRefusedInOneLine) {
  expectRefused(
      {WrongUsage{"NoCommand",
                  {},
                  {"command", "info, inspect, calibrate, evaluate, pictures, bench, schedule"}},
       WrongUsage{"UnknownCommand", {"inspekt", "a.png"}, {"'inspekt'", "info, inspect"}},
       WrongUsage{"UnknownOptionOfTheProgram", {"--verbose"}, {"'--verbose'"}},
       WrongUsage{"UnknownOption", inspect({"--verbose"}), {"--verbose", "adamerge inspect"}},
       WrongUsage{"NoImage", {"inspect"}, {"images"}},
       WrongUsage{"ImageLikeAnOption", {"inspect", "-x.png"}, {"'-x.png'", "as ./-x.png"}},
       WrongUsage{"MoreCountsThanAnyoneMeasures",
                  {"evaluate", "folder", "--method", "tome", "--r", "0:1000000"},
                  {"--r names more than 10000 counts"}},
       WrongUsage{"TheSameCountsAgainAndAgain",
                  {"evaluate", "folder", "--method", "tome", "--r", "0:9999,0:9999,0:9999"},
                  {"--r names more than 10000 counts"}},
       WrongUsage{"ExtraWord", {"info", "extra"}, {"extra", "adamerge info --help"}},
       WrongUsage{"NoTarget", {"schedule"}, {"--flops"}},
       WrongUsage{"TargetIsNoNumber", {"schedule", "--flops", "many"}, {"--flops", "'many'"}},
       WrongUsage{"NegativeTarget", {"schedule", "--flops", "-1"}, {"--flops", "above 0"}},
       WrongUsage{"ScheduleWithoutACount",
                  {"schedule", "--flops", "1", "--method", "none"},
                  {"--method none"}}});
}

TEST(Usage, CapitalsAndUnderscoresAreOfNoMatter) {
  expectSuccess(
      adamergeCli({"schedule", "--flops", "0.9", "--method", "ToMe", "--proportional_attention",
                   "Off", "--dtype=FLOAT32", "--device", "CPU"}));
}

TEST(Usage, SettingsAreRefusedInOneLine) {
  expectRefused(
      {WrongUsage{"NegativeCount",
                  inspect({"--method", "tome", "--r", "-5"}),
                  {"--r takes a whole number from 0", "'-5'"}},
       WrongUsage{"NegativeCountWithEqualsSign",
                  inspect({"--method", "tome", "--r=-5"}),
                  {"--r takes a whole number from 0", "'-5'"}},
       WrongUsage{"CountIsNoNumber", inspect({"--method", "dsm", "--r", "4x"}), {"--r", "'4x'"}},
       WrongUsage{"CountIsEmpty", inspect({"--method", "dsm", "--r", ""}), {"--r", "''"}},
       WrongUsage{"CountIsMissing", inspect({"--r"}), {"--r needs a value"}},
       WrongUsage{"CountOfAnAdaptiveRun", inspect({"--r", "4"}), {"--r", "--adaptive off"}},
       WrongUsage{"LimitOfAConstantRun",
                  inspect({"--no-adaptive", "--r-max", "4"}),
                  {"--r-max", "--adaptive on"}},
       WrongUsage{"CountBesideASchedule",
                  inspect({"--method", "tome", "--r", "4", "--r-per-block", "8,8"}),
                  {"--r has no effect", "--r-per-block"}},
       WrongUsage{"SettingOfAnotherMethod",
                  inspect({"--method", "tome", "--alpha", "2"}),
                  {"--alpha", "tome", "--r-per-block"}},
       WrongUsage{"SettingOfNone", inspect({"--method", "none", "--r", "2"}), {"--r", "none"}},
       WrongUsage{"StatisticsOfAnotherMethod",
                  inspect({"--method", "tome", "--stats", "s.json"}),
                  {"--stats", "tome"}},
       WrongUsage{"SwitchIsNeitherOnNorOff",
                  inspect({"--proportional-attention", "perhaps"}),
                  {"--proportional-attention takes on or off", "'perhaps'"}},
       WrongUsage{"OnAndOff", inspect({"--no-salience", "--salience", "on"}), {"--no-salience"}},
       WrongUsage{"Choice",
                  inspect({"--partition", "random"}),
                  {"--partition takes one of sequential, alternating", "'random'"}},
       WrongUsage{"ZeroTemperature", inspect({"--temperature", "0"}), {"--temperature", "'0'"}},
       WrongUsage{"NotANumber", inspect({"--alpha", "nan"}), {"--alpha", "'nan'"}},
       WrongUsage{"UnknownMethod", inspect({"--method", "best"}), {"'best'", "adamerge", "dsm"}},
       WrongUsage{
           "TwoMethods", inspect({"--method", "tome", "--method", "dsm"}), {"--method", "once"}}});
}

TEST(Usage, ValuesAreRefusedInOneLine) {
  expectRefused(
      {WrongUsage{"Figure", inspect({"--figure", "pie"}), {"--figure", "salience", "'pie'"}},
       WrongUsage{"FigureTheMethodHasNot",
                  inspect({"--figure", "salience", "--method", "tome"}),
                  {"--figure salience", "tome"}},
       WrongUsage{"OverlayTheMethodHasNot",
                  inspect({"--figure", "canvas", "--overlay", "salience", "--method", "tome"}),
                  {"--overlay salience", "tome"}},
       WrongUsage{"Overlay", inspect({"--overlay", "outlines"}), {"--overlay", "survivors"}},
       WrongUsage{"Opacity", inspect({"--opacity", "2"}), {"--opacity takes a number from 0"}},
       WrongUsage{"Background", inspect({"--background", "blue"}), {"transparent", "'blue'"}},
       WrongUsage{"Font", inspect({"--font-size", "40"}), {"--font-size takes", "from 5", "'40'"}},
       WrongUsage{"Format", inspect({"--format", "gif"}), {"--format", "svg", "'gif'"}},
       WrongUsage{"Layer", inspect({"--layer", "last"}), {"--layer", "'last'"}},
       WrongUsage{"Resolution", inspect({"--dpi", "1"}), {"--dpi takes a number from 36", "'1'"}},
       WrongUsage{"Device", inspect({"--device", "gpu"}), {"--device", "cuda:N", "'gpu'"}},
       WrongUsage{"DeviceNumber", inspect({"--device", "cuda:x"}), {"--device", "'cuda:x'"}},
       WrongUsage{"Dtype", inspect({"--dtype", "int4"}), {"--dtype", "int8", "'int4'"}},
       WrongUsage{"Threads", inspect({"--threads", "0"}), {"--threads", "1 to 4096", "'0'"}},
       WrongUsage{"Seed", inspect({"--seed", "-3"}), {"--seed", "'-3'"}},
       WrongUsage{"InputSize", inspect({"--input-size", "56x"}), {"--input-size", "'56x'"}},
       WrongUsage{"NoNameForJson", inspect({"--json", ""}), {"--json"}},
       WrongUsage{"DescendingList", calibrate({"--r-max", "9:3"}), {"--r-max", "1:23", "'9:3'"}},
       WrongUsage{"EmptyListItem", calibrate({"--r-max", "8,,9"}), {"--r-max", "'8,,9'"}},
       WrongUsage{"EmptyList", calibrate({"--r-max", ""}), {"--r-max"}},
       WrongUsage{"ListOfWords", calibrate({"--r-max", "few"}), {"--r-max", "'few'"}},
       WrongUsage{"ListWithStepZero", calibrate({"--r-max", "1:9:0"}), {"--r-max", "'1:9:0'"}},
       WrongUsage{"ListWithFourEnds", calibrate({"--r-max", "1:2:3:4"}), {"--r-max"}},
       WrongUsage{"NegativeList", calibrate({"--r-max", "-8"}), {"--r-max", "'-8'"}},
       WrongUsage{"NoList", calibrate({}), {"--r-max"}},
       WrongUsage{"NoPasses", calibrate({"--r-max", "8", "--passes", "0"}), {"--passes", "1 to"}},
       WrongUsage{"NoImagesAllowed", calibrate({"--r-max", "8", "--limit", "0"}), {"--limit"}},
       WrongUsage{"CalibrateWithoutStatistics",
                  calibrate({"--r-max", "8", "--method", "tome"}),
                  {"nothing to calibrate", "tome uses no layer statistics"}},
       WrongUsage{"CalibrateAConstantCount",
                  calibrate({"--r-max", "8", "--no-adaptive"}),
                  {"nothing to calibrate", "only with --adaptive on"}},
       WrongUsage{"StatisticsForAConstantCount",
                  inspect({"--method", "adamerge+", "--stats", "stats.json"}),
                  {"--stats", "adamerge+", "only with --adaptive on"}}});
}

}  // namespace
}  // namespace adamerge::test
