// SPDX-License-Identifier: GPL-3.0-or-later
// The gallery's figures as things to export: its contact sheet, the counts per block.
#pragma once

#include <vector>

#include "bench/gallery.h"
#include "export/export_source.h"

namespace adamerge::ui {

inline const QString kSheetId = QStringLiteral("contact-sheet");

std::vector<ExportSourcePtr> gallerySources(const GallerySheet& made);

}  // namespace adamerge::ui
