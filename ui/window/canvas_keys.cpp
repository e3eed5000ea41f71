// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/canvas_keys.h"

#include <QObject>

namespace adamerge::ui {

std::vector<ShortcutGroup> canvasKeys() {
  const auto tr = [](const char* text) { return QObject::tr(text); };
  return {{tr("On a canvas"),
           {{tr("Zoom about the pointer"), {tr("Wheel"), tr("Pinch")}},
            {tr("Move the picture"), {tr("Drag"), tr("Space + drag"), tr("Ctrl + arrows")}},
            {tr("Hold the group of a patch"), {tr("Click")}},
            {tr("Move the held patch"), {tr("Shift + arrows")}},
            {tr("Block before, next block"), {tr("Left"), tr("Right")}},
            {tr("First, last block"), {tr("Home"), tr("End")}}}},
          {tr("In a plot"),
           {{tr("Zoom"), {tr("Wheel")}},
            {tr("Zoom to a rectangle"), {tr("Shift + drag")}},
            {tr("Show all"), {tr("Double click")}},
            {tr("Walk through the values"), {tr("Arrows")}},
            {tr("Choose the block or the setting"), {tr("Return"), tr("Click")}}}}};
}

}  // namespace adamerge::ui
