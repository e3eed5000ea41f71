// SPDX-License-Identifier: GPL-3.0-or-later
// From what the studio shows to what the core draws.
#pragma once

#include <QString>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "adamerge/figures.h"
#include "bench/data.h"
#include "export/export_source.h"

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
  double unmerged_flops = 0;                          ///< G, `paper`
  std::shared_ptr<const TracedRun> traced = nullptr;  ///< `choice` is not of it
};

/// What is looked at.
struct FigureExtras {
  OverlayStyle overlay;
  std::optional<int> selected_patch;
  InspectionPtr other = nullptr;  ///< what a difference overlay compares with; nullptr: nothing
  QString note = {};              ///< stands behind the settings
  std::shared_ptr<const LensPictures> lens = nullptr;  ///< what the overlay's lens shows
};

/// `block`: 0-based; -1 for figures that show no single block.
FigureInput makeFigureInput(const FigureSubject& subject, ImageResult result, int block,
                            const FigureExtras& extras);
FigureInput makeFigureInput(const Inspection& inspection, int block, const FigureExtras& extras);

// The core's figures as things to export: every kind that the core knows, of the pane that is
// worked in, and of all panes side by side.

/// A kind's name for people.
QString figureLabel(const FigureKind& kind);
/// One per kind of figure that can be drawn of the active pane; empty without a result.
std::vector<ExportSourcePtr> figureSources(const ExportContext& context);
/// What the canvases show: of one pane the canvas figure, of several their comparison. Any thread.
ExportSourcePtr canvasFigure(const ExportContext& context);
/// One per kind that can show all panes side by side; empty with fewer than two results.
std::vector<ExportSourcePtr> comparisonSources(const ExportContext& context);

}  // namespace adamerge::ui
