// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/page.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "adamerge/error.h"
#include "figures/canvas.h"
#include "figures/scene.h"
#include "support/files.h"
#include "support/text.h"

namespace adamerge {
namespace {

/// Signature (8) and IHDR (4 length, 4 type, 13 data, 4 checksum), which always come first.
constexpr std::size_t kHeaderSize = 33;
constexpr double kInchesPerMetre = 1000.0 / 25.4;

std::uint32_t checksum(std::string_view bytes) {
  constexpr std::uint32_t kPolynomial = 0xEDB88320U;
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
  }
  return ~crc;
}

void appendBigEndian(std::string& bytes, std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes.push_back(static_cast<char>((value >> shift) & 0xFFU));
  }
}

/// Puts a chunk, given as its type and data, before the picture's data.
void insertChunk(std::string& png, const std::string& body) {
  if (png.size() < kHeaderSize) return;
  std::string chunk;
  appendBigEndian(chunk, static_cast<std::uint32_t>(body.size() - 4));
  chunk += body;
  appendBigEndian(chunk, checksum(body));
  png.insert(kHeaderSize, chunk);
}

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

double points(double mm) { return mm / kMmPerInch * kPointsPerInch; }

void drawPage(const Page& page, cairo_surface_t* surface, double scale) {
  check(cairo_surface_status(surface));
  const Handle<cairo_t> context(cairo_create(surface));
  cairo_scale(context.get(), scale, scale);
  page.draw(context.get());
  check(cairo_status(context.get()));
}

std::string renderPng(const Page& page) {
  const double dpi = page.style.dpi;
  if (!(dpi >= kLowestDpi && dpi <= kHighestDpi)) {
    throw Error(fmt::format("a resolution of {:g} dpi is not possible; {:g} to {:g} dpi is", dpi,
                            kLowestDpi, kHighestDpi));
  }
  const double scale = dpi / kPointsPerInch;
  const double width = std::max(std::round(points(page.size.width_mm) * scale), 1.0);
  const double height = std::max(std::round(points(page.size.height_mm) * scale), 1.0);
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
  if (!page.provenance.empty()) setPngText(bytes, kPngKeyword, page.provenance);
  return bytes;
}

std::string renderPdf(const Page& page) {
  std::string bytes;
  const Handle<cairo_surface_t> surface(cairo_pdf_surface_create_for_stream(
      append, &bytes, points(page.size.width_mm), points(page.size.height_mm)));
  check(cairo_surface_status(surface.get()));
  // From 1.18 on Cairo would pack the metadata into streams, where simple readers do not look.
  cairo_pdf_surface_restrict_to_version(surface.get(), CAIRO_PDF_VERSION_1_4);
  // No date, so that the same figure is the same file.
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, nullptr);
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATOR, kProgram);
  if (!page.title.empty()) {
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_TITLE,
                                   validUtf8(page.title).c_str());
  }
  if (!page.provenance.empty()) {
    cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_KEYWORDS,
                                   page.provenance.c_str());
  }
  drawPage(page, surface.get(), 1);
  cairo_surface_finish(surface.get());
  check(cairo_surface_status(surface.get()));
  return bytes;
}

/// Cairo numbers surfaces through the life of the process; here the ids `name` + number (from Cairo
/// 1.18 on with a dash between) count from 0 in the order in which they appear.
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
    std::size_t digits = at + 1 + name.size();
    if (digits < svg.size() && svg[digits] == '-') ++digits;
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
  const Handle<cairo_surface_t> surface(cairo_svg_surface_create_for_stream(
      append, &bytes, points(page.size.width_mm), points(page.size.height_mm)));
  check(cairo_surface_status(surface.get()));
  std::string text;
  keepTextAsText(surface.get(), text);
  drawPage(page, surface.get(), 1);
  cairo_surface_finish(surface.get());
  check(cairo_surface_status(surface.get()));
  for (const char* name : {"surface", "image", "source"}) bytes = withStableIds(bytes, name);
  bytes.insert(bytes.rfind("</svg>"),
               fmt::format("<g font-family=\"{}\">\n{}</g>\n", kFontFamily, text));
  if (!page.provenance.empty()) setSvgMetadata(bytes, kSvgId, page.provenance);
  return bytes;
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

std::string xmlEscaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else {
      result += c;
    }
  }
  return result;
}

void setPngDensity(std::string& png, double dpi) {
  const auto per_metre = static_cast<std::uint32_t>(std::lround(dpi * kInchesPerMetre));
  std::string body = "pHYs";
  appendBigEndian(body, per_metre);
  appendBigEndian(body, per_metre);
  body.push_back(1);  // the unit is the metre
  insertChunk(png, body);
}

void setPngText(std::string& png, std::string_view keyword, std::string_view text) {
  std::string body = "iTXt";
  body += keyword;
  // End of the keyword, not compressed (two bytes), no language, no translated keyword.
  body.append(5, '\0');
  body += text;
  insertChunk(png, body);
}

void setSvgMetadata(std::string& svg, std::string_view id, std::string_view text) {
  const std::size_t opening = svg.find("<svg");
  const std::size_t end = opening == std::string::npos ? opening : svg.find('>', opening);
  if (end == std::string::npos) return;
  std::string element = "\n<metadata id=\"";
  element.append(id).append("\">").append(xmlEscaped(text)).append("</metadata>");
  svg.insert(end + 1, element);
}

void writePage(const Page& page, FigureFormat format, const std::filesystem::path& path) {
  Page clean = page;
  clean.provenance = validUtf8(page.provenance);
  writeFileAtomically(path, render(clean, format));
}

FigureSize sizeOnPaper(const Scene& scene, double height) {
  const double mm = scene.scale / kPointsPerInch * kMmPerInch;
  return {scene.width * mm, height * mm};
}

void beginPage(Canvas& canvas, const Scene& scene, double height) {
  canvas.scale(scene.scale);
  if (scene.style.background == Background::kTransparent) return;
  canvas.fill({0, 0, scene.width, height}, scene.theme.background);
}

}  // namespace adamerge
