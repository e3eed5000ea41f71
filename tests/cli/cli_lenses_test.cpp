// SPDX-License-Identifier: GPL-3.0-or-later
// `inspect` and the lenses: figures, numbers, raw tensors, and what cannot be asked.
#include <cmath>
#include <fstream>
#include <iterator>
#include <numeric>

#include "adamerge/image.h"
#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

CliResult askLenses(std::vector<std::string> arguments, const RunLimits& limits = {}) {
  arguments.insert(arguments.begin(), {"inspect", "--threads", "1"});
  return adamergeCli(arguments, limits);
}

std::string tinyNetwork(const std::string& name) {
  return (fs::path(ADAMERGE_TEST_DATA) / "families-merging" / name).string();
}

TEST(CliLenses, FiguresAreOfTheTokenHeadAndBlocksAskedFor) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = {
      sample("bird"),     "--method", "tome",    "--r",  "8",        "--patch", "5,7",
      "--attention-head", "2",        "--layer", "0,11", "--format", "svg",     "--out",
      folder.path()};
  for (const char* kind : {"attention", "heads", "similarity", "rollout"}) {
    arguments.insert(arguments.end(), {"--figure", kind});
  }
  expectSuccess(askLenses(arguments));
  EXPECT_THAT(filesIn(folder.path()),
              ElementsAre("bird-attention-block00.svg", "bird-attention-block11.svg",
                          "bird-heads-block00.svg", "bird-heads-block11.svg", "bird-rollout.svg",
                          "bird-similarity-block00.svg", "bird-similarity-block11.svg"));
  EXPECT_THAT(contentOf(folder.path() / "bird-attention-block00.svg"),
              HasSubstr("where patch 5,7 looks, head 2"));
  const std::string heads = contentOf(folder.path() / "bird-heads-block11.svg");
  for (const char* text : {"head 0", "head 1", "head 2", "entropy"}) {
    EXPECT_THAT(heads, HasSubstr(text));
  }
  EXPECT_NE(contentOf(folder.path() / "bird-attention-block00.svg"),
            contentOf(folder.path() / "bird-attention-block11.svg"));
}

TEST(CliLenses, NumbersAreInTheJson) {
  const CliResult result = askLenses({sample("bird"), "--method", "tome", "--r", "8", "--patch",
                                      "5,7", "--layer", "6", "--json", "-"});
  expectSuccess(result);
  const json image = json::parse(result.out);
  for (const json& layer : image.at("layers")) {
    const double mean = layer.at("change_mean");
    EXPECT_GT(mean, 0);
    EXPECT_GE(layer.at("change_worst").get<double>(), 0);
  }
  const json& lens = image.at("lens");
  EXPECT_EQ(lens.at("block"), 6);
  EXPECT_EQ(lens.at("patch"), (json{5, 7}));
  EXPECT_TRUE(lens.at("head").is_null());
  for (const char* key : {"looks", "rollout"}) {
    const auto patches = lens.at(key).at("patches").get<std::vector<double>>();
    const auto prefix = lens.at(key).at("prefix").get<std::vector<double>>();
    ASSERT_EQ(patches.size(), 196U);
    ASSERT_EQ(prefix.size(), 1U);
    EXPECT_NEAR(std::accumulate(patches.begin(), patches.end(), prefix[0]), 1, 1e-4) << key;
  }
  EXPECT_EQ(lens.at("entropy").size(), 3U);
  EXPECT_NEAR(lens.at("similarity")[7 * 14 + 5].get<double>(), 1, 1e-6);
  const auto change = lens.at("change").get<std::vector<double>>();
  EXPECT_NEAR(std::accumulate(change.begin(), change.end(), 0.0) / 196,
              image.at("layers")[6].at("change_mean").get<double>(), 1e-6);
}

TEST(CliLenses, UnmergedNothingChangesAndWithoutALensNothingIsToldOfOne) {
  const CliResult result = askLenses({sample("ship"), "--method", "none", "--json", "-"});
  expectSuccess(result);
  const json image = json::parse(result.out);
  EXPECT_FALSE(image.contains("lens"));
  for (const json& layer : image.at("layers")) {
    EXPECT_EQ(layer.at("change_mean"), 0);
    EXPECT_EQ(layer.at("change_worst"), 0);
  }
}

TEST(CliLenses, TensorsAreWrittenForTheBlocksAskedFor) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "raw.safetensors";
  expectSuccess(askLenses(
      {sample("bird"), "--method", "tome", "--r", "8", "--layer", "3,0,3", "--tensors", file}));
  std::ifstream stream(file, std::ios::binary);
  std::uint64_t length = 0;
  stream.read(reinterpret_cast<char*>(&length), sizeof length);
  std::string header(length, ' ');
  stream.read(header.data(), static_cast<std::streamsize>(length));
  const json all = json::parse(header);
  EXPECT_EQ(all.at("__metadata__").at("format"), "adamerge-tensors");
  EXPECT_EQ(json::parse(all.at("__metadata__").at("settings").get<std::string>()).at("r"), 8);
  EXPECT_EQ(all.at("block.0.attention").at("shape"), (json{3, 197, 197}));
  EXPECT_EQ(all.at("block.3.attention").at("shape"), (json{3, 173, 173}));
  EXPECT_EQ(all.size(), 1U + 2 * 11 + 2);
  EXPECT_FALSE(all.contains("block.1.attention"));
  EXPECT_EQ(filesIn(folder.path()), std::vector<std::string>{"raw.safetensors"});
}

json against(const std::string& method, const std::string& count, const std::string& other) {
  const CliResult result = askLenses({sample("bird"), "--model", "vit-tiny-cifar10", "--method",
                                      method, "--r", count, "--against", other, "--json", "-"});
  EXPECT_EQ(result.status, 0) << result.err;
  return json::parse(result.out);
}

TEST(CliLenses, TheDifferenceOfTwoMethodsIsThatOfTheirFeaturesAndGroups) {
  // From the unmerged model's features it is what merging changed.
  const json unmerged = against("tome", "8", "none");
  for (std::size_t block = 0; block < 12; ++block) {
    const json& layer = unmerged.at("layers")[block];
    const json& other = unmerged.at("against").at("layers")[block];
    EXPECT_EQ(other.at("index"), layer.at("index"));
    EXPECT_EQ(other.at("tokens_out"), 197);
    EXPECT_NEAR(other.at("change_mean"), layer.at("change_mean"), 1e-9);
    EXPECT_NEAR(other.at("change_worst"), layer.at("change_worst"), 1e-9);
  }
  for (const char* key : {"logit_cosine", "kl_divergence", "embedding_cosine", "patch_cosine"}) {
    EXPECT_NEAR(unmerged.at("against").at("fidelity").at(key), unmerged.at("fidelity").at(key),
                1e-9)
        << key;
  }
  const json itself = against("tome", "8", "tome r=8");
  for (const json& layer : itself.at("against").at("layers")) {
    EXPECT_EQ(layer.at("change_worst"), 0);
    EXPECT_EQ(layer.at("patches_grouped_otherwise"), 0);
  }
  const json there = against("tome", "8", "pitome r=8").at("against");
  const json back = against("pitome", "8", "tome r=8").at("against");
  EXPECT_EQ(there.at("method"), "pitome");
  for (std::size_t block = 0; block < 12; ++block) {
    const json& one = there.at("layers")[block];
    const json& two = back.at("layers")[block];
    EXPECT_NEAR(one.at("change_mean"), two.at("change_mean"), 1e-9);
    EXPECT_GT(one.at("change_mean").get<double>(), 0);
    EXPECT_EQ(one.at("patches_grouped_otherwise"), two.at("patches_grouped_otherwise"));
  }
}

TEST(CliLenses, AMethodComparedWithoutACountGetsTheOneOfEqualFlops) {
  const json image = against("tome", "8", "pitome");
  EXPECT_NEAR(image.at("against").at("flops").at("paper").get<double>() /
                  image.at("flops").at("paper").get<double>(),
              1, 0.02);
  EXPECT_EQ(image.at("against").at("settings").at("r"), 8);
}

TEST(CliLenses, FiguresOfTheDifferenceNameBothMethodsAndCarryBoth) {
  const TemporaryFolder folder;
  expectSuccess(
      askLenses({sample("bird"), "--model",    "vit-tiny-cifar10", "--method",   "tome",
                 "--r",          "8",          "--against",        "pitome r=8", "--figure",
                 "change",       "--figure",   "canvas",           "--figure",   "groups",
                 "--overlay",    "difference", "--format",         "svg",        "--out",
                 folder.path()}));
  EXPECT_THAT(contentOf(folder.path() / "bird-change.svg"),
              AllOf(HasSubstr("ToMe, r 8; against PiToMe, r 8"), HasSubstr("\"pitome\"")));
  EXPECT_THAT(contentOf(folder.path() / "bird-canvas.svg"),
              AllOf(HasSubstr("ToMe, r 8; against PiToMe, r 8"), HasSubstr("grouped otherwise")));
  // A figure of one run says nothing of the other.
  EXPECT_THAT(contentOf(folder.path() / "bird-groups.svg"), Not(HasSubstr("against")));
}

TEST(CliLenses, WhatIsNotThereIsRefusedBeforeAnythingRuns) {
  struct Case {
    std::vector<std::string> arguments;
    int status;
    std::vector<std::string> says;
  };
  const std::string bird = sample("bird");
  const std::vector<Case> cases = {
      {{bird, "--patch", "14,0"}, 1, {"--patch 14,0", "columns 0 to 13 and rows 0 to 13"}},
      {{bird, "--patch", "-1,0"}, 1, {"--patch -1,0", "outside the grid"}},
      {{bird, "--patch", "3"}, 2, {"--patch takes column and row", "'3'"}},
      {{bird, "--patch", "3,4,5"}, 2, {"--patch takes column and row"}},
      {{bird, "--attention-head", "3", "--figure", "attention"}, 1, {"heads 0 to 2"}},
      {{bird, "--attention-head", "-1"}, 2, {"--attention-head"}},
      {{bird, "--figure", "similarity"}, 2, {"--patch X,Y names it"}},
      {{bird, "--figure", "strip", "--overlay", "similarity"}, 2, {"--patch X,Y names it"}},
      {{bird, "--layer", "0,12", "--tensors", "t.safetensors"},
       1,
       {"--layer 12", "blocks 0 to 11"}},
      {{bird, "--layer", "0,,2"}, 2, {"--layer takes a whole number or a list"}},
      {{bird, sample("ship"), "--tensors", "t.safetensors"}, 2, {"--tensors", "2 images"}},
      {{bird, "--tensors", "."}, 1, {"."}},
      {{bird, "--figure", "canvas", "--overlay", "difference"}, 2, {"--against names the second"}},
      {{bird, "--against", "tome colour=8"}, 2, {"--against 'tome colour=8'", "--colour"}},
      {{tinyNetwork("siglip") + "/image.png", "--model", tinyNetwork("siglip"), "--figure",
        "attention"},
       1,
       {"no class token", "--patch X,Y"}}};
  for (const Case& bad : cases) {
    SCOPED_TRACE(json(bad.arguments).dump());
    const TemporaryFolder folder;
    expectProblem(askLenses(bad.arguments, {.folder = folder.path()}), bad.status, bad.says);
    EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());
  }
}

TEST(CliLenses, ADroppedPatchIsNullAndAskedForItsFigureSaysSo) {
  const std::string network = tinyNetwork("eva02-split");
  const std::vector<std::string> arguments = {
      network + "/image.png", "--model", network, "--method", "tofu", "--r", "2", "--layer", "4"};
  auto json_arguments = arguments;
  json_arguments.insert(json_arguments.end(), {"--patch", "0,2", "--json", "-"});
  const CliResult result = askLenses(json_arguments);
  expectSuccess(result);
  const json lens = json::parse(result.out).at("lens");
  const json& looks = lens.at("looks").at("patches");
  const auto dropped =
      std::find_if(looks.begin(), looks.end(), [](const json& v) { return v.is_null(); });
  ASSERT_NE(dropped, looks.end());
  const auto patch = dropped - looks.begin();
  const TemporaryFolder folder;
  auto figure = arguments;
  figure.insert(figure.end(),
                {"--patch", std::to_string(patch % 6) + "," + std::to_string(patch / 6), "--figure",
                 "attention", "--out", folder.path()});
  expectProblem(askLenses(figure), 1, {"was dropped before the attention of block 4"});
  EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());
  // In pictures of features too it is hatched, and the legend says what that means.
  auto features = arguments;
  features.insert(features.end(), {"--figure", "norm", "--figure", "components", "--figure",
                                   "attention", "--format", "svg", "--out", folder.path()});
  expectSuccess(askLenses(features));
  const auto files = filesIn(folder.path());
  EXPECT_EQ(files.size(), 3U);
  for (const std::string& file : files) {
    std::ifstream stream(folder.path() / file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_THAT(text, testing::HasSubstr("dropped: ")) << file;
  }
}

}  // namespace
}  // namespace adamerge::test
