// SPDX-License-Identifier: GPL-3.0-or-later
// What cannot be trained or gone on with is refused in one sentence.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <limits>

#include "drawn_pictures.h"
#include "error_message.h"
#include "model_folder.h"
#include "safetensors_writer.h"
#include "temporary_folder.h"
#include "trainer.h"

namespace adamerge::training {
namespace {

namespace fs = std::filesystem;
using test::errorMessage;
using testing::AllOf;
using testing::HasSubstr;

/// As on a full disk: no file gets longer than `bytes`.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    signal_ = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

 private:
  rlimit before_{};
  void (*signal_)(int) = nullptr;
};

class RefusalsTest : public testing::Test {
 protected:
  RefusalsTest() {
    recipe_.epochs = 1;
    Trainer(recipe_, data_, Random(0), options()).run();
  }
  Trainer::Options options() const {
    return {.checkpoint = path_, .log = folder_.path() / "log.csv"};
  }
  std::string resumeError(const Recipe& recipe, const TrainingData& data) const {
    return errorMessage([&] { Trainer(recipe, data, Random(0), options()).resume(); });
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_.path()), {}));
  }

  test::TemporaryFolder folder_;
  fs::path path_ = folder_.path() / "checkpoint.safetensors";
  Recipe recipe_ = test::smallRecipe();
  TrainingData data_ = test::drawnData();
};

TEST_F(RefusalsTest, ACheckpointOfAnotherShapeOrOtherSettingsNamesBoth) {
  Recipe other = recipe_;
  other.width = 64;
  EXPECT_THAT(resumeError(other, data_),
              AllOf(HasSubstr("checkpoint.safetensors: made with --width 32"),
                    HasSubstr("this run has --width 64")));
  other = recipe_;
  other.keep_patches.clear();
  EXPECT_THAT(resumeError(other, data_), HasSubstr("--keep-patches \"0.5:0.4\", this run has"));

  TrainingData images = data_;
  images.fingerprint = "photographed";
  EXPECT_THAT(resumeError(recipe_, images),
              AllOf(HasSubstr("[drawn]"), HasSubstr("[photographed]")));
  images = data_;
  images.classes[0] = "pillars";
  EXPECT_THAT(resumeError(recipe_, images), AllOf(HasSubstr("columns"), HasSubstr("pillars")));
}

TEST_F(RefusalsTest, ABrokenCheckpoint) {
  const std::string whole = test::readBytes(path_);
  test::writeBytes(path_, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(resumeError(recipe_, data_), HasSubstr("checkpoint.safetensors: the file has"));
  test::writeBytes(path_, "hello");
  EXPECT_THAT(resumeError(recipe_, data_), HasSubstr("no checkpoint of adamerge-train"));
  test::writeSafetensors(path_, {{"w", at::ones({2})}});
  EXPECT_THAT(resumeError(recipe_, data_),
              HasSubstr("a safetensors file, but no checkpoint of adamerge-train"));
  fs::remove(path_);
  EXPECT_THAT(resumeError(recipe_, data_), HasSubstr("checkpoint.safetensors"));
}

TEST_F(RefusalsTest, ACheckpointWithTensorsOfAnotherKind) {
  test::writeBytes(folder_.path() / "copy", test::readBytes(path_));
  const Checkpoint good = readCheckpoint(folder_.path() / "copy");
  const auto errorWith = [&](const std::string& name, const at::Tensor& tensor) {
    Checkpoint bad = good;
    bad.tensors.erase(name);
    if (tensor.defined()) bad.tensors[name] = tensor;
    writeCheckpoint(path_, bad);
    return resumeError(recipe_, data_);
  };
  EXPECT_THAT(errorWith("model.head.bias", {}), HasSubstr("'model.head.bias' is missing"));
  EXPECT_THAT(errorWith("model.head.bias", at::zeros({4})), HasSubstr("Float [4], Float [3]"));
  EXPECT_THAT(errorWith("order", at::zeros({300}, at::kLong)), HasSubstr("order of the images"));
  EXPECT_THAT(errorWith("random", at::zeros_like(good.tensors.at("random"))),
              HasSubstr("random numbers"));
  Checkpoint bad = good;
  bad.step = 1000;
  writeCheckpoint(path_, bad);
  EXPECT_THAT(resumeError(recipe_, data_), HasSubstr("more steps than the run has"));
}

TEST_F(RefusalsTest, AFullDiskKeepsTheCheckpointBefore) {
  const std::string before = test::readBytes(path_);
  const std::size_t count = files();
  const Checkpoint checkpoint = readCheckpoint(path_);
  {
    const FullDisk disk(1000);
    EXPECT_THAT(errorMessage([&] { writeCheckpoint(path_, checkpoint); }),
                HasSubstr("checkpoint.safetensors: cannot be written"));
    EXPECT_THAT(errorMessage([&] {
                  writeModelFolder(folder_.path() / "model", recipe_, data_.classes,
                                   {{"w", at::ones({1000})}}, at::kFloat);
                }),
                HasSubstr("cannot be written"));
  }
  EXPECT_EQ(test::readBytes(path_), before);
  EXPECT_EQ(files(), count) << "nothing half-written remains";
}

TEST_F(RefusalsTest, WeightsThatFloat16CannotHold) {
  const StateDict weights{{"w", at::full({2}, 1e6F)}};
  const fs::path folder = folder_.path() / "model";
  EXPECT_THAT(
      errorMessage([&] { writeModelFolder(folder, recipe_, data_.classes, weights, at::kHalf); }),
      AllOf(HasSubstr("'w'"), HasSubstr("--weights float32")));
  EXPECT_FALSE(fs::exists(folder));
}

TEST_F(RefusalsTest, AModelFolderWithAnotherModelsStatistics) {
  const fs::path folder = folder_.path() / "model";
  const StateDict weights{{"w", at::ones({2})}};
  writeModelFolder(folder, recipe_, data_.classes, weights, at::kFloat);
  writeModelFolder(folder, recipe_, data_.classes, weights, at::kHalf);
  test::writeBytes(folder / "stats.json", "{}");
  EXPECT_THAT(
      errorMessage([&] { writeModelFolder(folder, recipe_, data_.classes, weights, at::kFloat); }),
      AllOf(HasSubstr("model: there is stats.json"), HasSubstr("new or empty folder")));
}

TEST_F(RefusalsTest, ALossThatIsNoLongerFinite) {
  recipe_.learning_rate = 1e9;
  recipe_.clip = 0;
  recipe_.epochs = 4;
  fs::remove(path_);
  EXPECT_THAT(errorMessage([&] { Trainer(recipe_, data_, Random(0), options()).run(); }),
              AllOf(HasSubstr("no longer finite at step"), HasSubstr("--learning-rate")));
  EXPECT_FALSE(fs::exists(path_));
}

TEST(Recipe, SizesThatDoNotFitAreRefused) {
  Recipe recipe;
  recipe.image_size = 55;
  EXPECT_THAT(errorMessage([&] { requireUsable(recipe); }),
              AllOf(HasSubstr("--image-size 55"), HasSubstr("--patch-size 4")));
  recipe = {};
  recipe.heads = 5;
  EXPECT_THAT(errorMessage([&] { requireUsable(recipe); }),
              AllOf(HasSubstr("--heads 5"), HasSubstr("--width 192")));
  for (const char* stages : {"0.5:0.8,0.6:0.7", "1.5:0.5", "0.5:2", "0:0.5", "nan:0.5"}) {
    recipe = {};
    recipe.keep_patches = parseStages(stages);
    EXPECT_THAT(errorMessage([&] { requireUsable(recipe); }), HasSubstr("--keep-patches"))
        << stages;
  }
  for (const char* stages : {"half", "0.5", "0.5:", ":0.5", "0.5:0.5,,"}) {
    EXPECT_THAT(errorMessage([&] { parseStages(stages); }), HasSubstr(stages));
  }
  EXPECT_TRUE(parseStages("").empty());
}

TEST(Recipe, SurvivesBeingWritten) {
  Recipe recipe = test::smallRecipe();
  recipe.seed = std::numeric_limits<std::int32_t>::max();
  recipe.learning_rate = 0.1 + 0.2;
  recipe.keep_patches = {{1.0 / 3, 0.7}, {0.9, 1}};
  recipe.method = "adamerge";
  recipe.settings = {{"adaptive", false}, {"alpha", 0.1 + 0.2}, {"partition", "alternating"}};
  EXPECT_EQ(toJson(recipeFromJson(nlohmann::json::parse(toJson(recipe).dump()))), toJson(recipe));
}

TEST(Recipe, OfTheFirstRunsThroughToMeIsRead) {
  nlohmann::json first = nlohmann::json::parse(toJson(test::smallRecipe()).dump());
  first.erase("settings");
  first["r"] = 5;
  EXPECT_TRUE(recipeFromJson(first).settings.empty());
  first["method"] = "tome";
  EXPECT_EQ(recipeFromJson(first).settings, (Settings{{"r", std::int64_t{5}}}));
}

}  // namespace
}  // namespace adamerge::training
