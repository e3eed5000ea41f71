// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "adamerge/files.h"
#include "output_files.h"
#include "usage_error.h"
#include "value_checks.h"

namespace adamerge::cli {
namespace {

const std::map<std::string, FigureFormat> kFormats = {
    {"png", FigureFormat::kPng}, {"svg", FigureFormat::kSvg}, {"pdf", FigureFormat::kPdf}};
const std::map<std::string, Colormap> kColormaps = {{"viridis", Colormap::kViridis},
                                                    {"magma", Colormap::kMagma},
                                                    {"turbo", Colormap::kTurbo},
                                                    {"grey", Colormap::kGrey}};
const std::map<std::string, SalienceScale> kScales = {{"linear", SalienceScale::kLinear},
                                                      {"percentile", SalienceScale::kPercentile},
                                                      {"rank", SalienceScale::kRank},
                                                      {"log", SalienceScale::kLogarithmic}};
const std::map<std::string, Background> kBackgrounds = {{"light", Background::kLight},
                                                        {"dark", Background::kDark},
                                                        {"transparent", Background::kTransparent}};
const std::map<std::string, OverlayKind> kOverlays = {{"none", OverlayKind::kNone},
                                                      {"salience", OverlayKind::kSalience},
                                                      {"attention", OverlayKind::kAttention},
                                                      {"change", OverlayKind::kChange},
                                                      {"difference", OverlayKind::kDifference},
                                                      {"components", OverlayKind::kComponents},
                                                      {"classes", OverlayKind::kClasses},
                                                      {"norm", OverlayKind::kNorm},
                                                      {"rollout", OverlayKind::kRollout},
                                                      {"similarity", OverlayKind::kSimilarity},
                                                      {"groups", OverlayKind::kGroups},
                                                      {"survivors", OverlayKind::kSurvivors}};

template <typename T>
std::vector<std::string> names(const std::map<std::string, T>& values) {
  std::vector<std::string> list;
  for (const auto& [name, value] : values) list.push_back(name);
  return list;
}

/// "0,5,11"
std::vector<int> parseLayers(const std::string& text) {
  std::vector<int> layers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    int layer = 0;
    const auto [rest, error] = std::from_chars(at, end, layer);
    const bool goes_on = rest != end && *rest == ',' && rest + 1 != end;
    if (error != std::errc() || (rest != end && !goes_on)) {
      throw UsageError(
          fmt::format("--layer takes a whole number or a list of them, as 0,5,11, not '{}'", text));
    }
    layers.push_back(layer);
    at = goes_on ? rest + 1 : end;
  }
  return layers;
}

std::vector<std::string> kindIds() {
  std::vector<std::string> ids;
  for (const FigureKind& kind : figureKinds()) ids.push_back(kind.id);
  return ids;
}

}  // namespace

void FigureOptions::addTo(CLI::App& command) {
  const std::string group = "Figures";
  std::vector<std::string> kinds = kindIds();
  kinds.emplace_back("all");
  CLI::Option* figure =
      command
          .add_option("--figure", kinds_,
                      fmt::format("Figure to write, may be repeated: {}", fmt::join(kinds, ", ")))
          ->allow_extra_args(false)
          ->group(group);
  takesOneOf(*figure, kinds);
  figure->type_name("KIND");
  takesText(*command
                 .add_option("--out", folder_,
                             "Folder for figures, made if missing (default: here; without "
                             "--figure: all figures)")
                 ->group(group),
            "DIR");
  takesOneOf(
      *command.add_option("--format", format_, "png, svg or pdf (default png)")->group(group),
      names(kFormats));
  takesText(*command
                 .add_option("--layer", layer_list_,
                             "Block that figures of one block show, 0-based as in the JSON, or a "
                             "list of them (default: the last; of --tensors: all)")
                 ->group(group),
            "LIST");
  takesOneOf(
      *command
           .add_option("--colormap", colormap_, "viridis, magma, turbo or grey (default viridis)")
           ->group(group),
      names(kColormaps));
  takesOneOf(*command
                  .add_option("--salience-scale", scale_,
                              "percentile, rank, log or linear: how salience becomes colour "
                              "(default percentile)")
                  ->group(group),
             names(kScales));
  takesOneOf(*command
                  .add_option(
                      "--overlay", overlay_,
                      "What canvas and strip show: groups, salience, survivors, attention, "
                      "rollout, components, similarity, norm, change, difference (with --against), "
                      "classes or none (default groups)")
                  ->group(group),
             names(kOverlays));
  takesNumber(*command
                   .add_option("--opacity", style_.overlay.opacity,
                               "Of the overlay of canvas and strip (default 0.85)")
                   ->group(group),
              0, 1);
  command.add_flag("--smooth", style_.overlay.smooth, "Interpolate heat maps between patches")
      ->group(group);
  command
      .add_flag("--no-windows{false}", style_.overlay.windows,
                "Leave out the edges of the windows that attention runs in (Segment Anything)")
      ->group(group);
  takesNumber(
      *command.add_option("--width-mm", style_.width_mm, "Width of the figures (default: by kind)")
           ->group(group),
      60, 1000);
  takesNumber(
      *command.add_option("--dpi", style_.dpi, "Resolution of PNG (default 200)")->group(group), 36,
      2400);
  takesOneOf(
      *command
           .add_option("--background", background_, "light, dark or transparent (default light)")
           ->group(group),
      names(kBackgrounds));
  takesNumber(
      *command.add_option("--font-size", style_.font_size, "Points (default 7)")->group(group), 5,
      14);
}

void FigureOptions::check(const std::string& no_salience, bool compares) {
  all_ = (kinds_.empty() && !folder_.empty()) ||
         std::find(kinds_.begin(), kinds_.end(), "all") != kinds_.end();
  if (all_) kinds_ = kindIds();
  layers_ = parseLayers(layer_list_);
  style_.overlay.colormap = kColormaps.at(colormap_);
  style_.overlay.scale = kScales.at(scale_);
  style_.overlay.kind = kOverlays.at(overlay_);
  style_.background = kBackgrounds.at(background_);
  const bool salience = std::find(kinds_.begin(), kinds_.end(), "salience") != kinds_.end();
  if (salience && !all_ && !no_salience.empty()) {
    throw UsageError(fmt::format("--figure salience: {}", no_salience));
  }
  if (style_.overlay.kind == OverlayKind::kSalience && !no_salience.empty()) {
    throw UsageError(fmt::format("--overlay salience: {}", no_salience));
  }
  if (style_.overlay.kind == OverlayKind::kDifference && !compares) {
    throw UsageError(
        "--overlay difference shows where two methods group otherwise: --against "
        "names the second");
  }
  if (wanted()) requireWritableFolder(folder_);
}

OverlayKind FigureOptions::content(const std::string& kind) const {
  return figureContent(kind).value_or(overlay());
}

bool FigureOptions::showsLens() const {
  return std::any_of(kinds_.begin(), kinds_.end(),
                     [&](const std::string& kind) { return lensOf(content(kind)).has_value(); });
}

std::vector<std::filesystem::path> FigureOptions::write(FigureInput input, const std::string& stem,
                                                        const Complete& complete) {
  std::string own_stem = stem;
  for (int number = 2; !used_stems_.insert(own_stem).second; ++number) {
    own_stem = fmt::format("{}-{}", stem, number);
  }
  const int last = static_cast<int>(input.result.layers.size()) - 1;
  const bool salience =
      std::any_of(input.result.layers.begin(), input.result.layers.end(),
                  [](const LayerTrace& layer) { return !layer.salience.empty(); });
  std::vector<std::filesystem::path> written;
  const auto writeOne = [&](const FigureKind& kind, int block, const std::string& suffix) {
    input.layer = block;
    complete(input, kind.id, block < 0 ? last : block);
    if (all_ && kind.id == "salience" && !salience) return;
    if (all_ && lensOf(content(kind.id)) && input.lens == nullptr) return;
    const std::filesystem::path path =
        withFittingName(std::filesystem::path(folder_) /
                        fmt::format("{}-{}{}.{}", own_stem, kind.id, suffix, format_));
    writeFigure(kind.id, input, style_, kFormats.at(format_), path);
    written.push_back(path);
  };
  for (const FigureKind& kind : figureKinds()) {
    if (std::find(kinds_.begin(), kinds_.end(), kind.id) == kinds_.end()) continue;
    if (!kind.per_layer || layers_.empty()) writeOne(kind, -1, {});
    for (const int block : layers_) {
      if (kind.per_layer) writeOne(kind, block, fmt::format("-block{:02}", block));
    }
  }
  return written;
}

}  // namespace adamerge::cli
