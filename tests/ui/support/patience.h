// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "sanitized.h"

namespace adamerge::ui::test {

/// ms until what is waited for counts as never happening. Sanitizers make computing ten times as
/// slow.
inline constexpr int kPatience = adamerge::test::kSanitized ? 200'000 : 20'000;

}  // namespace adamerge::ui::test
