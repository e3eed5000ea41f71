// SPDX-License-Identifier: GPL-3.0-or-later
// What the studio shows: plain, immutable, shared between threads.
#pragma once

#include <QImage>
#include <QMetaType>
#include <QPointF>
#include <QRectF>
#include <QString>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/flops.h"
#include "adamerge/image.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "adamerge/overlay.h"
#include "adamerge/preprocess.h"
#include "adamerge/result.h"

namespace adamerge::ui {

struct Picture {
  std::uint64_t id = 0;        ///< different for every picture opened
  QString name;                ///< for people: the file's name
  std::filesystem::path path;  ///< empty: pasted, or a frame of a video
  std::shared_ptr<const Image> original;
  QImage pixels;  ///< the same, ready to paint
};
using PicturePtr = std::shared_ptr<const Picture>;

struct LoadedModel {
  std::uint64_t id = 0;  ///< different after every load and every change of statistics
  ModelInfo info;
  std::string device;
  std::string dtype;
  std::shared_ptr<const Statistics> statistics;  ///< nullptr: not calibrated
  std::string statistics_problem;
  Flops unmerged;
};
using LoadedModelPtr = std::shared_ptr<const LoadedModel>;

/// One picture under one method, every block traced.
struct Inspection {
  LoadedModelPtr model;
  PicturePtr picture;
  std::shared_ptr<const PreparedImage> prepared;
  MethodChoice choice;  ///< settings complete
  ImageResult result;
  std::shared_ptr<const ImageResult> baseline;  ///< the unmerged model, traced
  std::vector<std::vector<int>> survivors;      ///< survivingPatches() of every block

  int depth() const { return static_cast<int>(result.layers.size()); }
  int gridHeight() const { return model->info.vit.gridHeight(); }
  int gridWidth() const { return model->info.vit.gridWidth(); }

  /// Where patch `patch` lies in the original image, in its pixels.
  QRectF patchRect(int patch) const;
  /// The patch under a point of the original image, if the model sees it.
  std::optional<int> patchAt(const QPointF& point) const;
  /// All patches of the group that `patch` belongs to after `block`; before the first for -1.
  std::vector<int> groupOf(int patch, int block) const;
  /// The block in which the token of `patch` went into another; nullopt: it survived.
  std::optional<int> mergedIn(int patch) const;
  /// For drawOverlay() at `block`, without selection.
  OverlayInput overlayInput(int block) const;
};
using InspectionPtr = std::shared_ptr<const Inspection>;

}  // namespace adamerge::ui

Q_DECLARE_METATYPE(adamerge::ui::InspectionPtr)
