// SPDX-License-Identifier: GPL-3.0-or-later
// What was opened lately, of each kind.
#pragma once

#include <QSettings>

#include "shell/recent_list.h"

namespace adamerge::ui {

struct Recents {
  explicit Recents(QSettings& settings)
      : images("images", settings),
        folders("folders", settings),
        models("models", settings),
        evaluations("evaluations", settings) {}

  RecentList images;
  RecentList folders;
  RecentList models;
  RecentList evaluations;  ///< sets of images that were measured on
};

}  // namespace adamerge::ui
