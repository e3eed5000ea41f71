// SPDX-License-Identifier: GPL-3.0-or-later
// Keys and gestures that belong to no action, for the shortcut sheet.
#pragma once

#include "shell/shortcut_sheet.h"

namespace adamerge::ui {

std::vector<ShortcutGroup> canvasKeys();

}  // namespace adamerge::ui
