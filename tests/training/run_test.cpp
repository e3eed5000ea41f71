// SPDX-License-Identifier: GPL-3.0-or-later
// Whole runs on drawn images.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "drawn_pictures.h"
#include "temporary_folder.h"
#include "trainer.h"

namespace adamerge::training {
namespace {

namespace fs = std::filesystem;

class RunTest : public testing::Test {
 protected:
  Trainer trainer(const std::string& name) {
    Trainer::Options options;
    options.checkpoint = folder_.path() / (name + ".safetensors");
    options.log = folder_.path() / (name + ".csv");
    options.checkpoint_every = 7;
    options.on_row = [this](const LogRow& row) { rows_.push_back(row); };
    return Trainer(recipe_, data_, Random(recipe_.seed), options);
  }
  std::string log(const std::string& name) const {
    std::ifstream file(folder_.path() / (name + ".csv"));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// Stops a run as soon as it reports `done` steps of `stage`, as Ctrl-C would.
  void interrupt(Trainer& trainer, std::string_view stage, std::int64_t done) {
    std::stop_source stop;
    const auto watch = [&](const Progress& progress) {
      if (progress.stage == stage && progress.done >= done) stop.request_stop();
    };
    EXPECT_THROW(trainer.run(watch, stop.get_token()), Cancelled);
  }
  static void expectSameTensors(const fs::path& one, const fs::path& other) {
    const Checkpoint first = readCheckpoint(one);
    const Checkpoint second = readCheckpoint(other);
    EXPECT_EQ(first.step, second.step);
    EXPECT_EQ(first.log, second.log);
    ASSERT_EQ(first.tensors.size(), second.tensors.size());
    for (const auto& [name, tensor] : first.tensors) {
      EXPECT_TRUE(tensor.equal(second.tensors.at(name))) << name;
    }
  }

  test::TemporaryFolder folder_;
  Recipe recipe_ = test::smallRecipe();
  TrainingData data_ = test::drawnData();
  std::vector<LogRow> rows_;
};

TEST_F(RunTest, TheLossFallsAndTheImagesAreTold) {
  recipe_.mixup = 0;
  recipe_.label_smoothing = 0;
  recipe_.epochs = 14;
  Trainer run = trainer("run");
  const double before = run.accuracy();
  run.run();
  EXPECT_EQ(run.step(), 14 * 15) << "300 images in batches of 20";
  // Three classes: a guess has a loss of log 3 = 1.10 and is right in a third of the images.
  EXPECT_NEAR(rows_.front().loss, 1.1, 0.15);
  EXPECT_LT(before, 0.6);
  EXPECT_LT(rows_.back().loss, 0.5);
  EXPECT_GT(rows_.back().accuracy.value_or(0), 85.0);
  EXPECT_DOUBLE_EQ(*rows_.back().accuracy, 100 * run.accuracy());
}

TEST_F(RunTest, LogsEverySoManyStepsAndEveryEpoch) {
  recipe_.epochs = 2;
  Trainer run = trainer("run");
  run.run();
  std::vector<std::int64_t> steps;
  for (const LogRow& row : rows_) {
    steps.push_back(row.step);
    EXPECT_EQ(row.accuracy.has_value(), row.step % 15 == 0) << row.step;
    EXPECT_EQ(row.epoch, row.step <= 15 ? 1 : 2);
  }
  EXPECT_THAT(steps, testing::ElementsAre(4, 8, 12, 15, 16, 20, 24, 28, 30));
  const std::string text = log("run");
  EXPECT_THAT(text, testing::StartsWith(kLogHeader));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10);
}

TEST_F(RunTest, ResumedAnywhereEndsInTheSameBits) {
  Trainer whole = trainer("whole");
  whole.run();
  rows_.clear();
  {
    Trainer first = trainer("parts");
    interrupt(first, "training", 5);
    EXPECT_EQ(first.step(), 5) << "between two rows of the log";
  }
  {
    Trainer second = trainer("parts");
    second.resume();
    EXPECT_EQ(second.step(), 5);
    interrupt(second, "measuring accuracy", 40);
    EXPECT_EQ(second.step(), 15) << "after an epoch, before its row";
  }
  {
    Trainer third = trainer("parts");
    third.resume();
    interrupt(third, "training", 45);
  }
  Trainer last = trainer("parts");
  last.resume();
  last.run();
  expectSameTensors(folder_.path() / "whole.safetensors", folder_.path() / "parts.safetensors");
  EXPECT_EQ(log("whole"), log("parts"));
  for (std::size_t i = 1; i < rows_.size(); ++i) EXPECT_LT(rows_[i - 1].step, rows_[i].step);

  // A finished run has nothing left to do.
  Trainer finished = trainer("parts");
  finished.resume();
  finished.run();
  expectSameTensors(folder_.path() / "whole.safetensors", folder_.path() / "parts.safetensors");
}

TEST_F(RunTest, ACheckpointOfARunThatWasKilledGoesOnToTheSameBits) {
  recipe_.epochs = 2;
  recipe_.dtype = "bfloat16";
  Trainer whole = trainer("whole");
  whole.run();
  {
    // The checkpoint of step 21 is what a kill at step 26 leaves.
    Trainer killed = trainer("parts");
    EXPECT_THROW(killed.run([](const Progress& progress) {
      if (progress.stage == "training" && progress.done == 26) throw std::runtime_error("killed");
    }),
                 std::runtime_error);
  }
  Trainer resumed = trainer("parts");
  resumed.resume();
  EXPECT_EQ(resumed.step(), 21);
  EXPECT_THAT(log("parts"), testing::HasSubstr("\n20,2,")) << "rows of steps to come are gone";
  EXPECT_THAT(log("parts"), testing::Not(testing::HasSubstr("\n24,2,")));
  resumed.run();
  EXPECT_EQ(log("whole"), log("parts"));
  expectSameTensors(folder_.path() / "whole.safetensors", folder_.path() / "parts.safetensors");
}

TEST_F(RunTest, OtherSeedsMakeOtherNetworks) {
  recipe_.epochs = 1;
  Trainer first = trainer("first");
  first.run();
  recipe_.seed = 1;
  Trainer second = trainer("second");
  second.run();
  EXPECT_FALSE(first.model().parameters()[4].value.equal(second.model().parameters()[4].value));
  EXPECT_NE(log("first"), log("second"));
}

TEST_F(RunTest, TrainsInBfloat16Too) {
  recipe_.dtype = "bfloat16";
  recipe_.epochs = 1;
  Trainer run = trainer("run");
  run.run();
  EXPECT_LT(rows_.back().loss, 1.3);
  for (const Parameter& parameter : run.model().parameters()) {
    EXPECT_EQ(parameter.value.scalar_type(), at::kFloat);
  }
}

}  // namespace
}  // namespace adamerge::training
