// SPDX-License-Identifier: GPL-3.0-or-later
// Figures for screen and paper. One drawing code for PNG, SVG and PDF (Cairo, text by Pango), so
// that what is seen is what is exported.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adamerge/image.h"
#include "adamerge/lenses.h"
#include "adamerge/result.h"

/// Cairo's drawing context, so that this header needs no Cairo.
using cairo_t = struct _cairo;  // NOLINT(bugprone-reserved-identifier): Cairo's name

namespace adamerge {

enum class FigureFormat { kPng, kSvg, kPdf };
enum class Colormap { kViridis, kMagma, kTurbo, kGrey };
/// How salience values become colours: the raw affinity puts most salience on few tokens, so a
/// linear map would look empty.
enum class SalienceScale { kLinear, kPercentile, kRank, kLogarithmic };

/// What is laid over the picture.
enum class OverlayKind {
  kNone,
  kSalience,    ///< heat map of the salience on entry to the block
  kGroups,      ///< patches that are one token after the block
  kSurvivors,   ///< untouched, absorbed others, merged away
  kAttention,   ///< heat map of a token's attention in the block
  kDifference,  ///< where the groups differ from those of another run
  kRollout,     ///< heat map of what the result was made of, through all blocks
  kComponents,  ///< principal components of the features as colours
  kSimilarity,  ///< heat map of the features' cosine to one patch's
  kNorm,        ///< heat map of the features' length
  kChange,      ///< heat map of what merging changed of the features
  kClasses,     ///< a dense head's classes as colours, those that merging changed hatched
};
/// The lens that an overlay shows; nullopt: it shows none.
std::optional<LensKind> lensOf(OverlayKind content);
/// Whether values become colours by a colormap and a scale.
bool isHeatMap(OverlayKind content);

enum class GroupStyle {
  kFill,     ///< the mean colour of each group
  kOutline,  ///< outlines coloured by the surviving patch, so that a group keeps its colour
  kFillAndOutline
};
/// The values at the ends of a heat map's colours.
struct ValueRange {
  double lowest = 0;
  double highest = 1;

  bool operator==(const ValueRange&) const = default;
};
struct OverlayStyle {
  OverlayKind kind = OverlayKind::kGroups;
  double opacity = 0.85;  ///< 0...1
  Colormap colormap = Colormap::kViridis;
  SalienceScale scale = SalienceScale::kPercentile;
  bool smooth = false;  ///< heat maps interpolated between patches
  GroupStyle groups = GroupStyle::kFillAndOutline;
  bool dim_outside = true;  ///< darken what the model does not see
  bool windows = true;      ///< the edges of the windows that the block's attention runs in
  /// Held, so that colours compare from block to block and picture to picture; nullopt: every block
  /// has its own. Ranks have none.
  std::map<OverlayKind, ValueRange> held;
  /// What lenses are asked. The token and the head are those of attention.
  int prefix_token = 0;    ///< whose attention is shown where no patch is selected
  int head = -1;           ///< -1: mean over heads
  bool looked_at = false;  ///< who looks at the token, instead of where it looks
  Foreground foreground = Foreground::kAll;  ///< of components
  bool from_other = false;                   ///< change from the run compared with

  /// The one held for `content`; nullopt for what is no heat map and where ranks are shown.
  std::optional<ValueRange> heldRange(OverlayKind content) const;
  bool operator==(const OverlayStyle&) const = default;
};

struct FigureKind {
  std::string id;           ///< "salience"
  std::string description;  ///< one sentence
  bool per_layer = false;   ///< shows one chosen block
};
/// What lenses show of one run.
/// They are made by lensPictures().
struct LensPictures {
  std::string subject;          ///< "where patch 3,5 looks, mean over heads"; may be empty
  std::vector<LensMap> blocks;  ///< one a block, of the overlay shown; empty maps: not computed
  std::vector<LensMap> heads;   ///< of attention: of one block, one a head
  int heads_block = -1;
  std::string heads_subject;        ///< "where patch 3,5 looks, every head"
  std::vector<float> entropy;       ///< of those heads, in nats
  LensMap unmerged;                 ///< of classes: the unmerged run's map
  std::vector<ClassEntry> classes;  ///< those of either map, the most frequent first
};

/// Adds what `query` shows of `block` and, of attention, of its heads; `other`: as lensMap()'s.
/// Throws what lensMap() throws.
void addLensBlock(LensPictures& pictures, const Recording& run, const Recording* other, int block,
                  const LensQuery& query, const std::stop_token& stop = {});
/// With `block` alone, or all of them for -1.
std::shared_ptr<const LensPictures> lensPictures(const Recording& run, const Recording* other,
                                                 int block, const LensQuery& query,
                                                 const std::stop_token& stop = {});
/// Of a run that is known by its trace alone: the class token's attention as the trace holds it.
/// nullptr: it holds none.
std::shared_ptr<const LensPictures> recordedAttention(const ImageResult& result);

/// salience, attention, heads, rollout, components, similarity, norm, change, groups, survivors,
/// canvas, strip, layers, overview, map.
const std::vector<FigureKind>& figureKinds();
/// What figure `kind` shows of its blocks, kNone where it has no such content; nullopt: what the
/// style's overlay is. Throws Error: unknown kind.
std::optional<OverlayKind> figureContent(std::string_view kind);

struct FigureInput {
  std::string title;     ///< e.g. the image's name; may be empty
  std::string subtitle;  ///< e.g. method and settings
  PreparedImage image;
  std::shared_ptr<const Image> original;  ///< the whole picture; the canvas figure shows it
  int grid_height = 0;
  int grid_width = 0;
  int prefix_tokens = 0;
  ImageResult result;                        ///< with layers
  int layer = -1;                            ///< the chosen block, 0-based; -1: the last
  std::optional<int> selected_patch;         ///< its group is outlined in canvas and strip
  std::shared_ptr<const ImageResult> other;  ///< the run that a difference overlay compares with
  std::shared_ptr<const LensPictures> lens;  ///< what figures of lenses show
  Prompts prompts = {};                      ///< drawn with the cells that they protect
  std::optional<double> unmerged_flops;      ///< G, `paper`; comparisons give FLOPs in % of it
  std::string provenance;  ///< provenanceJson(), written into the file; empty: none
};

enum class Background {
  kLight,
  kDark,
  kTransparent  ///< nothing behind; ink for light paper
};

struct FigureStyle {
  OverlayStyle overlay;  ///< colormap and scale hold for all figures, the rest for canvas and strip
  double width_mm = 0;   ///< 60...1000; 0: the kind's own width (one column, or a page's width)
  double dpi = 200;      ///< 36...2400; PNG only
  double font_size = 7;  ///< points, 5...14; lines and spaces grow with it
  Background background = Background::kLight;
};

struct FigureSize {
  double width_mm = 0;
  double height_mm = 0;
};

/// The size of figure `kind`: the style's width, and the height that follows from the content.
/// Throws Error where drawFigure would.
FigureSize figureSize(std::string_view kind, const FigureInput& input, const FigureStyle& style);

/// Draws figure `kind` from the origin of `context`, whose unit must be the point (1/72 inch):
/// scale by dpi / 72 first for pixels. Throws Error: unknown kind, no trace, layer out of range, a
/// salience figure of a method without salience, a width or font size out of range, a trace that
/// does not fit the grid.
void drawFigure(std::string_view kind, const FigureInput& input, const FigureStyle& style,
                cairo_t* context);

/// Draws figure `kind` and writes it (beside, then rename) with its provenance: PNG text
/// "AdaMerge", SVG <metadata id="adamerge">, PDF keywords. The same figure gives the same bytes.
/// Throws Error where drawFigure does, for a resolution out of range, and where the file cannot be
/// written.
void writeFigure(std::string_view kind, const FigureInput& input, const FigureStyle& style,
                 FigureFormat format, const std::filesystem::path& path);

/// Figures of one kind, side by side with a caption under each (its subtitle and FLOPs), in rows
/// where the width is too small. Heading and provenance are those of the first; `kind` is one that
/// shows one picture: salience, attention, groups, survivors, canvas.
/// Throws Error where the single figures would, for another kind, and for fewer than two or more
/// than four inputs.
FigureSize comparisonSize(std::string_view kind, std::span<const FigureInput> inputs,
                          const FigureStyle& style);
void drawComparison(std::string_view kind, std::span<const FigureInput> inputs,
                    const FigureStyle& style, cairo_t* context);
void writeComparison(std::string_view kind, std::span<const FigureInput> inputs,
                     const FigureStyle& style, FigureFormat format,
                     const std::filesystem::path& path);

/// RGB of value t in 0...1.
std::array<std::uint8_t, 3> colormapColor(Colormap map, double t);

/// The values a salience map draws, each in 0...1, for a scale. Keeps order of values. Values that
/// are all equal become 0.5. `held`: the ends, in place of those the values have themselves.
std::vector<float> scaleSalience(const std::vector<float>& salience, SalienceScale scale,
                                 const std::optional<ValueRange>& held = {});
/// The ends that `scale` finds for these values: what can be held for others.
ValueRange rangeOf(const std::vector<float>& salience, SalienceScale scale);

/// A mark of a colour bar: "0.12", at the ends of a clipped scale "≤0.03" and "≥0.8", of ranks
/// "median 0.1".
struct ScaleTick {
  double position = 0;  ///< 0...1
  std::string label;
};
/// `count` (two or more) marks from end to end of the colour bar of scaleSalience(); of ranks the
/// least, the median and the most, of a logarithmic scale over decades the powers of ten.
std::vector<ScaleTick> scaleTicks(const std::vector<float>& salience, SalienceScale scale,
                                  int count, const std::optional<ValueRange>& held = {});
/// "percentile"
std::string scaleName(SalienceScale scale);

/// Per patch: the mean colour (RGB) of the view's pixels in the patch's group. Patch (r, c) covers
/// rows r*h/gh ... (r+1)*h/gh of the view, and columns alike. Throws Error where `groups` does not
/// fit the grid.
std::vector<std::array<std::uint8_t, 3>> groupColors(const Image& view, int grid_height,
                                                     int grid_width,
                                                     const std::vector<int>& groups);

/// What an overlay is drawn from. Everything pointed to must outlive the call.
struct OverlayInput {
  const PreparedImage* image = nullptr;
  int grid_height = 0;
  int grid_width = 0;
  const std::vector<LayerTrace>* layers = nullptr;
  int layer = 0;  ///< the block shown, 0-based
  /// Groups after the same block of the run compared with; kDifference only.
  const std::vector<int>* other_groups = nullptr;
  const LensMap* lens = nullptr;  ///< of the block, where the overlay shows a lens
  /// Drawn with the cells that the block protects for them; null: none.
  const Prompts* prompts = nullptr;
  /// The groups these patches belong to after `layer` are outlined.
  std::optional<int> selected_patch;
  std::optional<int> hovered_patch;
};

/// Draws the overlay in units of the original image's pixels, origin at its top left corner: scale
/// and translate `context` first. `pixels_per_unit`: device pixels per image pixel, so that lines
/// keep their width at every zoom. The picture itself is not drawn; `image_width` and
/// `image_height` bound what dim_outside covers.
/// Nothing is drawn for what a block does not have (no salience, no class token).
/// Throws Error: layer out of range, a trace that does not fit the grid.
void drawOverlay(const OverlayInput& input, const OverlayStyle& style, double image_width,
                 double image_height, double pixels_per_unit, cairo_t* context);

/// Prompts alone, in the same units, where no run tells what they protect.
void drawPrompts(const Prompts& prompts, double image_width, double image_height,
                 double pixels_per_unit, cairo_t* context);

}  // namespace adamerge
