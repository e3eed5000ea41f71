// SPDX-License-Identifier: GPL-3.0-or-later
// The single steps of CubistMerge, StructSAM, Prune and Merge, Focus on the Core and Token
// Compensator against tests/data/methods/units.json (an independent implementation; ties exact),
// and the files that they read.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "adamerge/calibrate.h"
#include "error_message.h"
#include "kernels/linear.h"
#include "merging/compensator.h"
#include "merging/entries.h"
#include "merging/method.h"
#include "ppm.h"
#include "reference_cases.h"
#include "safetensors_writer.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

using test::json;
using testing::AllOf;
using testing::HasSubstr;
using Merges = std::vector<std::vector<std::int64_t>>;

const std::filesystem::path kMethodsData = std::filesystem::path(ADAMERGE_TEST_DATA) / "methods";

const json& units(const char* step) {
  static const json all = test::readReference(kMethodsData / "units.json");
  return all.at(step);
}

at::Tensor tensorOf(const json& rows) {
  std::vector<at::Tensor> list;
  for (const json& row : rows) list.push_back(at::tensor(row.get<std::vector<double>>()));
  return at::stack(list);
}

Merges pairs(const std::vector<PlannedMerge>& merges) {
  Merges list;
  for (const PlannedMerge& merge : merges) list.push_back({merge.source, merge.destination});
  return list;
}

/// The bundled model's shape.
VitConfig bundled() {
  VitConfig vit;
  vit.input_height = vit.input_width = 56;
  vit.patch_size = 4;
  vit.dim = 192;
  vit.heads = 3;
  return vit;
}

TEST(CubistMerge, LinesOfTheReference) {
  for (const json& unit : units("cubist_line")) {
    SCOPED_TRACE(unit.dump());
    const at::Tensor tokens = tensorOf(unit.at("tokens")).unsqueeze(0);
    const MergedLines lines = mergeLines(tokens, unit.at("r").get<std::int64_t>());
    EXPECT_EQ(pairs(lines.merges.front()), unit.at("merges").get<Merges>());
    EXPECT_TRUE(at::equal(lines.tokens[0], tensorOf(unit.at("result"))));
    EXPECT_EQ(static_cast<std::int64_t>(lines.kept.front().size()), lines.tokens.size(1));
  }
}

TEST(CubistMerge, EachLineForItself) {
  const at::Tensor tokens = at::randn({5, 7, 4}, at::kDouble);
  for (const std::int64_t r : {0, 1, 2, 3, 9}) {
    const MergedLines all = mergeLines(tokens, r);
    for (std::int64_t line = 0; line < 5; ++line) {
      const MergedLines alone = mergeLines(tokens.narrow(0, line, 1), r);
      EXPECT_EQ(pairs(all.merges[line]), pairs(alone.merges.front()));
      EXPECT_TRUE(at::equal(all.tokens[line], alone.tokens[0]));
    }
  }
  EXPECT_TRUE(at::equal(mergeLines(tokens, 0).tokens, tokens));
}

TEST(CubistMerge, LinesStayWholeWhereValuesAreNotFinite) {
  at::Tensor tokens = at::randn({1, 6, 4}, at::kDouble);
  tokens[0][3].fill_(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(mergeLines(tokens, 2).tokens.size(1), 4);
}

TEST(StructSam, PlansOfTheReference) {
  for (const json& unit : units("structsam_plan")) {
    SCOPED_TRACE(unit.dump());
    const auto grid = unit.at("grid").get<std::vector<std::int64_t>>();
    StructSamRule rule;
    rule.gradient = unit.at("gradient") == "sobel" ? GridGradient::kSobel : GridGradient::kCentral;
    rule.cell = unit.at("cell");
    rule.flat = unit.at("flat");
    rule.ratio = unit.at("ratio");
    const StructSamMerges merges =
        structSamMerges(tensorOf(unit.at("metric")).unflatten(0, {grid[0], grid[1]}), rule);
    const auto energy = unit.at("energy").get<std::vector<double>>();
    ASSERT_EQ(merges.energy.size(), energy.size());
    for (std::size_t i = 0; i < energy.size(); ++i) EXPECT_NEAR(merges.energy[i], energy[i], 1e-8);
    EXPECT_EQ(merges.cells, unit.at("cells").get<std::vector<int>>());
    EXPECT_EQ(pairs(merges.merges), unit.at("merges").get<Merges>());
  }
}

/// As the public code has it: the centre's row is (c + 1) / width, wrong for the last column.
std::vector<int> publicSegments(const std::vector<int>& centres, int count, int width) {
  std::vector<int> segments;
  for (std::size_t k = 0; k < centres.size(); ++k) {
    const bool last = k + 1 == centres.size();
    const int end = last ? count
                         : std::min((centres[k] + centres[k + 1] + 1) / 2,
                                    ((centres[k] + 1) / width + 1) * width);
    segments.resize(static_cast<std::size_t>(end), static_cast<int>(k));
  }
  return segments;
}

TEST(PruneMerge, StructureOfTheReference) {
  bool rows_matter = false;
  for (const json& unit : units("prune_merge_structure")) {
    SCOPED_TRACE(unit.dump());
    const auto grid = unit.at("grid").get<std::vector<int>>();
    const auto scores = unit.at("importance").get<std::vector<std::vector<double>>>();
    const auto blocks = unit.at("blocks").get<std::vector<int>>();
    const auto segmented =
        segmentBlocks(scores, blocks, unit.at("keep"), unit.at("prune"), grid[1]);
    ASSERT_EQ(segmented.size(), unit.at("result").size());
    for (std::size_t k = 0; k < segmented.size(); ++k) {
      const json& wanted = unit.at("result").at(k);
      const SegmentedBlock& block = segmented[k];
      EXPECT_EQ(block.block, wanted.at("block").get<int>());
      EXPECT_EQ(block.centres, wanted.at("centres").get<std::vector<int>>());
      EXPECT_EQ(block.segments, wanted.at("segments").get<std::vector<int>>());
      EXPECT_EQ(block.pruned, wanted.at("pruned").get<std::vector<int>>());
      const auto weights = wanted.at("weights").get<std::vector<double>>();
      for (std::size_t j = 0; j < weights.size(); ++j) {
        EXPECT_NEAR(block.weights[j], weights[j], 1e-8) << j;
      }
      const auto with_public_rows = publicSegments(block.centres, grid[0] * grid[1], grid[1]);
      EXPECT_EQ(with_public_rows,
                wanted.at("segments_with_the_public_rows").get<std::vector<int>>());
      rows_matter = rows_matter || with_public_rows != block.segments;
    }
  }
  EXPECT_TRUE(rows_matter);
}

TEST(PruneMerge, RestoringIsThePseudoInverseOfMerging) {
  const Importance importance = readImportance(kMethodsData / "prune-merge-gradient.json");
  for (const SegmentedBlock& block :
       segmentBlocks(importance.scores, importance.blocks, 50, 20, 14)) {
    const auto n = static_cast<std::int64_t>(block.segments.size());
    const at::Tensor merge =
        at::zeros({static_cast<std::int64_t>(block.centres.size()), n}, at::kDouble);
    const at::Tensor restore = at::zeros_like(merge.t());
    for (std::int64_t j = 0; j < n; ++j) {
      merge[block.segments[j]][j] = block.weights[j];
      restore[j][block.segments[j]] = block.restoring[j];
    }
    EXPECT_LT((merge.pinverse() - restore).abs().max().item<double>(), 1e-9);
  }
}

TEST(PruneMerge, ReadsImportanceAndWritesWhatItReads) {
  const Importance importance = readImportance(kMethodsData / "prune-merge-received.json");
  EXPECT_EQ(importance.kind, "received");
  EXPECT_EQ(importance.depth, 12);
  EXPECT_EQ(importance.images, 8);
  ASSERT_EQ(importance.scores.size(), 12U);
  ASSERT_EQ(importance.scores.front().size(), 196U);
  const test::TemporaryFolder folder;
  writeImportance(importance, folder.path() / "copy.json");
  EXPECT_EQ(readImportance(folder.path() / "copy.json").scores, importance.scores);
}

TEST(PruneMerge, SaysWhatIsWrongWithImportance) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "importance.json";
  const auto problem = [&](const char* key, json value) {
    json file = {{"format", 1},
                 {"model", "m"},
                 {"depth", 2},
                 {"blocks", {0, 1}},
                 {"images", 1},
                 {"kind", "received"},
                 {"scores", {{1, 2}, {3, 4}}}};
    file[key] = std::move(value);
    test::writeBytes(path, file.dump());
    return test::errorMessage([&] { readImportance(path); });
  };
  EXPECT_THAT(problem("format", 2), AllOf(HasSubstr("importance.json"), HasSubstr("format")));
  EXPECT_THAT(problem("kind", "loud"), HasSubstr("'gradient' or 'received' is expected"));
  EXPECT_THAT(problem("kind", nullptr), HasSubstr("kind is missing"));
  EXPECT_THAT(problem("blocks", {1, 0}), HasSubstr("ascending"));
  EXPECT_THAT(problem("blocks", {0, 2}), HasSubstr("below 2"));
  EXPECT_THAT(problem("scores", {{1, 2}}), HasSubstr("2 lists, one per block"));
  EXPECT_THAT(problem("scores", {{1, 2}, {3}}), HasSubstr("scores of block 1 must be 2 numbers"));
  EXPECT_THAT(problem("scores", {{1, 2}, {3, -1}}), HasSubstr("each 0 or from 1e-100 to 1e+100"));
  EXPECT_THAT(problem("scores", {{1, 2}, {3, 1e300}}), HasSubstr("scores of block 1"));
  EXPECT_THAT(problem("scores", {{1, 2}, {3, 1e-300}}), HasSubstr("scores of block 1"));
  EXPECT_THAT(problem("scores", {nullptr, {3, 4}}), HasSubstr("scores of block 0 must be a list"));
  EXPECT_THAT(problem("blocks", json::array()), HasSubstr("at least one block"));
  EXPECT_THAT(problem("scores", {{1, 2}, {3, "a"}}), HasSubstr("numbers"));
  EXPECT_THAT(problem("scores", 3), HasSubstr("scores must be"));
}

/// A set of matrices for 4 patches and a class token, 3 tokens inside.
test::NamedTensors matrices(const std::string& block) {
  return {{block + "merge_matrix", at::ones({3, 5})},
          {block + "recover_matrix", at::ones({5, 3})},
          {block + "token_mask", at::ones({5})},
          {block + "bias", at::ones({5})}};
}

TEST(PruneMerge, ReadsTrainedMatricesThatFit) {
  VitConfig vit;
  vit.input_height = vit.input_width = 32;
  vit.depth = 2;
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "matrices.safetensors";
  test::writeSafetensors(path, matrices("blocks.1.attn."));
  const std::vector<TrainedMatrices> read = readTrainedMatrices(path, vit);
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read.front().block, 1);
  EXPECT_EQ(read.front().merge.size(0), 3);
  EXPECT_EQ(read.front().rest.sum().item<double>(), 0);

  const auto problem = [&](const test::NamedTensors& tensors) {
    test::writeSafetensors(path, tensors);
    return test::errorMessage([&] { readTrainedMatrices(path, vit); });
  };
  EXPECT_THAT(problem({{"a", at::ones({1})}}), HasSubstr("has no blocks.N.attn.merge_matrix"));
  for (const char* block : {"2", "-1", "01", "99999999999"}) {
    EXPECT_THAT(problem(matrices(fmt::format("blocks.{}.attn.", block))),
                HasSubstr("this model, which has 2"));
  }
  test::NamedTensors lacking = matrices("blocks.0.attn.");
  lacking.erase("blocks.0.attn.token_mask");
  EXPECT_THAT(problem(lacking), HasSubstr("token_mask is missing"));
  test::NamedTensors wide = matrices("blocks.0.attn.");
  wide["blocks.0.attn.merge_matrix"] = at::ones({3, 6});
  EXPECT_THAT(problem(wide), AllOf(HasSubstr("[3, 6]"), HasSubstr("[3, 5]")));
  wide["blocks.0.attn.merge_matrix"] = at::ones({6, 5});
  EXPECT_THAT(problem(wide), HasSubstr("2 to 5 rows of 5"));
}

TEST(Focus, FuzzyRuleOfTheReference) {
  for (const json& unit : units("focus_step")) {
    SCOPED_TRACE(unit.dump());
    const FuzzyPruning pruning =
        fuzzyPruning(unit.at("scores").get<std::vector<std::vector<double>>>(),
                     unit.at("left").get<Merges>(), unit.at("p"), unit.at("fuzzy"));
    EXPECT_EQ(pruning.stay, unit.at("stay").get<Merges>());
    EXPECT_EQ(pruning.quartiles.has_value(), unit.at("fuzzy").get<bool>());
  }
}

TEST(Focus, SeedsAreFarFromEachOther) {
  // Three directions, told apart after each token's mean is taken off; the first seed is given.
  const at::Tensor tokens = at::tensor({1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 0.0,  //
                                        0.0, 0.0, 3.0, 0.0, 2.0, 0.0})
                                .reshape({5, 3});
  const Combination three = combination(tokens, 3, 2);
  EXPECT_EQ(three.seeds, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(three.group, (std::vector<std::int64_t>{2, 1, 2, 3, 1}));
  const Combination one = combination(tokens, 1, 4);
  EXPECT_EQ(one.group, (std::vector<std::int64_t>{4, 4, 4, 4, 4}));
  // Equal tokens are taken by position.
  const Combination equal = combination(at::ones({4, 3}), 2, 2);
  EXPECT_EQ(equal.seeds, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(equal.group, (std::vector<std::int64_t>{0, 0, 2, 0}));
}

const Engine& bundledEngine() {
  static const Engine engine =
      Engine::load(std::filesystem::path(ADAMERGE_MODELS) / "vit-tiny-cifar10",
                   {.device = "cpu", .dtype = "float32"});
  return engine;
}

std::string problemOf(const std::string& method, Settings settings) {
  return test::errorMessage([&] {
    bundledEngine().prepare({method, std::move(settings), nullptr, false});
  });
}

InputTensor picture() {
  return test::readPpm(std::filesystem::path(ADAMERGE_TEST_DATA) / "merging" / "drawn-cat.ppm");
}

TEST(GridMethods, SayWhichSettingsDoNotSuit) {
  using List = std::vector<std::int64_t>;
  EXPECT_THAT(
      problemOf("cubistmerge", {{"r", std::int64_t{8}}}),
      HasSubstr("--r 8 is more than the grid allows: this model's is 14 x 14, so at most 7"));
  EXPECT_THAT(problemOf("cubistmerge", {{"at", List{12}}}), HasSubstr("--at names block 12"));
  EXPECT_THAT(problemOf("structsam", {{"blocks", List{1, 13}}}), HasSubstr("block 13"));
  EXPECT_THAT(
      problemOf("focus", {{"prune", std::string("tokens")}, {"heads", std::string("each")}}),
      HasSubstr("--prune tokens needs --heads mean"));
  EXPECT_THAT(problemOf("focus", {{"combine_at", std::int64_t{13}}}),
              HasSubstr("beyond this model's 12 blocks"));
  EXPECT_THAT(problemOf("focus", {{"combine_tokens", std::int64_t{197}}}),
              HasSubstr("more than this model's 196 patch tokens"));
  EXPECT_THAT(problemOf("prune-merge", {{"keep", std::int64_t{70}}, {"prune", std::int64_t{40}}}),
              HasSubstr("110 % of the tokens together: at most 100"));
  EXPECT_THAT(problemOf("prune-merge", {{"importance_file", std::string("/nowhere.json")}}),
              HasSubstr("/nowhere.json"));
  EXPECT_THAT(
      problemOf("prune-merge", {{"matrices", (kMethodsData / "tocom.safetensors").string()}}),
      HasSubstr("has no blocks.N.attn.merge_matrix"));
  const std::string file = (kMethodsData / "tocom.safetensors").string();
  EXPECT_THAT(problemOf("tome", {{"compensator", file}, {"r", std::int64_t{17}}}),
              HasSubstr("counts from 0 to 16"));
  EXPECT_THAT(problemOf("tome", {{"compensator", file}, {"inflection", 0.5}}),
              HasSubstr("the same in every block"));
  EXPECT_THAT(problemOf("tome", {{"compensator", file}, {"r_per_block", List{8, 8}}}),
              HasSubstr("the same in every block"));
}

TEST(CubistMerge, NeedsWholeRowsAndColumns) {
  const VitConfig vit = bundled();
  const auto method = findMethodEntry("cubistmerge")
                          .make(completeSettings({"cubistmerge", {}, nullptr, false}, vit), {vit});
  const std::vector<float> sizes(196, 1.0F);
  LayerTokens layer;
  layer.block = 3;
  layer.prefix = 1;
  layer.tokens = at::ones({196, 8});
  layer.sizes = sizes;
  EXPECT_THAT(test::errorMessage([&] {
                method->plans({&layer, 1});
              }),
              HasSubstr("block 3 has 195 patch tokens, which are no grid of 14 x 14"));
}

TEST(PruneMerge, RefusesImportanceOfAnotherModel) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "importance.json";
  const auto problem = [&](const std::function<void(Importance&)>& spoil,
                           const std::string& kind = "file") {
    Importance importance = readImportance(kMethodsData / "prune-merge-received.json");
    spoil(importance);
    writeImportance(importance, path);
    return problemOf("prune-merge", {{"importance_file", path.string()}, {"importance", kind}});
  };
  EXPECT_THAT(problem([](Importance& own) { own.model = "another"; }),
              HasSubstr("of the model 'another', this is 'vit-tiny-cifar10'"));
  EXPECT_THAT(problem([](Importance& own) {
                own.depth = 11;
                own.scores.pop_back();
                own.blocks.pop_back();
              }),
              HasSubstr("of a model of 11 blocks, vit-tiny-cifar10 has 12"));
  EXPECT_THAT(problem([](Importance& own) {
                for (auto& scores : own.scores) scores.resize(100);
              }),
              HasSubstr("of 100 patches, vit-tiny-cifar10 has 196"));
  EXPECT_THAT(problem([](Importance& own) { own.blocks.erase(own.blocks.begin() + 4); }),
              HasSubstr("has no scores of block 4"));
  EXPECT_THAT(problem([](Importance& /*own*/) {}, "gradient"),
              HasSubstr("--importance gradient is asked for, and the file holds 'received'"));
}

/// A model without a file runs, and says by what; matrices that merge nothing change nothing.
TEST(PruneMerge, TrainedMatricesRunAsTheyAre) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "matrices.safetensors";
  const InputTensor input = picture();
  const auto run = [&](const Settings& settings) {
    return bundledEngine().run({&input, 1}, {"prune-merge", settings, nullptr, false}).front();
  };
  const Settings named{{"matrices", path.string()}};
  const std::vector<float> plain = bundledEngine().run({&input, 1}, MethodChoice{}).front().logits;
  const auto write = [&](const at::Tensor& merge, const at::Tensor& recover,
                         const at::Tensor& mask) {
    test::writeSafetensors(path, {{"blocks.4.attn.merge_matrix", merge},
                                  {"blocks.4.attn.recover_matrix", recover},
                                  {"blocks.4.attn.token_mask", mask}});
  };
  write(at::eye(197), at::eye(197), at::ones({197}));
  const ImageResult same = run(named);
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(same.logits[i], plain[i], 1e-5);
  // All inside, but not as they were.
  write(2 * at::eye(197), at::eye(197), at::ones({197}));
  EXPECT_GT(std::abs(run(named).logits[0] - plain[0]), 1e-3);

  // What the importance lays out, as matrices of a file.
  const Settings laid_out{
      {"importance_file", (kMethodsData / "prune-merge-gradient.json").string()},
      {"blocks", std::vector<std::int64_t>{4}},
      {"keep", std::int64_t{50}},
      {"prune", std::int64_t{20}}};
  const Importance importance = readImportance(kMethodsData / "prune-merge-gradient.json");
  const std::vector<int> blocks{4};
  const SegmentedBlock block = segmentBlocks(importance.scores, blocks, 50, 20, 14).front();
  const auto inside = static_cast<std::int64_t>(block.centres.size());
  const at::Tensor merge = at::zeros({inside + 1, 197});
  const at::Tensor recover = at::zeros({197, inside + 1});
  const at::Tensor mask = at::ones({197});
  merge[0][0] = recover[0][0] = 1;
  for (int j = 0; j < 196; ++j) {
    const auto index = static_cast<std::size_t>(j);
    merge[block.segments[index] + 1][j + 1] = block.weights[index];
    recover[j + 1][block.segments[index] + 1] = block.restoring[index];
  }
  for (const int pruned : block.pruned) mask[pruned + 1] = 0;
  write(merge, recover, mask);
  const ImageResult dense = run(named);
  const ImageResult sparse = run(laid_out);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_NEAR(dense.logits[i], sparse.logits[i], 1e-4);
  }
  EXPECT_EQ(dense.layers[4].tokens_inside, sparse.layers[4].tokens_inside);
  EXPECT_EQ(dense.flops.paper, sparse.flops.paper);
  EXPECT_GT(dense.flops.total, sparse.flops.total);
  EXPECT_EQ(dense.layers[5].merged, 0);
}

TEST(Compensator, EqualCountsAddNothingToTheLastBit) {
  const InputTensor input = picture();
  const std::string file = (kMethodsData / "tocom.safetensors").string();
  const auto run = [&](Settings settings) {
    settings["r"] = std::int64_t{8};
    return bundledEngine().run({&input, 1}, {"tome", std::move(settings), nullptr, false}).front();
  };
  const ImageResult plain = run({});
  const ImageResult equal = run({{"compensator", file}, {"source", std::int64_t{8}}});
  EXPECT_EQ(equal.logits, plain.logits);
  const ImageResult other = run({{"compensator", file}, {"source", std::int64_t{3}}});
  EXPECT_NE(other.logits, plain.logits);
  EXPECT_EQ(other.flops.total, plain.flops.total);
  EXPECT_EQ(knobRange({"tome", {{"compensator", file}}, nullptr, false}, bundled()).strongest, 16);
}

/// bf16 and other packed weights take the change too.
TEST(Compensator, ChangesPackedWeightsOfEveryKind) {
  const at::Tensor weight = at::randn({48, 20});
  const at::Tensor bias = at::randn({48});
  const at::Tensor change = at::randn({48, 20}, at::kDouble);
  const at::Tensor x = at::randn({7, 20});
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const PackedLinear layer(weight.to(type), bias.to(type));
    const at::Tensor sum = (weight.to(type).to(at::kDouble) + change).to(type);
    EXPECT_TRUE(
        at::equal(layer.plus(change)(x.to(type)), PackedLinear(sum, bias.to(type))(x.to(type))))
        << type;
    EXPECT_TRUE(at::equal(layer.plus(at::zeros_like(change))(x.to(type)), layer(x.to(type))));
  }
}

TEST(Compensator, FoldsTheMapsBetweenTwoDegrees) {
  const VitConfig vit = bundled();
  const Compensator compensator(kMethodsData / "tocom.safetensors", vit);
  EXPECT_TRUE(compensator.changes(7, 7, 0.1).empty());
  const auto tensors = readWeights(kMethodsData / "tocom.safetensors").tensors;
  const auto one = [&](int block, const char* part, int source, int target) {
    const std::string stem = "blocks." + std::to_string(block) + ".attn." + part;
    const at::Tensor down = tensors.at(stem + "_tocom.adapter_down.weight").to(at::kDouble);
    const at::Tensor up = tensors.at(stem + "_tocom.adapter_up.weight").to(at::kDouble);
    const auto mask = [](int degree) {
      at::Tensor ones = at::zeros({32}, at::kDouble);
      ones.narrow(0, 32 - 2 * degree, 2 * degree).fill_(1);
      return ones;
    };
    return 0.1 * up.mm((mask(target) - mask(source)).unsqueeze(1) * down);
  };
  for (const auto& [source, target] : {std::pair(0, 8), {13, 4}, {8, 0}, {0, 16}}) {
    const std::vector<at::Tensor> changes = compensator.changes(source, target, 0.1);
    ASSERT_EQ(changes.size(), 12U);
    for (const int block : {0, 11}) {
      const at::Tensor wanted =
          at::cat({one(block, "q", source, target), at::zeros({192, 192}, at::kDouble),
                   one(block, "v", source, target)});
      EXPECT_LT((changes[block] - wanted).abs().max().item<double>(), 1e-15);
      EXPECT_GT(wanted.abs().max().item<double>(), 1e-4);
    }
  }
}

TEST(Compensator, SaysWhatDoesNotFit) {
  const test::TemporaryFolder folder;
  VitConfig vit = bundled();
  const auto problem = [&](const std::filesystem::path& path) {
    return test::errorMessage([&] { Compensator(path, vit); });
  };
  vit.dim = 384;
  EXPECT_THAT(problem(kMethodsData / "tocom.safetensors"),
              AllOf(HasSubstr("tocom.safetensors"), HasSubstr("384 wide"), HasSubstr("192")));
  vit.dim = 192;
  vit.depth = 13;
  EXPECT_THAT(problem(kMethodsData / "tocom.safetensors"), HasSubstr("blocks.12.attn.q_tocom"));
  vit.depth = 6;
  EXPECT_THAT(problem(kMethodsData / "tocom.safetensors"), HasSubstr("only 6 blocks"));
  vit.depth = 1;
  const auto file = folder.path() / "file.safetensors";
  test::NamedTensors tensors;
  for (const char* part : {"q", "v"}) {
    const std::string stem = std::string("blocks.0.attn.") + part + "_tocom.adapter_";
    tensors[stem + "down.weight"] = at::ones({16, 192});
    tensors[stem + "up.weight"] = at::ones({192, 16});
  }
  test::writeSafetensors(file, tensors);
  EXPECT_EQ(Compensator(file, vit).changes(0, 3, 1).size(), 1U);
  EXPECT_EQ(Compensator(file, vit).changes(3, 0, 1)[0][0][0].item<double>(), -3);
  tensors["blocks.0.attn.v_tocom.adapter_up.weight"] = at::ones({192, 32});
  test::writeSafetensors(file, tensors);
  EXPECT_THAT(problem(file), HasSubstr("has the rank 32, others have 16"));
  tensors["blocks.0.attn.v_tocom.adapter_up.weight"] = at::ones({192, 20});
  test::writeSafetensors(file, tensors);
  EXPECT_THAT(problem(file), HasSubstr("multiple of 16"));
  test::writeSafetensors(file, {{"head.weight", at::ones({2, 2})}});
  EXPECT_THAT(problem(file), HasSubstr("not usable as a token compensator"));
}

}  // namespace
}  // namespace adamerge
