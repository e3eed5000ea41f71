// SPDX-License-Identifier: GPL-3.0-or-later
// Times as people read them.
#pragma once

#include <QString>

namespace adamerge::ui {

/// "0:07", "12:30", "1:05:00".
QString clockTime(double seconds);
/// Of an estimate: "a few seconds", "about 40 s", "about 12 min", "about 3 h 20 min".
QString roughTime(double seconds);

}  // namespace adamerge::ui
