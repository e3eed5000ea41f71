// SPDX-License-Identifier: GPL-3.0-or-later
// Where the parts of a lineage's dendrogram lie.
#pragma once

#include <QFontMetrics>
#include <QRect>
#include <vector>

#include "canvas/lineage.h"

namespace adamerge::ui {

/// In the drawing's own coordinates: rows downwards below the header, blocks to the right.
struct LineageLayout {
  int header = 0;  ///< height of the block numbers
  int row_height = 0;
  int thumbnail = 0;     ///< side of a leaf's picture
  int first_column = 0;  ///< x of the first block
  int column = 0;        ///< width of a block
  int depth = 0;
  int rows = 0;

  int y(int row) const { return row * row_height + row_height / 2; }
  int x(int block) const { return first_column + block * column + column / 2; }
  QRect leaf(int row) const;
  QSize size() const;  ///< without the header
};

/// Columns share `width` where they fit.
LineageLayout lineageLayout(int rows, int depth, int width, const QFontMetrics& metrics);

}  // namespace adamerge::ui
