// SPDX-License-Identifier: GPL-3.0-or-later
// Keeps two programs from working for hours on the same output file.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace adamerge {

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

}  // namespace adamerge
