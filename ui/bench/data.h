// SPDX-License-Identifier: GPL-3.0-or-later
// What the studio shows: plain, immutable, shared between threads.
#pragma once

#include <QImage>
#include <QMetaType>
#include <QPointF>
#include <QRectF>
#include <QString>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adamerge/figures.h"
#include "adamerge/flops.h"
#include "adamerge/image.h"
#include "adamerge/methods.h"
#include "adamerge/model_info.h"
#include "adamerge/result.h"

namespace adamerge::ui {

// The core's error messages as the window shows them.

/// One line; options of the command line are called by their settings' names.
QString errorText(const std::exception& error);

// What the studio shows: plain, immutable, shared between threads.

struct TracedRun;  // bench/traces.h

struct Picture {
  std::uint64_t id = 0;        ///< different for every picture opened
  QString name;                ///< for people: the file's name
  std::filesystem::path path;  ///< empty: pasted, or a frame of a video
  std::uint64_t stream = 0;    ///< the same for the frames of one video or camera; 0: none
  std::shared_ptr<const Image> original;
  QImage pixels;                                      ///< the same, ready to paint
  std::shared_ptr<const TracedRun> traced = nullptr;  ///< it came with a run, as a trace
};
using PicturePtr = std::shared_ptr<const Picture>;

/// A frame of the same video: what was shown of `frame` may stay until `next` is drawn.
inline bool sameStream(const Picture& frame, const Picture& next) {
  return frame.stream != 0 && frame.stream == next.stream;
}

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
  std::vector<FeatureChange> change;            ///< of every block, from the unmerged model
  double seconds = 0;                           ///< of the forward pass, traced as it is
  double baseline_seconds = 0;                  ///< of the unmerged model's
  /// Recorded elsewhere: `choice` says nothing, and what the trace does not hold is empty or 0.
  std::shared_ptr<const TracedRun> traced;

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

/// What the lens of the overlay shows of one pane; blocks come one after the other.
struct LensShown {
  InspectionPtr inspection;
  OverlayKind kind = OverlayKind::kNone;
  LensQuery query;
  std::shared_ptr<const LensPictures> pictures;
  std::vector<QString> problems;  ///< per block, why it has nothing to show; empty: it has

  /// nullptr: not there, or of another picture than `shown`'s.
  const LensMap* map(const Inspection& shown, OverlayKind overlay, int block) const;
};
using LensShownPtr = std::shared_ptr<const LensShown>;

}  // namespace adamerge::ui

Q_DECLARE_METATYPE(adamerge::ui::PicturePtr)
Q_DECLARE_METATYPE(adamerge::ui::InspectionPtr)

namespace adamerge::ui {

// What makes two choices the same run, or the same but for the place of the slider.

/// Both with complete settings.
bool sameChoice(const MethodChoice& a, const MethodChoice& b);
/// They differ in the value of the compression setting at most.
bool sameButCompression(const MethodChoice& a, const MethodChoice& b);

/// Whether the method takes prompts where it runs.
bool takesPrompts(const MethodChoice& choice);
MethodChoice withPrompts(const MethodChoice& choice, const Prompts& prompts);

/// The value of the compression setting in force; 0 where there is none.
int compressionOf(const MethodChoice& choice);
/// Changes nothing where there is no such setting.
MethodChoice withCompression(const MethodChoice& choice, int value);

// One picture over the whole range of the slider.

struct SweepPoint {
  int value = 0;  ///< of the compression setting
  Flops flops;
  int tokens = 0;              ///< left after the last block, prefix included
  double top_probability = 0;  ///< the merged model gives the unmerged model's top class
  bool top1_agrees = true;     ///< the merged model's top class is the unmerged model's
  double logit_cosine = 1;     ///< to the unmerged model's logits
};

struct Sweep {
  MethodChoice choice;             ///< its compression setting is the one varied
  std::vector<SweepPoint> points;  ///< ascending in value; those computed so far
  int limit = 0;                   ///< values run from 0 to limit
  bool complete = false;
};
using SweepPtr = std::shared_ptr<const Sweep>;

/// The value whose `paper` FLOPs come nearest to `target` (G); nullopt while the points do not
/// tell: until the sweep is complete, two neighbouring values must enclose the target.
std::optional<int> valueNearest(const Sweep& sweep, double target);

}  // namespace adamerge::ui
