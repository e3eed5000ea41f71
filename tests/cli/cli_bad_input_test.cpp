// SPDX-License-Identifier: GPL-3.0-or-later
// Images, settings and statistics that cannot be used: one sentence, status 1, nothing written.
#include <fmt/format.h>

#include "adamerge/engine.h"
#include "adamerge/figures.h"
#include "cli_runner.h"

namespace adamerge::test {
namespace {

namespace fs = std::filesystem;

/// Asks for all kinds of output, which must not come.
void expectRefused(std::vector<std::string> arguments, const std::vector<std::string>& says) {
  const TemporaryFolder folder;
  arguments.insert(arguments.begin(), "inspect");
  arguments.insert(arguments.end(), {"--json", "out.json", "--out", "figures", "--threads", "1"});
  expectProblem(adamergeCli(arguments, {.folder = folder.path()}), 1, says);
  EXPECT_THAT(filesIn(folder.path()), testing::IsEmpty());
}

TEST(BadImage, IsNamedWithWhatIsWrong) {
  const TemporaryFolder folder;
  const auto file = [&](const char* name, const std::string& content) {
    writeText(folder.path() / name, content);
    return (folder.path() / name).string();
  };
  const std::string png = contentOf(sample("bird"));
  struct Case {
    std::string path;
    std::string says;
  };
  const std::vector<Case> cases = {
      {folder.path() / "missing.png", "no such file"},
      {folder.path(), "folder"},
      {file("empty.png", ""), "empty"},
      {file("text.jpg", "Not a picture at all.\n"), "not an image"},
      {file("cut.png", png.substr(0, png.size() / 2)), "truncated"},
      {file("head.png", png.substr(0, 20)), "head.png"},
  };
  for (const Case& bad : cases) {
    SCOPED_TRACE(bad.path);
    expectRefused({bad.path}, {bad.path + ": ", bad.says});
  }
}

TEST(BadImage, ATruncatedJpegIsRefused) {
  const TemporaryFolder folder;
  const fs::path whole = fs::path(ADAMERGE_TEST_DATA) / "preprocessing";
  std::string jpeg;
  for (const std::string& name : filesIn(whole)) {
    if (name.ends_with(".jpg")) jpeg = contentOf(whole / name);
  }
  if (jpeg.empty()) GTEST_SKIP() << "no JPEG in " << whole;
  writeText(folder.path() / "cut.jpg", jpeg.substr(0, jpeg.size() * 2 / 3));
  expectRefused({folder.path() / "cut.jpg"}, {"cut.jpg: ", "truncated"});
}

TEST(BadImage, MayNotBeReadable) {
  if (const fs::path closed = folderClosedToNobody(); !closed.empty()) {
    GTEST_SKIP() << closed << " is closed to all but root: the program cannot run as nobody";
  }
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "closed.png";
  fs::copy_file(sample("bird"), file);
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(file, fs::perms::none);
  expectProblem(adamergeCli({"inspect", file.string()}, {.unprivileged = true}), 1,
                {"closed.png: ", "Permission denied"});
}

TEST(OddImage, OnePixelAndAVeryWideOneWork) {
  const TemporaryFolder folder;
  writeText(folder.path() / "dot.ppm", std::string("P6 1 1 255\n") + "\x10\x80\xf0");
  writeText(folder.path() / "wide.ppm", "P6 30000 10 255\n" + std::string(30000 * 10 * 3, 'm'));
  const CliResult result =
      adamergeCli({"inspect", "dot.ppm", "wide.ppm", "--json", "out.json", "--out", "figures",
                   "--method", "adamerge", "--threads", "1"},
                  {.folder = folder.path()});
  expectSuccess(result, true);
  const auto json = jsonIn(folder.path() / "out.json");
  EXPECT_EQ(json.at(0).at("image_size"), (nlohmann::json{1, 1}));
  EXPECT_EQ(json.at(1).at("image_size"), (nlohmann::json{10, 30000}));
  // All but similarity, which needs a patch, and map, which needs a dense head.
  EXPECT_EQ(filesIn(folder.path() / "figures").size(), 2 * (figureKinds().size() - 2));
}

TEST(BadSetting, TheModelDecides) {
  expectRefused({sample("bird"), "--layer", "12"}, {"--layer 12", "blocks 0 to 11"});
  expectRefused({sample("bird"), "--layer", "-1"}, {"--layer -1", "blocks 0 to 11"});
  expectRefused({sample("bird"), "--method", "tome", "--r", "99"}, {"--r 99", "196", "98"});
  expectRefused({sample("bird"), "--no-adaptive", "--r", "5000"}, {"--r 5000", "196"});
  expectRefused({sample("bird"), "--input-size", "3"}, {"3 x 3", "patch size 4"});
}

TEST(BadSetting, CudaWhereThereIsNone) {
  const std::size_t devices = availableDevices().size() - 1;
  const std::string device = fmt::format("cuda:{}", devices);
  expectRefused({sample("bird"), "--device", device}, {"--device " + device, "auto would"});
}

TEST(BadStatistics, AreNamedWithWhatIsWrong) {
  const TemporaryFolder folder;
  const auto stats = [&](const char* name, const std::string& model, int depth, std::size_t count) {
    const nlohmann::json json = {{"format", 1},
                                 {"model", model},
                                 {"depth", depth},
                                 {"entries",
                                  {{{"r_max", 16},
                                    {"mu", std::vector<double>(count, 0.1)},
                                    {"sigma", std::vector<double>(count, 0.1)}}}}};
    writeText(folder.path() / name, json.dump());
    return (folder.path() / name).string();
  };
  const std::string good = stats("good.json", "vit-tiny-cifar10", 12, 12);
  expectSuccess(adamergeCli({"inspect", sample("bird"), "--stats", good, "--threads", "1"}));

  writeText(folder.path() / "broken.json", "{\"format\": 1,\n \"model\": ");
  const std::string broken = folder.path() / "broken.json";
  expectRefused({sample("bird"), "--stats", broken}, {broken, "not valid JSON", "line 2"});
  const std::string missing = folder.path() / "missing.json";
  expectRefused({sample("bird"), "--stats", missing}, {missing, "no such file"});
  expectRefused({sample("bird"), "--stats", folder.path()}, {folder.path(), "folder"});
  const std::string lengths = stats("lengths.json", "vit-tiny-cifar10", 12, 7);
  expectRefused({sample("bird"), "--stats", lengths}, {lengths, "12 numbers"});
  expectRefused({sample("bird"), "--stats", stats("other.json", "deit-small", 12, 12)},
                {"'deit-small'", "'vit-tiny-cifar10'"});
  expectRefused({sample("bird"), "--stats", stats("deep.json", "vit-tiny-cifar10", 24, 24)},
                {"24 blocks", "12"});
}

}  // namespace
}  // namespace adamerge::test
