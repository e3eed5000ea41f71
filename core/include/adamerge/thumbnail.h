// SPDX-License-Identifier: GPL-3.0-or-later
// What file managers show of the program's own files.
#pragma once

#include <filesystem>

namespace adamerge {

/// Writes a PNG of `longest` pixels on its longer side: of a trace its first image with the groups
/// after the last block, of a session the preview that it holds.
/// Throws Error: neither of the two, damaged, without such a picture, a file that cannot be
/// written.
void writeThumbnail(const std::filesystem::path& file, int longest,
                    const std::filesystem::path& png);

}  // namespace adamerge
