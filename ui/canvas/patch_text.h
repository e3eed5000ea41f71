// SPDX-License-Identifier: GPL-3.0-or-later
// What a canvas says in words: about the patch under the pointer, about its run, and where its
// overlay has nothing to show.
#pragma once

#include <QString>
#include <QStringList>

#include "adamerge/figures.h"
#include "state/inspection.h"

namespace adamerge::ui {

/// Place, size of the token's group after `block`, salience and the class token's attention where
/// the run has them, the token's own merge.
QStringList patchFields(const Inspection& inspection, int patch, int block);
/// The widest that all fields but the last can be, so that a display can keep them in place.
QStringList widestFields(const Inspection& inspection, int block);
/// The fields in one line.
QString describePatch(const Inspection& inspection, int patch, int block);

/// Method and settings; tokens left and FLOPs.
QStringList captionLines(const Inspection& inspection);

/// Why the overlay is empty, in a sentence; empty where it is not.
QString overlayNotice(const Inspection& inspection, OverlayKind kind, int block,
                      bool has_reference);

/// G with as many decimals as tell neighbouring settings apart.
QString flopsText(double flops);

}  // namespace adamerge::ui
