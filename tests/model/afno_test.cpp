// SPDX-License-Identifier: GPL-3.0-or-later
// Adaptive Fourier Neural Operators from their files: the classifier of AFNO-transformer, a field
// as FourCastNet's, and a folder of ours, against the numbers of an independent implementation; the
// filter against its definition.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <filesystem>
#include <numbers>

#include "adamerge/engine.h"
#include "adamerge/flops.h"
#include "adamerge/report.h"
#include "adamerge/result.h"
#include "engine/vit.h"
#include "error_message.h"
#include "kernels/fourier.h"
#include "model/load_model.h"
#include "safetensors_metadata.h"
#include "small_model.h"
#include "weights/safetensors.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using test::errorMessage;
using ::testing::AllOf;
using ::testing::HasSubstr;

const fs::path kDense = fs::path(ADAMERGE_TEST_DATA) / "dense";
constexpr double kAfnoBound = 1e-5;

double farthest(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return 1e9;
  return (a - b).abs().max().item<double>();
}

/// The folder, or the one weight file in it.
fs::path networkIn(const fs::path& folder) {
  for (const char* name : {"checkpoint_best.pth", "backbone.ckpt"}) {
    if (fs::exists(folder / name)) return folder / name;
  }
  return folder;
}

void expectAfnoNumbers(const std::string& name, std::optional<InputSize> size) {
  SCOPED_TRACE(name);
  const fs::path folder = kDense / name;
  const StateDict expected = readWeights(folder / "case.safetensors").tensors;
  const auto metadata = test::safetensorsMetadata(folder / "case.safetensors");
  const LoadedModel model = loadModel(networkIn(folder), {size});
  const VitConfig& vit = model.info.vit;
  EXPECT_EQ(vit.filter.double_skip, metadata.at("double_skip") == "True");
  EXPECT_EQ(keptModes(vit.filter, vit.gridHeight(), vit.gridWidth()).count(),
            std::stoi(metadata.at("kept_modes")));
  EXPECT_EQ(model.info.preprocessing.resize_height, vit.input_height);
  EXPECT_EQ(model.info.preprocessing.resize_width, vit.input_width);
  const VisionTransformer network(vit, model.weights, at::kCPU, at::kFloat);
  const auto none = findMethodEntry("none").make(completeSettings({}), MethodContext{vit});
  const VisionTransformer::Output output =
      network.forward(expected.at("input"), *none, {.trace = false, .stream = true});
  EXPECT_LE(farthest(output.stream[0][0], expected.at("tokens")[0]), kAfnoBound);
  for (int block = 0; block < vit.depth; ++block) {
    EXPECT_LE(farthest(output.stream[0][static_cast<std::size_t>(block) + 1],
                       expected.at(fmt::format("block_{}", block))[0]),
              kAfnoBound)
        << "block " << block;
  }
  const at::Tensor features =
      output.features[0].t().reshape({vit.dim, vit.gridHeight(), vit.gridWidth()});
  EXPECT_LE(farthest(features, expected.at("features")[0]), kAfnoBound);
  EXPECT_LE(farthest(output.embedding, expected.at("embedding")), kAfnoBound);
  if (const auto logits = expected.find("logits"); logits != expected.end()) {
    EXPECT_LE(farthest(output.logits, logits->second), kAfnoBound);
  }
  const auto field = expected.find("field");
  ASSERT_EQ(output.fields.size(), field == expected.end() ? 0U : 1U);
  if (field != expected.end()) {
    EXPECT_LE(farthest(output.fields[0], field->second[0]), kAfnoBound);
  }
}

TEST(Afno, GivesTheNumbersOfItsCases) {
  expectAfnoNumbers("afno-classify", std::nullopt);
  expectAfnoNumbers("afno-config", std::nullopt);
  expectAfnoNumbers("fourcastnet", InputSize{48, 80});
}

/// Both transforms and the products as sums over all places, in fp64, in the order of the paper.
at::Tensor filteredByDefinition(const at::Tensor& grid, const FourierFilter& filter,
                                const FourierMixer::Weights& weights) {
  using Complex = std::complex<double>;
  const auto height = static_cast<int>(grid.size(0));
  const auto width = static_cast<int>(grid.size(1));
  const auto dim = static_cast<int>(grid.size(2));
  const int half = width / 2 + 1;
  const int block = dim / filter.groups;
  const int hidden = block * filter.hidden_factor;
  const double scale = 1 / std::sqrt(static_cast<double>(height * width));
  const auto turn = [](double angle) { return std::polar(1.0, 2 * std::numbers::pi * angle); };
  const auto at4 = [](const at::Tensor& t, int b, int i, int o) {
    return Complex(t[0][b][i][o].item<double>(), t[1][b][i][o].item<double>());
  };
  const auto at3 = [](const at::Tensor& t, int b, int o) {
    return Complex(t[0][b][o].item<double>(), t[1][b][o].item<double>());
  };
  const auto shrunk = [&](double v) {
    return std::copysign(std::max(std::abs(v) - filter.threshold, 0.0), v);
  };
  const KeptModes kept = keptModes(filter, height, width);
  std::vector<Complex> modes(static_cast<std::size_t>(height * half * dim));
  const auto mode = [&](int r, int c, int d) -> Complex& {
    return modes[static_cast<std::size_t>((r * half + c) * dim + d)];
  };
  for (int r = kept.first_row; r < kept.first_row + kept.rows; ++r) {
    for (int c = 0; c < kept.columns; ++c) {
      std::vector<Complex> z(static_cast<std::size_t>(dim));
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          const Complex factor = scale * turn(-static_cast<double>(r * y) / height -
                                              static_cast<double>(c * x) / width);
          for (int d = 0; d < dim; ++d) {
            z[static_cast<std::size_t>(d)] += factor * grid[y][x][d].item<double>();
          }
        }
      }
      for (int b = 0; b < filter.groups; ++b) {
        std::vector<Complex> t;
        for (int o = 0; o < hidden; ++o) {
          Complex sum = at3(weights.b1, b, o);
          for (int i = 0; i < block; ++i) {
            sum += z[static_cast<std::size_t>(b * block + i)] * at4(weights.w1, b, i, o);
          }
          t.emplace_back(std::max(sum.real(), 0.0), std::max(sum.imag(), 0.0));
        }
        for (int o = 0; o < block; ++o) {
          Complex sum = at3(weights.b2, b, o);
          for (int i = 0; i < hidden; ++i) {
            sum += t[static_cast<std::size_t>(i)] * at4(weights.w2, b, i, o);
          }
          mode(r, c, b * block + o) = {shrunk(sum.real()), shrunk(sum.imag())};
        }
      }
    }
  }
  const at::Tensor result = grid.clone();
  for (int d = 0; d < dim; ++d) {
    for (int y = 0; y < height; ++y) {
      // Over rows a complex inverse of each column.
      std::vector<Complex> columns;
      for (int c = 0; c < half; ++c) {
        Complex sum;
        for (int r = 0; r < height; ++r) {
          sum += mode(r, c, d) * turn(static_cast<double>(r * y) / height);
        }
        columns.push_back(sum * scale);
      }
      for (int x = 0; x < width; ++x) {
        double sum = columns[0].real();  // the real part alone
        for (int c = 1; c < half; ++c) {
          const Complex one = columns[static_cast<std::size_t>(c)];
          const bool last = width % 2 == 0 && c == half - 1;
          sum += last ? one.real() * (x % 2 == 0 ? 1 : -1)
                      : 2 * (one * turn(static_cast<double>(c * x) / width)).real();
        }
        result[y][x][d] += sum;
      }
    }
  }
  return result;
}

TEST(Afno, FilterIsItsDefinitionAtEvenAndOddGrids) {
  at::manual_seed(7);
  for (const auto& [height, width, fraction, rows] : {std::tuple{4, 6, 1.0, true},
                                                      {5, 7, 1.0, true},
                                                      {6, 4, 0.6, true},
                                                      {3, 8, 0.4, false},
                                                      {7, 3, 0.2, false}}) {
    SCOPED_TRACE(fmt::format("{} x {}", height, width));
    FourierFilter filter;
    filter.groups = 2;
    filter.hidden_factor = 2;
    filter.threshold = 0.05;
    filter.fraction = fraction;
    filter.rows_and_columns = rows;
    const auto drawn = [](std::vector<std::int64_t> shape) {
      return at::randn(shape, at::kDouble);
    };
    const FourierMixer::Weights weights{drawn({2, 2, 3, 6}), drawn({2, 2, 6}), drawn({2, 2, 6, 3}),
                                        drawn({2, 2, 3})};
    const FourierMixer mixer(filter, height, width, weights, at::kCPU, at::kDouble);
    const at::Tensor grid = drawn({height, width, 6});
    const at::Tensor ours = mixer(grid.reshape({-1, 6})).reshape(grid.sizes());
    EXPECT_LE(farthest(ours, filteredByDefinition(grid, filter, weights)), 1e-12);
    // In a batch to the last bit.
    const at::Tensor other = drawn({height, width, 6});
    const at::Tensor both = mixer(at::stack({grid, other}).reshape({-1, 6}));
    EXPECT_TRUE(both.narrow(0, 0, ours.numel() / 6).equal(ours.reshape({-1, 6})));
  }
}

/// Kept rows are counted as they are stored, so at a fraction below 1 low ones go first; a grid
/// wider than high loses columns even at 1.
TEST(Afno, KeepsTheModesOfThePublicCode) {
  FourierFilter filter;
  filter.groups = 8;
  KeptModes kept = keptModes(filter, 90, 180);
  EXPECT_EQ(kept.first_row, 0);
  EXPECT_EQ(kept.rows, 90);
  EXPECT_EQ(kept.columns, 46);
  filter.fraction = 0.7;
  kept = keptModes(filter, 5, 8);
  EXPECT_EQ(kept.first_row, 1);
  EXPECT_EQ(kept.count(), 8);
  filter.rows_and_columns = false;
  filter.fraction = 1;
  EXPECT_EQ(keptModes(filter, 7, 7).count(), 28);
}

TEST(Afno, CountsItsMultiplications) {
  VitConfig vit;
  vit.input_height = vit.input_width = 224;
  vit.patch_size = 4;
  vit.dim = 256;
  vit.depth = 12;
  vit.heads = 1;
  vit.mlp_hidden = 1024;
  vit.class_token = false;
  vit.filter.groups = 4;
  vit.filter.rows_and_columns = false;
  EXPECT_NEAR(unmergedFlops(vit).paper, 22.396, 5e-4);
  vit.input_height = 720;
  vit.input_width = 1440;
  vit.patch_size = 8;
  vit.dim = 768;
  vit.mlp_hidden = 3072;
  vit.filter.groups = 8;
  vit.filter.rows_and_columns = true;
  EXPECT_NEAR(unmergedFlops(vit).paper, 948.684, 5e-4);
}

TEST(Afno, WhatCannotRunIsRefusedInASentence) {
  const fs::path field = kDense / "fourcastnet" / "backbone.ckpt";
  EXPECT_THAT(errorMessage([&] { loadModel(field); }),
              AllOf(HasSubstr("backbone.ckpt"), HasSubstr("60"), HasSubstr("--input-size")));
  EXPECT_THAT(errorMessage([&] {
                loadModel(field, {InputSize{48, 64}});
              }),
              AllOf(HasSubstr("60"), HasSubstr("6 x 8")));
  EXPECT_THAT(errorMessage([&] {
                loadModel(kDense / "afno-classify" / "checkpoint_best.pth", {InputSize{32, 32}});
              }),
              AllOf(HasSubstr("trained"), HasSubstr("28 x 28")));
  EXPECT_THAT(errorMessage([&] {
                loadModel(kDense / "afno-config", {InputSize{64, 40}});
              }),
              HasSubstr("40 x 64"));
}

TEST(Afno, OtherMixersAndConfigsThatDoNotFitAreRefused) {
  const fs::path source = kDense / "afno-config";
  const StateDict whole = readWeights(source / "model.safetensors").tensors;
  const nlohmann::json config = nlohmann::json::parse(test::readBytes(source / "config.json"));
  const auto problem = [&](const StateDict& tensors, const nlohmann::json& fields) {
    const test::ModelFolder folder;
    folder.tensors(tensors);
    folder.json("config.json", fields);
    return errorMessage([&] { loadModel(folder.path()); });
  };
  StateDict other = whole;
  for (int block = 0; block < 4; ++block) {
    for (const char* part : {"w1", "b1", "w2", "b2"}) {
      other.erase(fmt::format("blocks.{}.filter.{}", block, part));
    }
    other[fmt::format("blocks.{}.filter.complex_weight", block)] = at::zeros({5, 5, 24, 2});
  }
  EXPECT_THAT(problem(other, config), AllOf(HasSubstr("complex_weight"), HasSubstr("cannot run")));
  nlohmann::json changed = config;
  changed["model_args"]["num_blocks"] = 4;
  EXPECT_THAT(problem(whole, changed), AllOf(HasSubstr("num_blocks"), HasSubstr("3")));
  changed = config;
  changed["model_args"]["mode_rule"] = "all";
  EXPECT_THAT(problem(whole, changed), AllOf(HasSubstr("mode_rule"), HasSubstr("columns")));
  changed = config;
  changed["model_args"]["hard_thresholding_fraction"] = 1.5;
  EXPECT_THAT(problem(whole, changed), HasSubstr("hard_thresholding_fraction"));
  changed = config;
  changed["model_args"]["fancy"] = 1;
  EXPECT_THAT(problem(whole, changed), HasSubstr("fancy"));
  changed = config;
  changed["architecture"] = "vit_base_patch16_224";
  EXPECT_THAT(problem(whole, changed), HasSubstr("AFNO"));
  StateDict wide = whole;
  wide["patch_embed.proj.weight"] = at::zeros({24, 20, 8, 8});
  EXPECT_THAT(problem(wide, config), HasSubstr("20 channels"));
}

MethodChoice readAfnoChoice(const nlohmann::json& settings) {
  MethodChoice choice;
  choice.method = settings.at("method");
  for (const auto& [key, value] : settings.items()) {
    // The engine reads the statistics that lie beside the weights.
    if (key == "method" || key == "stats") continue;
    if (value.is_boolean()) {
      choice.settings[key] = value.get<bool>();
    } else if (value.is_array()) {
      choice.settings[key] = value.get<std::vector<std::int64_t>>();
    } else if (value.is_string()) {
      choice.settings[key] = value.get<std::string>();
    } else {
      choice.settings[key] = value.get<std::int64_t>();
    }
  }
  return choice;
}

InputTensor caseInput(const fs::path& folder) {
  const at::Tensor input =
      readWeights(folder / "case.safetensors").tensors.at("input")[0].contiguous();
  const auto* values = input.data_ptr<float>();
  return {static_cast<int>(input.size(1)),
          static_cast<int>(input.size(2)),
          {values, values + input.numel()},
          {}};
}

void expectAll(const std::vector<float>& ours, const nlohmann::json& wanted, double bound,
               const char* what) {
  const auto numbers = wanted.get<std::vector<double>>();
  ASSERT_EQ(ours.size(), numbers.size()) << what;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    ASSERT_NEAR(ours[i], numbers[i], bound) << what << " " << i;
  }
}

void expectAfnoBlock(const LayerTrace& ours, const nlohmann::json& wanted) {
  EXPECT_EQ(ours.tokens_in, wanted.at("tokens_in").get<int>());
  EXPECT_EQ(ours.tokens_out, wanted.at("tokens_in").get<int>());
  EXPECT_EQ(ours.tokens_inside, wanted.at("tokens_inside").get<int>());
  EXPECT_EQ(ours.merged, wanted.at("merged").get<int>());
  EXPECT_TRUE(ours.restored);
  EXPECT_EQ(ours.groups, wanted.at("groups").get<std::vector<int>>());
  if (wanted.contains("salience"))
    expectAll(ours.salience, wanted.at("salience"), 2e-5, "salience");
  if (wanted.contains("score")) expectAll(ours.details.score, wanted.at("score"), 2e-5, "score");
  for (const auto& [key, own] : {std::pair("redundancy", ours.redundancy), {"z", ours.z}}) {
    if (!wanted.contains(key)) continue;
    ASSERT_TRUE(own) << key;
    EXPECT_NEAR(*own, wanted.at(key).get<double>(), 1e-3) << key;
  }
}

/// Returns how many there are; features are only in ../shared.
int runAfnoCases(const fs::path& folder, std::optional<InputSize> size) {
  SCOPED_TRACE(folder.string());
  const nlohmann::json cases = nlohmann::json::parse(test::readBytes(folder / "cases.json"));
  EngineOptions options{.device = "cpu", .dtype = "float32", .input_size = size};
  const std::string head = cases[0].value("dense_head", std::string());
  if (!head.empty()) options.dense_head = folder / head;
  const Engine engine = Engine::load(networkIn(folder), options);
  const InputTensor input = caseInput(folder);
  StateDict features;
  if (fs::exists(folder / "merged.safetensors")) {
    features = readWeights(folder / "merged.safetensors").tensors;
  }
  ImageResult unmerged;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const nlohmann::json& expected = cases[i];
    SCOPED_TRACE(expected.at("settings").dump());
    const ImageResult result = engine
                                   .run({&input, 1}, readAfnoChoice(expected.at("settings")),
                                        {.trace = true, .features = true})
                                   .front();
    if (i == 0) unmerged = result;
    for (std::size_t block = 0; block < result.layers.size(); ++block) {
      SCOPED_TRACE(fmt::format("block {}", block));
      expectAfnoBlock(result.layers[block], expected.at("layers").at(block));
    }
    expectAll(result.embedding, expected.at("embedding"), 2e-5, "embedding");
    if (expected.contains("logits"))
      expectAll(result.logits, expected.at("logits"), 2e-5, "logits");
    EXPECT_NEAR(embeddingCosine(unmerged, result), expected.at("embedding_cosine").get<double>(),
                1e-5);
    EXPECT_NEAR(patchCosine(unmerged, result), expected.at("patch_cosine").get<double>(), 1e-5);
    EXPECT_NEAR(result.flops.paper, expected.at("flops_paper").get<double>(), 1e-9);
    EXPECT_NEAR(result.flops.total, expected.at("flops_total").get<double>(), 1e-9);
    if (const auto found = features.find(fmt::format("features_{}", i)); found != features.end()) {
      const at::Tensor wanted = found->second.flatten(1).t().contiguous();
      const at::Tensor ours = at::tensor(result.features).reshape(wanted.sizes());
      EXPECT_LE(farthest(ours, wanted), 2e-5) << "features";
    }
    if (head.empty()) continue;
    const nlohmann::json& dense = expected.at("dense");
    EXPECT_EQ(result.classes->patches, dense.at("map").get<std::vector<int>>());
    const MapAgreement maps = compareMaps(*unmerged.classes, *result.classes);
    EXPECT_NEAR(maps.patch_agreement, dense.at("patch_agreement").get<double>(), 1e-6);
    EXPECT_NEAR(maps.patch_miou, dense.at("patch_miou").get<double>(), 1e-6);
    EXPECT_NEAR(maps.pixel_miou, dense.at("pixel_miou").get<double>(), 2e-3);
  }
  return static_cast<int>(cases.size());
}

TEST(AfnoMerging, EqualsTheReference) {
  EXPECT_EQ(runAfnoCases(kDense / "afno-classify", std::nullopt), 7);
  EXPECT_EQ(runAfnoCases(kDense / "afno-config", std::nullopt), 4);
  EXPECT_EQ(runAfnoCases(kDense / "fourcastnet", InputSize{48, 80}), 5);
}

TEST(AfnoMerging, SharedEqualsTheReference) {
  const fs::path root = fs::path(ADAMERGE_SHARED) / "reference" / "dense";
  if (!fs::is_directory(root)) GTEST_SKIP() << root << " is not here";
  EXPECT_EQ(runAfnoCases(root / "afno-classify", std::nullopt), 7);
  EXPECT_EQ(runAfnoCases(root / "afno-config", std::nullopt), 4);
  EXPECT_EQ(runAfnoCases(root / "fourcastnet", InputSize{48, 80}), 5);
}

TEST(AfnoMerging, NothingMergedIsTheNetworkToTheLastBit) {
  const fs::path folder = kDense / "afno-config";
  const Engine engine = Engine::load(folder, {.device = "cpu", .dtype = "float32"});
  const InputTensor input = caseInput(folder);
  const RunOptions how{.trace = true, .features = true};
  const ImageResult whole = engine.run({&input, 1}, MethodChoice{}, how).front();
  for (const char* method : {"tome", "adamerge", "structsam"}) {
    const MethodChoice choice{method, {{"ratio", std::int64_t{0}}}, nullptr, true};
    const ImageResult result = engine.run({&input, 1}, choice, how).front();
    EXPECT_EQ(result.features, whole.features) << method;
    EXPECT_EQ(result.logits, whole.logits) << method;
  }
}

TEST(AfnoMerging, WhatItHasNoUseForIsRefused) {
  const fs::path folder = kDense / "afno-config";
  const Engine engine = Engine::load(folder, {.device = "cpu", .dtype = "float32"});
  const auto problem = [&](const MethodChoice& choice) {
    return errorMessage([&] { engine.prepare(choice); });
  };
  EXPECT_THAT(problem({"pitome", {}, nullptr, false}),
              AllOf(HasSubstr("pitome"), HasSubstr("restores"), HasSubstr("tome")));
  EXPECT_THAT(problem({"tome", {{"r", std::int64_t{4}}}, nullptr, false}), HasSubstr("--r"));
  EXPECT_THAT(problem({"tome", {{"ratio", std::int64_t{60}}}, nullptr, false}),
              HasSubstr("--ratio"));
  EXPECT_THAT(problem({"tome", {{"unmerge", std::string("average")}}, nullptr, false}),
              HasSubstr("--unmerge"));
  EXPECT_THAT(problem({"adamerge", {{"proportional_attention", true}}, nullptr, false}),
              HasSubstr("--proportional-attention is for networks with attention"));
  EXPECT_THAT(errorMessage([&] {
                requireSettingsSuit({"tome", {{"proportional_attention", true}}, nullptr, false},
                                    engine.info().vit, "it", /*strict=*/true);
              }),
              HasSubstr("--proportional-attention"));
  for (const char* method : {"tome", "adamerge", "structsam"}) {
    const MethodChoice choice{method, {}, nullptr, false};
    EXPECT_FALSE(settingsInForce(choice, engine.info().vit).contains("proportional_attention"));
    EXPECT_FALSE(completeSettings(choice, engine.info().vit).contains("proportional_attention"));
  }
}

TEST(AfnoMerging, FieldsAreComparedChannelByChannel) {
  ImageResult a;
  ImageResult b;
  a.field = {1, 2, 2, 0, 0, 4};
  b.field = {1, 2, 2, 0, 3, 0};
  const FieldError error = fieldError(a, b, 2);
  EXPECT_DOUBLE_EQ(error.relative, 1);  // 5 of 5
  ASSERT_EQ(error.rmse.size(), 2U);
  EXPECT_DOUBLE_EQ(error.rmse[0], 0);
  EXPECT_DOUBLE_EQ(error.rmse[1], 5 / std::sqrt(3.0));
}

}  // namespace
}  // namespace adamerge
