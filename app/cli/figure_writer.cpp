// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "usage_error.h"

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
  command
      .add_option("--figure", kinds_,
                  fmt::format("Figure to write, may be repeated: {}", fmt::join(kinds, ", ")))
      ->type_name("KIND")
      ->check(CLI::IsMember(kinds))
      ->allow_extra_args(false)
      ->group(group);
  command
      .add_option("--out", folder_,
                  "Folder for figures, made if missing (default: here; without --figure: all "
                  "figures)")
      ->type_name("DIR")
      ->group(group);
  command.add_option("--format", format_, "png, svg or pdf (default png)")
      ->check(CLI::IsMember(names(kFormats)))
      ->group(group);
  command
      .add_option("--layer", layer_,
                  "Block that salience, groups and survivors show, 0-based as in the JSON "
                  "(default: the last)")
      ->type_name("L")
      ->group(group);
  command.add_option("--colormap", colormap_, "viridis, magma, turbo or grey (default viridis)")
      ->check(CLI::IsMember(names(kColormaps)))
      ->group(group);
  command
      .add_option("--salience-scale", scale_,
                  "percentile, rank, log or linear: how salience becomes colour (default "
                  "percentile)")
      ->check(CLI::IsMember(names(kScales)))
      ->group(group);
  command.add_option("--width-mm", style_.width_mm, "Width of the figures (default: by kind)")
      ->check(CLI::Range(40.0, 1000.0))
      ->group(group);
  command.add_option("--dpi", style_.dpi, "Resolution of PNG (default 200)")
      ->check(CLI::Range(36.0, 2400.0))
      ->group(group);
  command.add_flag("--dark", style_.dark, "On a dark background")->group(group);
}

void FigureOptions::check() {
  all_ = (kinds_.empty() && !folder_.empty()) ||
         std::find(kinds_.begin(), kinds_.end(), "all") != kinds_.end();
  if (all_) kinds_ = kindIds();
  style_.colormap = kColormaps.at(colormap_);
  style_.scale = kScales.at(scale_);
  if (layer_ < -1) throw UsageError(fmt::format("--layer takes a block from 0, not {}", layer_));
}

std::vector<std::filesystem::path> FigureOptions::write(const FigureInput& input,
                                                        const std::string& stem) {
  std::string own_stem = stem;
  for (int number = 2; !used_stems_.insert(own_stem).second; ++number) {
    own_stem = fmt::format("{}-{}", stem, number);
  }
  const bool has_salience =
      std::any_of(input.result.layers.begin(), input.result.layers.end(),
                  [](const LayerTrace& layer) { return !layer.salience.empty(); });
  std::vector<std::filesystem::path> written;
  for (const FigureKind& kind : figureKinds()) {
    if (std::find(kinds_.begin(), kinds_.end(), kind.id) == kinds_.end()) continue;
    if (all_ && kind.id == "salience" && !has_salience) continue;
    const std::string block =
        kind.per_layer && layer_ >= 0 ? fmt::format("-block{:02}", layer_) : "";
    const std::filesystem::path path = std::filesystem::path(folder_) /
                                       fmt::format("{}-{}{}.{}", own_stem, kind.id, block, format_);
    writeFigure(kind.id, input, style_, kFormats.at(format_), path);
    written.push_back(path);
  }
  return written;
}

}  // namespace adamerge::cli
