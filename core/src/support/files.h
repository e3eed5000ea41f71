// SPDX-License-Identifier: GPL-3.0-or-later
// Files: what public headers need not know, and the calls by which they are written and read, so
// that a test can make them fail.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/files.h"

namespace adamerge {

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

}  // namespace adamerge
