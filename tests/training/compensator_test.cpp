// SPDX-License-Identifier: GPL-3.0-or-later
// Training a token compensator: the merged network is the engine's, what is written is what ToMe
// reads, and it repairs.
#include "merging/compensator.h"

#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include "adamerge/engine.h"
#include "adamerge/image.h"
#include "batches.h"
#include "cli_runner.h"
#include "drawn_pictures.h"
#include "error_message.h"
#include "model_folder.h"
#include "temporary_folder.h"
#include "token_compensator.h"

namespace adamerge::training {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class CompensatorTraining : public testing::Test {
 protected:
  CompensatorTraining() {
    const c10::NoGradGuard guard;
    // As initialised all logits are nearly alike, which would hide mistakes.
    for (const Parameter& parameter : vit_.parameters()) {
      parameter.value.add_(random_.normal(parameter.value.sizes(), 0.2));
    }
    writeModelFolder(model_, recipe_, data_.classes, weightsOf(vit_), at::kFloat);
    recipe_.epochs = 4;
    recipe_.batch = 20;
    recipe_.learning_rate = 5e-3;
    recipe_.weight_decay = 0;
  }
  /// What the engine gives for the first test pictures under ToMe, against `expected` logits.
  void expectEngine(const Settings& settings, const at::Tensor& expected) const {
    const Engine engine = Engine::load(model_, {.device = "cpu", .dtype = "float32"});
    std::vector<InputTensor> inputs;
    for (std::int64_t i = 0; i < expected.size(0); ++i) {
      inputs.push_back(
          prepareImage(data_.test.images[static_cast<std::size_t>(i)], engine.info().preprocessing)
              .input);
    }
    const std::vector<ImageResult> results = engine.run(inputs, {"tome", settings, nullptr, false});
    for (std::int64_t i = 0; i < expected.size(0); ++i) {
      for (std::int64_t c = 0; c < expected.size(1); ++c) {
        EXPECT_NEAR(expected[i][c].item<float>(),
                    results[static_cast<std::size_t>(i)].logits[static_cast<std::size_t>(c)], 2e-5)
            << i << " " << c;
      }
    }
  }
  at::Tensor logits(const TokenMerging& merging) const {
    const c10::NoGradGuard guard;
    return vit_.forward(plainImages(data_.test, 0, 6, preprocessingOf(recipe_)), at::kFloat, {},
                        nullptr, merging);
  }

  Recipe recipe_ = test::smallRecipe();
  TrainingData data_ = test::drawnData();
  Random random_{7};
  TrainableVit vit_{architectureOf(recipe_, 3), random_, at::kCPU};
  test::TemporaryFolder folder_;
  fs::path model_ = folder_.path() / "model";
  fs::path file_ = folder_.path() / "tocom.safetensors";
};

TEST_F(CompensatorTraining, MergesAsTheEngineDoes) {
  const at::Tensor unmerged = logits({});
  for (const int r : {0, 1, 3, 8}) {
    SCOPED_TRACE(r);
    const at::Tensor merged = logits({toMe(r, vit_.config()).get()});
    expectEngine({{"r", std::int64_t{r}}}, merged);
    EXPECT_EQ((merged - unmerged).abs().max().item<float>() > 1e-3F, r > 0);
  }
}

TEST_F(CompensatorTraining, WritesWhatToMeReadsAndRepairs) {
  std::vector<double> losses;
  CompensatorOptions options{.file = file_};
  options.on_epoch = [&](int, double loss) { losses.push_back(loss); };
  const std::vector<CompensatorGain> gains =
      trainCompensator(vit_, preprocessingOf(recipe_), data_, recipe_, Random(3), options);
  EXPECT_EQ(losses.size(), 4U);
  ASSERT_EQ(gains.size(), 2U);
  for (const CompensatorGain& gain : gains) {
    EXPECT_GT(gain.plain, 0) << gain.r;
    EXPECT_LT(gain.compensated, gain.plain) << gain.r;
  }
  // The loader's reading of the file, in the network that was trained and in the engine.
  const Compensator compensator(file_, vit_.config());
  for (const auto& [source, target] : {std::pair(0, 8), std::pair(5, 2)}) {
    const std::unique_ptr<const MergeMethod> method = toMe(target, vit_.config());
    TokenMerging merging{method.get()};
    for (const at::Tensor& change : compensator.changes(source, target, 0.1)) {
      merging.qkv_changes.push_back(change.to(at::kFloat));
    }
    const at::Tensor changed = logits(merging);
    EXPECT_GT((changed - logits({method.get()})).abs().max().item<float>(), 1e-4F);
    expectEngine({{"r", std::int64_t{target}},
                  {"source", std::int64_t{source}},
                  {"compensator", file_.string()}},
                 changed);
  }
}

TEST_F(CompensatorTraining, FoldsItsMapsAsTheLoaderDoes) {
  const CompensatorMaps maps(vit_.config(), random_, at::kCPU);
  const c10::NoGradGuard guard;
  for (const Parameter& parameter : maps.parameters()) {
    parameter.value.add_(random_.normal(parameter.value.sizes(), 0.3));
  }
  writeCompensator(maps, file_);
  const Compensator compensator(file_, vit_.config());
  for (const auto& [source, target] :
       {std::pair(0, 16), std::pair(16, 0), std::pair(3, 4), std::pair(9, 2)}) {
    const std::vector<at::Tensor> own = maps.changes(source, target, 0.15);
    const std::vector<at::Tensor> read = compensator.changes(source, target, 0.15);
    ASSERT_EQ(own.size(), read.size());
    for (std::size_t block = 0; block < own.size(); ++block) {
      EXPECT_TRUE(own[block].to(at::kDouble).allclose(read[block], 1e-5, 1e-6));
    }
  }
  EXPECT_TRUE(maps.changes(4, 4, 0.1).empty());
}

TEST_F(CompensatorTraining, IsOneCommand) {
  const fs::path images = folder_.path() / "images";
  test::writePictures(images, data_);
  const auto command = [&](std::vector<std::string> more) {
    std::vector<std::string> line{
        images.string(), "--compensator", model_.string(), "--threads", "1", "--dtype", "float32"};
    line.insert(line.end(), more.begin(), more.end());
    return test::adamergeCli(line);
  };
  const test::CliResult made = command({"-o", file_.string(), "--epochs", "1", "--batch", "30"});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("epoch 1 of 1: KL divergence"));
  EXPECT_THAT(made.out, HasSubstr("r 8: KL divergence from the unmerged model"));
  EXPECT_NO_THROW(Compensator(file_, vit_.config()));

  const auto refused = [&](const std::vector<std::string>& more, int status,
                           const std::string& part) {
    const test::CliResult result = command(more);
    EXPECT_EQ(result.status, status) << part;
    EXPECT_THAT(result.err, HasSubstr(part));
  };
  const std::string other = (folder_.path() / "other.safetensors").string();
  refused({"-o", (folder_.path() / "maps.bin").string()}, 1, "-o ends in that");
  refused({"-o", other, "--width", "64"}, 2, "--width has no effect with --compensator");
  refused({"-o", other, "--importance", model_.string()}, 2, "different things to do");
  refused({"-o", other, "--batch", "5000"}, 1, "5000");
  EXPECT_FALSE(fs::exists(other));
}

}  // namespace
}  // namespace adamerge::training
