// SPDX-License-Identifier: GPL-3.0-or-later
// Reading and writing whole files with messages a user can act on, locks that keep two programs
// from working for hours on the same one, and work that would be lost if the program ended now.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace adamerge {

/// As UTF-8 without a byte order mark, whichever of UTF-8 and UTF-16 the file has. Throws Error:
/// missing, a folder, no permission, larger than `limit` bytes, broken UTF-16.
std::string readTextFile(const std::filesystem::path& path, std::uint64_t limit = 64U << 20U);

/// Writes beside `path` and renames over it, so that a reader sees the old file or the whole new
/// one. A link keeps pointing to its file; a pipe or a device is refused, since a rename would
/// replace it. Missing parent folders are made. Throws Error (no permission, full disk); nothing
/// half-written remains.
void writeFileAtomically(const std::filesystem::path& path, std::string_view bytes);

/// `path` from the root; as it is where the working folder is gone or cannot be told.
std::filesystem::path absolutePath(const std::filesystem::path& path);

/// `path` with its file name cut in the middle, where a hash of the whole one stands instead, if it
/// is longer than file systems take.
std::filesystem::path withFittingName(const std::filesystem::path& path);

class FileLock;

/// Holds `FILE.lock` beside the file while it lives. A lock whose program ended, however it ended,
/// holds nobody up.
class OutputLock {
 public:
  /// `work` is what is done under it, for messages. Throws Error where another one holds it, or it
  /// cannot be made.
  explicit OutputLock(const std::filesystem::path& file, const std::string& work = "evaluation");
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;
  ~OutputLock();

  /// The files of all that are held, for a program that ends without unwinding.
  static void removeAll() noexcept;

 private:
  std::filesystem::path path_;
  std::unique_ptr<FileLock> lock_;
};

/// While one lives, something measured or half-written is on its way into a file: whoever wants the
/// program to end waits for it.
class UnsavedWork {
 public:
  UnsavedWork() { ++count; }
  ~UnsavedWork() { --count; }
  UnsavedWork(const UnsavedWork&) = delete;
  UnsavedWork& operator=(const UnsavedWork&) = delete;
  /// Of any thread.
  static bool any() { return count > 0; }

 private:
  static inline std::atomic<int> count = 0;
};

}  // namespace adamerge
