// SPDX-License-Identifier: GPL-3.0-or-later
// A drawing as a file, with what Cairo does not write into it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "figures/canvas.h"
#include "figures/scene.h"

namespace adamerge {

struct Page {
  std::function<void(cairo_t*)> draw;  ///< in points
  const FigureStyle& style;
  FigureSize size;
  std::string title;
  std::string provenance;  ///< empty: none
};

/// Throws Error: a resolution out of range, a file that cannot be written.
void writePage(const Page& page, FigureFormat format, const std::filesystem::path& path);

/// `height` is the scene's.
FigureSize sizeOnPaper(const Scene& scene, double height);
/// Goes over to the scene's units and fills the background, if there is one.
void beginPage(Canvas& canvas, const Scene& scene, double height);

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
