// SPDX-License-Identifier: GPL-3.0-or-later
#include "adamerge/thumbnail.h"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "adamerge/error.h"
#include "adamerge/figures.h"
#include "adamerge/trace_file.h"
#include "figures/page.h"
#include "support/json.h"

namespace adamerge {
namespace {

/// `picture` as large as asked for, with `draw` over it: in its pixels, each `scale` pixels of the
/// thumbnail.
void write(const Image& picture, int longest, const std::filesystem::path& png,
           const std::function<void(cairo_t*, double scale)>& draw) {
  const double scale = double(longest) / std::max(picture.width, picture.height);
  const Box box{0, 0, std::max(std::round(picture.width * scale), 1.0),
                std::max(std::round(picture.height * scale), 1.0)};
  FigureStyle style;
  style.dpi = kPointsPerInch;  // a point is a pixel
  const double mm = kMmPerInch / kPointsPerInch;
  const auto all = [&](cairo_t* context) {
    Canvas canvas(context);
    canvas.image(picture, box);
    canvas.inside(box, {0, 0}, scale, [&](cairo_t* inner) { draw(inner, scale); });
  };
  writePage({all, style, {box.width * mm, box.height * mm}, {}, {}}, FigureFormat::kPng, png);
}

void writeTraced(const TraceFile& trace, int longest, const std::filesystem::path& png) {
  const TraceInfo& info = trace.info();
  const TracedImage image = trace.read(0);
  PreparedImage prepared;
  prepared.view = pictureOf(info, image).view;
  const Image& view = prepared.view;
  prepared.crop = {0, 0, double(view.width), double(view.height)};
  OverlayInput input;
  input.image = &prepared;
  input.grid_height = info.grid_height;
  input.grid_width = info.grid_width;
  input.layers = &image.result.layers;
  input.layer = info.depth - 1;
  write(view, longest, png, [&](cairo_t* context, double scale) {
    drawOverlay(input, OverlayStyle{}, view.width, view.height, scale, context);
  });
}

std::vector<std::uint8_t> fromBase64(const std::string& text) {
  gsize size = 0;
  const std::unique_ptr<guchar, decltype(&g_free)> bytes(g_base64_decode(text.c_str(), &size),
                                                         g_free);
  return {bytes.get(), bytes.get() + size};
}

}  // namespace

void writeThumbnail(const std::filesystem::path& file, int longest,
                    const std::filesystem::path& png) {
  if (isTraceName(file)) return writeTraced(TraceFile(file), longest, png);
  const nlohmann::json json = readJson(file);
  const JsonFields session = JsonFields::of(json, file.string());
  if (!session.has("adamerge_session")) {
    throw Error(file.string() + ": neither a session of the studio (.adamerge) nor a trace (" +
                std::string(kTraceExtension) + ")");
  }
  const auto preview = session.text("preview");
  if (!preview) {
    throw Error(file.string() +
                ": the session holds no preview, since no picture was computed when it was saved");
  }
  write(decodeImage(fromBase64(*preview), file.string() + ": its preview"), longest, png,
        [](cairo_t*, double) {});
}

}  // namespace adamerge
