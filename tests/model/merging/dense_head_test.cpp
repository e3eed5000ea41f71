// SPDX-License-Identifier: GPL-3.0-or-later
// Dense heads against the cases of an independent implementation: class maps identical, agreement
// and mIoU with the unmerged run, under both ways of unmerging. tests/data/dense holds the cases,
// ../shared their features too.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "adamerge/engine.h"
#include "adamerge/evaluate.h"
#include "adamerge/image.h"
#include "adamerge/lenses.h"
#include "adamerge/report.h"
#include "error_message.h"
#include "reference_cases.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using test::errorMessage;
using test::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

const fs::path kDenseHere = fs::path(ADAMERGE_TEST_DATA) / "dense";
const fs::path kDenseShared = fs::path(ADAMERGE_SHARED) / "reference" / "dense";

struct Headed {
  Engine engine;
  InputTensor input;
};

Headed open(const fs::path& folder, const std::string& head) {
  Engine engine =
      Engine::load(folder, {.device = "cpu", .dtype = "float32", .dense_head = folder / head});
  InputTensor input =
      prepareImage(loadImage(folder / "image.png"), engine.info().preprocessing).input;
  return {std::move(engine), std::move(input)};
}

ImageResult runOn(const Headed& model, const MethodChoice& choice) {
  return model.engine.run({&model.input, 1}, choice, {.trace = true, .features = true}).front();
}

/// Of the last block, each patch with its token's, [n, d].
std::vector<float> copied(const ImageResult& result) {
  const auto tokens = static_cast<std::size_t>(result.layers.back().tokens_out);
  const std::size_t width = result.features.size() / tokens;
  std::vector<float> rows;
  for (const int token : result.patch_tokens) {
    const float* row = result.features.data() + static_cast<std::size_t>(token) * width;
    rows.insert(rows.end(), row, row + width);
  }
  return rows;
}

/// `wanted` [k * d, height, width]: the last d of its channels.
void expectFeatures(const std::vector<float>& ours, const test::FileTensor& wanted) {
  const std::size_t patches = wanted.values.size() / static_cast<std::size_t>(wanted.shape[0]);
  const std::size_t width = ours.size() / patches;
  const std::size_t before = static_cast<std::size_t>(wanted.shape[0]) - width;
  for (std::size_t patch = 0; patch < patches; ++patch) {
    for (std::size_t i = 0; i < width; ++i) {
      ASSERT_NEAR(ours[patch * width + i], wanted.values[(before + i) * patches + patch], 2e-5)
          << "patch " << patch << ", channel " << i;
    }
  }
}

int runDenseFolder(const fs::path& folder) {
  SCOPED_TRACE(folder.string());
  const json cases = test::readReference(folder / "cases.json");
  const Headed model = open(folder, cases[0].at("dense_head"));
  const ImageResult unmerged = runOn(model, {});
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const json& expected = cases[i];
    SCOPED_TRACE(expected.at("settings").dump());
    const MethodChoice choice = test::choiceOf(expected.at("settings"), nullptr);
    const ImageResult result = runOn(model, choice);
    const json& dense = expected.at("dense");
    EXPECT_NE(result.classes, nullptr);
    if (result.classes == nullptr) return 0;
    EXPECT_EQ(result.classes->patches, dense.at("map").get<std::vector<int>>());
    const MapAgreement maps = compareMaps(*unmerged.classes, *result.classes);
    EXPECT_NEAR(maps.patch_agreement, dense.at("patch_agreement").get<double>(), 1e-6);
    EXPECT_NEAR(maps.patch_miou, dense.at("patch_miou").get<double>(), 1e-6);
    EXPECT_NEAR(maps.pixel_agreement, dense.at("pixel_agreement").get<double>(), 2e-3);
    EXPECT_NEAR(maps.pixel_miou, dense.at("pixel_miou").get<double>(), 2e-3);
    EXPECT_NEAR(embeddingCosine(unmerged, result), expected.at("embedding_cosine").get<double>(),
                1e-5);
    EXPECT_NEAR(patchCosine(unmerged, result), expected.at("patch_cosine").get<double>(), 1e-5);
    EXPECT_NEAR(result.flops.paper, expected.at("flops_paper").get<double>(), 1e-9);
    EXPECT_NEAR(result.flops.total, expected.at("flops_total").get<double>(), 1e-9);
    const json& layers = expected.at("layers");
    EXPECT_EQ(result.layers.size(), layers.size());
    for (std::size_t block = 0; block < std::min(layers.size(), result.layers.size()); ++block) {
      EXPECT_EQ(result.layers[block].groups, layers[block].at("groups").get<std::vector<int>>());
    }
    const bool averaged = expected.at("settings").value("unmerge", "copy") == "average";
    const fs::path merged = folder / "merged.safetensors";
    if (!averaged && fs::exists(merged)) {
      expectFeatures(copied(result), test::readTensor(merged, fmt::format("features_{}", i)));
    }
  }
  return static_cast<int>(cases.size());
}

TEST(DenseHead, EqualsTheReference) {
  EXPECT_EQ(runDenseFolder(kDenseHere / "dense-dinov2"), 7);
  EXPECT_EQ(runDenseFolder(kDenseHere / "dense-vit"), 6);
}

TEST(DenseHead, SharedEqualsTheReference) {
  if (!fs::is_directory(kDenseShared)) GTEST_SKIP() << kDenseShared << " is not here";
  EXPECT_EQ(runDenseFolder(kDenseShared / "dense-dinov2"), 7);
  EXPECT_EQ(runDenseFolder(kDenseShared / "dense-vit"), 6);
}

TEST(DenseHead, AveragingChangesNothingWithoutMergesToTheLastBit) {
  const Headed model = open(kDenseHere / "dense-vit", "dense-head.safetensors");
  MethodChoice choice{"tome", {{"r", std::int64_t{0}}, {"unmerge", "average"}}, nullptr, false};
  const ImageResult averaged = runOn(model, choice);
  const ImageResult plain = runOn(model, {});
  EXPECT_EQ(averaged.classes->patches, plain.classes->patches);
  EXPECT_EQ(averaged.classes->pixels, plain.classes->pixels);
}

TEST(DenseHead, IsTheSameInABatchAsAlone) {
  const Headed model = open(kDenseHere / "dense-dinov2", "linear_head.pth");
  InputTensor other = model.input;
  std::reverse(other.values.begin(), other.values.end());
  const std::vector<InputTensor> both{model.input, other};
  const MethodChoice choice{
      "tome", {{"r", std::int64_t{4}}, {"unmerge", "average"}}, nullptr, false};
  const auto together = model.engine.run(both, choice, {.features = true});
  for (std::size_t i = 0; i < both.size(); ++i) {
    const ImageResult alone = model.engine.run({&both[i], 1}, choice, {.features = true}).front();
    EXPECT_EQ(together[i].classes->patches, alone.classes->patches);
    EXPECT_EQ(together[i].classes->pixels, alone.classes->pixels);
  }
  EXPECT_NE(together[0].classes->pixels, together[1].classes->pixels);
}

TEST(DenseHead, NamesItsClassesAndTellsWhatItIs) {
  const Headed model = open(kDenseHere / "dense-vit", "dense-head.safetensors");
  const ModelInfo& info = model.engine.info();
  EXPECT_EQ(info.vit.dense.classes, 5);
  EXPECT_EQ(info.vit.dense.blocks, 1);
  EXPECT_THAT(info.vit.dense.names,
              ::testing::ElementsAre("thing 0", "thing 1", "thing 2", "thing 3", "thing 4"));
  const Headed dino = open(kDenseHere / "dense-dinov2", "linear_head.pth");
  EXPECT_EQ(dino.engine.info().vit.dense.blocks, 2);
  EXPECT_EQ(static_cast<int>(dino.engine.info().vit.dense.names.size()),
            dino.engine.info().vit.dense.classes);
}

TEST(DenseHead, IsInTheReport) {
  const Headed model = open(kDenseHere / "dense-vit", "dense-head.safetensors");
  InspectReport report;
  report.choice = {"tome", {{"r", std::int64_t{4}}}, nullptr, false};
  report.result = runOn(model, report.choice);
  report.baseline = runOn(model, {});
  const json told = json::parse(inspectJson(model.engine, {&report, 1}, false));
  EXPECT_EQ(told.at("dense").at("map").get<std::vector<int>>(), report.result.classes->patches);
  EXPECT_NEAR(told.at("dense").at("patch_miou").get<double>(), 0.316207188, 1e-6);
  EXPECT_EQ(told.at("dense_classes").size(), 5U);
  EXPECT_EQ(told.at("settings").at("unmerge"), "copy");
  EXPECT_THAT(told.at("model").at("dense_head").get<std::string>(), HasSubstr("dense-head"));
}

TEST(DenseHead, LensShowsTheMapAndWhatChanged) {
  const Headed model = open(kDenseHere / "dense-vit", "dense-head.safetensors");
  const MethodChoice choice{"tome", {{"r", std::int64_t{4}}}, nullptr, false};
  const RunOptions how{.trace = true, .record = true};
  const ImageResult merged = model.engine.run({&model.input, 1}, choice, how).front();
  const ImageResult plain = model.engine.run({&model.input, 1}, MethodChoice{}, how).front();
  LensQuery query;
  query.kind = LensKind::kClasses;
  const LensMap map = lensMap(*merged.recording, plain.recording.get(), 0, query);
  EXPECT_EQ(map.hatched, changedPatches(*plain.classes, *merged.classes));
  EXPECT_EQ(std::count(map.hatched.begin(), map.hatched.end(), true), 10);  // 1 - 0.722 of 36
  std::map<int, std::set<std::array<std::uint8_t, 3>>> colors;
  for (std::size_t p = 0; p < map.colors.size(); ++p) {
    colors[merged.classes->patches[p]].insert(map.colors[p]);
  }
  for (const auto& [index, own] : colors) EXPECT_EQ(own.size(), 1U) << "class " << index;
}

TEST(DenseHead, WithoutOneUnmergingAndMapsAreRefused) {
  const fs::path folder = kDenseHere / "dense-vit";
  const Engine engine = Engine::load(folder, {.device = "cpu", .dtype = "float32"});
  const MethodChoice choice{"tome", {{"unmerge", "average"}}, nullptr, false};
  EXPECT_THAT(errorMessage([&] { engine.prepare(choice); }),
              AllOf(HasSubstr("--unmerge"), HasSubstr("--dense-head")));
  const Headed model = open(folder, "dense-head.safetensors");
  const ImageResult plain = engine.run({&model.input, 1}, MethodChoice{}, {.record = true}).front();
  EXPECT_EQ(plain.classes, nullptr);
  LensQuery query;
  query.kind = LensKind::kClasses;
  EXPECT_THAT(errorMessage([&] { lensMap(*plain.recording, plain.recording.get(), 0, query); }),
              HasSubstr("--dense-head"));
}

/// The agreement of a map with another, written down once more: by sets of places.
TEST(DenseHead, AgreementIsThatOfSetsOfPlaces) {
  const ClassMap a{{0, 0, 1, 1, 2, 7}, {0, 0, 1, 1}};
  const ClassMap b{{0, 1, 1, 1, 3, 7}, {0, 0, 0, 2}};
  const MapAgreement maps = compareMaps(a, b);
  EXPECT_DOUBLE_EQ(maps.patch_agreement, 4.0 / 6);
  EXPECT_DOUBLE_EQ(maps.patch_miou, (1.0 / 2 + 2.0 / 3 + 0 + 0 + 1) / 5);
  EXPECT_DOUBLE_EQ(maps.pixel_agreement, 0.5);
  EXPECT_DOUBLE_EQ(maps.pixel_miou, (2.0 / 3 + 0 + 0) / 3);
  // What pads the picture counts nowhere.
  ClassMap padded = a;
  padded.patches_in_picture = {true, false, true, true, false, true};
  padded.pixels_in_picture = {true, true, true, false};
  const MapAgreement shown = compareMaps(padded, b);
  EXPECT_DOUBLE_EQ(shown.patch_agreement, 1);
  EXPECT_DOUBLE_EQ(shown.patch_miou, 1);
  EXPECT_DOUBLE_EQ(shown.pixel_agreement, 2.0 / 3);
  EXPECT_DOUBLE_EQ(shown.pixel_miou, (2.0 / 3 + 0) / 2);
  EXPECT_EQ(changedPatches(padded, b), std::vector<bool>(6, false));
}

TEST(DenseHead, BadFilesAreRefusedInASentence) {
  const fs::path vit = kDenseHere / "dense-vit";
  const fs::path dino = kDenseHere / "dense-dinov2";
  const auto problem = [](const fs::path& model, const fs::path& head) {
    return errorMessage(
        [&] { Engine::load(model, {.device = "cpu", .dtype = "float32", .dense_head = head}); });
  };
  EXPECT_THAT(problem(dino, vit / "dense-head.safetensors"),
              AllOf(HasSubstr("dense-head.safetensors"), HasSubstr("32"), HasSubstr("24")));
  EXPECT_THAT(problem(vit, dino / "linear_head.pth"), AllOf(HasSubstr("48"), HasSubstr("32")));
  EXPECT_THAT(problem(vit, vit / "model.safetensors"), HasSubstr("--dense-head takes"));
  EXPECT_THAT(problem(vit, vit / "image.png"), HasSubstr("--dense-head takes"));
  EXPECT_THAT(problem(vit, vit / "none.pth"), HasSubstr("none.pth"));
}

}  // namespace
}  // namespace adamerge
