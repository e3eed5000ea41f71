// SPDX-License-Identifier: GPL-3.0-or-later
// Merging under rotary positions, relative bias, every block form and every pooling, against the
// cases of an independent implementation: counts and groups identical, embedding and logits to
// 2e-5. tests/data/families-merging holds a part of them, ../shared all.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "adamerge/engine.h"
#include "adamerge/image.h"
#include "reference_cases.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using test::json;

const fs::path kOwn = fs::path(ADAMERGE_TEST_DATA) / "families-merging";
const fs::path kShared = fs::path(ADAMERGE_SHARED) / "reference" / "families-merging";

void expectNear(const std::vector<float>& ours, const json& wanted, double bound,
                const char* what) {
  const auto numbers = wanted.get<std::vector<double>>();
  ASSERT_EQ(ours.size(), numbers.size()) << what;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_NEAR(ours[i], numbers[i], bound) << what << " " << i;
  }
}

void expectBlocks(const ImageResult& result, const json& layers) {
  ASSERT_EQ(result.layers.size(), layers.size());
  for (std::size_t block = 0; block < layers.size(); ++block) {
    SCOPED_TRACE("block " + std::to_string(block));
    const LayerTrace& ours = result.layers[block];
    const json& wanted = layers.at(block);
    EXPECT_EQ(ours.tokens_in, wanted.at("tokens_in").get<int>());
    EXPECT_EQ(ours.merged, wanted.at("merged").get<int>());
    EXPECT_EQ(ours.groups, wanted.at("groups").get<std::vector<int>>());
    if (wanted.contains("salience") && !wanted.at("salience").is_null()) {
      expectNear(ours.salience, wanted.at("salience"), 1e-5, "salience");
    }
    if (wanted.contains("z") && !wanted.at("z").is_null()) {
      ASSERT_TRUE(ours.z);
      EXPECT_NEAR(*ours.z, wanted.at("z").get<double>(), 1e-3);
    }
  }
}

/// Runs every case of a folder; returns how many.
int runFolder(const fs::path& folder) {
  SCOPED_TRACE(folder.filename().string());
  const json cases = test::readReference(folder / "cases.json");
  std::map<std::string, Engine> engines;  // by head file
  const auto engine = [&](const std::string& head) -> const Engine& {
    auto found = engines.find(head);
    if (found == engines.end()) {
      EngineOptions options{.device = "cpu", .dtype = "float32"};
      if (!head.empty()) options.head = folder / head;
      found = engines.emplace(head, Engine::load(folder, options)).first;
    }
    return found->second;
  };
  ImageResult baseline;
  for (const json& expected : cases) {
    SCOPED_TRACE(expected.at("settings").dump());
    const Engine& model = engine(expected.value("head", std::string()));
    json settings = expected.at("settings");
    std::shared_ptr<const Statistics> statistics;
    if (settings.contains("stats")) {
      statistics = std::make_shared<const Statistics>(
          readStatistics(folder / settings.at("stats").get<std::string>()));
      settings.erase("stats");
    }
    MethodChoice choice = test::choiceOf(settings, statistics);
    const InputTensor input =
        prepareImage(loadImage(folder / expected.at("image").get<std::string>()),
                     model.info().preprocessing)
            .input;
    const ImageResult result =
        model.run({&input, 1}, choice, {.trace = true, .features = true}).front();
    if (choice.method == "none") baseline = result;
    expectBlocks(result, expected.at("layers"));
    expectNear(result.embedding, expected.at("embedding"), 2e-5, "embedding");
    if (expected.contains("logits")) {
      expectNear(result.logits, expected.at("logits"), 2e-5, "logit");
    } else {
      EXPECT_TRUE(result.logits.empty());
    }
    EXPECT_NEAR(embeddingCosine(baseline, result), expected.at("embedding_cosine").get<double>(),
                1e-5);
    EXPECT_NEAR(patchCosine(baseline, result), expected.at("patch_cosine").get<double>(), 1e-5);
    EXPECT_NEAR(result.flops.paper, expected.at("flops_paper").get<double>(), 1e-9);
    EXPECT_NEAR(result.flops.total, expected.at("flops_total").get<double>(), 1e-9);
  }
  return static_cast<int>(cases.size());
}

int runAll(const fs::path& root) {
  int cases = 0;
  if (!fs::is_directory(root)) return cases;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (fs::exists(entry.path() / "cases.json")) cases += runFolder(entry.path());
  }
  return cases;
}

TEST(FamiliesMerging, EqualTheReference) { EXPECT_GE(runAll(kOwn), 10); }

TEST(FamiliesMerging, SharedEqualTheReference) {
  if (!fs::is_directory(kShared)) GTEST_SKIP() << kShared << " is not here";
  EXPECT_GE(runAll(kShared), 103);
}

}  // namespace
}  // namespace adamerge
