// SPDX-License-Identifier: GPL-3.0-or-later
// Segment Anything's encoder with merging inside its attention, against the cases of an independent
// implementation (dense, sections 1 to 4 and 7), and what must hold of it (section 8).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "adamerge/calibrate.h"
#include "adamerge/engine.h"
#include "adamerge/figures.h"
#include "adamerge/image.h"
#include "adamerge/lenses.h"
#include "adamerge/report.h"
#include "error_message.h"
#include "reference_cases.h"

namespace adamerge::dense {
namespace {

namespace fs = std::filesystem;
using test::json;
using ::testing::HasSubstr;

const fs::path kOwn = fs::path(ADAMERGE_TEST_DATA) / "dense";
const fs::path kShared = fs::path(ADAMERGE_SHARED) / "reference" / "dense";

std::vector<fs::path> samFolders(const fs::path& root) {
  std::vector<fs::path> found;
  if (!fs::is_directory(root)) return found;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.path().filename().string().starts_with("sam-")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

Engine openSam(const fs::path& folder, const char* dtype = "float32") {
  fs::path model = folder;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".pth") model = entry.path();
  }
  return Engine::load(model, {.device = "cpu", .dtype = dtype});
}

/// As the command line reads settings.
MethodChoice readChoice(const json& settings, const fs::path& folder) {
  MethodChoice choice;
  choice.method = settings.at("method");
  const MethodInfo& method = findMethod(choice.method);
  for (const auto& [key, value] : settings.items()) {
    if (key == "method") continue;
    if (key == "stats") {
      Statistics statistics = readStatistics(folder / value.get<std::string>());
      statistics.model.clear();  // the folder's name, where the model is called after its file
      choice.statistics = std::make_shared<const Statistics>(std::move(statistics));
      continue;
    }
    if (value.is_array()) {
      std::vector<std::int64_t> list;
      for (const json& item : value) {
        if (item.is_array()) {
          for (const json& number : item) list.push_back(number.get<std::int64_t>());
        } else {
          list.push_back(item.get<std::int64_t>());
        }
      }
      choice.settings[key] = list;
      continue;
    }
    const std::string text = value.is_boolean()  ? (value.get<bool>() ? "on" : "off")
                             : value.is_string() ? value.get<std::string>()
                                                 : value.dump();
    choice.settings[key] = parseSetting(*method.setting(key), text);
  }
  return choice;
}

InputTensor inputOf(const Engine& engine, const fs::path& picture) {
  return prepareImage(loadImage(picture), engine.info().preprocessing).input;
}

void expectNear(const std::vector<float>& ours, const std::vector<float>& wanted, double bound,
                const std::string& what) {
  ASSERT_EQ(ours.size(), wanted.size()) << what;
  double worst = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    worst = std::max(worst, static_cast<double>(std::abs(ours[i] - wanted[i])));
  }
  EXPECT_LE(worst, bound) << what;
}

/// [..., c, rows, columns] as rows of channels, as results have them.
std::vector<float> byPlace(const test::FileTensor& tensor) {
  const auto channels = static_cast<std::size_t>(tensor.shape.at(tensor.shape.size() - 3));
  const std::size_t places = tensor.values.size() / channels;
  std::vector<float> rows(tensor.values.size());
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t p = 0; p < places; ++p) {
      rows[p * channels + c] = tensor.values[c * places + p];
    }
  }
  return rows;
}

void expectBlocks(const ImageResult& result, const json& layers) {
  ASSERT_EQ(result.layers.size(), layers.size());
  for (std::size_t block = 0; block < layers.size(); ++block) {
    SCOPED_TRACE(fmt::format("block {}", block));
    const LayerTrace& ours = result.layers[block];
    const json& wanted = layers.at(block);
    EXPECT_EQ(ours.tokens_in, wanted.at("tokens_in").get<int>());
    EXPECT_EQ(ours.tokens_out, wanted.at("tokens_in").get<int>());
    EXPECT_EQ(ours.tokens_inside, wanted.at("tokens_inside").get<int>());
    EXPECT_EQ(ours.merged, wanted.at("merged").get<int>());
    EXPECT_TRUE(ours.restored);
    EXPECT_EQ(ours.window, wanted.at("window").get<std::vector<int>>());
    EXPECT_EQ(ours.padding, wanted.at("padding").get<int>());
    EXPECT_EQ(ours.groups, wanted.at("groups").get<std::vector<int>>());
    if (wanted.contains("salience")) {
      expectNear(ours.salience, wanted.at("salience").get<std::vector<float>>(), 2e-5, "salience");
    }
    if (wanted.contains("score")) {
      expectNear(ours.details.score, wanted.at("score").get<std::vector<float>>(), 2e-5, "score");
    }
    for (const auto& [key, own] : {std::pair("redundancy", ours.redundancy),
                                   {"mu", ours.mu},
                                   {"sigma", ours.sigma},
                                   {"z", ours.z}}) {
      if (!wanted.contains(key)) continue;
      ASSERT_TRUE(own) << key;
      EXPECT_NEAR(*own, wanted.at(key).get<double>(), 1e-3) << key;
    }
  }
}

int runFolder(const fs::path& folder) {
  SCOPED_TRACE(folder.filename().string());
  const Engine engine = openSam(folder);
  const json cases = test::readReference(folder / "cases.json");
  ImageResult baseline;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const json& expected = cases.at(i);
    SCOPED_TRACE(expected.at("settings").dump());
    const MethodChoice choice = readChoice(expected.at("settings"), folder);
    const InputTensor input = inputOf(engine, folder / expected.at("image").get<std::string>());
    const ImageResult result =
        engine.run({&input, 1}, choice, {.trace = true, .features = true}).front();
    if (i == 0) {
      baseline = result;
      expectNear(result.features,
                 byPlace(test::readTensor(folder / "case.safetensors", "features")), 1e-5,
                 "the library's features");
    }
    expectBlocks(result, expected.at("layers"));
    expectNear(
        result.features,
        byPlace(test::readTensor(folder / "merged.safetensors", fmt::format("features_{}", i))),
        2e-5, "features");
    expectNear(result.embedding, expected.at("embedding").get<std::vector<float>>(), 2e-5,
               "embedding");
    if (expected.contains("logits")) {
      expectNear(result.logits, expected.at("logits").get<std::vector<float>>(), 2e-5, "logits");
    } else {
      EXPECT_TRUE(result.logits.empty());
    }
    EXPECT_NEAR(embeddingCosine(baseline, result), expected.at("embedding_cosine").get<double>(),
                1e-5);
    EXPECT_NEAR(patchCosine(baseline, result), expected.at("patch_cosine").get<double>(), 1e-5);
    EXPECT_NEAR(result.flops.paper, expected.at("flops_paper").get<double>(), 1e-9);
    // The cases' dense heads are no part of these runs.
    double head = 0;
    if (expected.contains("dense_head")) {
      const auto file = folder / expected.at("dense_head").get<std::string>();
      head = static_cast<double>(test::readTensor(file, "weight").values.size()) *
             engine.info().vit.patchTokens() * 1e-9;
    }
    EXPECT_NEAR(result.flops.total + head, expected.at("flops_total").get<double>(), 1e-9);
  }
  return static_cast<int>(cases.size());
}

TEST(Dense, SamEqualsTheReference) {
  int cases = 0;
  for (const fs::path& folder : samFolders(kOwn)) cases += runFolder(folder);
  EXPECT_EQ(cases, 33);
}

TEST(Dense, SharedSamEqualsTheReference) {
  const std::vector<fs::path> folders = samFolders(kShared);
  if (folders.empty()) GTEST_SKIP() << kShared << " is not here";
  int cases = 0;
  for (const fs::path& folder : folders) cases += runFolder(folder);
  EXPECT_EQ(cases, 45);
}

TEST(Dense, PicturesAreResizedByTheirLongestSideAndPaddedWithZeros) {
  const fs::path folder = kOwn / "sam-hf";
  const Engine engine = openSam(folder);
  const PreparedImage photo =
      prepareImage(loadImage(folder / "photo.png"), engine.info().preprocessing);
  const test::FileTensor wanted = test::readTensor(folder / "case.safetensors", "photo_input");
  ASSERT_EQ(photo.input.values.size(), wanted.values.size());
  // torchvision's resizing differs from Pillow's by one in 255 at most.
  const double step = 1.01 / 255 / 0.224;
  for (std::size_t i = 0; i < wanted.values.size(); ++i) {
    ASSERT_NEAR(photo.input.values[i], wanted.values[i], step) << i;
    if (wanted.values[i] == 0) {
      ASSERT_EQ(photo.input.values[i], 0) << i;
    }
  }
}

TEST(Dense, NothingMergedIsTheNetworkToTheLastBit) {
  const fs::path folder = kOwn / "sam-hf";
  const Engine engine = openSam(folder);
  const InputTensor input = inputOf(engine, folder / "image.png");
  const RunOptions options{.trace = false, .features = true};
  const ImageResult whole = engine.run({&input, 1}, MethodChoice{}, options).front();
  for (const char* method : {"tome", "adamerge", "structsam"}) {
    const MethodChoice choice{method, {{"ratio", std::int64_t{0}}}, nullptr, true};
    const ImageResult result = engine.run({&input, 1}, choice, options).front();
    EXPECT_EQ(result.features, whole.features) << method;
  }
}

TEST(Dense, ABatchIsItsImages) {
  const fs::path folder = kOwn / "sam-meta";
  const Engine engine = openSam(folder);
  std::vector<InputTensor> inputs{inputOf(engine, folder / "image.png"),
                                  inputOf(engine, kOwn / "sam-hf" / "image.png"),
                                  inputOf(engine, kOwn / "sam-hf" / "photo.png")};
  const RunOptions options{.trace = true, .features = true};
  for (const char* method : {"none", "tome", "adamerge", "structsam"}) {
    const MethodChoice choice{method, {}, nullptr, true};
    const std::vector<ImageResult> all = engine.run(inputs, choice, options);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const ImageResult alone = engine.run({&inputs[i], 1}, choice, options).front();
      EXPECT_EQ(all[i].features, alone.features) << method << " " << i;
      EXPECT_EQ(all[i].layers[0].groups, alone.layers[0].groups) << method << " " << i;
    }
  }
}

TEST(Dense, PlainArithmeticAgreesWithTheKernels) {
  const fs::path folder = kOwn / "sam-hf";
  const Engine single = openSam(folder);
  const Engine exact = openSam(folder, "float64");
  const InputTensor input = inputOf(single, folder / "image.png");
  for (const char* position : {"mean", "destination"}) {
    const MethodChoice choice{"tome",
                              {{"position", std::string(position)},
                               {"proportional_attention", true},
                               {"ratio", std::int64_t{40}}},
                              nullptr,
                              false};
    const RunOptions options{.trace = false, .features = true};
    expectNear(single.run({&input, 1}, choice, options).front().features,
               exact.run({&input, 1}, choice, options).front().features, 2e-5, position);
  }
}

TEST(Dense, OtherSizesRun) {
  EngineOptions options{.device = "cpu", .dtype = "float32"};
  options.input_size = InputSize{40, 72};
  const Engine engine = Engine::load(kOwn / "sam-hf", options);
  EXPECT_EQ(engine.info().vit.gridWidth(), 9);
  const InputTensor input = inputOf(engine, kOwn / "sam-hf" / "photo.png");
  const ImageResult result =
      engine.run({&input, 1}, MethodChoice{"tome", {}, nullptr, false}, {.features = true}).front();
  EXPECT_EQ(result.layers[1].window, (std::vector<int>{5, 9}));
  EXPECT_EQ(result.features.size(), 45U * 16U);
}

TEST(Dense, UnmergedFlopsOfThePublishedEncoders) {
  // Computed without a network: only its description counts.
  VitConfig base;
  base.input_height = base.input_width = 1024;
  base.class_token = false;
  base.classes = 0;
  base.neck_channels = 256;
  base.windows.relative = true;
  base.windows.table_height = base.windows.table_width = 64;
  struct Size {
    int dim, depth, heads;
    std::vector<int> global;
    double paper, total;
  };
  for (const Size& size : {Size{768, 12, 12, {2, 5, 8, 11}, 477.948, 486.039},
                           Size{1024, 24, 16, {5, 11, 17, 23}, 1481.172, 1492.840},
                           Size{1280, 32, 16, {7, 15, 23, 31}, 2965.155, 2980.541}}) {
    VitConfig vit = base;
    vit.dim = size.dim;
    vit.depth = size.depth;
    vit.heads = size.heads;
    vit.mlp_hidden = 4 * size.dim;
    vit.windows.sides.assign(static_cast<std::size_t>(size.depth), 14);
    for (const int block : size.global) vit.windows.sides[static_cast<std::size_t>(block)] = 0;
    EXPECT_NEAR(unmergedFlops(vit).paper, size.paper, 1e-3);
    EXPECT_NEAR(unmergedFlops(vit).total, size.total, 1e-3);
  }
}

TEST(Dense, WordsForBlocksMeanThem) {
  const Engine engine = openSam(kOwn / "sam-hf");
  const MethodInfo& tome = findMethod("tome");
  for (const auto& [word, blocks] :
       {std::pair<std::string, std::vector<std::int64_t>>{"all", {0, 1, 2, 3}},
        {"global", {1, 3}},
        {"windowed", {0, 2}}}) {
    const MethodChoice choice{
        "tome", {{"blocks", parseSetting(*tome.setting("blocks"), word)}}, nullptr, false};
    EXPECT_EQ(std::get<std::vector<std::int64_t>>(
                  completeSettings(choice, engine.info().vit).at("blocks")),
              blocks);
  }
}

TEST(Dense, CalibrationIsForRatios) {
  const fs::path folder = kOwn / "sam-hf";
  Engine engine = openSam(folder);
  const InputTensor input = inputOf(engine, folder / "image.png");
  CalibrationOptions options;
  options.choice.method = "adamerge";
  options.r_max = {30, 60};
  const auto images = [&](std::size_t, std::size_t count) {
    return std::vector<InputTensor>(count, input);
  };
  const Statistics statistics = calibrate(engine, images, 2, options);
  EXPECT_EQ(statistics.knob, "ratio");
  EXPECT_EQ(statistics.entries.back().r_max, 60);
  MethodChoice choice{"adamerge", {{"ratio", std::int64_t{60}}}, nullptr, false};
  choice.statistics = std::make_shared<const Statistics>(statistics);
  const ImageResult result = engine.run({&input, 1}, choice).front();
  EXPECT_TRUE(result.warnings.empty());
  ASSERT_TRUE(result.layers[0].z);
  EXPECT_NEAR(*result.layers[0].z, 0, 1e-2);  // calibrated on the picture itself
}

TEST(Dense, PromptsProtectTheCellsThatTheyLieIn) {
  const fs::path folder = kOwn / "sam-hf";  // 7 x 7 patches of 8 pixels, windows of 4
  const Engine engine = openSam(folder);
  const InputTensor input = inputOf(engine, folder / "image.png");
  const MethodChoice choice{"structsam",
                            {{"boxes", std::vector<std::int64_t>{9, 1, 15, 7}},
                             {"points", std::vector<std::int64_t>{50, 50}}},
                            nullptr,
                            false};
  const ImageResult result = engine.run({&input, 1}, choice).front();
  // Cells of 2 x 2 from each window's upper left: in the windows the point's patch, row and column
  // 6, lies in the cell of rows and columns 6, which the grid cuts to one patch; in the grid too.
  EXPECT_EQ(result.layers[0].details.prompted, (std::vector<int>{0, 1, 7, 8, 48}));
  EXPECT_EQ(result.layers[1].details.prompted, (std::vector<int>{0, 1, 7, 8, 48}));
  for (const LayerTrace& layer : result.layers) {
    for (const int patch : layer.details.prompted) {
      const int group = layer.groups[static_cast<std::size_t>(patch)];
      EXPECT_EQ(std::count(layer.groups.begin(), layer.groups.end(), group), 1) << patch;
    }
  }
  MethodChoice tome{"tome", {}, nullptr, false};
  tome.settings = completeSettings(tome, engine.info().vit);
  EXPECT_EQ(describe(tome, engine.info().vit), "ToMe, Ratio (%) 50");
  EXPECT_THAT(describe(choice, engine.info().vit),
              HasSubstr("Prompt boxes 9,1,15,7, Prompt points 50,50"));
}

TEST(Dense, ClassMapsCountThePictureAlone) {
  const fs::path folder = kOwn / "sam-hf";
  const Engine engine = Engine::load(
      folder,
      {.device = "cpu", .dtype = "float32", .dense_head = folder / "dense-head.safetensors"});
  const VitConfig& vit = engine.info().vit;
  const Image photo = loadImage(folder / "photo.png");
  const InputTensor input = prepareImage(photo, engine.info().preprocessing).input;
  const RunOptions options{.trace = true, .features = true};
  const ImageResult plain = engine.run({&input, 1}, MethodChoice{}, options).front();
  const ImageResult merged =
      engine.run({&input, 1}, MethodChoice{"tome", {}, nullptr, false}, options).front();
  // The photograph is wider than high: its longer side fills the input.
  const int height =
      static_cast<int>(static_cast<double>(photo.height) * vit.input_width / photo.width + 0.5);
  ASSERT_LT(height, vit.input_height);
  int same = 0;
  int counted = 0;
  int elsewhere = 0;
  const auto patches = static_cast<std::size_t>(vit.patchTokens());
  for (std::size_t patch = 0; patch < patches; ++patch) {
    const int row = static_cast<int>(patch) / vit.gridWidth();
    const bool differs = plain.classes->patches[patch] != merged.classes->patches[patch];
    if (row * vit.patch_size >= height) {
      elsewhere += differs ? 1 : 0;
      EXPECT_FALSE(changedPatches(*plain.classes, *merged.classes)[patch]);
      continue;
    }
    ++counted;
    same += differs ? 0 : 1;
    EXPECT_EQ(changedPatches(*plain.classes, *merged.classes)[patch], differs);
  }
  ASSERT_LT(counted, vit.patchTokens());
  const MapAgreement maps = compareMaps(*plain.classes, *merged.classes);
  EXPECT_DOUBLE_EQ(maps.patch_agreement, static_cast<double>(same) / counted);
  int same_pixels = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < vit.input_width; ++x) {
      const auto at = static_cast<std::size_t>(y * vit.input_width + x);
      same_pixels += plain.classes->pixels[at] == merged.classes->pixels[at] ? 1 : 0;
    }
  }
  EXPECT_DOUBLE_EQ(maps.pixel_agreement,
                   static_cast<double>(same_pixels) / (height * vit.input_width));
  RecordProperty("changed_in_padding", elsewhere);
}

TEST(Dense, AttentionIsShownOfAPatchInItsWindow) {
  const fs::path folder = kOwn / "sam-hf";  // 7 x 7 patches, windows of 4, blocks 1 and 3 global
  const Engine engine = openSam(folder);
  const InputTensor input = inputOf(engine, folder / "image.png");
  const auto record = [&](const MethodChoice& choice) {
    return engine.run({&input, 1}, choice, {.record = true}).front().recording;
  };
  const auto plain = record({});
  const auto map = [&](const Recording& run, int block, int patch, bool looked_at, int head = -1) {
    LensQuery query;
    query.token = {true, patch};
    query.looked_at = looked_at;
    query.head = head;
    return lensMap(run, nullptr, block, query).values;
  };
  const auto sum = [](const std::vector<float>& values) {
    double total = 0;
    for (const float value : values) total += std::isnan(value) ? 0 : value;
    return total;
  };
  for (const char* method : {"none", "tome", "structsam"}) {
    SCOPED_TRACE(method);
    const auto run = record({method, {}, nullptr, false});
    for (const int patch : {0, 10, 24}) {
      // The upper left window is whole; the grid has no padding.
      const std::vector<float> own = map(*run, 0, patch, false);
      for (int other = 0; other < 49; ++other) {
        const bool within =
            (other % 7 < 4) == (patch % 7 < 4) && (other / 7 < 4) == (patch / 7 < 4);
        EXPECT_EQ(std::isnan(own[static_cast<std::size_t>(other)]), !within) << other;
      }
      EXPECT_NEAR(sum(own), 1, 1e-5) << patch;
      for (int head = 0; head < run->heads(); ++head) {
        EXPECT_NEAR(sum(map(*run, 1, patch, false, head)), 1, 1e-5) << patch;
      }
    }
    // A window at the edge gives its padding a share.
    EXPECT_LT(sum(map(*run, 0, 48, false)), 0.999);
  }
  // Who looks at it is where the others look, of windows with padding and of the grid.
  for (const int block : {0, 1, 2}) {
    for (const int patch : {3, 48}) {
      const std::vector<float> received = map(*plain, block, patch, true);
      for (const int from : {3, 8, 41, 48}) {
        if (std::isnan(received[static_cast<std::size_t>(from)])) continue;
        EXPECT_NEAR(received[static_cast<std::size_t>(from)],
                    map(*plain, block, from, false)[static_cast<std::size_t>(patch)], 1e-6);
      }
    }
  }
  const auto pictures = lensPictures(*plain, nullptr, 1, {.token = {true, 24}});
  ASSERT_EQ(pictures->heads.size(), static_cast<std::size_t>(plain->heads()));
  for (const float entropy : pictures->entropy) {
    EXPECT_GT(entropy, 0);
    EXPECT_LE(entropy, std::log(49.0) + 1e-5);
  }
  EXPECT_THAT(test::errorMessage([&] {
                lensMap(*plain, nullptr, 0, {LensKind::kRollout, {}});
              }),
              HasSubstr("inside windows"));
  EXPECT_THAT(test::errorMessage([&] { plain->attention(0); }), HasSubstr("inside windows"));
  const LensReport report = lensReport(*plain, *plain, 2, LensToken{true, 24}, -1);
  EXPECT_EQ(report.looks.values.size(), 49U);
  EXPECT_FALSE(report.received);
  EXPECT_TRUE(report.rollout.patches.empty());
}

TEST(Dense, WhatCannotBeIsRefusedInWords) {
  const fs::path folder = kOwn / "sam-hf";
  const Engine engine = openSam(folder);
  const InputTensor input = inputOf(engine, folder / "image.png");  // 56 x 56 pixels
  const auto problem = [&](const MethodChoice& choice) {
    return test::errorMessage([&] { engine.run({&input, 1}, choice); });
  };
  const auto list = [](std::vector<std::int64_t> numbers) { return SettingValue(numbers); };
  EXPECT_THAT(problem({"dsm", {}, nullptr, false}),
              HasSubstr("none, adamerge, tome, structsam can"));
  EXPECT_THAT(problem({"tome", {{"r", std::int64_t{5}}}, nullptr, false}),
              HasSubstr("--r is for networks whose tokens leave the sequence"));
  EXPECT_THAT(problem({"tome", {{"position", std::string("mean-rotation")}}, nullptr, false}),
              HasSubstr("takes mean and destination"));
  EXPECT_THAT(problem({"tome", {{"ratio", std::int64_t{51}}}, nullptr, false}),
              HasSubstr("--ratio takes a whole number from 0 to 50, not '51'"));
  EXPECT_THAT(problem({"structsam", {{"boxes", list({60, 0, 70, 9})}}, nullptr, false}),
              HasSubstr("lies outside the picture of 56 x 56 pixels"));
  EXPECT_THAT(problem({"structsam", {{"boxes", list({9, 9, 9, 20})}}, nullptr, false}),
              HasSubstr("is empty"));
  EXPECT_THAT(problem({"structsam", {{"boxes", list({9, 9, 9})}}, nullptr, false}),
              HasSubstr("--prompt-box takes 4 whole numbers"));
  EXPECT_THAT(problem({"structsam", {{"points", list({56, 3})}}, nullptr, false}),
              HasSubstr("--prompt-point 56,3 lies outside the picture"));
  EXPECT_THAT(test::errorMessage([&] { Engine::load(kOwn / "sam-hf" / "missing"); }),
              HasSubstr("missing"));
}

}  // namespace
}  // namespace adamerge::dense
