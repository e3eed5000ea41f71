// SPDX-License-Identifier: GPL-3.0-or-later
// Reading and writing whole files with messages a user can act on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace adamerge {

/// Throws Error: missing, a folder, no permission, larger than `limit` bytes.
std::vector<std::uint8_t> readFile(const std::filesystem::path& path, std::uint64_t limit);
std::string readTextFile(const std::filesystem::path& path, std::uint64_t limit = 64U << 20U);

/// Checks that `path` is a readable regular file; `what` names its role in the message
/// ("image", "weights").
void requireReadableFile(const std::filesystem::path& path, std::string_view what);

/// Where writing to `path` ends up: the file behind a symbolic link, `path` itself otherwise.
std::filesystem::path behindLinks(const std::filesystem::path& path);

/// Writes beside `path` and renames over it, so that a reader sees the old file or the whole new
/// one. A link keeps pointing to its file; a pipe or a device is refused, since a rename would
/// replace it. Missing parent folders are made. Throws Error (no permission, full disk); nothing
/// half-written remains.
void writeFileAtomically(const std::filesystem::path& path, std::string_view bytes);

/// The same where a library writes the file itself: `write` gets the temporary path.
void writeFileAtomically(const std::filesystem::path& path,
                         const std::function<void(const std::filesystem::path&)>& write);

}  // namespace adamerge
