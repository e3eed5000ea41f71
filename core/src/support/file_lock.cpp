// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "support/files.h"

namespace adamerge {
namespace {

/// Whether `path` still names the open file: the one who held it may just have removed it.
bool isCurrent(int descriptor, const std::filesystem::path& path) {
  struct stat open_file {};
  struct stat named {};
  return ::fstat(descriptor, &open_file) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

namespace fs = std::filesystem;

/// " (process 1234)", from the lock's content.
std::string holder(const fs::path& lock) {
  std::string text;
  std::ifstream(lock) >> text;
  return text.empty() ? "" : fmt::format(" (process {})", text);
}

/// Lives as long as the program, for whoever ends it.
struct Held {
  std::mutex mutex;
  std::set<std::string> files;
};

Held& held() {
  static auto* const kHeld = new Held;
  return *kHeld;
}

}  // namespace

bool FileLock::tryLock() {
  while (true) {
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) throw std::system_error(errno, std::generic_category());
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      ::close(descriptor);
      if (reason == EWOULDBLOCK) return false;
      throw std::system_error(reason, std::generic_category());
    }
    if (isCurrent(descriptor, path_)) {
      descriptor_ = descriptor;
      return true;
    }
    ::close(descriptor);
  }
}

void FileLock::release() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

OutputLock::OutputLock(const fs::path& file, const std::string& work) {
  path_ = behindLinks(file);
  path_ += ".lock";
  std::error_code code;
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), code);
  lock_ = std::make_unique<FileLock>(path_);
  bool free = false;
  try {
    free = lock_->tryLock();
  } catch (const std::system_error& error) {
    throw Error(fmt::format("{}: cannot be written: {}", path_.string(), error.code().message()));
  }
  if (!free) {
    throw Error(
        fmt::format("{}: another {}{} is writing this file; wait for it, or name another file",
                    file.string(), work, holder(path_)));
  }
  {
    const std::lock_guard guard(held().mutex);
    held().files.insert(path_.string());
  }
  // For the message of whoever comes second; without it the lock holds all the same.
  const std::string process = std::to_string(::getpid());
  if (::ftruncate(lock_->descriptor(), 0) != 0 ||
      ::pwrite(lock_->descriptor(), process.data(), process.size(), 0) < 0) {
    return;
  }
}

OutputLock::~OutputLock() {
  const std::lock_guard guard(held().mutex);
  held().files.erase(path_.string());
  ::unlink(path_.c_str());
}

void OutputLock::removeAll() noexcept {
  const std::lock_guard guard(held().mutex);
  for (const std::string& file : held().files) ::unlink(file.c_str());
}

}  // namespace adamerge
