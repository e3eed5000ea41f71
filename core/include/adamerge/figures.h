// SPDX-License-Identifier: GPL-3.0-or-later
// Figures for screen and paper. One drawing code for PNG, SVG and PDF (Cairo, text by Pango), so
// that what is seen is what is exported.
#pragma once

#include <array>
#include <cstdint>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/image.h"
#include "adamerge/preprocess.h"
#include "adamerge/result.h"

namespace adamerge {

enum class FigureFormat { kPng, kSvg, kPdf };
enum class Colormap { kViridis, kMagma, kTurbo, kGrey };
/// How salience values become colours: the raw affinity puts most salience on few tokens, so a
/// linear map would look empty.
enum class SalienceScale { kLinear, kPercentile, kRank, kLogarithmic };

struct FigureKind {
  std::string id;           ///< "salience"
  std::string description;  ///< one sentence
  bool per_layer = false;   ///< shows one chosen block
};
/// salience, groups, survivors, layers, overview.
const std::vector<FigureKind>& figureKinds();

struct FigureInput {
  std::string title;       ///< e.g. the image's name; may be empty
  std::string subtitle;    ///< e.g. method and settings
  PreparedImage image;
  int grid_height = 0;
  int grid_width = 0;
  int prefix_tokens = 0;
  ImageResult result;      ///< with layers
  int layer = -1;          ///< the chosen block, 0-based; -1: the last
};

struct FigureStyle {
  Colormap colormap = Colormap::kViridis;
  SalienceScale scale = SalienceScale::kPercentile;
  double width_mm = 0;     ///< 0: the kind's own width
  double dpi = 200;        ///< PNG only
  bool dark = false;
};

/// Draws figure `kind` and writes it (beside, then rename). Throws Error: unknown kind, no trace,
/// layer out of range, a salience figure of a method without salience, the file cannot be written.
void writeFigure(std::string_view kind, const FigureInput& input, const FigureStyle& style,
                 FigureFormat format, const std::filesystem::path& path);

/// RGB of value t in 0...1.
std::array<std::uint8_t, 3> colormapColor(Colormap map, double t);

/// The values a salience map draws, each in 0...1, for a scale. Keeps order of values.
std::vector<float> scaleSalience(const std::vector<float>& salience, SalienceScale scale);

/// Per patch: the mean colour (RGB) of the view's pixels in the patch's group.
std::vector<std::array<std::uint8_t, 3>> groupColors(const Image& view, int grid_height,
                                                     int grid_width, const std::vector<int>& groups);

}  // namespace adamerge
