// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace adamerge::ui::test {

/// ms until what is waited for counts as never happening. Sanitizers make computing ten times as
/// slow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kPatience = 200'000;
#else
inline constexpr int kPatience = 20'000;
#endif

}  // namespace adamerge::ui::test
