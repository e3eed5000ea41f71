// SPDX-License-Identifier: GPL-3.0-or-later
// Interrupted evaluations: what is kept, what goes on from it, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "adamerge/calibrate.h"
#include "adamerge/error.h"
#include "adamerge/evaluate.h"
#include "adamerge/files.h"
#include "error_message.h"
#include "measured_images.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

MeasuredChoice toMe(std::int64_t r) { return {{"tome", {{"r", r}}, nullptr, false}, {}}; }

class ResumeTest : public testing::Test {
 protected:
  void SetUp() override {
    test::makeClassFolders(images_);
    test::writeBytes(images_ / "BIRD" / "broken.png", "no picture");
  }

  Dataset open() const { return Dataset::open(images_, test::bundledEngine().info()); }

  Evaluation run(const std::vector<MeasuredChoice>& choices, std::int64_t stop_after = 1000,
                 std::size_t batch = 3) const {
    std::stop_source stop;
    const auto progress = [&](const Progress& now) {
      if (now.done >= stop_after) stop.request_stop();
    };
    return evaluate(test::bundledEngine(), open(), choices, {.batch = batch, .state = state_},
                    progress, stop.get_token());
  }

  std::string refusal(const std::vector<MeasuredChoice>& choices) const {
    return test::errorMessage([&] { run(choices); });
  }

  std::string stateText() const {
    std::ifstream file(state_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  test::TemporaryFolder folder_;
  fs::path images_ = folder_.path() / "images";
  fs::path state_ = folder_.path() / "out.json.partial";
  std::vector<MeasuredChoice> choices_ = {{{"adamerge", {}, nullptr, false}, std::nullopt},
                                          toMe(14)};
};

TEST_F(ResumeTest, GivesTheSameTotalsWhereverItWasInterrupted) {
  const std::string whole = test::totals(evaluate(test::bundledEngine(), open(), choices_));
  for (const std::int64_t stop_after : {3, 6, 9}) {
    fs::remove(state_);
    const Evaluation part = run(choices_, stop_after);
    EXPECT_FALSE(part.complete());
    EXPECT_EQ(part.done, static_cast<std::size_t>(stop_after));
    ASSERT_TRUE(fs::exists(state_));
    const Evaluation rest = run(choices_, 1000, /*batch=*/5);
    EXPECT_TRUE(rest.complete());
    EXPECT_EQ(rest.continued, part.done);
    EXPECT_EQ(rest.skipped.size(), 1U);
    EXPECT_EQ(test::totals(rest), whole);
  }
}

TEST_F(ResumeTest, RepeatsNothingOnceAllIsDone) {
  const std::string whole = test::totals(run(choices_));
  const Evaluation again = run(choices_);
  EXPECT_EQ(again.continued, again.total);
  EXPECT_EQ(test::totals(again), whole);
}

TEST_F(ResumeTest, KeepsNothingWhereNothingWasDone) {
  const Evaluation none = run(choices_, 0);
  EXPECT_EQ(none.done, 0U);
  EXPECT_EQ(none.images(), 0);
  EXPECT_FALSE(fs::exists(state_));
}

TEST_F(ResumeTest, RefusesOtherSettingsAndNamesBoth) {
  run({toMe(8)}, 3);
  const std::string kept = stateText();
  EXPECT_THAT(refusal({toMe(12)}), AllOf(HasSubstr("other settings"), HasSubstr("ToMe, r 8"),
                                         HasSubstr("ToMe, r 12"), HasSubstr("out.json.partial")));
  MeasuredChoice inflected = toMe(8);
  inflected.choice.settings["inflection"] = -1.0;
  EXPECT_THAT(refusal({inflected}), HasSubstr("other settings"));
  EXPECT_EQ(stateText(), kept);
}

TEST_F(ResumeTest, RefusesOtherImages) {
  run({toMe(8)}, 3);
  test::writeBytes(images_ / "BIRD" / "one more.png", "no picture");
  EXPECT_THAT(refusal({toMe(8)}),
              AllOf(HasSubstr("other images"), HasSubstr("13 images"), HasSubstr("14 images")));
}

TEST_F(ResumeTest, RefusesAnotherModelAndNamesBoth) {
  run({toMe(8)}, 3);
  const fs::path bundled = fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";
  const fs::path other = folder_.path() / "other-model";
  fs::create_directory(other);
  fs::create_symlink(bundled / "model.safetensors", other / "model.safetensors");
  fs::copy_file(bundled / "config.json", other / "config.json");
  const Engine engine = Engine::load(other, {.device = "cpu", .threads = 1});
  const std::vector<MeasuredChoice> choices = {toMe(8)};
  EXPECT_THAT(
      test::errorMessage([&] { evaluate(engine, open(), choices, {.batch = 3, .state = state_}); }),
      AllOf(HasSubstr("another model"), HasSubstr("vit-tiny-cifar10"), HasSubstr("other-model")));
}

TEST_F(ResumeTest, RefusesOtherLayerStatistics) {
  run(choices_, 3);
  auto statistics = std::make_shared<Statistics>(*test::bundledEngine().statistics());
  statistics->entries.front().mu.front() += 1e-9;
  choices_.front().choice.statistics = statistics;
  EXPECT_THAT(refusal(choices_), HasSubstr("other layer statistics"));
}

TEST_F(ResumeTest, KeepsTheSettingsThatWereSearchedFor) {
  const std::string searched = "--flops 0.9 on 32 images";
  EvaluationOptions options{.batch = 3, .state = state_, .chosen_by = searched};
  std::stop_source stop;
  MeasuredChoice found = toMe(9);
  found.tier = 0.9;
  const auto progress = [&](const Progress& now) {
    if (now.done >= 3) stop.request_stop();
  };
  EXPECT_THAT(keptChoices(state_, searched), testing::IsEmpty());
  evaluate(test::bundledEngine(), open(), std::vector{found}, options, progress, stop.get_token());
  const std::vector<MeasuredChoice> kept = keptChoices(state_, searched);
  ASSERT_EQ(kept.size(), 2U) << "the unmerged model and ToMe";
  EXPECT_EQ(kept[1].choice.method, "tome");
  EXPECT_EQ(completeSettings(kept[1].choice), completeSettings(found.choice));
  EXPECT_EQ(kept[1].tier, 0.9);
  EXPECT_THAT(keptChoices(state_, "--flops 0.9 on 8 images"), testing::IsEmpty());

  options.chosen_by = "--flops 0.9 on 8 images";
  EXPECT_THAT(
      test::errorMessage(
          [&] { evaluate(test::bundledEngine(), open(), std::vector{found}, options); }),
      AllOf(HasSubstr("settings found in another way"), HasSubstr("on 32"), HasSubstr("on 8")));
}

TEST_F(ResumeTest, RefusesADamagedState) {
  run({toMe(8)}, 3);
  const std::string good = stateText();
  const auto refused = [&](const std::string& text) {
    test::writeBytes(state_, text);
    return refusal({toMe(8)});
  };
  EXPECT_THAT(refused(good.substr(0, good.size() / 2)), HasSubstr("not valid JSON"));
  EXPECT_THAT(refused("{}"), HasSubstr("remove it to begin anew"));
  EXPECT_THAT(refused("[]"), HasSubstr("remove it to begin anew"));
  std::string more = good;
  more.replace(more.find("\"done\": 3"), 9, "\"done\": 99");
  EXPECT_THAT(refused(more), HasSubstr("more images than there are"));
  std::string outcomes = good;
  outcomes.replace(outcomes.find("\"right\": \""), 10, "\"right\": \"ff");
  EXPECT_THAT(refused(outcomes), HasSubstr("outcomes"));
  test::writeBytes(state_, good);
  EXPECT_TRUE(run({toMe(8)}).complete());
}

TEST_F(ResumeTest, EndsWhereTheStateCannotBeWritten) {
  state_ = images_ / "ship" / "drawn.png" / "out.json.partial";
  EXPECT_THAT(refusal({toMe(8)}), HasSubstr("drawn.png"));
}

/// The same for calibrations.
class ResumedCalibration : public ResumeTest {
 protected:
  Statistics run(std::int64_t stop_after = 1000, std::vector<int> r_max = {4, 9}, int batch = 3) {
    ImageSource images(open(), test::bundledEngine().info().preprocessing);
    CalibrationOptions options;
    options.r_max = std::move(r_max);
    options.batch = batch;
    std::stop_source stop;
    const auto progress = [&](const Progress& now) {
      if (now.done >= stop_after) stop.request_stop();
    };
    return calibrate(test::bundledEngine(), images, options, state_, progress, stop.get_token());
  }
};

TEST_F(ResumedCalibration, GivesTheSameBitsWhereverItWasInterrupted) {
  const Statistics whole = run();
  ASSERT_EQ(whole.entries.size(), 2U);
  for (const std::int64_t stop_after : {3, 6, 12, 15}) {  // in both passes
    fs::remove(state_);
    EXPECT_THROW(run(stop_after), Cancelled);
    ASSERT_TRUE(fs::exists(state_));
    const Statistics rest = run();
    EXPECT_EQ(rest.images, whole.images);
    ASSERT_EQ(rest.entries.size(), whole.entries.size());
    for (std::size_t k = 0; k < whole.entries.size(); ++k) {
      EXPECT_EQ(rest.entries[k].mu, whole.entries[k].mu) << stop_after;
      EXPECT_EQ(rest.entries[k].sigma, whole.entries[k].sigma) << stop_after;
    }
  }
}

TEST_F(ResumedCalibration, DoesNotRepeatWhatIsDone) {
  EXPECT_THROW(run(6), Cancelled);
  std::vector<std::int64_t> told;
  ImageSource images(open(), test::bundledEngine().info().preprocessing);
  CalibrationOptions options;
  options.r_max = {4, 9};
  options.batch = 3;
  calibrate(test::bundledEngine(), images, options, state_,
            [&](const Progress& now) { told.push_back(now.done); });
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.front(), 6);
}

TEST_F(ResumedCalibration, RefusesOtherCountsAndDamage) {
  EXPECT_THROW(run(6), Cancelled);
  EXPECT_THAT(test::errorMessage([&] {
                run(1000, {4, 10});
              }),
              AllOf(HasSubstr("kept of a calibration with other counts: 4,9 in 2 passes, this is "
                              "4,10 in 2 passes"),
                    HasSubstr("remove the file to begin anew")));
  const std::string text = stateText();
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"pass\": 0", "\"pass\": 2"},
           {"\"done\": 6", "\"done\": 1000"},
           {"\"counts\": [\n     ", "\"counts\": [\n     -"},
           {"\"mean\": [", "\"mean\": [0, "},
           {"\"before\": []", "\"before\": 1"},
           {"\"moments\"", "\"moment\""}}) {
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    test::writeBytes(state_, std::string(text).replace(at, from.size(), to));
    EXPECT_THAT(test::errorMessage([&] { run(); }),
                AllOf(HasSubstr("not usable as the state of an interrupted calibration"),
                      HasSubstr("remove it to begin anew")))
        << to;
  }
}

TEST(OutputLock, IsHeldByOneAtATime) {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "new" / "out.json";
  {
    const OutputLock lock(file);
    EXPECT_THAT(test::errorMessage([&] { const OutputLock second(file); }),
                AllOf(HasSubstr("out.json: another evaluation"), HasSubstr("process")));
    const OutputLock other(folder.path() / "new" / "other.json");
    fs::create_symlink("out.json", folder.path() / "new" / "link.json");
    EXPECT_THAT(
        test::errorMessage([&] { const OutputLock through(folder.path() / "new" / "link.json"); }),
        HasSubstr("link.json: another evaluation"));
    fs::remove(folder.path() / "new" / "link.json");
  }
  EXPECT_TRUE(fs::is_empty(folder.path() / "new"));
  test::writeBytes(folder.path() / "new" / "out.json.lock", "left behind by a killed program");
  const OutputLock again(file);
}

}  // namespace
}  // namespace adamerge
