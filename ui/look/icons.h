// SPDX-License-Identifier: GPL-3.0-or-later
// The studio's own icons, drawn in the colour of the text they stand beside.
#pragma once

#include <QIcon>
#include <QString>
#include <QStringList>
#include <QToolButton>

#include "look/theme.h"

namespace adamerge::ui {

/// `name` without folder and ending, as "zoom-in". Follows changes of theme and any resolution.
/// An unknown name gives a null icon.
QIcon icon(const QString& name, Tone tone = Tone::kText);

/// In its own colours.
QIcon applicationIcon();

/// All names icon() knows, sorted.
QStringList iconNames();

/// Without `text` beside the icon the tip is its name.
QToolButton* toolButton(const QString& icon_name, const QString& tip, const QString& text = {});

}  // namespace adamerge::ui
