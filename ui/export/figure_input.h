// SPDX-License-Identifier: GPL-3.0-or-later
// From what the studio shows to what the core draws.
#pragma once

#include <QString>
#include <filesystem>
#include <memory>
#include <optional>

#include "adamerge/figures.h"
#include "export/export_source.h"
#include "state/inspection.h"

namespace adamerge::ui {

/// What a figure is of, besides the result.
struct FigureSubject {
  const ModelInfo& model;
  std::filesystem::path file;  ///< empty: pasted
  QString name;
  std::shared_ptr<const Image> original;
  std::shared_ptr<const PreparedImage> prepared;
  const MethodChoice& choice;
  std::string device;
  std::string dtype;
  double unmerged_flops = 0;  ///< G, `paper`
};

/// What is looked at.
struct FigureExtras {
  OverlayStyle overlay;
  std::optional<int> selected_patch;
  InspectionPtr other;  ///< what a difference overlay compares with; nullptr: nothing
};

/// `block`: 0-based; -1 for figures that show no single block.
FigureInput makeFigureInput(const FigureSubject& subject, ImageResult result, int block,
                            const FigureExtras& extras);
FigureInput makeFigureInput(const Inspection& inspection, int block, const FigureExtras& extras);

}  // namespace adamerge::ui
