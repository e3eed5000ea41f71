// SPDX-License-Identifier: GPL-3.0-or-later
// Columns that line up on a terminal.
#pragma once

#include <string>
#include <vector>

namespace adamerge::cli {

/// The first column is aligned left, all others right. Columns whose cells are all empty are left
/// out. Every row has as many cells as `header`.
std::string textTable(const std::vector<std::string>& header,
                      const std::vector<std::vector<std::string>>& rows);

}  // namespace adamerge::cli
