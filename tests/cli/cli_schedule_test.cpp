// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>

#include "adamerge/methods.h"
#include "cli_runner.h"

namespace adamerge::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(Schedule, ComesNearestToTheTargetForEveryMethod) {
  constexpr double kTarget = 1.0;
  for (const MethodInfo& method : methods()) {
    if (method.compression.empty()) continue;
    SCOPED_TRACE(method.id);
    const CliResult result =
        adamergeCli({"schedule", "--flops", "1.0", "--method", method.id, "--images",
                     sample("bird"), "--json", "-", "--device", "cpu", "--threads", "1"});
    expectSuccess(result, /*warnings=*/true);
    const json found = json::parse(result.out);
    EXPECT_EQ(found.at("method"), method.id);
    EXPECT_EQ(found.at("target_paper"), kTarget);
    ASSERT_EQ(found.at("setting").size(), 1U);
    const std::string key = found.at("setting").begin().key();
    const int value = found.at("setting").begin().value();
    EXPECT_EQ(found.at("settings").at(key), value);
    EXPECT_EQ(found.at("tokens_per_block").size(), 12U);
    EXPECT_EQ(found.at("device"), "cpu");
    EXPECT_THAT(found.at("dtype"), testing::AnyOf("float32", "bfloat16"));
    EXPECT_NEAR(found.at("flops").at("baseline_paper").get<double>(), 1.2246, 1e-4);
    const double reached = found.at("flops").at("paper");
    EXPECT_NEAR(reached, kTarget, 0.03);

    // The neighbours are no nearer.
    for (const int neighbour : {value - 1, value + 1}) {
      const CliResult other =
          adamergeCli({"inspect", sample("bird"), "--method", method.id, "--" + optionName(key),
                       std::to_string(neighbour), "--json", "-", "--threads", "1"});
      const double flops = json::parse(other.out).at("flops").at("paper");
      EXPECT_GE(std::abs(flops - kTarget), std::abs(reached - kTarget)) << neighbour;
    }
  }
}

TEST(Schedule, TellsAPerson) {
  const CliResult result =
      adamergeCli({"schedule", "--flops", "0.924", "--method", "tome", "--threads", "1"});
  expectSuccess(result);
  EXPECT_THAT(result.out, HasSubstr("r 8: 0.92"));
  EXPECT_THAT(result.out, HasSubstr("tokens per block: 197.0 189.0"));
  EXPECT_EQ(result.out.find("mean of"), std::string::npos) << "it costs the same on every image";
  EXPECT_THAT(adamergeCli({"schedule", "--flops", "0.924", "--threads", "1"}).out,
              HasSubstr(", mean of 4 images\n"));
}

TEST(Schedule, WarnsWhereTheTargetIsOutOfReach) {
  for (const char* target : {"0.001", "50"}) {
    const CliResult result = adamergeCli({"schedule", "--flops", target, "--method", "pitome",
                                          "--images", sample("bird"), "--threads", "1"});
    expectSuccess(result, /*warnings=*/true);
    EXPECT_THAT(result.err, HasSubstr("nearest"));
  }
}

TEST(Schedule, NeedsAReadableImage) {
  const TemporaryFolder folder;
  writeText(folder.path() / "bad.png", "text");
  const CliResult result = adamergeCli({"schedule", "--flops", "1", "--images", folder.path(),
                                        "--json", folder.path() / "out.json"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("bad.png: "));
  EXPECT_THAT(filesIn(folder.path()), testing::ElementsAre("bad.png"));
}

}  // namespace
}  // namespace adamerge::test
