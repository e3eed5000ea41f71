// SPDX-License-Identifier: GPL-3.0-or-later
// What the engine offers methods beyond merging: drops, attention statistics, parts that run on
// fewer tokens and are restored, hidden keys, and what a method remembers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <random>

#include "adamerge/flops.h"
#include "adamerge/result.h"
#include "engine/placed_model.h"
#include "error_message.h"
#include "kernels/attention.h"
#include "merging/apply.h"
#include "ppm.h"
#include "reference_cases.h"
#include "test_device.h"

namespace adamerge {
namespace {

using testing::HasSubstr;
using Stage = MergeMethod::Stage;

const std::filesystem::path kPictures = std::filesystem::path(ADAMERGE_TEST_DATA) / "merging";
constexpr int kBlock = 5;

/// Does in kBlock what the test says.
class Scripted final : public ImageMethod {
 public:
  using Plan = std::function<MergePlan(const LayerTokens&)>;
  Scripted(Stage stage, Plan plan, WantedStatistics wanted = {}, int wanted_in = kBlock)
      : stage_(stage), plan_(std::move(plan)), wanted_(wanted), wanted_in_(wanted_in) {}
  Stage stage() const override { return stage_; }
  bool actsIn(int block) const override { return block == kBlock; }
  WantedStatistics wanted(int block) const override {
    return block == wanted_in_ ? wanted_ : WantedStatistics{};
  }
  MergePlan plan(const LayerTokens& layer) const override { return plan_(layer); }

 private:
  Stage stage_;
  Plan plan_;
  WantedStatistics wanted_;
  int wanted_in_;
};

class Frame : public testing::Test {
 protected:
  ImageResult run(std::unique_ptr<MergeMethod> method, const RunOptions& options = {}) const {
    return engine_.run({&picture_, 1}, prepared(std::move(method)), options).front();
  }
  PreparedMethod prepared(std::unique_ptr<MergeMethod> method) const {
    auto state = std::make_shared<PreparedMethod::State>();
    state->choice.method = "scripted";
    state->method = std::move(method);
    state->engine = engine_.prepare({}).state().engine;
    return PreparedMethod(std::move(state));
  }
  ImageResult scripted(Stage stage, Scripted::Plan plan, WantedStatistics wanted = {},
                       int wanted_in = kBlock) const {
    return run(std::make_unique<Scripted>(stage, std::move(plan), wanted, wanted_in));
  }
  const VitConfig& vit() const { return engine_.info().vit; }

  Engine engine_ = Engine::load(std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10",
                                {.device = test::testDevice(), .dtype = "float32"});
  InputTensor picture_ = test::readPpm(kPictures / "drawn-cat.ppm");
};

/// Every third patch token is the source of the one before it.
MergePlan thirds(const LayerTokens& layer) {
  MergePlan plan;
  for (std::int64_t k = 0; k < layer.count(); ++k) {
    if (k >= layer.prefix && (k - layer.prefix) % 3 == 2) {
      plan.merges.push_back({k, k - 1, 0.5F});
    } else {
      plan.order.push_back(k);
    }
  }
  plan.weights.assign(static_cast<std::size_t>(layer.count()), 1.0F);
  return plan;
}

/// The same ones dropped.
MergePlan thirdsDropped(const LayerTokens& layer) {
  MergePlan plan = thirds(layer);
  for (const PlannedMerge& merge : plan.merges) plan.dropped.push_back({merge.source});
  plan.merges.clear();
  return plan;
}

TEST_F(Frame, ADroppedTokenGivesNothingAndTheMostSimilarStandsForItsPatches) {
  for (const Stage stage : {Stage::kBeforeBlock, Stage::kBetweenAttentionAndMlp}) {
    at::Tensor seen;
    const ImageResult dropped = scripted(stage, [&](const LayerTokens& layer) {
      seen = layer.tokens.to(at::kCPU, at::kDouble).clone();
      return thirdsDropped(layer);
    });
    // Absorbed by a token that keeps its value, it gives nothing either.
    const ImageResult absorbed = scripted(stage, [](const LayerTokens& layer) {
      MergePlan plan = thirds(layer);
      plan.combine = Combine::kPrune;
      return plan;
    });
    EXPECT_EQ(dropped.logits, absorbed.logits);
    EXPECT_EQ(dropped.flops.paper, absorbed.flops.paper);

    const LayerTrace& layer = dropped.layers[kBlock];
    EXPECT_EQ(layer.merged, layer.tokens_in - layer.tokens_out);
    EXPECT_EQ(layer.merged, vit().patchTokens() / 3);
    EXPECT_TRUE(layer.merges.empty());
    std::vector<int> expected;
    for (int patch = 2; patch < vit().patchTokens(); patch += 3) expected.push_back(patch);
    EXPECT_EQ(layer.dropped, expected);
    const std::vector<int> survivors = survivingPatches(dropped.layers, kBlock);
    for (const int patch : expected) {
      const auto cosine = [&](int other) {
        const at::Tensor a = seen[patch + vit().prefixTokens()];
        const at::Tensor b = seen[other + vit().prefixTokens()];
        return (a.dot(b) / (a.norm() * b.norm())).item<double>();
      };
      int best = 0;
      for (int other = 1; other < vit().patchTokens(); ++other) {
        if (other % 3 != 2 && cosine(other) > cosine(best)) best = other;
      }
      EXPECT_EQ(survivors[patch], best) << patch;
    }
    const std::vector<bool> gone = droppedPatches(dropped.layers, vit().depth - 1);
    EXPECT_EQ(std::count(gone.begin(), gone.end(), true), layer.merged);
    const ImageResult untraced =
        run(std::make_unique<Scripted>(stage, thirdsDropped), {.trace = false, .features = true});
    EXPECT_EQ(untraced.logits, dropped.logits);
    EXPECT_GT(*std::min_element(untraced.patch_tokens.begin(), untraced.patch_tokens.end()), 0);
    EXPECT_EQ(run(std::make_unique<Scripted>(stage, thirdsDropped), {.trace = false}).logits,
              dropped.logits);
  }
}

TEST_F(Frame, StandInsOfTheReference) {
  const test::json units =
      test::readReference(std::filesystem::path(ADAMERGE_TEST_DATA) / "methods" / "units.json");
  for (const test::json& unit : units.at("dropped_to")) {
    const auto rows = unit.at("tokens").get<std::vector<std::vector<double>>>();
    at::Tensor tokens = at::empty({static_cast<std::int64_t>(rows.size()), 3}, at::kDouble);
    for (std::size_t i = 0; i < rows.size(); ++i)
      tokens[static_cast<std::int64_t>(i)] = at::tensor(rows[i]);
    const auto dropped = unit.at("dropped").get<std::vector<std::int64_t>>();
    std::vector<std::int64_t> kept;
    for (std::int64_t i = 0; i < tokens.size(0); ++i) {
      if (std::find(dropped.begin(), dropped.end(), i) == dropped.end()) kept.push_back(i);
    }
    EXPECT_EQ(mostSimilar(tokens, dropped, kept, at::kDouble),
              unit.at("goes_to").get<std::vector<std::int64_t>>());
  }
}

TEST_F(Frame, StatisticsAreThoseOfTheAttentionOfTheBlock) {
  const WantedStatistics all{.class_attention = true, .received = true, .value_norms = true};
  for (const Stage stage : {Stage::kBetweenAttentionAndMlp, Stage::kBeforeBlock}) {
    const int of = stage == Stage::kBeforeBlock ? kBlock - 1 : kBlock;
    std::vector<float> class_attention;
    int told = 0;
    const ImageResult result = scripted(
        stage,
        [&](const LayerTokens& layer) {
          const AttentionStatistics& own = *layer.attention;
          class_attention = own.class_attention;
          EXPECT_EQ(static_cast<std::int64_t>(own.value_norms.size()), layer.count());
          EXPECT_GT(*std::min_element(own.value_norms.begin(), own.value_norms.end()), 0.0F);
          EXPECT_EQ(own.received.size(0), vit().heads);
          const at::Tensor sums = own.received.sum(1);
          for (int head = 0; head < vit().heads; ++head) {
            EXPECT_NEAR(sums[head].item<float>(), 1, 1e-5);
          }
          ++told;
          return MergePlan{};
        },
        all, of);
    EXPECT_EQ(told, 1);
    const std::vector<float>& shown = result.layers[static_cast<std::size_t>(of)].attention;
    ASSERT_EQ(class_attention.size(), shown.size() + 1);
    for (std::size_t patch = 0; patch < shown.size(); ++patch) {
      EXPECT_EQ(class_attention[patch + 1], shown[patch]);
    }
  }
}

TEST_F(Frame, ARestoredPartThatMergesNothingChangesNothing) {
  const ImageResult plain = engine_.run({&picture_, 1}, MethodChoice{}).front();
  for (const Stage stage : {Stage::kAroundAttention, Stage::kAroundBlock}) {
    const ImageResult same = scripted(stage, [](const LayerTokens&) { return MergePlan{}; });
    EXPECT_EQ(same.logits, plain.logits);
    EXPECT_EQ(same.flops.paper, plain.flops.paper);
    EXPECT_TRUE(same.layers[kBlock].restored);
    EXPECT_EQ(same.layers[kBlock].tokens_inside, 197);
    EXPECT_EQ(same.layers[kBlock].merged, 0);
    EXPECT_EQ(same.layers[kBlock].attention, plain.layers[kBlock].attention);
  }
}

TEST_F(Frame, GroupsOfARestoredPartHoldForItsBlockAlone) {
  constexpr double kGiga = 1e9;
  const double d = vit().dim;
  const double n = 197;
  const double t = 197 - 65;
  const double unmerged = unmergedFlops(vit()).paper;
  for (const Stage stage : {Stage::kAroundAttention, Stage::kAroundBlock}) {
    const ImageResult result = scripted(stage, thirds);
    const LayerTrace& layer = result.layers[kBlock];
    EXPECT_TRUE(layer.restored);
    EXPECT_EQ(layer.tokens_inside, static_cast<int>(t));
    EXPECT_EQ(layer.merged, 65);
    EXPECT_EQ(layer.tokens_out, 197);
    EXPECT_EQ(layer.groups[1], layer.groups[2]);
    EXPECT_NE(layer.groups[0], layer.groups[1]);
    const std::vector<int> survivors = survivingPatches(result.layers, kBlock);
    EXPECT_EQ(survivors[2], 1);
    for (int block = kBlock + 1; block < vit().depth; ++block) {
      EXPECT_FALSE(result.layers[static_cast<std::size_t>(block)].restored);
      EXPECT_EQ(survivingPatches(result.layers, block)[2], 2);
    }
    const double whole = 12 * n * d * d + 2 * n * n * d;
    const double inside = stage == Stage::kAroundBlock
                              ? 12 * t * d * d + 2 * t * t * d
                              : 3 * t * d * d + n * d * d + 2 * t * t * d + 8 * n * d * d;
    EXPECT_NEAR(result.flops.paper, unmerged - (whole - inside) / kGiga, 1e-9);
  }
}

TEST_F(Frame, MatricesOfMeansAndCopiesDoWhatGroupsDo) {
  const ImageResult groups = scripted(Stage::kAroundBlock, thirds);
  const ImageResult matrices = scripted(Stage::kAroundBlock, [](const LayerTokens& layer) {
    MergePlan plan = thirds(layer);
    const std::vector<int> place = newPositions(plan, static_cast<std::size_t>(layer.count()));
    const auto inside = static_cast<std::int64_t>(plan.order.size());
    auto restoration = std::make_shared<Restoration>();
    restoration->recover = at::zeros({layer.count(), inside}, at::kDouble);
    for (std::int64_t k = 0; k < layer.count(); ++k) restoration->recover[k][place[k]] = 1;
    const at::Tensor sizes = restoration->recover.sum(0, /*keepdim=*/true);
    restoration->merge = (restoration->recover / sizes).t().contiguous();
    restoration->rest = at::zeros({layer.count()}, at::kDouble);
    plan.restoration = restoration;
    return plan;
  });
  EXPECT_EQ(matrices.layers[kBlock].groups, groups.layers[kBlock].groups);
  for (std::size_t i = 0; i < groups.logits.size(); ++i) {
    EXPECT_NEAR(matrices.logits[i], groups.logits[i], 2e-5);
  }
}

TEST_F(Frame, HiddenKeysAreCountedAtWhatIsSeen) {
  constexpr double kGiga = 1e9;
  const auto hiding = [](const LayerTokens& layer) {
    MergePlan plan;
    plan.keys.resize(1);
    for (std::int64_t key = 0; key < layer.count(); key += 2) plan.keys[0].push_back(key);
    return plan;
  };
  const ImageResult result = scripted(Stage::kBeforeBlock, hiding);
  const ImageResult plain = engine_.run({&picture_, 1}, MethodChoice{}).front();
  EXPECT_EQ(result.layers[kBlock].tokens_out, 197);
  EXPECT_NE(result.logits, plain.logits);
  const double d = vit().dim;
  const double hidden = 197 - 99;
  EXPECT_NEAR(result.flops.paper,
              plain.flops.paper - (2 * hidden * d * d + 2 * 197 * hidden * d) / kGiga, 1e-9);
  const double skipped = test::onCpu() ? 2 * 197 * hidden * d / kGiga : 0;
  EXPECT_NEAR(result.flops.total, plain.flops.total - skipped, 1e-9);
  // Every head the same list as one list for all.
  const ImageResult each = scripted(Stage::kBeforeBlock, [&](const LayerTokens& layer) {
    MergePlan plan = hiding(layer);
    plan.keys.assign(static_cast<std::size_t>(vit().heads), plan.keys[0]);
    return plan;
  });
  EXPECT_EQ(each.logits, result.logits);
  // All keys named.
  const ImageResult all = scripted(Stage::kBeforeBlock, [](const LayerTokens& layer) {
    MergePlan plan;
    plan.keys.emplace_back(static_cast<std::size_t>(layer.count()));
    std::iota(plan.keys[0].begin(), plan.keys[0].end(), 0);
    return plan;
  });
  if (test::onCpu()) {
    EXPECT_EQ(all.logits, plain.logits);
  }
}

TEST_F(Frame, AMethodRemembersEachImageOfOneRun) {
  struct Count final : MethodMemory {
    int calls = 0;
  };
  class Counting final : public ImageMethod {
   public:
    Stage stage() const override { return Stage::kBeforeBlock; }
    std::unique_ptr<MethodMemory> newMemory() const override { return std::make_unique<Count>(); }
    MergePlan plan(const LayerTokens& layer) const override {
      EXPECT_EQ(static_cast<Count*>(layer.memory)->calls++, layer.block);
      return {};
    }
  };
  const PreparedMethod counting = prepared(std::make_unique<Counting>());
  const std::vector<InputTensor> batch(3, picture_);
  for (int again = 0; again < 2; ++again) engine_.run(batch, counting);
}

TEST_F(Frame, FaultsOfDropsKeysAndMatricesAreNamed) {
  const auto problem = [&](const Scripted::Plan& plan, Stage stage = Stage::kBeforeBlock) {
    return test::errorMessage([&] { scripted(stage, plan); });
  };
  EXPECT_THAT(problem([](const LayerTokens& layer) {
                MergePlan plan = thirdsDropped(layer);
                plan.dropped.pop_back();
                return plan;
              }),
              HasSubstr("neither stays nor merges nor is dropped"));
  EXPECT_THAT(problem([](const LayerTokens& layer) {
                MergePlan plan;
                plan.order = {0};
                for (std::int64_t k = 1; k < layer.count(); ++k) plan.dropped.push_back({k});
                return plan;
              }),
              HasSubstr("no patch token is left"));
  EXPECT_THAT(problem([](const LayerTokens& layer) {
                MergePlan plan = thirdsDropped(layer);
                plan.dropped[0].stand_in = plan.dropped[1].position;
                return plan;
              }),
              HasSubstr("stands for a dropped one and does not stay"));
  EXPECT_THAT(problem([](const LayerTokens&) {
                MergePlan plan;
                plan.keys = {{0, 500}};
                return plan;
              }),
              HasSubstr("token 500 is no key"));
  EXPECT_THAT(problem(
                  [](const LayerTokens& layer) {
                    MergePlan plan = thirds(layer);
                    plan.restoration = std::make_shared<Restoration>();
                    return plan;
                  },
                  Stage::kAroundBlock),
              HasSubstr("the matrices that restore it"));
}

TEST(MaxMagnitude, KeepsTheLargestAndOfEqualsTheFirst) {
  MergePlan plan;
  plan.order = {0, 2};
  plan.combine = Combine::kMaxMagnitude;
  plan.merges = {{3, 2, 0}, {1, 2, 0}};
  const at::Tensor tokens = at::tensor({9.F, 9.F, 9.F, 9.F, -2.F, 1.F, -3.F, 4.F, 2.F, -1.F, 3.F,
                                        1.F, 1.F, 1.F, 3.F, -4.F})
                                .reshape({4, 4});
  const at::Tensor expected = at::tensor({9.F, 9.F, 9.F, 9.F, 2.F, -1.F, 3.F, 4.F}).reshape({2, 4});
  // Between -2 and 2, -1 and 1, 3 and -3: the destination's; 4 of position 1 before -4 of 3.
  const at::Tensor merged = at::empty({2, 4});
  applyToTokens(plan, tokens, merged);
  EXPECT_TRUE(merged.equal(expected)) << merged;
  plainApplyToTokens(plan, tokens, merged);
  EXPECT_TRUE(merged.equal(expected)) << merged;
}

TEST(HiddenKeys, GatheredRowsGiveWhatMasksGive) {
  constexpr std::int64_t kHeads = 3;
  constexpr std::int64_t kWidth = 16;
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const at::Tensor qkv = at::empty({230, 3 * kHeads * kWidth}, at::kFloat);
  std::generate_n(qkv.data_ptr<float>(), qkv.numel(), [&] { return normal(random); });
  std::vector<Segment> segments(2);
  segments[0].tokens = 197;
  segments[1].tokens = 33;
  for (Segment& segment : segments) {
    segment.first_row = segment.received = true;
    segment.keys.resize(&segment == segments.data() ? kHeads : 1);
    for (std::size_t list = 0; list < segment.keys.size(); ++list) {
      for (std::int64_t key = 0; key < segment.tokens; ++key) {
        if (key % static_cast<std::int64_t>(list + 2) != 1) segment.keys[list].push_back(key);
      }
    }
    segment.pair_bias = at::empty({kHeads, segment.tokens, segment.tokens});
    std::generate_n(segment.pair_bias.data_ptr<float>(), segment.pair_bias.numel(),
                    [&] { return normal(random); });
    for (std::int64_t key = 0; key < segment.tokens; ++key) {
      segment.key_bias.push_back(normal(random));
    }
  }
  const AttentionOutput fast = attention(qkv, kHeads, segments);
  const AttentionOutput plain = plainAttention(qkv.to(at::kDouble), kHeads, segments);
  EXPECT_TRUE(at::allclose(fast.mixed.to(at::kDouble), plain.mixed, 1e-5, 1e-5));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    EXPECT_TRUE(at::allclose(fast.received[i], plain.received[i], 1e-5, 1e-7));
    EXPECT_EQ(fast.received[i][0][1].item<float>(), 0) << "a key that no query sees";
    for (std::size_t k = 0; k < fast.first_rows[i].size(); ++k) {
      EXPECT_NEAR(fast.first_rows[i][k], plain.first_rows[i][k], 1e-6);
    }
  }
  // A segment among others gets the bits that it gets alone.
  const AttentionOutput alone = attention(qkv.narrow(0, 0, 197), kHeads, {segments.data(), 1});
  EXPECT_TRUE(alone.received[0].equal(fast.received[0]));
  EXPECT_TRUE(alone.mixed.equal(fast.mixed.narrow(0, 0, 197)));
}

}  // namespace
}  // namespace adamerge
