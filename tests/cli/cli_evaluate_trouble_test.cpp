// SPDX-License-Identifier: GPL-3.0-or-later
// `evaluate` with bad folders, wrong options, interruptions and outputs that fail.
#include "adamerge/files.h"
#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class EvaluateTrouble : public testing::Test {
 protected:
  void fill(int copies = 1) const {
    for (const char* name : {"bird", "ship"}) {
      fs::create_directories(set_ / name);
      for (int i = 0; i < copies; ++i) {
        fs::create_symlink(sample(name), set_ / name / (std::to_string(i) + ".png"));
      }
    }
  }
  CliResult evaluate(std::vector<std::string> options, const RunLimits& limits = {}) const {
    options.insert(options.begin(), {"evaluate", set_.string(), "--threads", "1"});
    return adamergeCli(options, limits);
  }

  TemporaryFolder folder_;
  fs::path set_ = folder_.path() / "set";
  fs::path out_ = folder_.path() / "out";
  fs::path json_ = out_ / "results.json";
};

TEST_F(EvaluateTrouble, FoldersThatAreNoLabelledSet) {
  expectProblem(evaluate({}), 1, {"set: ", "no such"});
  fs::create_directories(set_ / "bird");
  expectProblem(evaluate({}), 1, {"set: ", "no image"});
  fs::copy_file(sample("bird"), set_ / "bird" / "bird.png");
  expectProblem(evaluate({}), 1, {"only one sub-folder, bird"});
  fs::create_directories(set_ / "unicorn");
  fs::copy_file(sample("bird"), set_ / "unicorn" / "bird.png");
  expectProblem(evaluate({}), 1, {"1 of the 2 classes", "unicorn", "--unlabelled"});
}

TEST_F(EvaluateTrouble, AClassThatCannotBeListedIsNotPassedOver) {
  if (const fs::path closed = folderClosedToNobody(); !closed.empty()) {
    GTEST_SKIP() << closed << " is closed to all but root: the program cannot run as nobody";
  }
  fill();
  fs::create_directories(set_ / "cat");
  fs::permissions(folder_.path(), fs::perms::all);
  fs::permissions(set_ / "cat", fs::perms::none);
  expectProblem(evaluate({"--methods", "none"}, {.unprivileged = true}), 1,
                {"cat: this class's folder cannot be listed", "Permission denied"});
}

TEST_F(EvaluateTrouble, NothingReadable) {
  writeText(set_ / "bird" / "a.png", "text");
  writeText(set_ / "ship" / "b.png", "");
  expectProblem(evaluate({"--json", json_}), 1, {"none of the 2 images", "a.png"});
  EXPECT_FALSE(fs::exists(json_));
}

TEST_F(EvaluateTrouble, WrongUsage) {
  fill();
  expectProblem(evaluate({"--methods", "tome,foo"}), 2, {"--methods takes", "pitome", "tome,foo"});
  expectProblem(evaluate({"--methods", "adamerge", "--r", "8"}), 2, {"--r: none of adamerge"});
  expectProblem(evaluate({"--methods", "tome", "--r-max", "8"}), 2, {"--r-max: none of tome"});
  expectProblem(evaluate({"--r", "8:"}), 2, {"--r takes", "8:"});
  expectProblem(evaluate({"--flops", "1,-2"}), 2, {"--flops takes", "1,-2"});
  expectProblem(evaluate({"--flops", "1", "--r", "8"}), 2, {"--flops", "--r"});
  expectProblem(evaluate({"--methods", "tome", "--alpha", "2"}), 2, {"--alpha is no setting of"});
  expectProblem(evaluate({"--methods", "tome", "--stats", "x"}), 2,
                {"none of tome uses layer statistics"});
  expectProblem(evaluate({"--labels", "x", "--unlabelled"}), 2, {"--labels", "--unlabelled"});
  expectProblem(evaluate({"--json", "-", "--csv", "-"}), 2, {"standard output"});
  expectProblem(evaluate({"--json", "x", "--csv", "x"}), 2, {"the same file"});
  expectProblem(evaluate({"--methods", "tome", "--r", "500"}), 1, {"--r 500", "196"});
}

TEST_F(EvaluateTrouble, GoesOnAfterAnInterruption) {
  fill(125);
  const std::vector<std::string> options = {"--methods", "none", "--json", json_};
  const CliResult first = evaluate(options, {.interrupt_after = std::chrono::milliseconds(1500)});
  if (first.status == 0) GTEST_SKIP() << "this machine is too fast to be interrupted";
  if (!fs::exists(out_ / "results.json.partial")) GTEST_SKIP() << "nothing was finished yet";
  expectProblem(first, 1,
                {"interrupted: ", "of 250 images", "same command", "results.json.partial"});
  EXPECT_THAT(filesIn(out_), testing::ElementsAre("results.json.partial"));
  const std::size_t done = jsonIn(out_ / "results.json.partial").at("done");

  expectProblem(evaluate({"--methods", "tome", "--json", json_}), 1,
                {"other settings", "Unmerged; ToMe, r 8", "results.json.partial"});
  expectProblem(evaluate({"--methods", "none", "--limit", "9", "--json", json_}), 1,
                {"other images", "250 images", "9 images"});
  const fs::path other = folder_.path() / "other-model";
  makeModelFolder(other, contentOf(bundledModel() / "config.json"));
  expectProblem(evaluate({"--methods", "none", "--json", json_, "--model", other}), 1,
                {"another model", "vit-tiny-cifar10", "other-model"});

  const CliResult second = evaluate(options);
  expectSuccess(second);
  EXPECT_THAT(second.out, HasSubstr("continued after " + std::to_string(done) + " of 250"));
  EXPECT_THAT(filesIn(out_), testing::ElementsAre("results.json"));
  EXPECT_EQ(jsonIn(json_).at("images"), 250);
  EXPECT_EQ(jsonIn(json_).at("points")[0].at("top1"), 100);
}

TEST_F(EvaluateTrouble, SaysThatNothingIsKeptWithoutAFile) {
  fill(500);
  expectProblem(
      evaluate({"--methods", "tome"}, {.interrupt_after = std::chrono::milliseconds(1500)}), 1,
      {"interrupted: ", "of 1000 images", "nothing is kept"});
}

TEST_F(EvaluateTrouble, FullDisk) {
  fill();
  fs::create_directories(out_);
  const RunLimits full{.folder = out_, .file_size = 600};
  expectProblem(evaluate({"--methods", "tome", "--json", "results.json"}, full), 1,
                {"results.json.partial: cannot be written", "File too large"});
  EXPECT_THAT(filesIn(out_), testing::IsEmpty());
}

TEST_F(EvaluateTrouble, SaysAtOnceWhereItCannotWrite) {
  fill();
  writeText(out_ / "file", "x");
  expectProblem(evaluate({"--methods", "none", "--json", out_}), 1, {"this is a folder"});
  expectProblem(evaluate({"--methods", "none", "--json", out_ / "file" / "r.json"}), 1, {"r.json"});
}

TEST_F(EvaluateTrouble, TwoWritersOfOneFile) {
  fill();
  const OutputLock lock(json_);
  expectProblem(evaluate({"--methods", "none", "--json", json_}), 1,
                {"results.json: another evaluation", "process"});
  expectProblem(evaluate({"--methods", "none", "--csv", json_}), 1, {"another evaluation"});
  EXPECT_THAT(filesIn(out_), testing::ElementsAre("results.json.lock"));
}

}  // namespace
}  // namespace adamerge::test
