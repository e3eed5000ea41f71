// SPDX-License-Identifier: GPL-3.0-or-later
#include "figures/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <string>

#include "adamerge/error.h"
#include "figures/page.h"
#include "figures/pixels.h"

namespace adamerge {
namespace {

/// Height of capitals in DejaVu Sans, in ems.
constexpr double kCapHeight = 0.729;
const cairo_user_data_key_t kTextElements{};

Handle<PangoContext> makePangoContext() {
  Handle<PangoContext> context(pango_font_map_create_context(pango_cairo_font_map_get_default()));
  // Hinting fits glyphs to one surface's pixels; without it a line has one width everywhere.
  const Handle<cairo_font_options_t> options(cairo_font_options_create());
  cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options(context.get(), options.get());
  pango_cairo_context_set_resolution(context.get(), kPointsPerInch);
  pango_context_set_round_glyph_positions(context.get(), FALSE);
  return context;
}

Handle<PangoLayout> makeLayout(PangoContext* context, std::string_view text,
                               const TextStyle& style) {
  Handle<PangoLayout> layout(pango_layout_new(context));
  const Handle<PangoFontDescription> font(pango_font_description_from_string(kFontFamily));
  pango_font_description_set_absolute_size(font.get(), style.size * PANGO_SCALE);
  pango_font_description_set_weight(font.get(),
                                    style.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
  const std::string valid = validUtf8(text);
  pango_layout_set_text(layout.get(), valid.data(), static_cast<int>(valid.size()));
  return layout;
}

double layoutWidth(PangoLayout* layout) {
  int width = 0;
  pango_layout_get_size(layout, &width, nullptr);
  return static_cast<double>(width) / PANGO_SCALE;
}

/// What is left of the text where it had to be shortened.
std::string shownText(PangoLayout* layout) {
  const std::string_view text = pango_layout_get_text(layout);
  std::map<int, std::string> parts;
  const PangoLayoutLine* line = pango_layout_get_line_readonly(layout, 0);
  for (const GSList* run = line->runs; run != nullptr; run = run->next) {
    const PangoItem* item = static_cast<const PangoGlyphItem*>(run->data)->item;
    const bool ellipsis = (item->analysis.flags & PANGO_ANALYSIS_FLAG_IS_ELLIPSIS) != 0;
    parts[item->offset] = ellipsis ? "…"
                                   : text.substr(static_cast<std::size_t>(item->offset),
                                                 static_cast<std::size_t>(item->length));
  }
  std::string shown;
  for (const auto& [offset, part] : parts) shown += part;
  // XML has no place for them.
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  std::replace_if(shown.begin(), shown.end(), control, ' ');
  return shown;
}

const char* anchorOf(Align align) {
  if (align == Align::kLeft) return "start";
  return align == Align::kCentre ? "middle" : "end";
}

/// `at`: where the text's anchor stands on its baseline, in the context's units.
std::string textElement(cairo_t* context, const std::string& text, Point at,
                        const TextStyle& style) {
  cairo_matrix_t matrix;
  cairo_get_matrix(context, &matrix);
  cairo_matrix_transform_point(&matrix, &at.x, &at.y);
  const double scale = std::hypot(matrix.xx, matrix.yx);
  const double degrees = std::atan2(matrix.yx, matrix.xx) * 180 / std::numbers::pi;
  std::string element =
      fmt::format(R"(<text x="{:.3f}" y="{:.3f}" font-size="{:.3f}" text-anchor="{}")", at.x, at.y,
                  style.size * scale, anchorOf(style.align));
  const auto byte = [](double part) { return std::lround(part * 255); };
  element += fmt::format(R"x( fill="rgb({},{},{})")x", byte(style.color.red),
                         byte(style.color.green), byte(style.color.blue));
  if (style.bold) element += R"( font-weight="bold")";
  if (std::abs(degrees) > 0.01) {
    element += fmt::format(R"x( transform="rotate({:.2f} {:.3f} {:.3f})")x", degrees, at.x, at.y);
  }
  return element + ">" + xmlEscaped(text) + "</text>\n";
}

Handle<cairo_surface_t> makeSurface(const Image& image, double opacity) {
  const bool opaque = opacity >= 1;
  Handle<cairo_surface_t> surface(cairo_image_surface_create(
      opaque ? CAIRO_FORMAT_RGB24 : CAIRO_FORMAT_ARGB32, image.width, image.height));
  if (cairo_surface_status(surface.get()) != CAIRO_STATUS_SUCCESS) {
    throw Error("the figure needs more memory than there is");
  }
  // Cairo's colours are multiplied by their alpha.
  const auto alpha = static_cast<std::uint32_t>(std::lround(std::max(opacity, 0.0) * 255));
  const auto part = [&](std::uint8_t value) {
    return opaque ? std::uint32_t{value} : (value * alpha + 127) / 255;
  };
  const std::uint32_t alpha_bits = opaque ? 0 : alpha << 24U;
  unsigned char* data = cairo_image_surface_get_data(surface.get());
  const std::size_t stride =
      static_cast<std::size_t>(cairo_image_surface_get_stride(surface.get()));
  for (int y = 0; y < image.height; ++y) {
    auto* row = reinterpret_cast<std::uint32_t*>(data + static_cast<std::size_t>(y) * stride);
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* pixel = image.at(x, y);
      row[x] = alpha_bits | part(pixel[0]) << 16U | part(pixel[1]) << 8U | part(pixel[2]);
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

Image enlarged(const Image& image, int factor) {
  Image result{image.width * factor, image.height * factor, {}};
  result.pixels.resize(image.pixels.size() * static_cast<std::size_t>(factor) *
                       static_cast<std::size_t>(factor));
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      std::copy_n(image.at(x / factor, y / factor), 3, result.at(x, y));
    }
  }
  return result;
}

}  // namespace

std::string validUtf8(std::string_view text) {
  const std::unique_ptr<gchar, decltype(&g_free)> valid(
      g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())), &g_free);
  return valid.get();
}

double textWidth(std::string_view text, const TextStyle& style) {
  const Handle<PangoContext> context = makePangoContext();
  return layoutWidth(makeLayout(context.get(), text, style).get());
}

void keepTextAsText(cairo_surface_t* surface, std::string& elements) {
  cairo_surface_set_user_data(surface, &kTextElements, &elements, nullptr);
}

Canvas::Canvas(cairo_t* context) : context_(context) { cairo_save(context_); }

Canvas::~Canvas() { cairo_restore(context_); }

void Canvas::scale(double factor) { cairo_scale(context_, factor, factor); }

void Canvas::setColor(const Color& color) {
  cairo_set_source_rgba(context_, color.red, color.green, color.blue, color.alpha);
}

void Canvas::text(std::string_view text, const Box& box, const TextStyle& style) {
  if (text.empty()) return;
  const Handle<PangoContext> pango = makePangoContext();
  pango_cairo_update_context(context_, pango.get());
  const Handle<PangoLayout> layout = makeLayout(pango.get(), text, style);
  if (layoutWidth(layout.get()) > box.width) {
    pango_layout_set_ellipsize(layout.get(),
                               style.keep_end ? PANGO_ELLIPSIZE_MIDDLE : PANGO_ELLIPSIZE_END);
    pango_layout_set_width(layout.get(), static_cast<int>(std::max(box.width, 0.0) * PANGO_SCALE));
  }
  const double free = std::max(box.width - layoutWidth(layout.get()), 0.0);
  const double shift = style.align == Align::kLeft     ? 0.0
                       : style.align == Align::kCentre ? free / 2
                                                       : free;
  const double ascent = static_cast<double>(pango_layout_get_baseline(layout.get())) / PANGO_SCALE;
  const double baseline = box.y + box.height / 2 + style.size * kCapHeight / 2;
  if (void* elements = cairo_surface_get_user_data(cairo_get_target(context_), &kTextElements)) {
    const double anchor = style.align == Align::kLeft     ? box.x
                          : style.align == Align::kCentre ? box.x + box.width / 2
                                                          : box.right();
    *static_cast<std::string*>(elements) +=
        textElement(context_, shownText(layout.get()), {anchor, baseline}, style);
    return;
  }
  setColor(style.color);
  cairo_move_to(context_, box.x + shift, baseline - ascent);
  pango_cairo_show_layout(context_, layout.get());
  cairo_new_path(context_);
}

void Canvas::verticalText(std::string_view label, const Box& box, const TextStyle& style) {
  cairo_save(context_);
  cairo_translate(context_, box.x, box.bottom());
  cairo_rotate(context_, -std::numbers::pi / 2);
  TextStyle centred = style;
  centred.align = Align::kCentre;
  text(label, {0, 0, box.height, box.width}, centred);
  cairo_restore(context_);
}

void Canvas::fill(const Box& box, const Color& color) {
  setColor(color);
  cairo_rectangle(context_, box.x, box.y, box.width, box.height);
  cairo_fill(context_);
}

void Canvas::fill(std::span<const Box> boxes, const Color& color) {
  if (boxes.empty()) return;
  setColor(color);
  for (const Box& box : boxes) {
    cairo_rectangle(context_, box.x, box.y, box.width, box.height);
  }
  cairo_fill(context_);
}

void Canvas::fillApart(std::span<const Box> boxes, const Color& color) {
  if (auto pixels = Pixels::of(context_)) return pixels->fill(boxes, color);
  fill(boxes, color);
}

bool Canvas::stamp(std::span<const Point> places, const Box& extent, const Color& color,
                   const std::function<void(Canvas&)>& draw) {
  auto pixels = Pixels::of(context_);
  if (!pixels) return false;
  pixels->stamp(places, extent, color, [&](cairo_t* context) {
    Canvas canvas(context);
    draw(canvas);
  });
  return true;
}

void Canvas::frame(const Box& box, double width, const Color& color) {
  setColor(color);
  cairo_set_line_width(context_, width);
  cairo_set_line_join(context_, CAIRO_LINE_JOIN_MITER);
  cairo_rectangle(context_, box.x, box.y, box.width, box.height);
  cairo_stroke(context_);
}

void Canvas::lines(std::span<const Segment> segments, double width, const Color& color) {
  if (segments.empty()) return;
  setColor(color);
  cairo_set_line_width(context_, width);
  cairo_set_line_cap(context_, CAIRO_LINE_CAP_SQUARE);
  for (const Segment& segment : segments) {
    cairo_move_to(context_, segment.from.x, segment.from.y);
    cairo_line_to(context_, segment.to.x, segment.to.y);
  }
  cairo_stroke(context_);
}

void Canvas::lines(std::span<const Segment> segments, double width, const Color& color,
                   const Box& clip) {
  cairo_save(context_);
  cairo_rectangle(context_, clip.x, clip.y, clip.width, clip.height);
  cairo_clip(context_);
  lines(segments, width, color);
  cairo_restore(context_);
}

void Canvas::polyline(std::span<const Point> points, double width, const Color& color) {
  if (points.empty()) return;
  setColor(color);
  cairo_set_line_width(context_, width);
  cairo_set_line_cap(context_, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join(context_, CAIRO_LINE_JOIN_ROUND);
  for (const Point& point : points) cairo_line_to(context_, point.x, point.y);
  cairo_stroke(context_);
}

void Canvas::dot(Point centre, double radius, const Color& color, const Color& rim) {
  cairo_arc(context_, centre.x, centre.y, radius, 0, 2 * std::numbers::pi);
  setColor(color);
  cairo_fill_preserve(context_);
  setColor(rim);
  cairo_set_line_width(context_, radius * 0.4);
  cairo_stroke(context_);
}

void Canvas::rings(std::span<const Point> centres, double radius, double width,
                   const Color& color) {
  if (centres.empty()) return;
  const double reach = radius + width;
  const Color opaque = withAlpha(color, 1);
  const bool stamped = centres.size() > 1 && stamp(centres, {-reach, -reach, 2 * reach, 2 * reach},
                                                   color, [&](Canvas& one) {
                                                     const Point centre;
                                                     one.rings({&centre, 1}, radius, width, opaque);
                                                   });
  if (stamped) return;
  setColor(color);
  cairo_set_line_width(context_, width);
  for (const Point& centre : centres) {
    cairo_new_sub_path(context_);
    cairo_arc(context_, centre.x, centre.y, radius, 0, 2 * std::numbers::pi);
  }
  cairo_stroke(context_);
}

bool Canvas::drawsPixels() const {
  return cairo_surface_get_type(cairo_get_group_target(context_)) == CAIRO_SURFACE_TYPE_IMAGE;
}

void Canvas::image(const Image& image, const Box& box, Sampling sampling, double opacity) {
  // A viewer of vector files may smooth what it enlarges, whatever the file says.
  constexpr int kCellsOnPaper = 1024;
  if (sampling == Sampling::kCells && !drawsPixels()) {
    const int factor = std::max(kCellsOnPaper / std::max(image.width, image.height), 1);
    this->image(enlarged(image, factor), box, Sampling::kSmooth, opacity);
    return;
  }
  const Handle<cairo_surface_t> surface = makeSurface(image, opacity);
  cairo_save(context_);
  cairo_translate(context_, box.x, box.y);
  cairo_scale(context_, box.width / image.width, box.height / image.height);
  cairo_set_source_surface(context_, surface.get(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(context_),
                           sampling == Sampling::kCells ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
  // Without padding the edge fades into the background; PDF would embed a padded copy instead.
  if (drawsPixels()) cairo_pattern_set_extend(cairo_get_source(context_), CAIRO_EXTEND_PAD);
  cairo_rectangle(context_, 0, 0, image.width, image.height);
  cairo_fill(context_);
  cairo_restore(context_);
}

void Canvas::inside(const Box& box, Point origin, double scale,
                    const std::function<void(cairo_t*)>& draw) {
  cairo_save(context_);
  cairo_rectangle(context_, box.x, box.y, box.width, box.height);
  cairo_clip(context_);
  cairo_translate(context_, box.x, box.y);
  cairo_scale(context_, scale, scale);
  cairo_translate(context_, -origin.x, -origin.y);
  draw(context_);
  cairo_restore(context_);
}

}  // namespace adamerge
