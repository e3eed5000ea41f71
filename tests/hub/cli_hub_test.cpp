// SPDX-License-Identifier: GPL-3.0-or-later
// `adamerge … --model OWNER/NAME` and `adamerge models` as a user runs them.
#include <csignal>
#include <cstdlib>
#include <thread>

#include "hub_fixture.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

using CliHub = HubTest;

const std::vector<std::string> kInspect = {"inspect", sample("bird"), "--threads", "1",
                                           "--quiet", "--json",       "-",         "--model"};

json inspected(const std::string& model) {
  std::vector<std::string> words = kInspect;
  words.push_back(model);
  const CliResult result = adamergeCli(words);
  expectSuccess(result);
  return json::parse(result.out, nullptr, false);
}

TEST_F(CliHub, AModelByItsNameIsTheModelInItsFolder) {
  fs::copy_file(bundledModel() / "stats.json", repository() / "stats.json");
  serve();
  const json by_folder = inspected(bundledModel());
  for (const char* name : {"acme/tiny-vit", "hf-hub:acme/tiny-vit"}) {
    const json by_name = inspected(name);
    EXPECT_EQ(by_name.at("model").at("name"), "acme/tiny-vit");
    EXPECT_EQ(by_name.at("logits"), by_folder.at("logits"));
    // The second time without a hub.
    server_ = nullptr;
  }
}

TEST_F(CliHub, FetchingIsSaid) {
  serve();
  const CliResult result = adamergeCli({"info", "--model", "acme/tiny-vit"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, AllOf(HasSubstr("adamerge: fetching acme/tiny-vit (10.8 MB) from " +
                                          settings_.endpoint),
                                HasSubstr(settings_.cache.string())));
  EXPECT_THAT(result.out, HasSubstr("acme/tiny-vit"));
  expectSuccess(adamergeCli({"info", "--model", "acme/tiny-vit"}));
}

TEST_F(CliHub, UnknownNamesAndMistypedPathsAreOneSentence) {
  serve();
  expectProblem(adamergeCli({"info", "--model", "acme/nothing"}), 1,
                {"acme/nothing", "no such file or folder", "no such model", settings_.endpoint});
  expectProblem(adamergeCli({"info", "--model", "hf-hub:nothing"}), 1, {"OWNER/NAME"});
  server_ = nullptr;
  expectProblem(adamergeCli({"info", "--model", "acme/tiny-vit"}), 1, {"cannot be reached"});
}

TEST_F(CliHub, ATokenIsNeverPrinted) {
  serve({"--fault", "gated", "--token", "hf_right"});
  ::setenv("HF_TOKEN", "hf_wrong", 1);
  const CliResult result = adamergeCli({"info", "--model", "acme/tiny-vit"});
  expectProblem(result, 1, {"gated"});
  EXPECT_EQ((result.out + result.err).find("hf_wrong"), std::string::npos);
  ::setenv("HF_TOKEN", "hf_right", 1);
  EXPECT_EQ(adamergeCli({"info", "--model", "acme/tiny-vit"}).status, 0);
}

TEST_F(CliHub, TwoProgramsFetchTheSameModelOnce) {
  const HubServer& hub = serve();
  CliResult first;
  std::jthread other([&] { first = adamergeCli({"info", "--model", "acme/tiny-vit"}); });
  const CliResult second = adamergeCli({"info", "--model", "acme/tiny-vit"});
  other.join();
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(first.out, second.out);
  EXPECT_EQ(hub.requests("/cdn/").size(), 1U);
}

TEST_F(CliHub, CtrlCEndsAFetchAndTheSameCommandGoesOn) {
  serve({"--fault", "slow"});
  const fs::path part = cached() / "blobs" / (weightsHash() + ".incomplete");
  const RunLimits once_it_runs{.meanwhile = [&part](pid_t program) {
    std::error_code code;
    return fs::file_size(part, code) > 0 && !code && ::kill(program, SIGINT) == 0;
  }};
  expectProblem(adamergeCli({"info", "--model", "acme/tiny-vit", "--quiet"}, once_it_runs), 1,
                {"interrupted"});
  expectNoWeights();
  serve();
  expectSuccess(adamergeCli({"info", "--model", "acme/tiny-vit", "--quiet"}));
}

TEST_F(CliHub, AFullDiskLeavesNothingThatLooksWhole) {
  serve();
  const RunLimits limits{.file_size = 1'000'000};
  expectProblem(adamergeCli({"info", "--model", "acme/tiny-vit", "--quiet"}, limits), 1,
                {"cannot be written", settings_.cache.string()});
  expectNoWeights();
}

TEST_F(CliHub, ModelsListsTheCache) {
  serve();
  const CliResult empty = adamergeCli({"models"});
  expectSuccess(empty);
  EXPECT_THAT(empty.out, HasSubstr("no models in " + settings_.cache.string()));
  const CliResult fetched = adamergeCli({"models", "--fetch", "acme/tiny-vit"});
  EXPECT_EQ(fetched.status, 0);
  EXPECT_THAT(fetched.err, HasSubstr("fetching acme/tiny-vit"));
  EXPECT_THAT(fetched.out,
              AllOf(HasSubstr("acme/tiny-vit"), HasSubstr("10.8 MB"),
                    HasSubstr("12 blocks, 192 wide, 3 heads"), HasSubstr("10 classes")));
  const json list = json::parse(adamergeCli({"models", "--json", "-"}).out);
  EXPECT_EQ(list.at("cache"), settings_.cache.string());
  ASSERT_EQ(list.at("models").size(), 1U);
  EXPECT_EQ(list.at("models")[0].at("name"), "acme/tiny-vit");
  EXPECT_EQ(list.at("models")[0].at("revision"), "main");
  EXPECT_EQ(list.at("models")[0].at("runs"), true);
  expectProblem(adamergeCli({"models", "--fetch", "nothing"}), 2, {"--fetch", "OWNER/NAME"});
}

}  // namespace
}  // namespace adamerge::test
