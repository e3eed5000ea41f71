// SPDX-License-Identifier: GPL-3.0-or-later
// Models fetched from a hub into the cache.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "error_message.h"
#include "hub_fixture.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Clock = std::chrono::steady_clock;

using Fetch = HubTest;

TEST_F(Fetch, LaysTheCacheOutAsTheHubsClientDoes) {
  const HubServer& hub = serve();
  const fs::path folder = fetchAll();
  EXPECT_EQ(folder, cached() / "snapshots" / kCommit);
  EXPECT_EQ(contentOf(cached() / "refs" / "main"), kCommit);
  EXPECT_EQ(fs::read_symlink(folder / "model.safetensors"), "../../blobs/" + weightsHash());
  EXPECT_EQ(contentOf(folder / "model.safetensors"),
            contentOf(bundledModel() / "model.safetensors"));
  EXPECT_EQ(contentOf(folder / "config.json"), contentOf(bundledModel() / "config.json"));
  // git's own hash of the small file.
  EXPECT_EQ(fs::read_symlink(folder / "config.json").filename().string().size(), 40U);
  EXPECT_TRUE(fs::exists(cached() / ".no_exist" / kCommit / "preprocessor_config.json"));
  EXPECT_THAT(contentOf(settings_.cache / "CACHEDIR.TAG"),
              HasSubstr("8a477f597d28d172789f06886806bc55"));
  EXPECT_THAT(filesIn(folder), ElementsAre("config.json", "model.safetensors"));
  for (const std::string& file : filesIn(settings_.cache))
    EXPECT_FALSE(file.ends_with(".incomplete"));
  for (const char* needless : {"README", "tf_model", "pytorch_model", "onnx"}) {
    EXPECT_THAT(hub.requests(needless), IsEmpty());
  }
}

TEST_F(Fetch, IsKnownToTheCacheAfterwardsWithoutAHub) {
  serve();
  const fs::path folder = fetchAll();
  server_ = nullptr;
  const hub::Cached found = hub::findInCache({"acme/tiny-vit"}, settings_);
  EXPECT_EQ(found.folder, folder);
  EXPECT_EQ(found.missing, "");
  EXPECT_EQ(hub::findInCache({"acme/tiny-vit", kCommit}, settings_).missing, "");
  EXPECT_NE(hub::findInCache({"acme/tiny-vit", "v2"}, settings_).missing, "");
  EXPECT_NE(hub::findInCache({"acme/other"}, settings_).missing, "");
}

TEST_F(Fetch, SaysBeforehandHowMuchItIs) {
  serve();
  const hub::Plan plan = hub::plan({"acme/tiny-vit"}, settings_);
  const auto weights =
      static_cast<std::int64_t>(fs::file_size(bundledModel() / "model.safetensors"));
  EXPECT_EQ(plan.missing, weights);
  EXPECT_EQ(plan.bytes,
            weights + static_cast<std::int64_t>(fs::file_size(repository() / "config.json")));
  hub::fetch(plan, settings_);
  EXPECT_EQ(hub::plan({"acme/tiny-vit"}, settings_).missing, 0);
}

TEST_F(Fetch, ReportsItsProgress) {
  serve();
  std::vector<std::pair<std::int64_t, std::int64_t>> seen;
  std::string stage;
  hub::fetch(hub::plan({"acme/tiny-vit"}, settings_), settings_, [&](const Progress& progress) {
    stage = progress.stage;
    seen.emplace_back(progress.done, progress.total);
  });
  EXPECT_EQ(stage, "fetching acme/tiny-vit, kB");
  ASSERT_GT(seen.size(), 10U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back().first, seen.back().second);
  EXPECT_EQ(seen.back().second, 10790);
}

TEST_F(Fetch, GoesOnWhereATransferBroke) {
  const HubServer& hub = serve({"--fault", "break"});
  const fs::path folder = fetchAll();
  EXPECT_EQ(contentOf(folder / "model.safetensors"),
            contentOf(bundledModel() / "model.safetensors"));
  const auto half = fs::file_size(bundledModel() / "model.safetensors") / 2;
  const auto requests = hub.requests("/cdn/acme/tiny-vit/model.safetensors");
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_THAT(requests[1], HasSubstr(" 206 " + std::to_string(half) + "-"));
}

TEST_F(Fetch, GoesOnInALaterCall) {
  serve({"--fault", "slow"});
  std::stop_source stop;
  const hub::Plan plan = hub::plan({"acme/tiny-vit"}, settings_);
  EXPECT_THROW(hub::fetch(
                   plan, settings_,
                   [&](const Progress& progress) {
                     if (progress.done > 100) stop.request_stop();
                   },
                   stop.get_token()),
               Cancelled);
  expectNoWeights();
  const fs::path part = cached() / "blobs" / (weightsHash() + ".incomplete");
  const auto kept = fs::file_size(part);
  EXPECT_GT(kept, 100'000U);

  const HubServer& hub = serve();
  const auto whole = fs::file_size(bundledModel() / "model.safetensors");
  EXPECT_EQ(hub::plan({"acme/tiny-vit"}, settings_).missing,
            static_cast<std::int64_t>(whole - kept));
  const fs::path folder = fetchAll();
  EXPECT_EQ(contentOf(folder / "model.safetensors"),
            contentOf(bundledModel() / "model.safetensors"));
  EXPECT_THAT(hub.requests("/cdn/"), ElementsAre(HasSubstr(" 206 " + std::to_string(kept) + "-")));
  EXPECT_FALSE(fs::exists(part));
}

TEST_F(Fetch, DoesNotTrustAnotherProgramsHalfFile) {
  serve();
  writeText(cached() / "blobs" / (weightsHash() + ".incomplete"), std::string(5000, 'z'));
  EXPECT_EQ(contentOf(fetchAll() / "model.safetensors"),
            contentOf(bundledModel() / "model.safetensors"));
}

TEST_F(Fetch, StartsAnewWhereTheServerKnowsNoOffsets) {
  const HubServer& hub = serve({"--fault", "no-range"});
  const std::string weights = contentOf(bundledModel() / "model.safetensors");
  writeText(cached() / "blobs" / (weightsHash() + ".incomplete"), weights.substr(0, 1 << 20));
  EXPECT_EQ(contentOf(fetchAll() / "model.safetensors"), weights);
  EXPECT_THAT(hub.requests("/cdn/"), ElementsAre(HasSubstr(" 200 0-")));
}

TEST_F(Fetch, MendsADamagedBlobAndALinkToNothing) {
  serve();
  const fs::path folder = fetchAll();
  const fs::path blob = cached() / "blobs" / weightsHash();
  std::fstream(blob, std::ios::in | std::ios::out | std::ios::binary).seekp(1000).put('\x7F');
  fetchAll();
  EXPECT_EQ(contentOf(folder / "model.safetensors"),
            contentOf(bundledModel() / "model.safetensors"));
  fs::remove(blob);
  EXPECT_EQ(hub::findInCache({"acme/tiny-vit"}, settings_).missing, "its weights");
  fetchAll();
  EXPECT_EQ(contentOf(folder / "model.safetensors"),
            contentOf(bundledModel() / "model.safetensors"));
}

TEST_F(Fetch, CompletesWhatAnotherProgramLeftHalf) {
  serve();
  fs::create_directories(cached() / "snapshots" / kCommit);
  writeText(cached() / "refs" / "main", kCommit);
  writeText(cached() / "snapshots" / kCommit / "config.json",
            contentOf(repository() / "config.json"));
  EXPECT_EQ(hub::findInCache({"acme/tiny-vit"}, settings_).missing, "its weights");
  fetchAll();
  EXPECT_EQ(hub::findInCache({"acme/tiny-vit"}, settings_).missing, "");
}

TEST_F(Fetch, WeightsOfTransformersWithoutTheirPreprocessorAreNotWhole) {
  serve();
  const fs::path snapshot = cached() / "snapshots" / kCommit;
  writeText(cached() / "refs" / "main", kCommit);
  writeText(snapshot / "config.json", R"({"model_type": "vit", "hidden_size": 192})");
  writeText(snapshot / "model.safetensors", "weights");
  EXPECT_EQ(hub::findInCache({"acme/tiny-vit"}, settings_).missing, "its preprocessor_config.json");
}

TEST_F(Fetch, ShardsCome) {
  const fs::path shards = repository("acme/shards");
  fs::create_directories(shards);
  fs::copy_file(bundledModel() / "config.json", shards / "config.json");
  const std::string second = "model-00002-of-00002.safetensors";
  writeText(shards / "model.safetensors.index.json",
            R"({"weight_map": {"a": "model-00001-of-00002.safetensors", "b": ")" + second + "\"}}");
  writeText(shards / "model-00001-of-00002.safetensors", std::string(2000, 'a'));
  writeText(shards / second, std::string(2000, 'b'));
  writeText(shards / "other-00001-of-00001.safetensors", "no");
  serve();
  const fs::path folder = fetchAll("acme/shards");
  EXPECT_THAT(filesIn(folder), ElementsAre("config.json", "model-00001-of-00002.safetensors",
                                           second, "model.safetensors.index.json"));
  fs::remove(folder / second);
  EXPECT_EQ(hub::findInCache({"acme/shards"}, settings_).missing,
            "a part of its weights, " + second);
}

TEST_F(Fetch, ANewerCommitOfABranchIsFetchedWhenAsked) {
  serve();
  writeText(cached() / "refs" / "main", std::string(40, 'a'));
  fs::create_directories(cached() / "snapshots" / std::string(40, 'a'));
  fetchAll();
  EXPECT_EQ(contentOf(cached() / "refs" / "main"), kCommit);
}

TEST_F(Fetch, IsCancelledAtOnce) {
  serve({"--fault", "slow"});
  const hub::Plan plan = hub::plan({"acme/tiny-vit"}, settings_);
  std::stop_source stop;
  std::atomic<bool> runs = false;
  Clock::time_point ended;
  std::jthread worker([&] {
    EXPECT_THROW(hub::fetch(
                     plan, settings_, [&](const Progress&) { runs = true; }, stop.get_token()),
                 Cancelled);
    ended = Clock::now();
  });
  while (!runs) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(300ms);
  const auto asked = Clock::now();
  stop.request_stop();
  worker.join();
  EXPECT_LT(ended - asked, 100ms);
  expectNoWeights();
}

TEST_F(Fetch, WaitsForWhoHoldsTheLock) {
  const HubServer& hub = serve();
  const hub::Plan plan = hub::plan({"acme/tiny-vit"}, settings_);
  const fs::path lock =
      settings_.cache / ".locks" / "models--acme--tiny-vit" / (weightsHash() + ".lock");
  fs::create_directories(lock.parent_path());
  const int held = ::open(lock.c_str(), O_RDWR | O_CREAT, 0666);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);

  std::stop_source stop;
  std::atomic<bool> waits = false;
  const auto report = [&](const Progress& progress) {
    if (progress.stage == "another program fetches model.safetensors") waits = true;
  };
  Clock::time_point asked;
  {
    std::jthread cancelled(
        [&] { EXPECT_THROW(hub::fetch(plan, settings_, report, stop.get_token()), Cancelled); });
    while (!waits) std::this_thread::sleep_for(1ms);
    asked = Clock::now();
    stop.request_stop();
  }
  EXPECT_LT(Clock::now() - asked, 100ms);

  waits = false;
  std::jthread patient([&] { hub::fetch(plan, settings_, report); });
  while (!waits) std::this_thread::sleep_for(1ms);
  EXPECT_THAT(hub.requests("/cdn/"), IsEmpty());
  ::close(held);
  patient.join();
  EXPECT_EQ(hub.requests("/cdn/").size(), 1U);
  EXPECT_EQ(hub::findInCache({"acme/tiny-vit"}, settings_).missing, "");
}

TEST_F(Fetch, TheListTellsWhatWouldRun) {
  writeText(repository("acme/bert") / "config.json", R"({"model_type": "bert"})");
  serve();
  fetchAll();
  writeText(settings_.cache / "models--acme--bert" / "refs" / "main", std::string(40, 'b'));
  const fs::path bert = settings_.cache / "models--acme--bert" / "snapshots" / std::string(40, 'b');
  writeText(bert / "config.json", R"({"model_type": "bert"})");
  writeText(bert / "preprocessor_config.json", "{}");
  fs::copy_file(bundledModel() / "model.safetensors", bert / "model.safetensors");
  fs::create_directories(settings_.cache / "models--acme--half" / "snapshots" /
                         std::string(40, 'c'));
  fs::create_directories(settings_.cache / "datasets--acme--set" / "snapshots" /
                         std::string(40, 'd'));
  const std::vector<hub::CachedModel> models = hub::list(settings_);
  ASSERT_EQ(models.size(), 3U);
  EXPECT_EQ(models[0].name.text(), "acme/bert");
  EXPECT_FALSE(models[0].info);
  EXPECT_THAT(models[0].problem, HasSubstr("bert"));
  EXPECT_EQ(models[0].problem.find("snapshots"), std::string::npos) << models[0].problem;
  EXPECT_EQ(models[1].name.text(), "acme/half@" + std::string(40, 'c'));
  EXPECT_EQ(models[1].problem, "its weights are not in the cache");
  EXPECT_EQ(models[2].name.text(), "acme/tiny-vit");
  EXPECT_EQ(models[2].problem, "");
  ASSERT_TRUE(models[2].info);
  EXPECT_EQ(models[2].info->name, "acme/tiny-vit");
  EXPECT_EQ(models[2].info->vit.depth, 12);
  EXPECT_GT(models[2].bytes, 10'000'000);
}

}  // namespace
}  // namespace adamerge::test
