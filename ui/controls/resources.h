// SPDX-License-Identifier: GPL-3.0-or-later
// Makes icons and style sheet of this static library reachable.
#pragma once

namespace adamerge::ui {

/// May be called often.
void loadResources();

}  // namespace adamerge::ui
