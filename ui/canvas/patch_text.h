// SPDX-License-Identifier: GPL-3.0-or-later
// What a canvas says in words: about the patch under the pointer, about its run, and where its
// overlay has nothing to show.
#pragma once

#include <QString>
#include <QStringList>

#include "adamerge/figures.h"
#include "state/inspection.h"

namespace adamerge::ui {

/// One line: place, size of the token's group after `block`, salience, the token's own merge, the
/// class token's attention. Numbers are padded so that successive lines stand still.
QString describePatch(const Inspection& inspection, int patch, int block);

/// Method and settings; tokens left and FLOPs.
QStringList captionLines(const Inspection& inspection);

/// Why the overlay is empty, in a sentence; empty where it is not.
QString overlayNotice(const Inspection& inspection, OverlayKind kind, int block,
                      bool has_reference);

/// G with as many decimals as tell neighbouring settings apart.
QString flopsText(double flops);

}  // namespace adamerge::ui
