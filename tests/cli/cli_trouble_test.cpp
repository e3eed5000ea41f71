// SPDX-License-Identifier: GPL-3.0-or-later
// Ctrl-C, full disks, outputs that are no files.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
constexpr std::chrono::seconds kPatience{10};

TEST(Interrupt, EndsACalibrationWithoutAFile) {
  const TemporaryFolder folder;
  const CliResult result =
      adamergeCli({"calibrate", samplesFolder(), "--r-max", "1:98", "--passes", "20", "-o",
                   (folder.path() / "new" / "stats.json").string(), "--threads", "1"},
                  {.interrupt_after = std::chrono::milliseconds(1000)});
  expectProblem(result, 1, {"interrupted"});
  EXPECT_LT(result.since_interrupt, kPatience);
  EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());
}

TEST(Interrupt, KeepsTheImagesThatAreInspected) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = {"inspect", "--json",    "out.json", "--method",
                                        "tome",    "--threads", "1"};
  for (int i = 0; i < 1000; ++i) arguments.push_back(sample("bird"));
  const CliResult result = adamergeCli(
      arguments, {.folder = folder.path(), .interrupt_after = std::chrono::milliseconds(2000)});
  expectProblem(result, 1, {"interrupted: ", " of 1000 images are done"});
  EXPECT_LT(result.since_interrupt, kPatience);
  // On a machine so slow that none was finished there is no file.
  if (!fs::exists(folder.path() / "out.json")) GTEST_SKIP() << "no image was finished";
  EXPECT_THAT(filesIn(folder.path()), testing::ElementsAre("out.json"));
  const auto images = jsonIn(folder.path() / "out.json");
  EXPECT_THAT(result.err, HasSubstr("interrupted: " + std::to_string(images.size()) + " of"));
}

/// No room for more than 600 bytes in any file, as on a full disk.
RunLimits fullDisk(const fs::path& folder) { return {.folder = folder, .file_size = 600}; }

TEST(FullDisk, LeavesNothingHalfWritten) {
  const TemporaryFolder folder;
  const std::vector<std::string> bird = {"inspect", sample("bird"), "--method",
                                         "tome",    "--threads",    "1"};
  auto arguments = bird;
  arguments.insert(arguments.end(), {"--json", "out.json"});
  expectProblem(adamergeCli(arguments, fullDisk(folder.path())), 1,
                {"out.json: cannot be written", "File too large"});
  EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());

  for (const char* format : {"png", "svg", "pdf"}) {
    arguments = bird;
    arguments.insert(arguments.end(), {"--figure", "groups", "--format", format});
    expectProblem(adamergeCli(arguments, fullDisk(folder.path())), 1,
                  {std::string("bird-groups.") + format, "cannot be written"});
    EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());
  }

  expectProblem(adamergeCli({"calibrate", samplesFolder(), "--r-max", "8,16", "-o", "stats.json",
                             "--threads", "1"},
                            fullDisk(folder.path())),
                1, {"stats.json.partial: cannot be written"});
  EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());
}

TEST(FullDisk, KeepsTheFileThatWasThere) {
  const TemporaryFolder folder;
  writeText(folder.path() / "info.json", "old");
  expectProblem(adamergeCli({"info", "--json", "info.json"}, fullDisk(folder.path())), 1,
                {"info.json: cannot be written"});
  EXPECT_EQ(contentOf(folder.path() / "info.json"), "old");
  EXPECT_THAT(filesIn(folder.path()), testing::ElementsAre("info.json"));
}

TEST(FullDisk, OfStandardOutputIsNoticed) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"info", "--threads", "1"}, {"info", "--json", "-"}, {"--help"}}) {
    expectProblem(adamergeCli(arguments, {.standard_output = "/dev/full"}), 1,
                  {"standard output", "No space left on device"});
  }
}

TEST(Output, AFolderIsNoFile) {
  const TemporaryFolder folder;
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"info"},
        {"inspect", sample("bird")},
        {"schedule", "--flops", "1", "--method", "tome"}}) {
    auto arguments = command;
    arguments.insert(arguments.end(), {"--json", folder.path()});
    const CliResult result = adamergeCli(arguments);
    expectProblem(result, 1, {folder.path(), "this is a folder"});
    EXPECT_EQ(result.out, "") << "the work was done in vain";
  }
}

TEST(Output, AFileIsNoFolder) {
  const TemporaryFolder folder;
  writeText(folder.path() / "file", "x");
  expectProblem(adamergeCli({"inspect", sample("bird"), "--out", folder.path() / "file"}), 1,
                {folder.path() / "file", "folder is expected"});
}

TEST(Output, NoPermission) {
  if (const fs::path closed = folderClosedToNobody(); !closed.empty()) {
    GTEST_SKIP() << closed << " is closed to all but root: the program cannot run as nobody";
  }
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_all | fs::perms::others_exec);
  const RunLimits nobody{.unprivileged = true};
  const fs::path json = folder.path() / "out.json";
  expectProblem(adamergeCli({"info", "--json", json}, nobody), 1, {json, "Permission denied"});
  const fs::path figures = folder.path() / "figures";
  expectProblem(adamergeCli({"inspect", sample("bird"), "--out", figures}, nobody), 1,
                {figures, "Permission denied"});
  EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());
}

TEST(Output, APipeIsWrittenToAndALinkIsKept) {
  const TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  // The text is shorter than what a pipe holds.
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  expectSuccess(adamergeCli({"info", "--json", pipe}));
  std::string text(65536, '\0');
  const ssize_t got = ::read(reader, text.data(), text.size());
  ::close(reader);
  ASSERT_GT(got, 0);
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_EQ(nlohmann::json::parse(text.substr(0, static_cast<std::size_t>(got))).at("depth"), 12);

  writeText(folder.path() / "target.json", "old");
  fs::create_symlink("target.json", folder.path() / "link.json");
  expectSuccess(adamergeCli({"info", "--json", folder.path() / "link.json"}));
  EXPECT_TRUE(fs::is_symlink(folder.path() / "link.json"));
  EXPECT_EQ(jsonIn(folder.path() / "target.json").at("depth"), 12);
}

}  // namespace
}  // namespace adamerge::test
