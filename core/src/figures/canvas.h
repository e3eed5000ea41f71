// SPDX-License-Identifier: GPL-3.0-or-later
// Drawing in points (1/72 inch), the same on every surface.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "adamerge/image.h"
#include "figures/handles.h"
#include "figures/theme.h"

namespace adamerge {

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
