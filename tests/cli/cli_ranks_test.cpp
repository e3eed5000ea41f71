// SPDX-License-Identifier: GPL-3.0-or-later
// `mpirun -n K adamerge evaluate`: the same numbers for every K, and what happens when a rank dies.
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// The process that `mpirun` started as that rank; 0: not yet.
pid_t processOfRank(pid_t mpirun, int rank) {
  const std::string parent = "PPid:\t" + std::to_string(mpirun) + "\n";
  const std::string variable = "OMPI_COMM_WORLD_RANK=" + std::to_string(rank);
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (contentOf(entry.path() / "status").find(parent) == std::string::npos) continue;
    const std::string environment = '\0' + contentOf(entry.path() / "environ");
    if (environment.find('\0' + variable + '\0') != std::string::npos) return std::stoi(name);
  }
  return 0;
}

class Ranks : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string(ADAMERGE_MPIRUN).empty()) GTEST_SKIP() << "no mpirun, or built without MPI";
    // Containers run tests as root, which mpirun refuses unless told twice.
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    // All ranks are on this machine; Open MPI 5 complains of networks that it cannot use.
    ::setenv("OMPI_MCA_btl", "^tcp", 1);
  }

  /// Images without a meaning, no two alike, in the folders of two classes.
  void fill(int images) const {
    std::uint32_t state = 1;
    for (int i = 0; i < images; ++i) {
      std::string pixels;
      for (int byte = 0; byte < 32 * 32 * 3; ++byte) {
        state = state * 1664525U + 1013904223U;
        pixels.push_back(
            static_cast<char>(((byte / 96 + byte % 96) * (i + 1) % 160) + (state >> 26U)));
      }
      writeText(set_ / (i % 2 == 0 ? "bird" : "ship") / (std::to_string(i) + ".ppm"),
                "P6 32 32 255\n" + pixels);
    }
  }

  std::vector<std::string> command(const std::vector<std::string>& options) const {
    std::vector<std::string> words = {"evaluate", set_.string(), "--threads",
                                      "1",        "--json",      json_.string()};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }
  CliResult alone(const std::vector<std::string>& options) const {
    return adamergeCli(command(options));
  }
  CliResult ranks(int count, const std::vector<std::string>& options,
                  const RunLimits& limits = {}) const {
    std::vector<std::string> words = {ADAMERGE_MPIRUN, "-n", std::to_string(count),
                                      "--oversubscribe", ADAMERGE_PROGRAM};
    for (std::string& word : withTinyModel(command(options))) words.push_back(std::move(word));
    return runProgram(std::move(words), limits);
  }

  /// Once something is kept.
  RunLimits signalRank(int rank, int signal) const {
    return {.meanwhile = [this, rank, signal](pid_t mpirun) {
      if (!fs::exists(partial_)) return false;
      const pid_t process = rank < 0 ? mpirun : processOfRank(mpirun, rank);
      return process != 0 && ::kill(process, signal) == 0;
    }};
  }

  /// What was written, but for the time it took and the command; then it is removed.
  json takeRecord() const {
    json record = jsonIn(json_);
    record.erase("command");
    for (json& point : record.at("points")) {
      EXPECT_GT(point.at("images_per_second"), 0);
      point.erase("images_per_second");
    }
    fs::remove(json_);
    return record;
  }

  /// The program's own sentences among what mpirun says.
  static std::vector<std::string> sentences(const CliResult& result) {
    std::vector<std::string> list = result.problems();
    std::erase_if(list, [](const auto& line) { return !line.starts_with("adamerge: "); });
    return list;
  }

  /// From version 5 on, Open MPI's mpirun forwards nothing more once a rank died or Ctrl-C came,
  /// and kills the other ranks at once.
  static bool survivorsAreHeard() {
    static const std::string version = adamergeCli({"--version"}).out;
    return version.find("Open MPI v4.") != std::string::npos;
  }

  /// What a surviving rank says of the loss, and what is left: the state, and not the lock's file
  /// but where the one who holds it was killed.
  void expectLoss(const CliResult& result, const std::vector<std::string>& parts) const {
    EXPECT_NE(result.status, 0);
    std::vector<std::string> left = filesIn(out_);
    if (survivorsAreHeard()) {
      ASSERT_EQ(sentences(result).size(), 1U) << result.err;
      for (const std::string& part : parts) EXPECT_THAT(sentences(result)[0], HasSubstr(part));
    } else {
      EXPECT_LE(sentences(result).size(), 1U) << result.err;
      std::erase(left, "results.json.lock");
    }
    EXPECT_THAT(left, ElementsAre("results.json.partial"));
  }

  TemporaryFolder folder_;
  fs::path set_ = folder_.path() / "set";
  fs::path out_ = folder_.path() / "out";
  fs::path json_ = out_ / "results.json";
  fs::path partial_ = out_ / "results.json.partial";
};

TEST_F(Ranks, GiveTheSameNumbersHoweverMany) {
  fill(30);
  writeText(set_ / "bird" / "broken.png", "no picture");
  const std::vector<std::string> options = {"--methods", "adamerge,tome",  "--flops",
                                            "0.9",       "--flops-images", "4"};
  const CliResult plain = alone(options);
  EXPECT_EQ(plain.status, 1) << "one image is left out";
  const json expected = takeRecord();
  EXPECT_EQ(expected.at("images"), 30);
  EXPECT_EQ(expected.at("skipped"), json::array({"bird/broken.png"}));
  for (const int count : {1, 2, 3}) {
    SCOPED_TRACE(count);
    const CliResult result = ranks(count, options);
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(sentences(result), plain.problems());
    EXPECT_EQ(jsonIn(json_).at("command").get<std::string>().substr(0, 29),
              "mpirun -n " + std::to_string(count) + " adamerge evaluate");
    EXPECT_EQ(takeRecord(), expected);
    EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'),
              std::count(plain.out.begin(), plain.out.end(), '\n'));
    EXPECT_THAT(filesIn(out_), testing::IsEmpty());
  }
}

TEST_F(Ranks, AKilledRankEndsAllAndAnyNumberGoesOn) {
  fill(80);
  const std::vector<std::string> options = {"--methods", "none"};
  const CliResult killed = ranks(3, options, signalRank(1, SIGKILL));
  expectLoss(killed, {"rank 1 was lost", "of 80 images are done", "the same command goes on",
                      "results.json.partial"});
  const std::size_t done = jsonIn(partial_).at("done");
  EXPECT_GT(done, 0U);

  const CliResult rest = ranks(2, options);
  expectSuccess(rest);
  EXPECT_THAT(rest.out, HasSubstr("continued after " + std::to_string(done) + " of 80"));
  const json continued = takeRecord();
  expectSuccess(alone(options));
  EXPECT_EQ(continued, takeRecord());
}

TEST_F(Ranks, TheDeathOfRankZeroIsToldByAnother) {
  fill(80);
  const CliResult result = ranks(2, {"--methods", "none"}, signalRank(0, SIGKILL));
  expectLoss(result, {"rank 0 was lost", "the same command goes on"});
}

TEST_F(Ranks, ARankThatHangsIsLostAfterAWhile) {
  fill(80);
  const CliResult result =
      ranks(2, {"--methods", "none", "--rank-timeout", "2"}, signalRank(1, SIGSTOP));
  expectLoss(result, {"rank 1 was lost"});
}

TEST_F(Ranks, CtrlCKeepsWhatIsDone) {
  // mpirun passes it on after a second; there must be work left then.
  fill(1200);
  const CliResult result = ranks(2, {"--methods", "none"}, signalRank(-1, SIGINT));
  expectLoss(result, {"interrupted: ", "the same command goes on"});
}

TEST_F(Ranks, OneOfThemSaysWhatIsWrong) {
  const CliResult result = ranks(2, {"--methods", "foo"});
  EXPECT_EQ(result.status, 2);
  ASSERT_EQ(sentences(result).size(), 1U) << result.err;
  EXPECT_THAT(sentences(result)[0], HasSubstr("--methods takes"));
}

}  // namespace
}  // namespace adamerge::test
