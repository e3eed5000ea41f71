// SPDX-License-Identifier: GPL-3.0-or-later
// Files: what public headers need not know, and the calls by which they are written and read, so
// that a test can make them fail.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/files.h"

namespace adamerge {

/// Tells whether two things are the same, with no claim against forgery (64-bit FNV-1a).
class Fingerprint {
 public:
  /// The length goes in too, so that "ab", "c" differs from "a", "bc".
  void add(std::string_view bytes) {
    add(bytes.size());
    for (const char byte : bytes) mix(static_cast<unsigned char>(byte));
  }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) mix(static_cast<unsigned char>(number >> shift));
  }
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  void mix(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001B3ULL; }
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

/// Throws Error: missing, a folder, no permission, larger than `limit` bytes.
std::vector<std::uint8_t> readFile(const std::filesystem::path& path, std::uint64_t limit);

/// Checks that `path` is a readable regular file; `what` names its role in the message
/// ("image", "weights").
void requireReadableFile(const std::filesystem::path& path, std::string_view what);

/// Hidden (".git", "._a.jpg"), or a folder that macOS, Windows, Linux or a NAS puts beside people's
/// own and that holds none of their pictures.
bool isPassedOver(const std::filesystem::path& path);

/// Where writing to `path` ends up: the file behind a symbolic link, `path` itself otherwise.
std::filesystem::path behindLinks(const std::filesystem::path& path);

/// writeFileAtomically() of what `produce` hands to `write`, part by part; it may throw, then
/// nothing remains.
using WriteBytes = std::function<void(std::string_view bytes)>;
void writeFileInParts(const std::filesystem::path& path,
                      const std::function<void(const WriteBytes& write)>& produce);

/// The whole of `bytes`, and until the disk has it. Both throw std::system_error.
void writeFully(int descriptor, std::string_view bytes);
void syncFully(int descriptor);

/// The kernel's, unless a test has put its own in their place.
struct SystemCalls {
  ssize_t (*read)(int descriptor, void* bytes, std::size_t count) = ::read;
  ssize_t (*write)(int descriptor, const void* bytes, std::size_t count) = ::write;
  int (*fsync)(int descriptor) = ::fsync;
  int (*close)(int descriptor) = ::close;
  int (*rename)(const char* from, const char* to) = std::rename;
};

inline SystemCalls system_calls;

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
