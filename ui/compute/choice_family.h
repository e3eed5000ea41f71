// SPDX-License-Identifier: GPL-3.0-or-later
// What makes two choices the same run, or the same but for the place of the slider.
#pragma once

#include "adamerge/methods.h"

namespace adamerge::ui {

/// Both with complete settings.
bool sameChoice(const MethodChoice& a, const MethodChoice& b);
/// They differ in the value of the compression setting at most.
bool sameButCompression(const MethodChoice& a, const MethodChoice& b);

/// The value of the compression setting in force; 0 where there is none.
int compressionOf(const MethodChoice& choice);
/// Changes nothing where there is no such setting.
MethodChoice withCompression(const MethodChoice& choice, int value);

}  // namespace adamerge::ui
