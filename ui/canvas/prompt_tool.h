// SPDX-License-Identifier: GPL-3.0-or-later
// Prompts as the mouse draws them on a canvas: a drag makes a box, a click a point, and a click on
// one takes it away.
#pragma once

#include <QPointF>
#include <QString>
#include <optional>

#include "adamerge/methods.h"
#include "canvas/navigation.h"

class QPainter;

namespace adamerge::ui {

struct PromptEdit {
  Prompts prompts;
  QString what;  ///< for the history
};

class PromptTool {
 public:
  void press(const QPointF& place);
  void move(const QPointF& place);
  /// What the mouse has done since press(); `picture` in pixels. nullopt: nothing, as beside it.
  std::optional<PromptEdit> release(const QPointF& place, const Prompts& now,
                                    const ViewMapping& mapping, const QSizeF& picture);
  void cancel() { begin_.reset(); }
  bool drawing() const { return begin_.has_value(); }
  /// The box under way, in the widget.
  void paint(QPainter& painter) const;

 private:
  bool isDrag() const;

  std::optional<QPointF> begin_;
  QPointF end_;
};

/// Without the one whose outline or dot lies at `place` of the widget, the last drawn first;
/// nullopt: none does.
std::optional<PromptEdit> withoutPromptAt(const QPointF& place, const Prompts& prompts,
                                          const ViewMapping& mapping);

}  // namespace adamerge::ui
