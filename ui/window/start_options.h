// SPDX-License-Identifier: GPL-3.0-or-later
// What the program is asked to show when it starts.
#pragma once

#include <QSize>
#include <QString>
#include <filesystem>
#include <optional>

#include "adamerge/engine.h"
#include "adamerge/figures.h"
#include "controls/theme.h"

namespace adamerge::ui {

struct StartOptions {
  std::filesystem::path model;  ///< bundled one if the user named none
  bool model_named = false;     ///< else the last session's is opened
  EngineOptions engine;
  QString open;                  ///< image, folder, video or session; empty: the last session's
  std::filesystem::path sample;  ///< shown at the very first start
  std::optional<MethodChoice> choice;
  std::optional<int> block;  ///< from 1
  std::optional<OverlayKind> overlay;
  std::optional<int> panes;
  std::optional<Theme> theme;
  std::optional<QSize> size;
  bool fresh = false;  ///< neither reads nor writes the last session
  QString screenshot;  ///< a PNG to write after the first result; then the program ends
};

}  // namespace adamerge::ui
