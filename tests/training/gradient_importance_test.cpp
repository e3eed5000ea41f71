// SPDX-License-Identifier: GPL-3.0-or-later
// Prune and Merge's importance by gradients.
#include "gradient_importance.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "adamerge/image.h"
#include "error_message.h"
#include "reference_cases.h"

namespace adamerge::training {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kModel = fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";

at::Tensor imagesOf(const LoadedModel& model, const std::vector<fs::path>& files) {
  std::vector<at::Tensor> images;
  for (const fs::path& file : files) {
    const InputTensor input = prepareImage(loadImage(file), model.info.preprocessing).input;
    images.push_back(at::tensor(input.values).reshape({3, input.height, input.width}));
  }
  return at::stack(images);
}

TEST(GradientImportance, EqualsTheReference) {
  const fs::path pictures = fs::path(ADAMERGE_SHARED) / "reference" / "merging";
  if (!fs::is_directory(pictures)) GTEST_SKIP() << pictures << " is not here";
  const fs::path file = fs::path(ADAMERGE_TEST_DATA) / "methods" / "prune-merge-gradient.json";
  const Importance wanted = readImportance(file);
  const test::json json = test::readReference(file);
  std::vector<fs::path> files;
  for (const auto& name : json.at("files")) files.push_back(pictures / name.get<std::string>());
  const auto labels = json.at("labels").get<std::vector<std::int64_t>>();

  const LoadedModel model = loadModel(kModel);
  const at::Tensor images = imagesOf(model, files);
  const auto scores =
      gradientScores(trainableVit(model, at::kCPU), 2, [&](std::int64_t batch) -> LabelledBatch {
        return {images.narrow(0, 4 * batch, 4), at::tensor(labels).narrow(0, 4 * batch, 4)};
      });
  ASSERT_EQ(scores.size(), wanted.scores.size());
  for (std::size_t block = 0; block < scores.size(); ++block) {
    const double largest =
        *std::max_element(wanted.scores[block].begin(), wanted.scores[block].end());
    ASSERT_EQ(scores[block].size(), wanted.scores[block].size());
    for (std::size_t j = 0; j < scores[block].size(); ++j) {
      EXPECT_NEAR(scores[block][j], wanted.scores[block][j], 1e-4 * largest) << block << " " << j;
    }
  }
}

TEST(GradientImportance, IsASumOverBatchesAndLeavesNoGradients) {
  const LoadedModel model = loadModel(kModel);
  const TrainableVit vit = trainableVit(model, at::kCPU);
  const fs::path data = fs::path(ADAMERGE_TEST_DATA) / "merging";
  const at::Tensor images = imagesOf(model, {data / "drawn-cat.ppm", data / "drawn-ship.ppm"});
  const auto of = [&](std::int64_t first, std::int64_t batches) {
    return gradientScores(vit, batches, [&](std::int64_t batch) -> LabelledBatch {
      return {images.narrow(0, first + batch, 1), at::tensor({first + batch})};
    });
  };
  const auto cat = of(0, 1);
  const auto ship = of(1, 1);
  const auto both = of(0, 2);
  for (std::size_t block = 0; block < both.size(); ++block) {
    for (std::size_t j = 0; j < both[block].size(); ++j) {
      EXPECT_GE(cat[block][j], 0);
      EXPECT_NEAR(both[block][j], cat[block][j] + ship[block][j], 1e-12);
    }
  }
  for (const Parameter& parameter : vit.parameters())
    EXPECT_FALSE(parameter.value.grad().defined());
}

TEST(GradientImportance, RefusesAnotherKindOfNetwork) {
  const LoadedModel model = loadModel(fs::path(ADAMERGE_TEST_DATA) / "vit-variants" / "qk-norm");
  EXPECT_THAT(test::errorMessage([&] { trainableVit(model, at::kCPU); }),
              HasSubstr("plain Vision Transformers"));
}

}  // namespace
}  // namespace adamerge::training
