// SPDX-License-Identifier: GPL-3.0-or-later
// What overlays are called, what they show and which key takes them, in the order offered.
#pragma once

#include <QKeySequence>
#include <QString>
#include <vector>

#include "adamerge/figures.h"

namespace adamerge::ui {

struct OverlayKindInfo {
  OverlayKind kind = OverlayKind::kNone;
  QString icon;
  QString label;
  QString help;
  QKeySequence key;
};
const std::vector<OverlayKindInfo>& overlayKinds();

struct ColormapInfo {
  Colormap map = Colormap::kViridis;
  QString label;
  QString help;
};
const std::vector<ColormapInfo>& colormaps();

struct ScaleInfo {
  SalienceScale scale = SalienceScale::kLinear;
  QString label;
  QString help;
};
const std::vector<ScaleInfo>& salienceScales();

struct GroupStyleInfo {
  GroupStyle style = GroupStyle::kFill;
  QString label;
  QString help;
};
const std::vector<GroupStyleInfo>& groupStyles();

}  // namespace adamerge::ui
