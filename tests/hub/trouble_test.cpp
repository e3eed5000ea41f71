// SPDX-License-Identifier: GPL-3.0-or-later
// What can go wrong on the way from a hub into the cache: one sentence each, and nothing left that
// looks whole.
#include "error_message.h"
#include "hub_fixture.h"
#include "unprivileged.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using FetchTrouble = HubTest;

TEST_F(FetchTrouble, ADamagedFileIsThrownAway) {
  serve({"--fault", "wrong-hash"});
  EXPECT_THAT(failure(), AllOf(HasSubstr("acme/tiny-vit"), HasSubstr("model.safetensors"),
                               HasSubstr("damaged"), HasSubstr(weightsHash())));
  expectNoWeights();
  for (const std::string& file : filesIn(settings_.cache))
    EXPECT_FALSE(file.ends_with(".incomplete"));
}

TEST_F(FetchTrouble, AnUnknownNameMayBePrivate) {
  serve();
  EXPECT_THAT(failure("acme/nothing"), AllOf(HasSubstr("acme/nothing"), HasSubstr("no such model"),
                                             HasSubstr("private"), HasSubstr("HF_TOKEN")));
  EXPECT_THAT(failure("acme/tiny-vit@v9"), AllOf(HasSubstr("no branch"), HasSubstr("'v9'")));
  settings_.token = "hf_secret";
  EXPECT_THAT(failure("acme/nothing"),
              AllOf(HasSubstr("token's owner has no access"), Not(HasSubstr("hf_secret"))));
  EXPECT_THAT(filesIn(settings_.cache), IsEmpty());
}

TEST_F(FetchTrouble, AGatedModelAsksForATokenThatOpensIt) {
  const HubServer& hub = serve({"--fault", "gated", "--token", "hf_right"});
  EXPECT_THAT(failure(),
              AllOf(HasSubstr("gated"),
                    HasSubstr("accept its conditions at " + hub.address() + "/acme/tiny-vit"),
                    HasSubstr("HF_TOKEN")));
  settings_.token = "hf_wrong";
  EXPECT_THAT(failure(),
              AllOf(HasSubstr("gated"), HasSubstr("has no access"), Not(HasSubstr("hf_wrong"))));
  expectNoWeights();
  settings_.token = "hf_right";
  fetchAll();
  EXPECT_EQ(hub::findInCache({"acme/tiny-vit"}, settings_).missing, "");
}

TEST_F(FetchTrouble, TheTokenStaysWithTheHub) {
  const HubServer& hub = serve();
  settings_.token = "hf_secret";
  fetchAll();
  const auto elsewhere = hub.requests("/cdn/");
  ASSERT_FALSE(elsewhere.empty()) << "the weights come from another host";
  for (const std::string& request : elsewhere) EXPECT_THAT(request, Not(HasSubstr("token")));
  for (const std::string& request : hub.requests("/resolve/"))
    EXPECT_THAT(request, HasSubstr("token"));
}

TEST_F(FetchTrouble, APageOfAProxyIsNoHub) {
  serve({"--fault", "html"});
  EXPECT_THAT(failure(),
              AllOf(HasSubstr("page"), HasSubstr("proxy"), HasSubstr(settings_.endpoint)));
  EXPECT_THAT(filesIn(settings_.cache), IsEmpty());
}

TEST_F(FetchTrouble, APageInPlaceOfTheWeightsIsNone) {
  serve();
  const hub::Plan plan = hub::plan({"acme/tiny-vit"}, settings_);
  serve({"--fault", "html"});
  EXPECT_THAT(errorMessage([&] { hub::fetch(plan, settings_); }), HasSubstr("page"));
  expectNoWeights();
  serve();
  EXPECT_EQ(contentOf(fetchAll() / "model.safetensors"),
            contentOf(bundledModel() / "model.safetensors"));
}

TEST_F(FetchTrouble, NoNetwork) {
  serve();
  server_ = nullptr;
  EXPECT_THAT(failure(), AllOf(HasSubstr("acme/tiny-vit"), HasSubstr("cannot be reached"),
                               HasSubstr(settings_.endpoint)));
  settings_.endpoint = "http://nowhere.invalid";
  EXPECT_THAT(failure(), HasSubstr("cannot be reached"));
  settings_.offline = true;
  EXPECT_THAT(failure(), AllOf(HasSubstr("HF_HUB_OFFLINE"), HasSubstr(settings_.cache.string())));
}

TEST_F(FetchTrouble, WhatCannotRunIsRefusedBeforeItsWeightsCome) {
  writeText(repository("acme/bert") / "config.json", R"({"model_type": "bert"})");
  writeText(repository("acme/bert") / "model.safetensors", std::string(5000, 'x'));
  writeText(repository("acme/empty") / "README.md", "nothing");
  const HubServer& hub = serve();
  EXPECT_THAT(failure("acme/bert"),
              AllOf(HasSubstr("acme/bert cannot run here"), HasSubstr("bert")));
  EXPECT_THAT(failure("acme/empty"), AllOf(HasSubstr("acme/empty"), HasSubstr("no weights")));
  EXPECT_THAT(hub.requests("/cdn/"), IsEmpty());
  // The config that counts is that of the weights' own library.
  const fs::path both = repository("acme/both");
  writeText(both / "config.json", R"({"model_type": "bert"})");
  writeText(both / "open_clip_config.json", R"({"model_cfg": {"vision_cfg": {}}})");
  writeText(both / "open_clip_model.safetensors", std::string(5000, 'x'));
  const hub::Plan plan = hub::plan({"acme/both"}, settings_);
  EXPECT_EQ(plan.files.back().name, "open_clip_model.safetensors");
}

TEST_F(FetchTrouble, ACacheThatMayNotBeWritten) {
  if (::geteuid() != 0) GTEST_SKIP() << "becoming another user needs root";
  serve();
  fs::create_directories(settings_.cache);
  fs::permissions(folder_.path(),
                  fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  {
    const Unprivileged nobody;
    EXPECT_THAT(failure(),
                AllOf(HasSubstr(settings_.cache.string()), HasSubstr("cannot be written"),
                      HasSubstr("Permission denied"), HasSubstr("HF_HUB_CACHE")));
  }
  EXPECT_THAT(filesIn(settings_.cache), IsEmpty());
  // What is there can be used by who may only read.
  const fs::path folder = fetchAll();
  const Unprivileged nobody;
  EXPECT_EQ(hub::findInCache({"acme/tiny-vit"}, settings_).folder, folder);
  EXPECT_EQ(hub::findInCache({"acme/tiny-vit"}, settings_).missing, "");
}

}  // namespace
}  // namespace adamerge::test
