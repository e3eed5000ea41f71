// SPDX-License-Identifier: GPL-3.0-or-later
// Drawing in points (1/72 inch), the same on every surface, and its colours: the accents are Okabe
// and Ito's, told apart by colour-blind readers too.
#pragma once

#include <cairo.h>
#include <pango/pangocairo.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "adamerge/image.h"

namespace adamerge {

struct Color {
  double red = 0;
  double green = 0;
  double blue = 0;
  double alpha = 1;
};

constexpr Color rgb(unsigned hex, double alpha = 1) {
  return {static_cast<double>((hex >> 16U) & 0xFFU) / 255.0,
          static_cast<double>((hex >> 8U) & 0xFFU) / 255.0,
          static_cast<double>(hex & 0xFFU) / 255.0, alpha};
}

struct Theme {
  Color background;
  Color ink;
  Color muted;   ///< secondary text, still above 4.5:1 on the background
  Color rule;    ///< axes and frames
  Color grid;    ///< grid lines behind data
  Color band;    ///< an area behind data
  Color line;    ///< first accent
  Color bar;     ///< second accent
  Color point;   ///< third accent
  Color sample;  ///< stands for a piece of picture in a legend
};

inline constexpr Theme kLightTheme{rgb(0xFFFFFF), rgb(0x1A1A1A), rgb(0x5C6066), rgb(0x7A7F87),
                                   rgb(0xE3E5E8), rgb(0xCFE3F1), rgb(0x0072B2), rgb(0xE69F00),
                                   rgb(0xC24E00), rgb(0x8A9099)};
inline constexpr Theme kDarkTheme{rgb(0x15171B), rgb(0xECEFF4), rgb(0xA6ACB6), rgb(0x7D838D),
                                  rgb(0x31353C), rgb(0x24445A), rgb(0x56B4E9), rgb(0xE69F00),
                                  rgb(0xFF8A3D), rgb(0x8A9099)};

inline constexpr Color withAlpha(const Color& color, double alpha) {
  return {color.red, color.green, color.blue, alpha};
}

/// As strong as an overlay of that opacity.
inline constexpr Color faded(const Color& color, double opacity) {
  return withAlpha(color, color.alpha * opacity);
}

/// On pictures of any brightness: a white line within a dark one.
inline constexpr Color kOutline = rgb(0xFFFFFF);
inline constexpr Color kHalo = rgb(0x000000, 0.6);
inline constexpr Color kMark = rgb(0xFFB000);
inline constexpr Color kRingHalo = rgb(0x000000, 0.75);

struct HandleDeleter {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(cairo_font_options_t* options) const { cairo_font_options_destroy(options); }
  void operator()(PangoContext* context) const { g_object_unref(context); }
  void operator()(PangoLayout* layout) const { g_object_unref(layout); }
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
};

/// Owns one of Cairo's or Pango's objects.
template <typename T>
using Handle = std::unique_ptr<T, HandleDeleter>;

inline constexpr double kPointsPerInch = 72.0;
inline constexpr double kMmPerInch = 25.4;
inline constexpr double kTitleSize = 8;
inline constexpr double kTextSize = 7;
inline constexpr double kLineHeight = 10;
inline constexpr const char* kFontFamily = "DejaVu Sans, sans-serif";

struct Point {
  double x = 0;
  double y = 0;
};

struct Segment {
  Point from;
  Point to;
};

struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

enum class Align { kLeft, kCentre, kRight };

/// How a picture is enlarged.
enum class Sampling {
  kSmooth,
  kCells  ///< every pixel a crisp rectangle, in every viewer
};

struct TextStyle {
  Color color;
  Align align = Align::kLeft;
  double size = kTextSize;
  bool bold = false;
  bool keep_end = false;  ///< shorten in the middle, so that a file name keeps its extension
};

/// File names may hold any bytes; Pango, XML and PDF take UTF-8 only.
std::string validUtf8(std::string_view text);

/// The width of one line in points.
double textWidth(std::string_view text, const TextStyle& style);

/// Canvases on `surface` write text into `elements`, as SVG's <text>, instead of drawing it: Cairo
/// would make outlines of it, which no editor takes for words. `elements` must outlive the drawing.
void keepTextAsText(cairo_surface_t* surface, std::string& elements);

class Canvas {
 public:
  /// Draws on `context`, which must outlive the canvas. Its state is put back at the end.
  explicit Canvas(cairo_t* context);
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;
  ~Canvas();

  /// Until the end, one unit is `factor` of the present ones.
  void scale(double factor);

  /// One line, shortened to the box's width where it does not fit, its capitals centred in the
  /// box's height.
  void text(std::string_view text, const Box& box, const TextStyle& style);
  /// The same, read from bottom to top, centred in the box.
  void verticalText(std::string_view label, const Box& box, const TextStyle& style);

  void fill(const Box& box, const Color& color);
  /// All boxes as one area: where they touch or overlap, a translucent colour does not show it.
  void fill(std::span<const Box> boxes, const Color& color);
  /// Boxes that lie apart, at most edge to edge: quick where they are very many.
  void fillApart(std::span<const Box> boxes, const Color& color);
  /// What `draw` draws opaquely around the origin, within `extent`, in `color` at each of `places`.
  /// False where no pixels are drawn: then nothing is.
  bool stamp(std::span<const Point> places, const Box& extent, const Color& color,
             const std::function<void(Canvas&)>& draw);
  void frame(const Box& box, double width, const Color& color);
  /// All segments as one stroke: where they cross, a translucent colour does not add up.
  void lines(std::span<const Segment> segments, double width, const Color& color);
  /// The same, cut off at the edges of `clip`.
  void lines(std::span<const Segment> segments, double width, const Color& color, const Box& clip);
  void polyline(std::span<const Point> points, double width, const Color& color);
  void dot(Point centre, double radius, const Color& color, const Color& rim);
  void rings(std::span<const Point> centres, double radius, double width, const Color& color);
  void image(const Image& image, const Box& box, Sampling sampling = Sampling::kSmooth,
             double opacity = 1);

  /// Lets `draw` draw in other units, cut off at the edges of `box`: `origin` is the box's top left
  /// corner, `scale` how long one unit is.
  void inside(const Box& box, Point origin, double scale,
              const std::function<void(cairo_t*)>& draw);

 private:
  void setColor(const Color& color);
  bool drawsPixels() const;

  cairo_t* context_;
};

}  // namespace adamerge
