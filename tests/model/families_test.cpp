// SPDX-License-Identifier: GPL-3.0-or-later
// Every family against the numbers that its own library gives for the same file: tokens on entry,
// after every block, features, embedding and logits. tests/data/families holds a network of each
// kind; ../shared has all of them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/vit.h"
#include "error_message.h"
#include "family_folders.h"
#include "model/load_model.h"
#include "safetensors_metadata.h"
#include "weights/safetensors.h"
#include "weights/state_dict.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;

/// Of single precision; a reading of the formulas in double precision lies within 5e-6.
constexpr double kBound = 1e-5;

std::optional<InputSize> sizeOf(const std::string& text) {
  InputSize size;
  if (std::sscanf(text.c_str(), "%dx%d", &size.height, &size.width) != 2) return std::nullopt;
  return size;
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return 1e9;
  return a.numel() == 0 ? 0 : (a - b).abs().max().item<double>();
}

/// A dense network's features are planes.
at::Tensor featuresOf(const at::Tensor& expected) {
  return expected.dim() == 4 ? expected.flatten(2).transpose(1, 2) : expected;
}

void expectTheLibrarysNumbers(const fs::path& folder) {
  SCOPED_TRACE(folder.filename().string());
  const StateDict expected = readWeights(folder / "case.safetensors").tensors;
  const auto metadata = test::safetensorsMetadata(folder / "case.safetensors");
  const std::optional<InputSize> size = sizeOf(metadata.at("input_size"));
  ASSERT_TRUE(size);
  const auto other = metadata.find("other_than_the_config");
  const bool named = other != metadata.end() && other->second == "True";
  const LoadedModel model = loadModel(test::published(folder), {named ? size : std::nullopt});
  const VitConfig& vit = model.info.vit;
  ASSERT_EQ(vit.input_height, size->height);
  ASSERT_EQ(vit.input_width, size->width);
  if (const auto heads = metadata.find("heads"); heads != metadata.end()) {
    EXPECT_EQ(vit.heads, std::stoi(heads->second));
  }
  if (const auto prefix = metadata.find("prefix_tokens"); prefix != metadata.end()) {
    EXPECT_EQ(vit.prefixTokens(), std::stoi(prefix->second));
  }
  const VisionTransformer network(vit, model.weights, at::kCPU, at::kFloat);
  const auto none = findMethodEntry("none").make(completeSettings({}), MethodContext{vit});
  const at::Tensor input = expected.at("input");
  const VisionTransformer::Output output =
      network.forward(input, *none, {.trace = false, .stream = true});

  ASSERT_EQ(output.stream.size(), 1U);
  EXPECT_LE(distance(output.stream[0][0], expected.at("tokens")[0]), kBound) << "tokens";
  for (int block = 0; block < vit.depth; ++block) {
    const auto found = expected.find(fmt::format("block_{}", block));
    ASSERT_NE(found, expected.end());
    EXPECT_LE(distance(output.stream[0][block + 1], found->second[0]), kBound) << "block " << block;
  }
  // CLIP's last hidden state has no norm, which acts on every token in timm and here.
  const auto normed = expected.find("tokens_normed");
  const at::Tensor features = normed != expected.end() ? normed->second : expected.at("features");
  EXPECT_LE(distance(output.features[0], featuresOf(features)[0]), kBound) << "features";
  EXPECT_LE(distance(output.embedding, expected.at("embedding")), kBound) << "embedding";
  const auto logits = expected.find("logits");
  if (logits == expected.end()) {
    EXPECT_EQ(output.logits.size(1), 0);
  } else {
    EXPECT_LE(distance(output.logits, logits->second), kBound) << "logits";
  }
}

TEST(Families, GiveTheNumbersOfTheirLibraries) {
  const std::vector<fs::path> all = test::familyFolders(test::kOwnFamilies);
  ASSERT_GE(all.size(), 10U);
  for (const fs::path& folder : all) expectTheLibrarysNumbers(folder);
}

TEST(Families, SharedGiveTheNumbersOfTheirLibraries) {
  const std::vector<fs::path> all = test::familyFolders(test::kSharedFamilies);
  if (all.empty()) GTEST_SKIP() << test::kSharedFamilies << " is not here";
  for (const fs::path& folder : all) {
    try {
      expectTheLibrarysNumbers(folder);
    } catch (const std::exception& error) {
      ADD_FAILURE() << folder.filename() << ": " << error.what();
    }
  }
}

TEST(Families, SegmentAnythingGivesTheNumbersOfItsLibraries) {
  int found = 0;
  for (const fs::path& root : {fs::path(ADAMERGE_TEST_DATA) / "dense",
                               fs::path(ADAMERGE_SHARED) / "reference" / "dense"}) {
    for (const fs::path& folder : test::familyFolders(root)) {
      if (!folder.filename().string().starts_with("sam-")) continue;
      expectTheLibrarysNumbers(folder);
      ++found;
    }
  }
  EXPECT_GE(found, 4);
}

TEST(Families, SharedSamThatWasRefusedRuns) {
  const fs::path folder = test::kSharedFamilies / "refused" / "sam-vision";
  if (!fs::is_directory(folder)) GTEST_SKIP() << folder << " is not here";
  const LoadedModel model = loadModel(folder);
  EXPECT_EQ(model.info.vit.windows.sides, (std::vector<int>{2, 0}));
  EXPECT_EQ(model.info.vit.embeddingWidth(), 16);
}

TEST(Families, SharedForeignNetworksAreRefusedWithTheReason) {
  const fs::path root = test::kSharedFamilies / "refused";
  if (!fs::is_directory(root)) GTEST_SKIP() << root << " is not here";
  for (const auto& [name, reason] : {std::pair("swin", "pyramid"),
                                     {"siglip2-naflex", "NaFlex"},
                                     {"timm-naflexvit", "NaFlex"},
                                     {"timm-diff-attention", "differential attention"}}) {
    EXPECT_THAT(test::errorMessage([&] { loadModel(root / name); }),
                AllOf(HasSubstr(root.string()), HasSubstr(reason), HasSubstr("cannot run here")))
        << name;
  }
}

}  // namespace
}  // namespace adamerge
