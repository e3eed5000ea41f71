// SPDX-License-Identifier: GPL-3.0-or-later
// A drawing as a file.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

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

}  // namespace adamerge
