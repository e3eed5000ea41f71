// SPDX-License-Identifier: GPL-3.0-or-later
// adamerge-train as a user runs it.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "adamerge/engine.h"
#include "cli_runner.h"
#include "drawn_pictures.h"

namespace adamerge::training {
namespace {

namespace fs = std::filesystem;
using test::CliResult;
using testing::ElementsAre;
using testing::HasSubstr;

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() { test::writePictures(data_, test::drawnData()); }

  /// A small run, with `more` and without the options that are named there.
  std::vector<std::string> arguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> list{data_.string(), "-o", output_.string(), "--flip", "off"};
    const std::map<std::string, std::string> usual{
        {"--image-size", "16"}, {"--width", "32"},    {"--depth", "2"},
        {"--heads", "2"},       {"--mlp-ratio", "2"}, {"--batch", "20"},
        {"--epochs", "2"},      {"--threads", "1"},   {"--dtype", "float32"}};
    for (const auto& [option, value] : usual) {
      if (std::find(more.begin(), more.end(), option) != more.end()) continue;
      list.insert(list.end(), {option, value});
    }
    list.insert(list.end(), more.begin(), more.end());
    return list;
  }
  /// One sentence beside warnings.
  static void expectRefused(const CliResult& result, int status, const std::string& part) {
    EXPECT_EQ(result.status, status);
    std::vector<std::string> lines = result.errorLines();
    std::erase_if(lines, [](const std::string& line) {
      return line.starts_with("adamerge-train: warning: ");
    });
    EXPECT_THAT(lines, ElementsAre(testing::AllOf(testing::StartsWith("adamerge-train: "),
                                                  HasSubstr(part))));
  }

  test::TemporaryFolder folder_;
  fs::path data_ = folder_.path() / "images";
  fs::path output_ = folder_.path() / "run";
};

TEST_F(ProgramTest, TrainsExportsAndIsOpened) {
  test::writeText(data_ / "rows" / "broken.ppm", "P6 12 12 255\nshort");
  const CliResult result = test::adamergeCli(arguments());
  EXPECT_EQ(result.status, 1) << "an image was left out";
  EXPECT_THAT(result.err, HasSubstr("broken.ppm"));
  EXPECT_THAT(result.err, HasSubstr("1 of 301 images could not be read"));
  EXPECT_THAT(result.out, HasSubstr("epoch 2 of 2: loss"));
  EXPECT_THAT(result.out, HasSubstr("of 30 images")) << "a tenth is held out";
  EXPECT_THAT(test::filesIn(output_), ElementsAre("checkpoint.safetensors", "log.csv",
                                                  "model/config.json", "model/model.safetensors"));
  const Engine engine = Engine::load(output_ / "model");
  EXPECT_THAT(engine.info().labels, ElementsAre("columns", "diagonals", "rows"));
  EXPECT_EQ(engine.info().vit.dim, 32);

  expectRefused(test::adamergeCli(arguments()), 1, "--resume goes on with it");
  expectRefused(test::adamergeCli(arguments({"--resume", "--seed", "4"})), 1,
                "--seed 0, this run has --seed 4");
  const fs::path exported = folder_.path() / "exported";
  const CliResult made =
      test::adamergeCli({"--export", (output_ / "checkpoint.safetensors").string(), "-o",
                         exported.string(), "--weights", "float16"});
  EXPECT_EQ(made.status, 0) << made.err;
  for (const char* file : {"config.json", "model.safetensors"}) {
    EXPECT_EQ(test::contentOf(exported / file), test::contentOf(output_ / "model" / file)) << file;
  }
}

TEST_F(ProgramTest, CtrlCLeavesACheckpointToGoOnFrom) {
  test::RunLimits limits;
  limits.meanwhile = [this](pid_t program) {
    // Its first row: it trains.
    if (!fs::exists(output_ / "log.csv")) return false;
    ::kill(program, SIGINT);
    return true;
  };
  const CliResult stopped =
      test::adamergeCli(arguments({"--epochs", "100000", "--checkpoint-every", "1000000"}), limits);
  expectRefused(stopped, 1, "the same command with --resume goes on");
  EXPECT_THAT(test::filesIn(output_), testing::Contains("checkpoint.safetensors"));
}

TEST_F(ProgramTest, WrongUsageIsToldBeforeAnyImageIsRead) {
  expectRefused(test::adamergeCli({}), 2, "--output");
  expectRefused(test::adamergeCli(arguments({"--heads", "5"})), 2, "--heads");
  expectRefused(test::adamergeCli({(folder_.path() / "nothing").string(), "-o", output_.string()}),
                1, "nothing: there is no such file or folder");
}

}  // namespace
}  // namespace adamerge::training
