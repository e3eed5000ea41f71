// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/output_lock.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <system_error>

#include "adamerge/error.h"
#include "support/file_lock.h"
#include "support/files.h"

namespace adamerge {
namespace {

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
