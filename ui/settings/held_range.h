// SPDX-License-Identifier: GPL-3.0-or-later
// A range of a heat map's values that is held over blocks and canvases.
#pragma once

#include <QWidget>
#include <functional>
#include <optional>

#include "bench/pane.h"

class QCheckBox;

namespace adamerge::ui {

class RealBox;
class Workbench;

class HeldRange : public QWidget {
  Q_OBJECT
 public:
  /// What there is to hold of a heat map; nullopt: nothing shown has values.
  using Find = std::function<std::optional<ValueRange>(OverlayKind, SalienceScale)>;

  explicit HeldRange(ViewState& view, Find find = {}, QWidget* parent = nullptr);

 private:
  RealBox* makeEnd(const QString& object_name, const QString& name, const QString& help);
  void hold(bool on);
  /// Puts `value` at one of the ends, unless it lies beyond the other.
  void setEnd(double ValueRange::*end, double value);
  void refresh();

  ViewState& view_;
  Find find_;
  QCheckBox* hold_;
  RealBox* lowest_;
  RealBox* highest_;
};

/// The range that `scale` finds in all blocks of all panes shown for a heat map; nullopt: none has
/// such values.
std::optional<ValueRange> rangeOfAll(Workbench& workbench, OverlayKind kind, SalienceScale scale);

}  // namespace adamerge::ui
