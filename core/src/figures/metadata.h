// SPDX-License-Identifier: GPL-3.0-or-later
// What Cairo does not write into its files.
#pragma once

#include <string>
#include <string_view>

namespace adamerge {

/// Where figures keep their provenance.
inline constexpr std::string_view kPngKeyword = "AdaMerge";
inline constexpr std::string_view kSvgId = "adamerge";

/// Text within an element.
std::string xmlEscaped(std::string_view text);
/// How large the picture is on paper: adds the pHYs chunk.
void setPngDensity(std::string& png, double dpi);
/// Adds an iTXt chunk. `text` must be UTF-8.
void setPngText(std::string& png, std::string_view keyword, std::string_view text);
/// Adds <metadata id="..."> as the first element of the picture. `text` must be UTF-8.
void setSvgMetadata(std::string& svg, std::string_view id, std::string_view text);

}  // namespace adamerge
