// SPDX-License-Identifier: GPL-3.0-or-later
// What runs where no model is named, and what does where that is missing or damaged.
#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

/// The program in a place of its own, with models of the test's choice beside it.
class DefaultModel : public testing::Test {
 protected:
  DefaultModel() {
    fs::create_directories(program_.parent_path());
    fs::create_directories(models_);
    std::error_code code;
    fs::create_hard_link(ADAMERGE_PROGRAM, program_, code);
    if (code) fs::copy_file(ADAMERGE_PROGRAM, program_);
    fs::create_directory_symlink(bundledModel(), models_ / "vit-tiny-cifar10");
  }

  CliResult info(const std::vector<std::string>& options = {}, const RunLimits& limits = {}) const {
    std::vector<std::string> command = {program_.string(), "info", "--json", "-"};
    command.insert(command.end(), options.begin(), options.end());
    return runProgram(std::move(command), limits);
  }
  static std::string nameIn(const CliResult& result) {
    return json::parse(result.out, nullptr, /*allow_exceptions=*/false).value("name", "");
  }

  TemporaryFolder folder_;
  fs::path program_ = folder_.path() / "bin/adamerge";
  fs::path models_ = folder_.path() / "share/adamerge-studio/models";
};

TEST_F(DefaultModel, IsTheRealOneAndKnowsTheClassesOfCifar10) {
  const CliResult result = runProgram({ADAMERGE_PROGRAM, "info", "--json", "-"});
  expectSuccess(result);
  const json model = json::parse(result.out);
  EXPECT_EQ(model.at("name"), "vit-small-cifar10");
  EXPECT_EQ(model.at("labels"), (json{"airplane", "automobile", "bird", "cat", "deer", "dog",
                                      "frog", "horse", "ship", "truck"}));
}

TEST_F(DefaultModel, IsReplacedByTheTinyOneWhereItIsMissing) {
  const CliResult result = info();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(nameIn(result), "vit-tiny-cifar10");
  ASSERT_EQ(result.errorLines().size(), 1U) << result.err;
  for (const char* part : {"adamerge: warning: ", "models/vit-small-cifar10", "missing",
                           "vit-tiny-cifar10 is used instead"}) {
    EXPECT_THAT(result.err, HasSubstr(part));
  }
}

TEST_F(DefaultModel, IsReplacedByTheTinyOneWhereItIsCutShort) {
  const fs::path model = models_ / "vit-small-cifar10";
  fs::create_directory(model);
  const fs::path whole = fs::path(ADAMERGE_MODELS) / "vit-small-cifar10";
  fs::copy_file(whole / "config.json", model / "config.json");
  const std::string weights = contentOf(whole / "model.safetensors");
  writeText(model / "model.safetensors", weights.substr(0, weights.size() / 2));
  const CliResult result = info();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(nameIn(result), "vit-tiny-cifar10");
  ASSERT_EQ(result.errorLines().size(), 1U) << result.err;
  for (const char* part : {"model.safetensors", "bytes", "vit-tiny-cifar10 is used instead"}) {
    EXPECT_THAT(result.err, HasSubstr(part));
  }
  // Who names it wants it, and nothing else.
  expectProblem(info({"--model", "vit-small-cifar10"}), 1, {"model.safetensors", "bytes"});
}

TEST_F(DefaultModel, OthersAreThereByName) {
  const CliResult named = info({"--model", "vit-tiny-cifar10"});
  expectSuccess(named);
  EXPECT_EQ(nameIn(named), "vit-tiny-cifar10");
  // A folder of that name is what a person means.
  const TemporaryFolder here;
  fs::create_directory(here.path() / "vit-tiny-cifar10");
  expectProblem(info({"--model", "vit-tiny-cifar10"}, {.folder = here.path()}), 1,
                {"vit-tiny-cifar10", "no weights"});
}

}  // namespace
}  // namespace adamerge::test
