// SPDX-License-Identifier: GPL-3.0-or-later
// The kernel refuses or halves what our file layer asks of it: the old file is whole, the new one
// complete or absent, nothing lies about, and one sentence says why.
#include <cerrno>
#include <fstream>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/methods.h"
#include "error_message.h"
#include "support/files.h"
#include "temporary_folder.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// What the next calls do. Plain, since the calls are plain functions.
struct Faults {
  int calls = 0;             ///< of the call that fails
  int fails_at = -1;         ///< its number, from 0; -1: none
  int code = EIO;            ///< errno then
  std::size_t most = 1000;   ///< bytes that one read or write moves
  bool interrupted = false;  ///< every first try ends with EINTR
  bool now = false;
};
Faults faults;

bool fails() {
  if (faults.interrupted && (faults.now = !faults.now)) {
    errno = EINTR;
    return true;
  }
  if (faults.calls++ != faults.fails_at) return false;
  errno = faults.code;
  return true;
}

class FaultTest : public testing::Test {
 protected:
  void SetUp() override {
    faults = {};
    write(path_, kOld);
  }
  void TearDown() override { system_calls = SystemCalls(); }

  static void write(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  static void failWrites() {
    system_calls.write = [](int file, const void* bytes, std::size_t count) -> ssize_t {
      return fails() ? -1 : ::write(file, bytes, std::min(count, faults.most));
    };
  }
  static void failReads() {
    system_calls.read = [](int file, void* bytes, std::size_t count) -> ssize_t {
      return fails() ? -1 : ::read(file, bytes, std::min(count, faults.most));
    };
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      all.push_back(entry.path().filename().string());
    }
    return all;
  }
  void expectOldFileAfter(std::string_view reason) {
    const std::string message =
        test::errorMessage([&] { writeFileAtomically(path_, std::string(5000, 'n')); });
    EXPECT_EQ(message, path_.string() + ": cannot be written: " + std::string(reason));
    system_calls = SystemCalls();
    EXPECT_EQ(readTextFile(path_), kOld);
    EXPECT_THAT(names(), ElementsAre("file.json"));
  }

  const std::string kOld = "what was there";
  test::TemporaryFolder folder_;
  fs::path path_ = folder_.path() / "file.json";
};

TEST_F(FaultTest, ShortAndInterruptedCallsLoseNothing) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += std::to_string(i);
  faults = {.most = 7, .interrupted = true};
  failWrites();
  failReads();
  system_calls.fsync = [](int file) { return fails() ? -1 : ::fsync(file); };
  writeFileAtomically(path_, bytes);
  EXPECT_EQ(readTextFile(path_), bytes);
  EXPECT_THAT(names(), ElementsAre("file.json"));
}

TEST_F(FaultTest, AFullDiskAtAnyWrite) {
  for (int call = 0; call < 5; ++call) {
    faults = {.fails_at = call, .code = ENOSPC};
    failWrites();
    expectOldFileAfter("No space left on device");
  }
}

TEST_F(FaultTest, ADiskThatTakesNothingAndSaysNothing) {
  system_calls.write = [](int, const void*, std::size_t) -> ssize_t { return 0; };
  expectOldFileAfter("No space left on device");
}

TEST_F(FaultTest, AFullDiskThatShowsWhenTheDataReachesIt) {
  system_calls.fsync = [](int) { return errno = ENOSPC, -1; };
  expectOldFileAfter("No space left on device");
}

TEST_F(FaultTest, AQuotaThatShowsWhenTheFileIsClosed) {
  system_calls.close = [](int file) { return ::close(file), errno = EDQUOT, -1; };
  expectOldFileAfter("Disk quota exceeded");
}

TEST_F(FaultTest, ARenameThatFails) {
  system_calls.rename = [](const char*, const char*) { return errno = EROFS, -1; };
  expectOldFileAfter("Read-only file system");
}

TEST_F(FaultTest, AReadErrorHalfway) {
  write(path_, std::string(5000, 'x'));
  faults = {.fails_at = 2, .code = EIO};
  failReads();
  EXPECT_EQ(test::errorMessage([&] { readTextFile(path_); }),
            path_.string() + ": cannot be read: Input/output error");
}

/// All that the core writes goes this way: sources_test.cpp looks for others.
TEST_F(FaultTest, StatisticsAreWholeOrAbsent) {
  Statistics statistics;
  statistics.model = "a-model";
  const fs::path file = folder_.path() / "stats.json";
  for (const int call : {0, 1}) {
    faults = {.fails_at = call, .code = EDQUOT, .most = 20};
    failWrites();
    EXPECT_THAT(test::errorMessage([&] { writeStatistics(statistics, file); }),
                HasSubstr("stats.json: cannot be written: Disk quota exceeded"));
    EXPECT_FALSE(fs::exists(file));
  }
}

}  // namespace
}  // namespace adamerge
