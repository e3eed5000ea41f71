// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace adamerge::test {

/// Whether this program was built with a sanitizer that slows it down and looks at its end for what
/// is left.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// How many times longer it takes for what a test waits for.
#if defined(__SANITIZE_THREAD__)
inline constexpr int kPace = 20;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr int kPace = 4;
#else
inline constexpr int kPace = 1;
#endif

}  // namespace adamerge::test
