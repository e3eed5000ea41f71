// SPDX-License-Identifier: GPL-3.0-or-later
// The settings that exported pictures carry, read back: opening such a picture offers to restore
// what made it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace adamerge::ui {

/// The text that adamerge::parseProvenance() takes, found in a PNG (text "AdaMerge"), an SVG
/// (<metadata id="adamerge">) or a PDF (keywords). nullopt for every other file: pictures of other
/// programs, damaged, missing or unreadable ones. Never throws; recognises files by content.
std::optional<std::string> readProvenance(const std::filesystem::path& path);

}  // namespace adamerge::ui
