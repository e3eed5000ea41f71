// SPDX-License-Identifier: GPL-3.0-or-later
// What files say of the program that wrote them.
#pragma once

namespace adamerge {

inline constexpr const char* kProgram = "AdaMerge Studio";
/// Of the settings stored in figures, of a run or of a trace.
inline constexpr int kProvenanceFormat = 1;

}  // namespace adamerge
