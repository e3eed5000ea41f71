// SPDX-License-Identifier: GPL-3.0-or-later
// Figures as files.
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>

#include "adamerge/error.h"
#include "adamerge/figures.h"
#include "figures/canvas.h"
#include "figures/png_density.h"
#include "figures/scene.h"
#include "support/files.h"

namespace adamerge {
namespace {

constexpr double kLowestDpi = 36;
constexpr double kHighestDpi = 2400;
/// Cairo's limit for the side of an image.
constexpr double kLargestSide = 32767;

cairo_status_t append(void* closure, const unsigned char* data, unsigned length) {
  try {
    static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), length);
  } catch (const std::exception&) {  // must not unwind through C
    return CAIRO_STATUS_NO_MEMORY;
  }
  return CAIRO_STATUS_SUCCESS;
}

void check(cairo_status_t status) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  throw Error(fmt::format("the figure could not be drawn: {}", cairo_status_to_string(status)));
}

struct Page {
  std::string_view kind;
  const FigureInput& input;
  const FigureStyle& style;
  double width = 0;  ///< points
  double height = 0;
};

void drawPage(const Page& page, cairo_surface_t* surface, double scale) {
  check(cairo_surface_status(surface));
  const Handle<cairo_t> context(cairo_create(surface));
  cairo_scale(context.get(), scale, scale);
  drawFigure(page.kind, page.input, page.style, context.get());
  check(cairo_status(context.get()));
}

std::string renderPng(const Page& page) {
  const double dpi = page.style.dpi;
  if (!(dpi >= kLowestDpi && dpi <= kHighestDpi)) {
    throw Error(fmt::format("a resolution of {:g} dpi is not possible; {:g} to {:g} dpi is", dpi,
                            kLowestDpi, kHighestDpi));
  }
  const double scale = dpi / kPointsPerInch;
  const double width = std::max(std::round(page.width * scale), 1.0);
  const double height = std::max(std::round(page.height * scale), 1.0);
  if (width > kLargestSide || height > kLargestSide) {
    throw Error(
        fmt::format("the figure would have {:.0f} x {:.0f} pixels; at most {:.0f} on a "
                    "side are possible, choose fewer dpi or a smaller width",
                    width, height, kLargestSide));
  }
  const bool transparent = page.style.background == Background::kTransparent;
  const Handle<cairo_surface_t> surface(
      cairo_image_surface_create(transparent ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24,
                                 static_cast<int>(width), static_cast<int>(height)));
  check(cairo_surface_status(surface.get()));
  if (!transparent) {
    // The page rarely ends on a pixel's edge: no black fringe there.
    const Handle<cairo_t> context(cairo_create(surface.get()));
    const Color& paper = themeOf(page.style).background;
    cairo_set_source_rgb(context.get(), paper.red, paper.green, paper.blue);
    cairo_paint(context.get());
  }
  drawPage(page, surface.get(), scale);
  std::string bytes;
  check(cairo_surface_write_to_png_stream(surface.get(), append, &bytes));
  setPngDensity(bytes, dpi);
  return bytes;
}

std::string renderPdf(const Page& page) {
  std::string bytes;
  const Handle<cairo_surface_t> surface(
      cairo_pdf_surface_create_for_stream(append, &bytes, page.width, page.height));
  check(cairo_surface_status(surface.get()));
  // No date, so that the same figure is the same file.
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, nullptr);
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATOR, "AdaMerge Studio");
  drawPage(page, surface.get(), 1);
  cairo_surface_finish(surface.get());
  check(cairo_surface_status(surface.get()));
  return bytes;
}

/// Cairo numbers surfaces through the life of the process; here the ids `name` + number count from
/// 0 in the order in which they appear.
std::string withStableIds(const std::string& svg, std::string_view name) {
  std::string result;
  result.reserve(svg.size());
  std::vector<std::string> seen;
  for (std::size_t at = 0; at < svg.size();) {
    const bool opens = svg[at] == '"' || svg[at] == '#';
    if (!opens || svg.compare(at + 1, name.size(), name) != 0) {
      result += svg[at++];
      continue;
    }
    const std::size_t digits = at + 1 + name.size();
    const std::size_t end = std::min(svg.find_first_not_of("0123456789", digits), svg.size());
    const std::string number = svg.substr(digits, end - digits);
    result.append(svg, at, digits - at);
    if (!number.empty()) {
      auto known = std::find(seen.begin(), seen.end(), number);
      if (known == seen.end()) known = seen.insert(seen.end(), number);
      result += std::to_string(known - seen.begin());
    }
    at = end;
  }
  return result;
}

std::string renderSvg(const Page& page) {
  std::string bytes;
  const Handle<cairo_surface_t> surface(
      cairo_svg_surface_create_for_stream(append, &bytes, page.width, page.height));
  check(cairo_surface_status(surface.get()));
  drawPage(page, surface.get(), 1);
  cairo_surface_finish(surface.get());
  check(cairo_surface_status(surface.get()));
  return withStableIds(withStableIds(bytes, "surface"), "image");
}

std::string render(const Page& page, FigureFormat format) {
  switch (format) {
    case FigureFormat::kSvg:
      return renderSvg(page);
    case FigureFormat::kPdf:
      return renderPdf(page);
    case FigureFormat::kPng:
      break;
  }
  return renderPng(page);
}

}  // namespace

void writeFigure(std::string_view kind, const FigureInput& input, const FigureStyle& style,
                 FigureFormat format, const std::filesystem::path& path) {
  const FigureSize size = figureSize(kind, input, style);
  const Page page{kind, input, style, size.width_mm / kMmPerInch * kPointsPerInch,
                  size.height_mm / kMmPerInch * kPointsPerInch};
  writeFileAtomically(path, render(page, format));
}

}  // namespace adamerge
