// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <stdexcept>

namespace adamerge {

/// A lock on a file (flock) that this program or another one may hold; it ends with its holder,
/// however that ended. The file is made where it is missing, and stays.
class FileLock {
 public:
  explicit FileLock(std::filesystem::path path) : path_(std::move(path)) {}
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() { release(); }

  /// False where another one holds it. Throws std::system_error where the file cannot be made or
  /// the file system has no locks.
  bool tryLock();
  void release();
  /// Of the locked file.
  int descriptor() const { return descriptor_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace adamerge
