// SPDX-License-Identifier: GPL-3.0-or-later
// What a batch will run and which files it will write, known before the first one is written.
#pragma once

#include <QString>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "adamerge/methods.h"
#include "export/export_source.h"

namespace adamerge::ui {

/// A method with its settings, for several values of its compression setting.
struct BatchRow {
  MethodChoice base;
  QString values;  ///< "8, 12, 16"; ignored for methods without such a setting
};

/// The choices of one row, in the order of its values. Throws Error: no value, not a whole number,
/// out of the setting's range.
std::vector<MethodChoice> expandRow(const BatchRow& row);
/// Those of all rows, each only once. Throws Error, also where there is no row.
std::vector<MethodChoice> expandRows(const std::vector<BatchRow>& rows);

/// A picture, or an image of a trace, which has a run of its own and is under no other method.
struct BatchImage {
  std::filesystem::path file;
  std::string name;            ///< below the folder of images, for people and the table
  std::filesystem::path stem;  ///< of its figures, below the output folder; no two images share one
  std::optional<std::size_t> traced = std::nullopt;  ///< which image of the trace `file`
};

/// Images below `folder` at any depth, those of traces too, without those below `output` (figures
/// of an earlier batch). `folder` may be one file. May take long. Throws Error, Cancelled.
std::vector<BatchImage> findBatchImages(const std::filesystem::path& folder,
                                        const std::filesystem::path& output,
                                        const std::stop_token& stop = {});

/// How many of them are of traces.
std::size_t tracedOf(const std::vector<BatchImage>& images);

struct BatchPlan {
  std::vector<BatchImage> images;
  std::filesystem::path output;
  std::vector<MethodChoice> choices;
  std::vector<std::string> kinds;  ///< of figures; may be empty: the table alone
  std::vector<FigureFormat> formats;
  ExportStyle style;
  VitConfig vit = {};  ///< whose defaults the files' names leave out

  /// `choice`: nullptr for an image of a trace.
  std::filesystem::path figure(const BatchImage& image, const MethodChoice* choice,
                               const FigureKind& kind, FigureFormat format) const;
  /// 0-based; -1: the kind shows no single block.
  int blockOf(const FigureKind& kind) const { return kind.per_layer ? style.block : -1; }
  /// Images of traces count once, others once for each choice.
  std::size_t runs() const;
  /// One line per image and choice.
  std::filesystem::path table() const;
  /// Everything that will be written, if every method can draw every kind.
  std::vector<std::filesystem::path> files() const;
  /// How many of files() are there already. May take long. Throws Cancelled.
  int existing(const std::stop_token& stop = {}) const;
};

}  // namespace adamerge::ui
