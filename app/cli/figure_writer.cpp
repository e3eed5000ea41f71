// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
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
/// A difference needs two runs, `inspect` makes one.
const std::map<std::string, OverlayKind> kOverlays = {{"none", OverlayKind::kNone},
                                                      {"salience", OverlayKind::kSalience},
                                                      {"attention", OverlayKind::kAttention},
                                                      {"groups", OverlayKind::kGroups},
                                                      {"survivors", OverlayKind::kSurvivors}};

template <typename T>
std::vector<std::string> names(const std::map<std::string, T>& values) {
  std::vector<std::string> list;
  for (const auto& [name, value] : values) list.push_back(name);
  return list;
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
  layer_option_ = command
                      .add_option("--layer", layer_,
                                  "Block that figures of one block show, 0-based as in the JSON "
                                  "(default: the last)")
                      ->group(group);
  takesWholeNumber(*layer_option_, -kLargestNumber);
  layer_option_->type_name("L");
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
                  .add_option("--overlay", overlay_,
                              "What canvas and strip show: groups, salience, attention, survivors "
                              "or none (default groups)")
                  ->group(group),
             names(kOverlays));
  takesNumber(*command
                   .add_option("--opacity", style_.overlay.opacity,
                               "Of the overlay of canvas and strip (default 0.85)")
                   ->group(group),
              0, 1);
  command.add_flag("--smooth", style_.overlay.smooth, "Interpolate heat maps between patches")
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

void FigureOptions::check(const std::string& no_salience) {
  all_ = (kinds_.empty() && !folder_.empty()) ||
         std::find(kinds_.begin(), kinds_.end(), "all") != kinds_.end();
  if (all_) kinds_ = kindIds();
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
  if (wanted()) requireWritableFolder(folder_);
}

std::vector<std::filesystem::path> FigureOptions::write(const FigureInput& input,
                                                        const std::string& stem) {
  std::string own_stem = stem;
  for (int number = 2; !used_stems_.insert(own_stem).second; ++number) {
    own_stem = fmt::format("{}-{}", stem, number);
  }
  const auto& layers = input.result.layers;
  const auto has = [&](const std::vector<float> LayerTrace::*values) {
    return std::any_of(layers.begin(), layers.end(),
                       [&](const LayerTrace& layer) { return !(layer.*values).empty(); });
  };
  std::vector<std::filesystem::path> written;
  for (const FigureKind& kind : figureKinds()) {
    if (std::find(kinds_.begin(), kinds_.end(), kind.id) == kinds_.end()) continue;
    if (all_ && kind.id == "salience" && !has(&LayerTrace::salience)) continue;
    if (all_ && kind.id == "attention" && !has(&LayerTrace::attention)) continue;
    const std::string block =
        kind.per_layer && layer_ >= 0 ? fmt::format("-block{:02}", layer_) : "";
    const std::filesystem::path path =
        withFittingName(std::filesystem::path(folder_) /
                        fmt::format("{}-{}{}.{}", own_stem, kind.id, block, format_));
    writeFigure(kind.id, input, style_, kFormats.at(format_), path);
    written.push_back(path);
  }
  return written;
}

}  // namespace adamerge::cli
