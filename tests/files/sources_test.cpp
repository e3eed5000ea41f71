// SPDX-License-Identifier: GPL-3.0-or-later
// What no compiler checks: files are written in one place, and no call throws what is not ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace adamerge {
namespace {

namespace fs = std::filesystem;

/// Lines of our sources that match `pattern`, as "file: line", but those in `allowed` files.
std::vector<std::string> linesWith(const std::string& pattern,
                                   const std::vector<std::string>& allowed) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  int files = 0;
  for (const char* part : {"app", "core", "ui", "models/train"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(ADAMERGE_SOURCES) / part)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".cpp" && path.extension() != ".h") continue;
      ++files;
      const std::string name = path.lexically_relative(ADAMERGE_SOURCES).string();
      if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) continue;
      std::ifstream stream(path);
      for (std::string line; std::getline(stream, line);) {
        if (std::regex_search(line, expression)) found.push_back(name + ": " + line);
      }
    }
  }
  EXPECT_GT(files, 300);
  return found;
}

TEST(Sources, WriteFilesInOnePlace) {
  EXPECT_THAT(linesWith(R"(\bofstream\b| ::write\(|\bfopen\(|O_CREAT|<QSaveFile>)",
                        {"core/src/support/files.cpp", "core/src/support/files.h",
                         "core/src/measure/machine.cpp",       // /proc
                         "core/src/hub/download.cpp",          // goes on where it broke off
                         "core/src/measure/picture_rows.cpp",  // the same
                         "app/cli/output_files.cpp",           // pipes and devices
                         "ui/window/start.cpp"}),              // a screenshot
              testing::IsEmpty());
}

TEST(Sources, AskTheFileSystemWithoutExceptions) {
  // One argument, or two without an error code: the throwing forms.
  const std::string calls =
      R"(\b(fs|filesystem)::(exists|is_directory|is_regular_file|is_symlink|file_size|status|canonical|)"
      R"(equivalent|space|last_write_time|create_directory|create_directories|remove|remove_all)"
      R"()\((([^(),]|\([^()]*\))*)\)|fs::rename\(([^,()]|\([^()]*\))*,([^,()]|\([^()]*\))*\)|)"
      R"(directory_iterator\(([^(),]|\([^()]*\))+\)\))";
  std::vector<std::string> found = linesWith(calls, {"core/src/hub/download.cpp"});
  // Of a status that is known, nothing is asked.
  std::erase_if(found, [](const std::string& line) {
    return std::regex_search(line, std::regex(R"(fs::(exists|is_\w+)\(status\))"));
  });
  EXPECT_THAT(found, testing::IsEmpty());
}

}  // namespace
}  // namespace adamerge
