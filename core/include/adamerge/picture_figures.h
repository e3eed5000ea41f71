// SPDX-License-Identifier: GPL-3.0-or-later
// Figures of many images: a contact sheet with the groups of each, and how many tokens blocks
// merged over a set.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "adamerge/engine.h"
#include "adamerge/figures.h"
#include "adamerge/pictures.h"

namespace adamerge {

inline constexpr std::size_t kMostTiles = 400;

/// One image of a sheet: what the model sees, its groups after the last block and two lines of
/// text. Throws what PictureFile::load() and Engine::run() throw.
FigureInput sheetTile(const Engine& engine, const PictureFile& file, std::size_t picture,
                      std::size_t point, const std::stop_token& stop = {});

struct ContactSheet {
  std::string title;  ///< "Lost"
  std::string note;   ///< "60 of 412 images"
  std::string subtitle;
  std::vector<FigureInput> tiles;  ///< sheetTile()s, 1 ... kMostTiles
  std::string provenance;          ///< provenanceJson(); empty: none
};
/// The first `tiles` of those of `pictures` (which `filter` selected) that can be read; `missing`
/// gets a sentence of each other one on the way. Throws Error where none can, Cancelled.
ContactSheet contactSheet(const Engine& engine, const PictureFile& file, std::size_t point,
                          const PictureFilter& filter, std::span<const std::uint32_t> pictures,
                          std::size_t tiles, std::vector<std::string>& missing,
                          const ProgressCallback& progress = {}, const std::stop_token& stop = {});

/// Box plots of the tokens that each block merged, one plot a setting.
struct CountsFigure {
  std::string title;
  std::string note;
  struct Setting {
    std::string method;  ///< its id
    std::string name;    ///< "AdaMerge, r_max 16"
    std::string detail;  ///< what else is to be said of it
    std::vector<Distribution> blocks;
  };
  std::vector<Setting> settings;  ///< at least one, of one depth
  std::string provenance;         ///< as a contact sheet's
};
/// Of the merging settings of `file`, with their rank correlations.
CountsFigure countsFigure(const PictureFile& file, std::span<const std::size_t> points,
                          const std::stop_token& stop = {});

/// Sized, drawn and written as the figures of one image (figures.h).
using PictureFigure = std::variant<ContactSheet, CountsFigure>;
/// Throw Error where a figure of a tile would, for too few or too many tiles, and without settings.
FigureSize figureSize(const PictureFigure& figure, const FigureStyle& style);
void drawFigure(const PictureFigure& figure, const FigureStyle& style, cairo_t* context);
void writeFigure(const PictureFigure& figure, const FigureStyle& style, FigureFormat format,
                 const std::filesystem::path& path);

}  // namespace adamerge
