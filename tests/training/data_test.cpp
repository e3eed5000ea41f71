// SPDX-License-Identifier: GPL-3.0-or-later
// Which images a run trains on and which it is measured on.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "drawn_pictures.h"
#include "error_message.h"
#include "safetensors_writer.h"
#include "temporary_folder.h"
#include "training_data.h"

namespace adamerge::training {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class DataTest : public testing::Test {
 protected:
  DataTest() { test::writePictures(images_, drawn_); }
  TrainingData read(const fs::path& test = {}) const {
    Random random(recipe_.seed);
    return readTrainingData(images_, test, recipe_, random);
  }
  std::string problem(const fs::path& test = {}) const {
    return test::errorMessage([&] { read(test); });
  }

  test::TemporaryFolder folder_;
  fs::path images_ = folder_.path() / "images";
  TrainingData drawn_ = test::drawnData();
  Recipe recipe_ = test::smallRecipe();
};

TEST_F(DataTest, HoldsOutAShareByTheSeed) {
  recipe_.hold_out = 0.2;
  const TrainingData data = read();
  EXPECT_EQ(data.classes, drawn_.classes);
  ASSERT_EQ(data.training.size(), 240U);
  ASSERT_EQ(data.test.size(), 60U);
  // Noise makes every image a different one: together they are all that were written.
  std::set<std::vector<std::uint8_t>> all;
  std::set<int> held;
  for (const Image& image : data.training.images) all.insert(image.pixels);
  for (const Image& image : data.test.images) all.insert(image.pixels);
  EXPECT_EQ(all.size(), 300U);
  held.insert(data.test.labels.begin(), data.test.labels.end());
  EXPECT_EQ(held.size(), 3U);
  for (std::size_t i = 0; i < 300; ++i) {
    EXPECT_TRUE(all.contains(drawn_.training.images[i].pixels)) << i;
  }

  EXPECT_EQ(read().test.labels, data.test.labels);
  recipe_.seed = 5;
  EXPECT_NE(read().test.labels, data.test.labels);
}

TEST_F(DataTest, KeepsLabelsWithTheirImages) {
  const TrainingData data = read();
  for (std::size_t i = 0; i < data.training.size(); ++i) {
    const auto& pixels = data.training.images[i].pixels;
    const auto found = std::find_if(drawn_.training.images.begin(), drawn_.training.images.end(),
                                    [&](const Image& image) { return image.pixels == pixels; });
    ASSERT_NE(found, drawn_.training.images.end());
    EXPECT_EQ(
        data.training.labels[i],
        drawn_.training.labels[static_cast<std::size_t>(found - drawn_.training.images.begin())]);
  }
}

TEST_F(DataTest, TakesTrainingAndTestBatchesOfOneFolder) {
  images_ = folder_.path() / "cifar-10-batches-bin";
  const auto write = [&](const char* name, int records) {
    std::string bytes;
    for (int i = 0; i < records; ++i) {
      bytes.push_back(static_cast<char>(i % 10));
      bytes.append(3072, static_cast<char>(i));
    }
    fs::create_directories(images_);
    test::writeBytes(images_ / name, bytes);
  };
  write("data_batch_1.bin", 20);
  write("data_batch_2.bin", 13);
  write("test_batch.bin", 12);
  const TrainingData data = read(images_);
  EXPECT_EQ(data.training.size(), 33U);
  EXPECT_EQ(data.test.size(), 12U);
  EXPECT_EQ(data.classes.size(), 10U);
  EXPECT_EQ(data.training.labels[32], 2);
  EXPECT_EQ(data.test.images[11].pixels[0], 11);
  images_ /= "data_batch_1.bin";
  EXPECT_EQ(read(images_).training.size(), 20U) << "a single file";
}

TEST_F(DataTest, NamesAndLeavesOutWhatCannotBeRead) {
  test::writeBytes(images_ / "rows" / "broken.ppm", "P6 12 12 255\nshort");
  const TrainingData data = read();
  EXPECT_EQ(data.training.size() + data.test.size(), 300U);
  EXPECT_THAT(data.problems, testing::ElementsAre(HasSubstr("broken.ppm")));
}

TEST_F(DataTest, RefusesWhatCannotBeTrainedOn) {
  const fs::path other = folder_.path() / "other";
  TrainingData strangers = drawn_;
  strangers.classes[1] = "spirals";
  test::writePictures(other, strangers);
  EXPECT_THAT(problem(other), AllOf(HasSubstr("other: spirals is no class of"),
                                    HasSubstr("columns, diagonals, rows")));
  recipe_.batch = 271;
  EXPECT_THAT(problem(), AllOf(HasSubstr("--batch 271"), HasSubstr("only 270 images")));
  recipe_.batch = 20;
  fs::remove_all(images_ / "rows");
  fs::remove_all(images_ / "columns");
  EXPECT_THAT(problem(), HasSubstr("only one sub-folder, diagonals"));
  images_ = folder_.path() / "empty";
  fs::create_directories(images_);
  EXPECT_THAT(problem(), HasSubstr("the folder holds no image"));
}

}  // namespace
}  // namespace adamerge::training
