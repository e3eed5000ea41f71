// SPDX-License-Identifier: GPL-3.0-or-later
// A small video whose frames can be told apart.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

namespace adamerge::ui::test {

inline constexpr int kVideoWidth = 96;
inline constexpr int kVideoHeight = 64;

/// What frame `index` shows at (x, y): flat on the left, a ramp on the right.
std::array<std::uint8_t, 3> videoPixel(int index, int x, int y);

/// MJPEG in an AVI. Returns whether it could be written.
bool writeVideo(const std::filesystem::path& path, int frames, double rate);

}  // namespace adamerge::ui::test
