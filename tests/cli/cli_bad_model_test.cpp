// SPDX-License-Identifier: GPL-3.0-or-later
// --model with something that is no model, or a damaged one.
#include <cstring>
#include <limits>

#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class BadModel : public testing::Test {
 protected:
  fs::path at(const char* name) const { return folder_.path() / name; }

  void expectRefused(const fs::path& model, const std::vector<std::string>& says) const {
    SCOPED_TRACE(model);
    const TemporaryFolder here;
    expectProblem(adamergeCli({"inspect", sample("bird"), "--model", model, "--json", "out.json",
                               "--out", "figures", "--threads", "1"},
                              {.folder = here.path()}),
                  1, says);
    EXPECT_THAT(filesIn(here.path()), testing::IsEmpty());
    // Every command says the same.
    expectProblem(adamergeCli({"info", "--model", model}), 1, says);
  }

  fs::path weightsOfOurOwn(const char* name, const std::string& bytes) const {
    writeText(at(name) / "model.safetensors", bytes);
    fs::copy_file(bundledModel() / "config.json", at(name) / "config.json");
    return at(name);
  }

  static const std::string& weights() {
    static const std::string bytes = contentOf(bundledModel() / "model.safetensors");
    return bytes;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(BadModel, IsNoModelAtAll) {
  fs::create_directory(at("empty"));
  writeText(at("text.safetensors"), "These are not weights, but a text of some length.");
  writeText(at("text.pth"), "These are not weights.");
  writeText(at("nothing.safetensors"), "");
  expectRefused(at("missing"), {at("missing"), "no such"});
  expectRefused(at("empty"), {at("empty"), "no weights", "model.safetensors"});
  expectRefused(at("text.safetensors"), {at("text.safetensors")});
  expectRefused(at("text.pth"), {at("text.pth")});
  expectRefused(at("nothing.safetensors"), {at("nothing.safetensors")});
  expectRefused(sample("bird"), {sample("bird")});
}

TEST_F(BadModel, IsTruncated) {
  expectRefused(weightsOfOurOwn("data", weights().substr(0, weights().size() - 1000)),
                {"model.safetensors", "bytes"});
  expectRefused(weightsOfOurOwn("header", weights().substr(0, 500)), {"model.safetensors"});
  expectRefused(weightsOfOurOwn("length", weights().substr(0, 5)), {"model.safetensors"});
}

TEST_F(BadModel, HoldsNotANumber) {
  std::string bytes = weights();
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  const json tensors = json::parse(bytes.substr(sizeof header, header));
  const json& norm = tensors.at("norm.weight");
  const std::size_t offset = sizeof header + header + norm.at("data_offsets")[0].get<std::size_t>();
  // All bits set is not a number in fp32, fp16 and bf16.
  std::memset(bytes.data() + offset, 0xFF, 4);
  expectRefused(weightsOfOurOwn("nan", bytes), {"norm.weight", "NaN"});
}

TEST_F(BadModel, HasAConfigThatDoesNotFit) {
  makeModelFolder(at("broken"), "{\"architecture\": ");
  expectRefused(at("broken"), {"config.json", "not valid JSON"});

  json config = jsonIn(bundledModel() / "config.json");
  config["model_args"]["depth"] = 6;
  makeModelFolder(at("depth"), config.dump());
  expectRefused(at("depth"), {"config.json", "depth", "6", "12"});

  makeModelFolder(at("list"), "[1, 2]");
  expectRefused(at("list"), {"config.json"});
}

TEST_F(BadModel, StatisticsOfAnotherDepthAreNotUsed) {
  makeModelFolder(at("stats"), contentOf(bundledModel() / "config.json"));
  writeText(
      at("stats") / "stats.json",
      R"({"format": 1, "depth": 2, "entries": [{"r_max": 8, "mu": [0, 0], "sigma": [1, 1]}]})");
  const CliResult result =
      adamergeCli({"inspect", sample("bird"), "--model", at("stats"), "--threads", "1"});
  expectSuccess(result, /*warnings=*/true);
  EXPECT_THAT(result.err, testing::HasSubstr("2 blocks"));
  EXPECT_THAT(result.err, testing::HasSubstr("uncalibrated"));
}

}  // namespace
}  // namespace adamerge::test
