// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "error_message.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FilesTest : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
};

TEST_F(FilesTest, NamesThatTheFileSystemTakesStay) {
  const fs::path path = folder_.path() / (std::string(230, 'a') + ".png");
  EXPECT_EQ(withFittingName(path), path);
}

TEST_F(FilesTest, LongNamesAreCutBetweenCharactersAndKeepTheirEnd) {
  std::string stem;
  for (int i = 0; i < 84; ++i) stem += "\u6f22";  // 252 bytes
  const fs::path long_name = folder_.path() / (stem + "-overview-block01.png");
  const fs::path path = withFittingName(long_name);
  EXPECT_EQ(path.parent_path(), folder_.path());
  const std::string name = path.filename().string();
  EXPECT_LE(name.size(), 240U);
  EXPECT_TRUE(name.ends_with("\u6f22-overview-block01.png")) << name;
  EXPECT_TRUE(name.starts_with("\u6f22\u6f22")) << name;
  EXPECT_EQ(name.find("\u6f22~") % 3, 0U) << "cut inside a character";
  writeFileAtomically(path, "x");
  EXPECT_EQ(readTextFile(path), "x");
  // What differs only where it is cut stays different.
  std::string other = stem;
  other.replace(150, 3, "\u5b57");
  EXPECT_NE(withFittingName(folder_.path() / (other + "-overview-block01.png")), path);
}

TEST_F(FilesTest, TheLongestNameOfTheFileSystemIsWritten) {
  const fs::path path = folder_.path() / std::string(255, 'a');
  writeFileAtomically(path, "x");
  EXPECT_EQ(readTextFile(path), "x");
  EXPECT_THAT(
      test::errorMessage([&] { writeFileAtomically(folder_.path() / std::string(256, 'a'), "x"); }),
      HasSubstr(std::strerror(ENAMETOOLONG)));
}

TEST_F(FilesTest, PathsFromAFolderThatIsGoneStayAsTheyAre) {
  const fs::path before = fs::current_path();
  EXPECT_EQ(absolutePath("a/b.png"), before / "a/b.png");
  EXPECT_EQ(absolutePath("/a/b.png"), "/a/b.png");
  EXPECT_EQ(absolutePath(""), "");
  fs::create_directory(folder_.path() / "gone");
  fs::current_path(folder_.path() / "gone");
  fs::remove(folder_.path() / "gone");
  const fs::path relative = absolutePath("a/b.png");
  fs::current_path(before);
  EXPECT_EQ(relative, "a/b.png");
}

TEST_F(FilesTest, ReasonsAreToldApart) {
  const auto problem = [](const fs::path& path) {
    return test::errorMessage([&] { requireReadableFile(path, "weights"); });
  };
  fs::create_symlink("loop", folder_.path() / "loop");
  EXPECT_THAT(problem(folder_.path() / "none"), HasSubstr("there is no such file"));
  EXPECT_THAT(problem(folder_.path()), HasSubstr("this is a folder; weights file expected"));
  EXPECT_THAT(problem(folder_.path() / "loop"), HasSubstr(std::strerror(ELOOP)));
  EXPECT_THAT(problem(folder_.path() / std::string(300, 'x')),
              HasSubstr(std::strerror(ENAMETOOLONG)));
  EXPECT_THAT(problem("/dev/null"), HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace adamerge
