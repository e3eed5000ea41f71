// SPDX-License-Identifier: GPL-3.0-or-later
// The core's error messages as the window shows them.
#pragma once

#include <QString>
#include <exception>

namespace adamerge::ui {

/// One line; options of the command line are called by their settings' names.
QString errorText(const std::exception& error);

}  // namespace adamerge::ui
