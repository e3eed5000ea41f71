// SPDX-License-Identifier: GPL-3.0-or-later
// Overlays and their styles, once: how sessions and the command line call them, how people do, what
// they show and which key takes them; in the order offered.
#pragma once

#include <QKeySequence>
#include <QString>
#include <algorithm>
#include <optional>
#include <vector>

#include "adamerge/figures.h"

namespace adamerge::ui {

template <typename Value>
struct NamedValue {
  Value value;
  const char* id;  ///< in files and on the command line
  QString label;
  QString help;
};

struct OverlayInfo : NamedValue<OverlayKind> {
  const char* icon;
  QKeySequence key;
};

const std::vector<OverlayInfo>& overlays();
const std::vector<NamedValue<Colormap>>& colormaps();
const std::vector<NamedValue<SalienceScale>>& salienceScales();
const std::vector<NamedValue<GroupStyle>>& groupStyles();
const std::vector<NamedValue<Foreground>>& foregrounds();

/// The entry of `value`, which the table has.
template <typename Entry, typename Value>
const Entry& entryOf(const std::vector<Entry>& table, Value value) {
  return *std::find_if(table.begin(), table.end(),
                       [value](const Entry& entry) { return entry.value == value; });
}

/// nullptr: no entry is called so.
template <typename Entry>
const Entry* entryCalled(const std::vector<Entry>& table, const std::string& id) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&id](const Entry& entry) { return entry.id == id; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace adamerge::ui
