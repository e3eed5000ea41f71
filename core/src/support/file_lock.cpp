// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace adamerge {
namespace {

/// Whether `path` still names the open file: the one who held it may just have removed it.
bool isCurrent(int descriptor, const std::filesystem::path& path) {
  struct stat open_file {};
  struct stat named {};
  return ::fstat(descriptor, &open_file) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
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

}  // namespace adamerge
