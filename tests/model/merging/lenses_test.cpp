// SPDX-License-Identifier: GPL-3.0-or-later
// The lenses against numbers of an independent implementation (tests/data/lenses holds a part,
// ../shared all), against their definitions written down once more, and against the engine's own
// fused attention, under every method.
#include "adamerge/lenses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "adamerge/engine.h"
#include "adamerge/image.h"
#include "error_message.h"
#include "reference_cases.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using test::json;

const fs::path kLensesHere = fs::path(ADAMERGE_TEST_DATA) / "lenses";
const fs::path kLensesShared = fs::path(ADAMERGE_SHARED) / "reference" / "lenses";
constexpr double kLensBound = 2e-4;  ///< times the largest magnitude where that exceeds 1
constexpr double kChangeBound = 1e-4;

struct Numbers {
  std::string type;
  std::vector<int> shape;
  std::vector<double> values;
};
struct TensorsFile {
  json metadata;
  std::map<std::string, Numbers> tensors;
};

TensorsFile readTensors(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t length = 0;
  file.read(reinterpret_cast<char*>(&length), sizeof length);
  std::string text(length, ' ');
  file.read(text.data(), static_cast<std::streamsize>(length));
  TensorsFile result;
  std::size_t end = 0;
  const json header = json::parse(text);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      result.metadata = entry;
      continue;
    }
    Numbers numbers{entry.at("dtype"), entry.at("shape"), {}};
    const auto offsets = entry.at("data_offsets").get<std::vector<std::size_t>>();
    end = std::max(end, offsets[1]);
    file.seekg(static_cast<std::streamoff>(sizeof length + length + offsets[0]));
    for (std::size_t at = offsets[0]; at < offsets[1]; at += 4) {
      char bytes[4];
      file.read(bytes, 4);
      if (numbers.type == "I32") {
        std::int32_t value = 0;
        std::memcpy(&value, bytes, 4);
        numbers.values.push_back(value);
      } else {
        float value = 0;
        std::memcpy(&value, bytes, 4);
        numbers.values.push_back(static_cast<double>(value));
      }
    }
    result.tensors[name] = std::move(numbers);
  }
  EXPECT_TRUE(file.good()) << path;
  EXPECT_EQ(fs::file_size(path), sizeof length + length + end) << path;
  return result;
}

double boundOf(const std::vector<double>& values, double bound) {
  double largest = 1;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return bound * largest;
}

template <typename Values>
void expectNumbers(const Values& ours, const std::vector<double>& wanted, double bound,
                   const std::string& what) {
  ASSERT_EQ(ours.size(), wanted.size()) << what;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_NEAR(ours[i], wanted[i], bound) << what << " " << i;
  }
}

/// Null is a patch that has no attention.
void expectMap(const LensMap& ours, const json& wanted, const std::string& what) {
  ASSERT_EQ(ours.prefix.size() + ours.values.size(), wanted.size()) << what;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const bool prefix = i < ours.prefix.size();
    const std::size_t patch = i - (prefix ? 0 : ours.prefix.size());
    const double value = static_cast<double>(prefix ? ours.prefix[i] : ours.values[patch]);
    ASSERT_EQ(std::isnan(value), wanted[i].is_null()) << what << " " << i;
    if (!prefix) {
      ASSERT_EQ(ours.hatched[patch], wanted[i].is_null()) << what << " " << i;
    }
    if (!wanted[i].is_null()) {
      ASSERT_NEAR(value, wanted[i].get<double>(), kLensBound) << what << i;
    }
  }
}

double sumOf(const LensMap& map) {
  double sum = 0;
  for (const float value : map.prefix) sum += value;
  for (const float value : map.values) sum += std::isnan(value) ? 0 : value;
  return sum;
}

struct Runs {
  std::shared_ptr<const Recording> run, unmerged;
  ImageResult result;
};

Runs record(const Engine& engine, const InputTensor& input, const MethodChoice& choice) {
  Runs runs;
  const RunOptions how{.trace = true, .record = true};
  runs.result = engine.run({&input, 1}, choice, how).front();
  runs.run = runs.result.recording;
  runs.unmerged = engine.run({&input, 1}, MethodChoice{}, how).front().recording;
  return runs;
}

void expectExample(const Runs& runs, const json& example, int grid_width) {
  const int block = example.at("block");
  const int patch =
      example.at("patch")[1].get<int>() * grid_width + example.at("patch")[0].get<int>();
  const AttentionMaps maps = runs.run->attention(block);
  LensQuery query;
  query.token = {true, patch};
  query.head = example.at("head");
  const int position = positionOf(maps, query.token);
  EXPECT_EQ(position, example.at("token"));
  EXPECT_EQ(maps.seen.sizes[static_cast<std::size_t>(position)], example.at("size").get<float>());
  expectMap(attentionMap(maps, query), example.at("looks"), "looks");
  query.looked_at = true;
  expectMap(attentionMap(maps, query), example.at("looked_at"), "looked at");
  EXPECT_NEAR(received(maps, position, query.head), example.at("received").get<double>(),
              kLensBound);
  query.looked_at = false;
  query.head = -1;
  expectMap(attentionMap(maps, query), example.at("looks_mean"), "looks, mean");
  const auto mapOf = [&](LensKind kind) {
    query.kind = kind;
    return lensMap(*runs.run, runs.unmerged.get(), block, query);
  };
  expectNumbers(mapOf(LensKind::kSimilarity).values,
                example.at("similarity").get<std::vector<double>>(), kLensBound, "similarity");
  const auto norms = example.at("norm").get<std::vector<double>>();
  expectNumbers(mapOf(LensKind::kNorm).values, norms, boundOf(norms, kLensBound), "norm");
  if (!example.contains("colours") || example.at("colours").is_null()) return;
  const LensMap colors = mapOf(LensKind::kComponents);
  for (std::size_t p = 0; p < colors.colors.size(); ++p) {
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_NEAR(colors.colors[p][k], 255 * example.at("colours")[p][k].get<double>(), 0.56);
    }
  }
}

void runLensCase(const fs::path& folder, const json& expected) {
  SCOPED_TRACE(expected.at("name").get<std::string>());
  // The networks are named from the reference's folder; a copy lies in tests/data.
  const fs::path model = expected.at("model").get<std::string>();
  const bool bundled = model.filename() == "vit-tiny-cifar10";
  const fs::path root = folder == kLensesHere ? fs::path(ADAMERGE_TEST_DATA) : folder.parent_path();
  const fs::path own = bundled ? fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10"
                               : root / "families-merging" / model.filename();
  const Engine engine = Engine::load(own, {.device = "cpu", .dtype = "float32"});
  const fs::path image = (folder / expected.at("image").get<std::string>()).lexically_normal();
  const InputTensor input =
      prepareImage(loadImage(folder == kLensesHere ? own / "image.png" : image),
                   engine.info().preprocessing)
          .input;
  const MethodChoice choice = test::choiceOf(expected.at("settings"), nullptr);
  const Runs runs = record(engine, input, choice);
  ASSERT_NE(runs.run, nullptr);

  const test::TemporaryFolder temporary;
  const fs::path file = temporary.path() / "ours.safetensors";
  std::vector<int> blocks;
  if (expected.contains("layers")) {
    blocks = expected.at("layers").get<std::vector<int>>();
  } else {
    for (int block = 0; block < runs.run->blocks(); ++block) blocks.push_back(block);
  }
  writeTensors(file, *runs.run, *runs.unmerged, blocks,
               {choice.method, "{}", engine.info().name, "image.png"});
  const TensorsFile ours = readTensors(file);
  const TensorsFile wanted =
      readTensors(folder / (expected.at("name").get<std::string>() + ".safetensors"));
  for (const char* key : {"format", "version", "method", "grid", "prefix_tokens"}) {
    EXPECT_EQ(ours.metadata.at(key), wanted.metadata.at(key)) << key;
  }
  for (const auto& [name, numbers] : wanted.tensors) {
    SCOPED_TRACE(name);
    const auto found = ours.tensors.find(name);
    ASSERT_NE(found, ours.tensors.end());
    ASSERT_EQ(found->second.type, numbers.type);
    ASSERT_EQ(found->second.shape, numbers.shape);
    const double bound = numbers.type == "I32"       ? 0
                         : name.ends_with(".change") ? kChangeBound
                                                     : boundOf(numbers.values, kLensBound);
    expectNumbers(found->second.values, numbers.values, bound, name);
  }
  const std::vector<FeatureChange> change = featureChanges(*runs.run, *runs.unmerged);
  for (std::size_t block = 0; block < change.size(); ++block) {
    EXPECT_NEAR(change[block].mean, expected.at("change_mean")[block].get<double>(), kChangeBound);
    EXPECT_NEAR(change[block].worst, expected.at("change_worst")[block].get<double>(),
                kChangeBound);
  }
  EXPECT_EQ(expected.at("rollout_from") == "class token", runs.run->hasClassToken());
  expectExample(runs, expected.at("example"), runs.run->gridWidth());
}

int runLensFolder(const fs::path& folder) {
  const json cases = test::readReference(folder / "cases.json");
  for (const json& expected : cases) runLensCase(folder, expected);
  return static_cast<int>(cases.size());
}

TEST(Lenses, EqualTheReference) { EXPECT_EQ(runLensFolder(kLensesHere), 4); }

TEST(Lenses, SharedEqualTheReference) {
  if (!fs::is_directory(kLensesShared)) GTEST_SKIP() << kLensesShared << " is not here";
  EXPECT_EQ(runLensFolder(kLensesShared), 11);
}

/// A tiny network with class token, registers and rotary positions, and its picture.
struct Tiny {
  Engine engine = Engine::load(fs::path(ADAMERGE_TEST_DATA) / "families-merging" / "dinov3",
                               {.device = "cpu", .dtype = "float32"});
  InputTensor input = prepareImage(loadImage(fs::path(ADAMERGE_TEST_DATA) / "families-merging" /
                                             "dinov3" / "image.png"),
                                   engine.info().preprocessing)
                          .input;
};

/// As its definition says, in whole matrices over patches and prefix tokens.
std::vector<double> rolloutByDefinition(const Recording& run) {
  const std::size_t prefix = static_cast<std::size_t>(run.prefix());
  const std::size_t all = prefix + static_cast<std::size_t>(run.patches());
  using Matrix = std::vector<std::vector<double>>;
  const auto membership = [&](const TokenMembership& tokens) {  // M [N, N0]
    Matrix matrix(tokens.sizes.size(), std::vector<double>(all, 0.0));
    for (std::size_t token = 0; token < prefix; ++token) matrix[token][token] = 1;
    for (std::size_t patch = 0; patch < tokens.groups.size(); ++patch) {
      if (tokens.groups[patch] < 0) continue;
      const auto token = static_cast<std::size_t>(tokens.groups[patch]);
      matrix[token][prefix + patch] = 1 / static_cast<double>(tokens.sizes[token]);
    }
    return matrix;
  };
  const auto indicator = [&](const TokenMembership& tokens) {  // [N0, N]
    Matrix matrix(all, std::vector<double>(tokens.sizes.size(), 0.0));
    for (std::size_t token = 0; token < prefix; ++token) matrix[token][token] = 1;
    for (std::size_t patch = 0; patch < tokens.groups.size(); ++patch) {
      if (tokens.groups[patch] < 0) continue;
      matrix[prefix + patch][static_cast<std::size_t>(tokens.groups[patch])] = 1;
    }
    return matrix;
  };
  const auto product = [](const Matrix& a, const Matrix& b) {
    Matrix c(a.size(), std::vector<double>(b.front().size(), 0.0));
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t k = 0; k < b.size(); ++k) {
        for (std::size_t j = 0; j < c[i].size(); ++j) c[i][j] += a[i][k] * b[k][j];
      }
    }
    return c;
  };
  Matrix rolled;
  TokenMembership before;
  for (int block = 0; block < run.blocks(); ++block) {
    const AttentionMaps maps = run.attention(block);
    Matrix mean(maps.seen.sizes.size(), std::vector<double>(maps.seen.sizes.size(), 0.0));
    for (std::size_t i = 0, at = 0; i < maps.weights.size(); ++i, ++at) {
      const std::size_t size = mean.size();
      at %= size * size;
      mean[at / size][at % size] += static_cast<double>(maps.weights[i]) / maps.heads / 2;
    }
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i][i] += 0.5;
    rolled =
        block == 0
            ? product(mean, membership(maps.seen))
            : product(mean, product(product(membership(maps.seen), indicator(before)), rolled));
    before = maps.seen;
  }
  TokenMembership last{run.groupsAfter(run.blocks() - 1), {}};
  last.sizes.assign(prefix, 1.0F);
  for (const int group : last.groups) {
    if (group >= static_cast<int>(last.sizes.size())) {
      last.sizes.resize(static_cast<std::size_t>(group) + 1, 0.0F);
    }
    if (group >= 0) ++last.sizes[static_cast<std::size_t>(group)];
  }
  return product(product(membership(last), indicator(before)), rolled).front();
}

TEST(Lenses, RolloutIsItsDefinitionInWholeMatrices) {
  const Tiny tiny;
  for (const char* method : {"none", "tome", "tofu", "adamerge"}) {
    SCOPED_TRACE(method);
    const Runs runs = record(tiny.engine, tiny.input, {method, {}, nullptr, true});
    const Rollout ours = rollout(*runs.run);
    std::vector<float> joined = ours.prefix;
    joined.insert(joined.end(), ours.patches.begin(), ours.patches.end());
    expectNumbers(joined, rolloutByDefinition(*runs.run), 1e-6, "rollout");
  }
}

TEST(Lenses, HoldUnderEveryMethod) {
  const Tiny tiny;
  for (const MethodInfo& method : methods()) {
    SCOPED_TRACE(method.id);
    Runs runs;
    try {
      runs = record(tiny.engine, tiny.input, {method.id, {}, nullptr, true});
    } catch (const Error& error) {
      continue;  // needs a file that this network has not
    }
    for (int block = 0; block < runs.run->blocks(); ++block) {
      SCOPED_TRACE(block);
      const AttentionMaps maps = runs.run->attention(block);
      const auto tokens = static_cast<std::size_t>(maps.tokens);
      for (std::size_t row = 0; row < maps.weights.size() / tokens; ++row) {
        double sum = 0;
        for (std::size_t key = 0; key < tokens; ++key) sum += maps.weights[row * tokens + key];
        ASSERT_NEAR(sum, 1, 1e-5) << "row " << row;
      }
      const LensMap map = attentionMap(maps, {});
      EXPECT_NEAR(sumOf(map), 1, 1e-5);
      // The trace's weights come from the fused kernel, undivided.
      const std::vector<float>& traced =
          runs.result.layers[static_cast<std::size_t>(block)].attention;
      for (std::size_t patch = 0; patch < traced.size(); ++patch) {
        const int token = maps.seen.groups[patch];
        if (token < 0) continue;
        ASSERT_NEAR(map.values[patch] * maps.seen.sizes[static_cast<std::size_t>(token)],
                    traced[patch], 1e-5)
            << "patch " << patch;
      }
      const double most = std::log(static_cast<double>(runs.run->patches() + runs.run->prefix()));
      for (const float value : entropy(maps)) {
        EXPECT_GE(value, 0);
        EXPECT_LE(value, most + 1e-5);
      }
    }
    const Rollout all = rollout(*runs.run);
    double sum = 0;
    for (const float value : all.prefix) sum += value;
    for (const float value : all.patches) sum += value;
    EXPECT_NEAR(sum, 1, 1e-5);
    int merged = 0;
    for (const LayerTrace& layer : runs.result.layers) merged += layer.merged;
    double change = 0;
    for (const FeatureChange& block : featureChanges(*runs.run, *runs.unmerged)) {
      change += block.mean;
    }
    // Focus hides keys as well, and a method may change weights.
    if (merged > 0) {
      EXPECT_GT(change, 0);
    }
    if (method.id == "none") {
      EXPECT_EQ(change, 0);
    }
  }
}

TEST(Lenses, PatchesOfOneTokenAreAlike) {
  const Tiny tiny;
  const Runs runs =
      record(tiny.engine, tiny.input, {"tome", {{"r", std::int64_t{4}}}, nullptr, false});
  const int block = runs.run->blocks() - 1;
  for (const LensKind kind : {LensKind::kAttention, LensKind::kNorm, LensKind::kSimilarity}) {
    LensQuery query;
    query.kind = kind;
    query.token = {true, 7};
    const LensMap map = lensMap(*runs.run, runs.unmerged.get(), block, query);
    const std::vector<int> groups = kind == LensKind::kAttention
                                        ? runs.run->attentionTokens(block).groups
                                        : runs.run->groupsAfter(block);
    for (std::size_t a = 0; a < groups.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        // Of dropped patches the values are not numbers, and differ from themselves.
        if (groups[a] >= 0 && groups[a] == groups[b]) {
          EXPECT_EQ(map.values[a], map.values[b]);
        }
      }
    }
  }
}

TEST(Lenses, PercentileIsNumPys) {
  EXPECT_DOUBLE_EQ(percentile({4, 1, 3, 2}, 90), 3.7);
  EXPECT_DOUBLE_EQ(percentile({5}, 90), 5);
  EXPECT_DOUBLE_EQ(percentile({1, 2}, 0), 1);
  EXPECT_DOUBLE_EQ(percentile({1, 2}, 100), 2);
}

TEST(Lenses, AskedForWhatIsNotThereSaySo) {
  const Tiny tiny;
  const Runs runs =
      record(tiny.engine, tiny.input, {"tofu", {{"r", std::int64_t{2}}}, nullptr, false});
  const auto asked = [&](LensQuery query, int block) {
    return test::errorMessage([&] { lensMap(*runs.run, nullptr, block, query); });
  };
  LensQuery query;
  query.head = 99;
  EXPECT_THAT(asked(query, 0), testing::HasSubstr("no attention head 99"));
  query.head = -1;
  query.token.index = 5;
  EXPECT_THAT(asked(query, 0), testing::HasSubstr("no prefix token 5"));
  query.token = {true, 4000};
  EXPECT_THAT(asked(query, 0), testing::HasSubstr("the grid has columns 0 to 5"));
  query.token = {true, 0};
  EXPECT_THAT(asked(query, 99), testing::HasSubstr("blocks 0 to"));
  query.kind = LensKind::kChange;
  EXPECT_THAT(asked(query, 0), testing::HasSubstr("unmerged run"));
  // A dropped patch looks nowhere, and its place in the picture has no number.
  const int last = runs.run->blocks() - 1;
  const std::vector<int> groups = runs.run->attentionTokens(last).groups;
  const auto dropped = std::find(groups.begin(), groups.end(), -1);
  ASSERT_NE(dropped, groups.end());
  query.kind = LensKind::kAttention;
  query.token.index = static_cast<int>(dropped - groups.begin());
  EXPECT_THAT(asked(query, last), testing::HasSubstr("was dropped before the attention of block"));
}

TEST(Lenses, StopLeavesNoFile) {
  const Tiny tiny;
  const Runs runs = record(tiny.engine, tiny.input, {});
  const test::TemporaryFolder folder;
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(writeTensors(folder.path() / "a.safetensors", *runs.run, *runs.unmerged, {0}, {},
                            stop.get_token()),
               Cancelled);
  EXPECT_THROW(runs.run->attention(0, stop.get_token()), Cancelled);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Lenses, ARunWithoutRecordKeepsNothing) {
  const Tiny tiny;
  EXPECT_EQ(tiny.engine.run({&tiny.input, 1}, MethodChoice{}).front().recording, nullptr);
}

}  // namespace
}  // namespace adamerge
