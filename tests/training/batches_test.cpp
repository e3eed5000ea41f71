// SPDX-License-Identifier: GPL-3.0-or-later
#include "batches.h"

#include <gmock/gmock.h>

#include "adamerge/image.h"
#include "drawn_pictures.h"

namespace adamerge::training {
namespace {

class BatchesTest : public testing::Test {
 protected:
  BatchesTest() {
    recipe_.padding = 0;
    recipe_.mixup = 0;
    recipe_.label_smoothing = 0;
    // As large as the images, so that a pixel is a pixel.
    recipe_.image_size = 12;
  }
  Batch batch() { return trainingBatch(pictures_, at::tensor({4L, 0L, 2L}), recipe_, 3, random_); }
  at::Tensor plain(std::size_t index) const {
    return plainImages(pictures_, index, 1, preprocessingOf(recipe_))[0];
  }

  Pictures pictures_ = test::drawnPictures(6, 3);
  Recipe recipe_ = test::smallRecipe();
  Random random_{1};
};

TEST_F(BatchesTest, WithoutAugmentationImagesAreWhatTheCorePrepares) {
  recipe_.image_size = 20;
  const Batch made = batch();
  ASSERT_EQ(made.images.sizes(), at::IntArrayRef({3, 3, 20, 20}));
  const std::vector<float> expected =
      prepareImage(pictures_.images[2], preprocessingOf(recipe_)).input.values;
  EXPECT_TRUE(made.images[2].flatten().equal(at::tensor(expected)));
  EXPECT_TRUE(made.targets.equal(at::eye(3).index_select(0, at::tensor({1L, 0L, 2L}))))
      << "labels of images 4, 0 and 2";
}

TEST_F(BatchesTest, MovesWithinThePaddingAndFillsWithBlack) {
  recipe_.padding = 2;
  int moved = 0;
  for (int draw = 0; draw < 20; ++draw) {
    const at::Tensor image = batch().images[0];
    // Where the original, padded with black (-1 once normalised), shows this part.
    const at::Tensor padded = at::constant_pad_nd(plain(4), {2, 2, 2, 2}, -1);
    int found = 0;
    for (std::int64_t dy = 0; dy <= 4; ++dy) {
      for (std::int64_t dx = 0; dx <= 4; ++dx) {
        if (!padded.narrow(1, dy, 12).narrow(2, dx, 12).equal(image)) continue;
        ++found;
        if (dx != 2 || dy != 2) ++moved;
      }
    }
    EXPECT_EQ(found, 1);
  }
  EXPECT_GT(moved, 10);
}

TEST_F(BatchesTest, FlipsAboutHalf) {
  recipe_.flip = true;
  int flipped = 0;
  for (int draw = 0; draw < 40; ++draw) {
    const at::Tensor image = batch().images[1];
    const bool mirrored = image.equal(plain(0).flip(2));
    EXPECT_TRUE(mirrored || image.equal(plain(0)));
    flipped += mirrored ? 1 : 0;
  }
  EXPECT_NEAR(flipped, 20, 12);
}

TEST_F(BatchesTest, SmoothsLabels) {
  recipe_.label_smoothing = 0.3;
  const at::Tensor expected = at::tensor({0.1F, 0.8F, 0.1F});
  EXPECT_TRUE(batch().targets[0].allclose(expected, 0, 1e-6));
}

TEST_F(BatchesTest, MixesEveryImageWithItsOpposite) {
  recipe_.mixup = 0.8;
  recipe_.mixup_share = 1;
  const Batch mixed = batch();
  // Image 4 is of class 1, its opposite, image 2, of class 2.
  const double share = mixed.targets[0][1].item<double>();
  EXPECT_GT(share, 0.0);
  EXPECT_LT(share, 1.0);
  EXPECT_NEAR(mixed.targets[0][2].item<double>(), 1 - share, 1e-6);
  EXPECT_TRUE(mixed.images[0].allclose(plain(4) * share + plain(2) * (1 - share), 0, 1e-5));
  EXPECT_TRUE(mixed.images[1].allclose(plain(0), 0, 1e-6)) << "the middle one is its own opposite";
}

TEST_F(BatchesTest, DropsDifferentPatchesOfEachImage) {
  recipe_.stochastic_depth = 0.5;
  const Dropped dropped = drawDropped(recipe_, 200, 3, 16, random_);
  ASSERT_EQ(dropped.kept_patches.sizes(), at::IntArrayRef({200, 3}));
  const at::Tensor sorted = std::get<0>(dropped.kept_patches.sort(1));
  EXPECT_GE(sorted.min().item<long>(), 0);
  EXPECT_LT(sorted.max().item<long>(), 16);
  EXPECT_TRUE((sorted.narrow(1, 1, 2) > sorted.narrow(1, 0, 2)).all().item<bool>()) << "none twice";
  EXPECT_FALSE(sorted[0].equal(sorted[1]) && sorted[1].equal(sorted[2]));

  // 2 blocks: rates 0 and 0.5, two branches each; what stays is scaled so that the mean stays.
  ASSERT_EQ(dropped.branches.sizes(), at::IntArrayRef({4, 200}));
  EXPECT_TRUE(dropped.branches.narrow(0, 0, 2).equal(at::ones({2, 200})));
  const at::Tensor last = dropped.branches.narrow(0, 2, 2);
  EXPECT_TRUE(((last == 0) | (last == 2)).all().item<bool>());
  EXPECT_NEAR(last.mean().item<double>(), 1.0, 0.25);

  EXPECT_FALSE(drawDropped(recipe_, 2, 16, 16, random_).kept_patches.defined());
}

TEST(Random, GoesOnFromItsState) {
  Random first(3);
  first.normal({3}, 1.0);
  Random second(99);
  second.setState(first.state());
  EXPECT_EQ(first.beta(0.4), second.beta(0.4));
  EXPECT_TRUE(first.normal({5}, 1.0).equal(second.normal({5}, 1.0)));
  EXPECT_TRUE(first.permutation(20).equal(second.permutation(20)));
}

TEST(Random, DrawsBeta) {
  Random random(5);
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.beta(0.8);
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kDraws;
  EXPECT_NEAR(mean, 0.5, 0.025);
  // The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
  EXPECT_NEAR(squares / kDraws - mean * mean, 1 / (4 * 2.6), 0.006);
}

}  // namespace
}  // namespace adamerge::training
