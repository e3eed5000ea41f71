// SPDX-License-Identifier: GPL-3.0-or-later
// Networks whose output is a map, through every command: Segment Anything's encoder, AFNO, dense
// heads. What they compute is compared elsewhere.
#include <algorithm>

#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

const fs::path kDense = ADAMERGE_DENSE;
const fs::path kSam = kDense / "sam-hf";
const std::string kPhoto = kSam / "photo.png";
const fs::path kAfno = kDense / "afno-config";
const std::string kForecast = kDense / "fourcastnet/backbone.ckpt";

CliResult run(std::vector<std::string> arguments, const fs::path& model) {
  arguments.insert(arguments.end(), {"--model", model, "--threads", "1", "--dtype", "float32"});
  return adamergeCli(arguments);
}

json jsonOf(const CliResult& result) {
  expectSuccess(result, /*warnings=*/true);
  return json::parse(result.out);
}

std::vector<std::string> methodsIn(const json& points) {
  std::vector<std::string> ids;
  for (const json& point : points) ids.push_back(point.at("method"));
  std::sort(ids.begin(), ids.end());
  return ids;
}

TEST(DenseNetworks, AreDescribed) {
  const CliResult sam = run({"info"}, kSam);
  expectSuccess(sam);
  EXPECT_THAT(sam.out, HasSubstr("4 x 4 patches; the whole grid in blocks 1, 3; neck"));
  EXPECT_THAT(sam.out, HasSubstr("longest side to 56"));
  const CliResult afno = run({"info"}, kAfno);
  expectSuccess(afno);
  EXPECT_THAT(afno.out, HasSubstr("AFNO"));
  expectSuccess(run({"info", "--input-size", "48x80"}, kForecast));
}

/// Of the methods only those that run in such networks are measured where none are named.
TEST(DenseNetworks, AreMeasuredUnderAllThatRunInThem) {
  for (const fs::path& model : {kSam, kAfno}) {
    const json bench = jsonOf(
        run({"bench", "--batch", "1", "--warmup", "1", "--runs", "1", "--json", "-"}, model));
    EXPECT_THAT(methodsIn(bench.at("models").at(0).at("points")),
                ElementsAre("adamerge", "none", "structsam", "tome"));
  }
  const TemporaryFolder folder;
  const fs::path rows = folder.path() / "points.csv";
  const json evaluation =
      jsonOf(run({"evaluate", kSam, "--unlabelled", "--ratio", "10,50", "--dense-head",
                  kSam / "dense-head.safetensors", "--json", "-", "--csv", rows},
                 kSam));
  const json& points = evaluation.at("points");
  EXPECT_THAT(methodsIn(points), ElementsAre("adamerge", "adamerge", "none", "structsam",
                                             "structsam", "tome", "tome"));
  for (const json& point : points) {
    const json& dense = point.at("dense");
    for (const char* share : {"patch_agreement", "patch_miou", "pixel_agreement", "pixel_miou"}) {
      const double value = dense.at(share);
      EXPECT_TRUE(value > 0 && value <= 1) << share;
      EXPECT_EQ(value == 1, point.at("method") == "none") << share;
    }
  }
  EXPECT_THAT(contentOf(rows), HasSubstr("patch_miou"));
}

TEST(DenseNetworks, AreCalibratedAndScheduledByRatio) {
  const TemporaryFolder folder;
  for (const fs::path& model : {kSam, kAfno}) {
    const fs::path stats = folder.path() / "stats.json";
    expectSuccess(run({"calibrate", kSam, "--ratio", "25,50", "-o", stats}, model));
    EXPECT_EQ(jsonIn(stats).at("entries").at(1).at("ratio"), 50);
    const json calibrated = jsonOf(run({"inspect", kPhoto, "--method", "adamerge", "--ratio", "50",
                                        "--stats", stats, "--json", "-"},
                                       model));
    EXPECT_EQ(calibrated.at("calibrated"), true);
    EXPECT_TRUE(calibrated.at("layers").at(0).at("z").is_number());
    const double whole = calibrated.at("flops").at("baseline_paper");
    const std::string target = std::to_string(0.9 * whole);
    const json found = jsonOf(
        run({"schedule", "--flops", target, "--method", "tome", "--images", kPhoto, "--json", "-"},
            model));
    const int ratio = found.at("setting").at("ratio");
    EXPECT_TRUE(ratio > 0 && ratio < 50);
    EXPECT_NEAR(found.at("flops").at("paper").get<double>(), 0.9 * whole, 0.02 * whole);
  }
}

TEST(DenseNetworks, TracesKeepWhatRanInWindows) {
  const TemporaryFolder folder;
  for (const fs::path& model : {kSam, kAfno}) {
    const fs::path trace = folder.path() / "run.adamerge-trace";
    const json own = jsonOf(run({"inspect", kPhoto, "--method", "structsam", "--blocks", "0",
                                 "--trace", trace, "--json", "-"},
                                model));
    // It has a model of its own.
    const json read = jsonOf(runProgram({ADAMERGE_PROGRAM, "inspect", trace, "--json", "-"}));
    for (std::size_t block = 0; block < own.at("layers").size(); ++block) {
      const json& layer = own.at("layers").at(block);
      for (const char* key :
           {"restored", "window", "padding", "groups", "merged", "tokens_inside", "tokens_out"}) {
        // A Fourier network has no windows.
        EXPECT_EQ(layer.contains(key),
                  model == kSam || (key != std::string("window") && key != std::string("padding")));
        EXPECT_EQ(read.at("layers").at(block).value(key, json()), layer.value(key, json()))
            << key << " of " << block;
      }
    }
  }
}

TEST(DenseNetworks, StructSamSaysWhereItsCellsHaveNoMoreSources) {
  for (const fs::path& model : {kSam, kAfno}) {
    const json layers =
        jsonOf(run({"inspect", kPhoto, "--method", "structsam", "--ratio", "94", "--json", "-"},
                   model))
            .at("layers");
    for (const json& layer : layers) {
      EXPECT_THAT(layer.at("note").get<std::string>(),
                  testing::MatchesRegex("only [0-9]+ tokens are sources, so [0-9]+ merge instead "
                                        "of [0-9]+"));
      EXPECT_THAT(layer.at("note").get<std::string>(),
                  HasSubstr("so " + std::to_string(layer.at("merged").get<int>()) + " merge"));
    }
  }
}

TEST(DenseNetworks, PromptsOutsideOneOfThePicturesNameIt) {
  const TemporaryFolder folder;
  const std::string small = folder.path() / "small.ppm";
  writeText(small, "P6 8 8 255\n" + std::string(192, 'x'));
  const CliResult result =
      run({"inspect", small, kPhoto, "--method", "structsam", "--prompt-point", "40,12"}, kSam);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.problems(), ElementsAre("adamerge: " + small +
                                                 ": --prompt-point 40,12 lies outside the picture "
                                                 "of 8 x 8 pixels",
                                             "adamerge: 1 of 2 images could not be inspected"));
  EXPECT_THAT(result.out, HasSubstr("photo.png (75 x 50)"));
}

TEST(DenseNetworks, WhatCannotBeIsASentence) {
  struct Case {
    std::vector<std::string> arguments;
    std::vector<std::string> says;
    fs::path model = kSam;
    int status = 1;
  };
  const auto structsam = [](const std::string& option, const std::string& value) {
    return std::vector<std::string>{"inspect", kPhoto, "--method", "structsam", option, value};
  };
  const auto tome = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"inspect", kPhoto, "--method", "tome"});
    return more;
  };
  const std::string narrow = kDense / "dense-vit/dense-head.safetensors";
  const std::vector<Case> cases{
      {structsam("--prompt-box", "9,9,9,20"), {"--prompt-box 9,9,9,20 is empty", "X0 < X1"}},
      {structsam("--prompt-box", "75,0,99,9"), {"--prompt-box", "outside", "75 x 50 pixels"}},
      {structsam("--prompt-box", "-9,-9,0,0"), {"--prompt-box", "outside", "75 x 50 pixels"}},
      {structsam("--prompt-box", "1,2,3"), {"--prompt-box takes 4 whole numbers"}, kSam, 2},
      {structsam("--prompt-point", "75,5"), {"--prompt-point 75,5", "outside"}},
      {structsam("--prompt-point", "5,-1"), {"--prompt-point 5,-1", "outside"}},
      {structsam("--prompt-point", "5,1"), {"for Segment Anything's encoders"}, kAfno},
      {structsam("--ratio", "95"),
       {"--ratio takes a whole number from 0 to 94, not '95'"},
       kSam,
       2},
      {tome({"--ratio", "51"}), {"--ratio takes a whole number from 0 to 50, not '51'"}, kSam, 2},
      {tome({"--ratio", "30"}), {"--ratio is for networks that restore"}, bundledModel()},
      {tome({"--r", "8"}), {"--r is for networks whose tokens leave"}},
      {tome({"--position", "mean"}), {"--position is for"}, kAfno},
      {tome({"--unmerge", "average"}), {"nothing is left to unmerge"}, kAfno},
      {tome({"--dense-head", narrow}), {narrow, "32 numbers a patch", "patches have 16"}},
      {{"inspect", kPhoto, "--method", "pitome"}, {"pitome cannot run in sam-hf", "tome"}},
      {{"inspect", kPhoto, "--method", "focus"}, {"focus cannot run in afno-config"}, kAfno},
      {tome({"--input-size", "64"}), {"trained at, which is 40 x 64"}, kAfno},
      {{"info"}, {"backbone.ckpt", "--input-size HEIGHTxWIDTH", "720x1440"}, kForecast},
      {{"calibrate", kSam, "-o", "s.json"}, {"--ratio 25,50,75", "--r-max"}, kSam, 2},
      {{"calibrate", kSam, "-o", "s.json", "--r-max", "8"}, {"are for --ratio"}, kSam, 2},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(testing::PrintToString(one.arguments));
    expectProblem(run(one.arguments, one.model), one.status, one.says);
  }
}

}  // namespace
}  // namespace adamerge::test
