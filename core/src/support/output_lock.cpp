// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/output_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "adamerge/error.h"
#include "support/files.h"

namespace adamerge {
namespace {

namespace fs = std::filesystem;

/// " (process 1234)", from the lock's content.
std::string holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t length = ::pread(descriptor, text.data(), text.size(), 0);
  if (length <= 0) return {};
  return fmt::format(" (process {})", std::string(text.data(), static_cast<std::size_t>(length)));
}

/// Whether `path` still names the open file: the one who held it may just have removed it.
bool isCurrent(int descriptor, const fs::path& path) {
  struct stat open_file {};
  struct stat named {};
  return ::fstat(descriptor, &open_file) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

[[noreturn]] void failClosing(int descriptor, const std::string& message) {
  if (descriptor >= 0) ::close(descriptor);
  throw Error(message);
}

}  // namespace

OutputLock::OutputLock(const fs::path& file, const std::string& work) {
  path_ = behindLinks(file);
  path_ += ".lock";
  std::error_code code;
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), code);
  while (true) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) {
      failClosing(-1,
                  fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno)));
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      failClosing(
          descriptor_,
          reason == EWOULDBLOCK
              ? fmt::format("{}: another {}{} is writing this file; wait for it, "
                            "or name another file",
                            file.string(), work, holder(descriptor_))
              : fmt::format("{}: cannot be locked: {}", path_.string(), std::strerror(reason)));
    }
    if (isCurrent(descriptor_, path_)) break;
    ::close(descriptor_);
  }
  // For the message of whoever comes second; without it the lock holds all the same.
  const std::string process = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, process.data(), process.size(), 0) < 0) {
    return;
  }
}

OutputLock::~OutputLock() {
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace adamerge
