// SPDX-License-Identifier: GPL-3.0-or-later
// All reference cases of the further methods, photographs among them, and the importance that is
// measured on their pictures.
#include <map>

#include "adamerge/calibrate.h"
#include "adamerge/image.h"
#include "method_cases.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
const fs::path kReferences = fs::path(ADAMERGE_SHARED) / "reference";

class SharedMethods : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(kReferences / "methods")) GTEST_SKIP() << kReferences << " is not here";
  }
  InputTensor input(const std::string& picture) const {
    return prepareImage(loadImage(kReferences / "merging" / picture), engine_.info().preprocessing)
        .input;
  }

  Engine engine_ = Engine::load(fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10",
                                {.device = "cpu", .dtype = "float32"});
};

TEST_F(SharedMethods, EqualTheReference) {
  const test::json cases = test::readReference(kReferences / "methods" / "cases.json");
  EXPECT_EQ(cases.size(), 226U);
  for (const test::json& expected : cases) {
    const std::string image = expected.at("image");
    SCOPED_TRACE(image + " " + expected.at("settings").dump());
    const InputTensor picture = input(image);
    const MethodChoice choice = test::methodChoiceOf(expected.at("settings"));
    test::expectMethodCase(engine_.run({&picture, 1}, choice).front(), expected);
  }
}

TEST_F(SharedMethods, ReceivedImportanceIsMeasured) {
  const fs::path file = fs::path(ADAMERGE_TEST_DATA) / "methods" / "prune-merge-received.json";
  const Importance wanted = readImportance(file);
  const auto names = test::readReference(file).at("files").get<std::vector<std::string>>();
  const Importance measured = measureImportance(
      engine_,
      [&](std::size_t first, std::size_t count) {
        std::vector<InputTensor> images;
        for (std::size_t i = first; i < first + count; ++i) images.push_back(input(names[i]));
        return images;
      },
      names.size());
  EXPECT_EQ(measured.images, 8);
  EXPECT_EQ(measured.kind, "received");
  EXPECT_EQ(measured.depth, wanted.depth);
  ASSERT_EQ(measured.scores.size(), wanted.scores.size());
  for (std::size_t block = 0; block < wanted.scores.size(); ++block) {
    for (std::size_t j = 0; j < wanted.scores[block].size(); ++j) {
      const double score = wanted.scores[block][j];
      EXPECT_NEAR(measured.scores[block][j], score, 1e-4 * score) << block << " " << j;
    }
  }
}

}  // namespace
}  // namespace adamerge
