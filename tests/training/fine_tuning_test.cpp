// SPDX-License-Identifier: GPL-3.0-or-later
// Training that begins with a model, and training through merging.
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include "adamerge/engine.h"
#include "adamerge/image.h"
#include "adamw.h"
#include "batches.h"
#include "cli_runner.h"
#include "drawn_pictures.h"
#include "engine/placed_model.h"
#include "error_message.h"
#include "initial_weights.h"
#include "model_folder.h"
#include "temporary_folder.h"
#include "trainer.h"

namespace adamerge::training {
namespace {

namespace fs = std::filesystem;
using test::errorMessage;
using testing::AllOf;
using testing::HasSubstr;

MethodChoice chosen(const std::string& method, const Settings& settings,
                    std::shared_ptr<const Statistics> statistics = nullptr) {
  return {method, settings, std::move(statistics), false};
}

class FineTuning : public testing::Test {
 protected:
  FineTuning() {
    recipe_.layer_scale = true;
    recipe_.mean = {0.4F, 0.5F, 0.6F};
  }
  /// A model with weights that are not all alike.
  fs::path model(const Recipe& recipe, const std::vector<std::string>& classes) {
    const TrainableVit vit(architectureOf(recipe, static_cast<int>(classes.size())), random_,
                           at::kCPU);
    const c10::NoGradGuard guard;
    for (const Parameter& parameter : vit.parameters()) {
      parameter.value.add_(random_.normal(parameter.value.sizes(), 0.2));
    }
    writeModelFolder(folder_.path() / "model", recipe, classes, weightsOf(vit), at::kFloat);
    return folder_.path() / "model";
  }

  static constexpr std::size_t kImages = 6;
  Recipe recipe_ = test::smallRecipe();
  TrainingData data_ = test::drawnData();
  Random random_{7};
  test::TemporaryFolder folder_;
};

TEST_F(FineTuning, MergesAsTheEngineDoesWithLayerScaleToo) {
  const fs::path folder = model(recipe_, data_.classes);
  const Engine engine = Engine::load(folder, {.device = "cpu", .dtype = "float32"});
  EXPECT_TRUE(engine.info().vit.layer_scale);
  const TrainableVit vit = trainableVit(loadModel(folder), at::kCPU);
  std::vector<InputTensor> inputs;
  for (std::size_t i = 0; i < kImages; ++i) {
    inputs.push_back(prepareImage(data_.test.images[i], engine.info().preprocessing).input);
  }
  const c10::NoGradGuard guard;
  const at::Tensor images = plainImages(data_.test, 0, kImages, preprocessingOf(recipe_));
  const at::Tensor unmerged = vit.forward(images, at::kFloat);
  // Counts that follow the image, so that a batch's images have different ones.
  auto statistics = std::make_shared<Statistics>();
  statistics->depth = recipe_.depth;
  statistics->entries = {{8, {0.3, 0.3}, {0.05, 0.05}}};
  const auto whole = [](std::int64_t number) { return SettingValue(number); };
  const std::vector<MethodChoice> choices{
      chosen("tome", {{"r", whole(0)}}),
      chosen("tome", {{"r", whole(1)}}),
      chosen("tome", {{"r", whole(7)}}),
      chosen("adamerge", {{"r_max", whole(8)}}, statistics),
      chosen("adamerge", {{"r_max", whole(8)}, {"place", "after-attention"}}, statistics),
      chosen("adamerge+", {{"r", whole(5)}}),
      chosen("pitome", {{"r", whole(3)}}),
      chosen("atc", {{"r", whole(5)}}),
      chosen("dsm", {{"r", whole(3)}, {"delay", whole(0)}, {"window", whole(2)}}),
      chosen("prunesid", {{"keep", whole(5)}, {"at", whole(1)}}),
      chosen("prunesid", {{"keep", whole(5)}, {"at", whole(0)}, {"dropped", "merge"}})};
  bool ragged = false;
  for (const MethodChoice& choice : choices) {
    const PreparedMethod prepared = engine.prepare(choice);
    const MergeMethod& method = *prepared.state().method;
    SCOPED_TRACE(choice.method);
    requireTrainable(method, engine.info().vit, choice.method);
    const at::Tensor ours = vit.forward(images, at::kFloat, {}, nullptr, {&method});
    const auto results = engine.run(inputs, prepared);
    for (std::size_t image = 0; image < kImages; ++image) {
      for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(
            ours[static_cast<std::int64_t>(image)][static_cast<std::int64_t>(c)].item<float>(),
            results[image].logits[c], 2e-5);
      }
      ragged = ragged || results[image].layers[0].tokens_out != results[0].layers[0].tokens_out;
    }
    const float moved = (ours - unmerged).abs().max().item<float>();
    if (choice.settings == choices[0].settings) {
      EXPECT_LT(moved, 1e-6F);
    } else {
      EXPECT_GT(moved, 1e-4F);
    }
  }
  EXPECT_TRUE(ragged);
}

TEST_F(FineTuning, MethodsThatGradientsCannotGoThroughSayWhy) {
  recipe_.depth = 4;  // ToFu's first half prunes
  const VitConfig vit = architectureOf(recipe_, 3);
  const auto message = [&](const MethodChoice& choice) {
    const auto method = findMethodEntry(choice.method).make(completeSettings(choice, vit), {vit});
    return errorMessage([&] { requireTrainable(*method, vit, choice.method); });
  };
  EXPECT_THAT(
      message(chosen("tofu", {{"r", std::int64_t{3}}})),
      AllOf(HasSubstr("tofu: training goes through"), HasSubstr("another way than by means")));
  EXPECT_THAT(message(chosen("ppt", {{"r_per_block", std::vector<std::int64_t>{2, 2, 0, 0}}})),
              HasSubstr("reads the attention"));
  EXPECT_THAT(message(chosen("cubistmerge", {})), HasSubstr("another way than by means"));
  EXPECT_THAT(message(chosen("structsam", {})), HasSubstr("restores them after each block"));
}

TEST_F(FineTuning, PatchesThatDoNotEnterLeaveTheOthersTheirPlaces) {
  const TrainableVit vit = trainableVit(loadModel(model(recipe_, data_.classes)), at::kCPU);
  const c10::NoGradGuard guard;
  const at::Tensor images = plainImages(data_.test, 0, 2, preprocessingOf(recipe_));
  const MethodChoice choice = chosen(
      "dsm", {{"r", std::int64_t{3}}, {"delay", std::int64_t{0}}, {"window", std::int64_t{2}}});
  const auto method =
      findMethodEntry("dsm").make(completeSettings(choice, vit.config()), {vit.config()});
  const at::Tensor all = at::arange(vit.config().patchTokens()).expand({2, -1});
  const at::Tensor whole = vit.forward(images, at::kFloat, {}, nullptr, {method.get()});
  EXPECT_TRUE(vit.forward(images, at::kFloat, {all.contiguous(), {}}, nullptr, {method.get()})
                  .equal(whole));
  // An image's own patches, in whatever company.
  const at::Tensor some = at::tensor(std::vector<std::int64_t>{1, 3, 6, 9, 12, 15}).expand({2, -1});
  const at::Tensor both =
      vit.forward(images, at::kFloat, {some.contiguous(), {}}, nullptr, {method.get()});
  const at::Tensor alone =
      vit.forward(images.narrow(0, 1, 1), at::kFloat, {some.narrow(0, 1, 1).contiguous(), {}},
                  nullptr, {method.get()});
  EXPECT_LT((both[1] - alone[0]).abs().max().item<float>(), 1e-6F);
  EXPECT_GT((both - whole).abs().max().item<float>(), 1e-4F);
}

TEST_F(FineTuning, GradientsGoThroughTheMeans) {
  const at::Tensor keys = random_.normal({2, 7, 3}, 1.0);
  const at::Tensor later_keys = random_.normal({2, 5, 3}, 1.0);
  const at::Tensor factors = random_.normal({2, 3, 4}, 1.0).to(at::kDouble);
  const at::Tensor tokens = random_.normal({2, 7, 4}, 1.0).to(at::kDouble).set_requires_grad(true);
  const std::unique_ptr<const MergeMethod> method = toMe(2, architectureOf(recipe_, 3));
  const auto value = [&](const at::Tensor& at) {
    MergedTokens merged(at, /*prefix=*/1, /*grid=*/6, {});
    merged.merge(*method, 0, keys, 1);
    merged.merge(*method, 1, later_keys, 1);  // of sizes that differ
    EXPECT_EQ(merged.values.size(1), 3);
    EXPECT_NEAR(merged.logitBias(/*proportional=*/true).exp().sum().item<float>(), 14, 1e-5);
    return (merged.values * factors).sum();
  };
  value(tokens).backward();
  const c10::NoGradGuard guard;
  constexpr double kStep = 1e-5;
  for (std::int64_t place = 0; place < tokens.numel(); place += 5) {
    at::Tensor moved = tokens.detach().clone();
    moved.view(-1)[place] += kStep;
    const double more = value(moved).item<double>();
    moved.view(-1)[place] -= 2 * kStep;
    EXPECT_NEAR((more - value(moved).item<double>()) / (2 * kStep),
                tokens.grad().view(-1)[place].item<double>(), 1e-6);
  }
}

TEST_F(FineTuning, RatesFallFromBlockToBlock) {
  const TrainableVit vit(architectureOf(recipe_, 3), random_, at::kCPU);
  const std::vector<double> rates = layerRates(vit.parameters(), 0.5, 2);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const std::string& name = vit.parameters()[i].name;
    const double expected = name.starts_with("blocks.1.")                            ? 0.5
                            : name.starts_with("blocks.0.")                          ? 0.25
                            : name.starts_with("norm.") || name.starts_with("head.") ? 1.0
                                                                                     : 0.125;
    EXPECT_EQ(rates[i], expected) << name;
  }
  // The first step of AdamW is as long as the rate, whatever the gradient.
  const std::vector<Parameter> two{{"a", at::ones({1}).set_requires_grad(true), false},
                                   {"b", at::ones({1, 1}).set_requires_grad(true), true}};
  AdamW optimiser(two, {.weight_decay = 0.1}, {1.0, 0.25});
  for (const Parameter& parameter : two) {
    parameter.value.mutable_grad() = at::full_like(parameter.value.detach(), 3.0);
  }
  optimiser.update(0.1, 1);
  EXPECT_NEAR(two[0].value.item<double>(), 0.9, 1e-6);
  EXPECT_NEAR(two[1].value.item<double>(), 1 - 0.0025 - 0.025, 1e-6);
}

TEST_F(FineTuning, TheAverageForgetsAsItIsTold) {
  recipe_.average = 0.4;
  recipe_.epochs = 1;
  at::Tensor expected;
  int steps = 0;
  Trainer run(
      recipe_, data_, Random(0),
      {.checkpoint = folder_.path() / "c", .log = folder_.path() / "l", .checkpoint_every = 1});
  run.run([&](const Progress& progress) {
    if (progress.stage != "training" || progress.done == steps || progress.done == run.steps())
      return;
    const Checkpoint checkpoint = readCheckpoint(folder_.path() / "c");
    ++steps;
    const at::Tensor& own = checkpoint.tensors.at("model.head.weight");
    const at::Tensor& mean = checkpoint.tensors.at("average.head.weight");
    if (expected.defined()) {
      const double memory = std::min(0.4, (1.0 + steps) / (10.0 + steps));
      expected = expected * memory + own * (1 - memory);
      EXPECT_LT((expected - mean).abs().max().item<float>(), 1e-6F);
    }
    expected = mean.clone();
  });
  EXPECT_GT(steps, 3);
  EXPECT_EQ(run.steps(), steps + 1);
}

TEST_F(FineTuning, BeginsWithTheModelsWeightsAndItsHeadWhereClassesAreCalledSo) {
  const LoadedModel loaded = loadModel(model(recipe_, {"rows", "columns", "diagonals"}));
  Recipe recipe;
  takeShape(recipe, loaded.info, {});
  EXPECT_EQ(recipe.width, recipe_.width);
  EXPECT_EQ(recipe.depth, recipe_.depth);
  EXPECT_EQ(recipe.mean, recipe_.mean);
  EXPECT_TRUE(recipe.layer_scale);
  std::string note;
  const StateDict weights = weightsFor(loaded, data_.classes, note);
  EXPECT_EQ(note, "");
  EXPECT_EQ(data_.classes, (std::vector<std::string>{"columns", "diagonals", "rows"}));
  const at::Tensor& head = loaded.weights.at("head.weight");
  EXPECT_TRUE(weights.at("head.weight").equal(at::stack({head[1], head[2], head[0]})));

  Trainer::Options options{.checkpoint = folder_.path() / "c", .log = folder_.path() / "l"};
  options.weights = weights;
  const Trainer trainer(recipe_, data_, Random(0), options);
  for (const auto& [name, tensor] : weightsOf(trainer.model())) {
    EXPECT_TRUE(tensor.equal(weights.at(name))) << name;
  }

  EXPECT_FALSE(weightsFor(loaded, {"cat", "dog"}, note).contains("head.weight"));
  EXPECT_THAT(note, AllOf(HasSubstr("model: knows 3 classes"), HasSubstr("these 2")));
}

TEST_F(FineTuning, AnotherShapeIsNamed) {
  const ModelInfo info = loadModel(model(recipe_, data_.classes)).info;
  Recipe other = recipe_;
  other.width = 64;
  EXPECT_THAT(errorMessage([&] { takeShape(other, info, {"width"}); }),
              AllOf(HasSubstr("--init"), HasSubstr("--width 32"), HasSubstr("64 was asked for")));
  other = recipe_;
  other.depth = 3;
  EXPECT_THAT(errorMessage([&] { takeShape(other, info, {"depth"}); }),
              AllOf(HasSubstr("--depth 2"), HasSubstr("3 was asked for")));
  ModelInfo grid = info;
  grid.vit.position_grid_width = 5;
  EXPECT_THAT(errorMessage([&] { takeShape(other, grid, {}); }),
              HasSubstr("positions are of 5 x 4"));
}

TEST_F(FineTuning, AsAUserRunsIt) {
  const fs::path images = folder_.path() / "images";
  test::writePictures(images, data_);
  const std::string start = model(recipe_, data_.classes).string();
  const fs::path output = folder_.path() / "run";
  const std::vector<std::string> usual{
      images.string(), "-o", output.string(), "--init", start,     "--batch", "20",
      "--epochs",      "1",  "--threads",     "1",      "--dtype", "float32"};
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), usual.begin(), usual.end());
    return test::adamergeCli(more);
  };
  EXPECT_THAT(run({"--width", "64"}).err, HasSubstr("it has --width 32, 64 was asked for"));
  EXPECT_THAT(run({"--r", "3"}).err, HasSubstr("--r has no effect here: it needs --method"));
  EXPECT_THAT(run({"--method", "tome r=3", "--r", "3"}).err, HasSubstr("r is given twice"));
  EXPECT_THAT(run({"--method", "ppt", "--r", "3"}).err, HasSubstr("reads the attention"));
  EXPECT_FALSE(fs::exists(output / "checkpoint.safetensors"));
  // Without a model to begin with nothing tells what its counts are to follow.
  EXPECT_THAT(
      test::adamergeCli({images.string(), "-o", output.string(), "--method", "adamerge"}).err,
      AllOf(HasSubstr("layer statistics"), HasSubstr("--init")));
  EXPECT_THAT(run({"--method", "adamerge r_max=8", "--test", "/no/such/images"}).err,
              HasSubstr("uncalibrated"));
  const auto result = run({"--method", "tome", "--r", "3", "--layer-decay", "0.8", "--average",
                           "0.9", "--learning-rate", "0.0001"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("epoch 1 of 1: loss"));
  const Engine engine = Engine::load(output / "model", {.device = "cpu"});
  EXPECT_TRUE(engine.info().vit.layer_scale);
  EXPECT_EQ(engine.info().preprocessing.mean, recipe_.mean);
  const fs::path exported = folder_.path() / "exported";
  EXPECT_EQ(test::adamergeCli(
                {"--export", (output / "checkpoint.safetensors").string(), "-o", exported.string()})
                .status,
            0);
  EXPECT_EQ(test::contentOf(exported / "model.safetensors"),
            test::contentOf(output / "model" / "model.safetensors"));
}

}  // namespace
}  // namespace adamerge::training
