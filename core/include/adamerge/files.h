// SPDX-License-Identifier: GPL-3.0-or-later
// Reading and writing whole files with messages a user can act on.
#pragma once

#include <cstdint>
#include <filesystem>
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

}  // namespace adamerge
