// SPDX-License-Identifier: GPL-3.0-or-later
// Figures of many images: a contact sheet with the groups of each, and how many tokens blocks
// merged over a set.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "adamerge/figures.h"
#include "adamerge/pictures.h"

namespace adamerge {

inline constexpr std::size_t kMostTiles = 400;

/// One image of a sheet: what the model saw, its overlay and two lines of text.
/// `result`: traced; of `block`, -1 for the last.
FigureInput sheetTile(const PictureFile& file, std::size_t picture, std::size_t point,
                      const ModelInfo& model, Image view, ImageResult result, int block = -1);

struct ContactSheet {
  std::string title;  ///< "Lost"
  std::string note;   ///< "60 of 412 images"
  std::string subtitle;
  std::vector<FigureInput> tiles;  ///< sheetTile()s, 1 ... kMostTiles
  std::string provenance;          ///< provenanceJson(); empty: none
};
/// Throw Error where a figure of a tile would, and for too few or too many tiles.
FigureSize contactSheetSize(const ContactSheet& sheet, const FigureStyle& style);
void drawContactSheet(const ContactSheet& sheet, const FigureStyle& style, cairo_t* context);
void writeContactSheet(const ContactSheet& sheet, const FigureStyle& style, FigureFormat format,
                       const std::filesystem::path& path);

/// Box plots of the tokens that each block merged, one plot a setting.
struct CountsFigure {
  std::string title;
  std::string note;
  struct Setting {
    std::string name;    ///< "AdaMerge, r_max 16"
    std::string detail;  ///< what else is to be said of it
    std::vector<Distribution> blocks;
  };
  std::vector<Setting> settings;  ///< at least one, of one depth
};
/// Of the merging settings of `file`, with their rank correlations.
CountsFigure countsFigure(const PictureFile& file, std::span<const std::size_t> points,
                          const std::stop_token& stop = {});
FigureSize countsFigureSize(const CountsFigure& figure, const FigureStyle& style);
void drawCountsFigure(const CountsFigure& figure, const FigureStyle& style, cairo_t* context);
void writeCountsFigure(const CountsFigure& figure, const FigureStyle& style, FigureFormat format,
                       const std::filesystem::path& path);

}  // namespace adamerge
