// SPDX-License-Identifier: GPL-3.0-or-later
// The merges that made one token: plain data, no widgets.
#pragma once

#include <QFontMetrics>
#include <QRect>
#include <QString>
#include <optional>
#include <vector>

#include "bench/data.h"

namespace adamerge::ui {

/// One merge, or a token dropped and the one that stands for it since. Patches are those of the two
/// groups on entry to the block, ascending.
struct LineageJoin {
  int block = 0;  ///< 0-based
  bool dropped = false;
  float similarity = 0;
  std::vector<int> source;
  std::vector<int> destination;
  int source_survivor = 0;       ///< the patch whose token stands for the source
  int destination_survivor = 0;  ///< and for the destination, then and afterwards
};

struct Lineage {
  std::vector<int> leaves;         ///< the group's patches, ascending
  std::vector<LineageJoin> joins;  ///< by block; one less than leaves
  int survivor = 0;                ///< the patch whose token stands for the group
};

/// Of the group that `patch` belongs to after `block` (-1: after the last).
Lineage buildLineage(const Inspection& inspection, int patch, int block = -1);

/// The join in which the token of `patch` went into another, or was dropped; nullopt: it survived.
/// Of restored blocks only `shown` counts.
std::optional<LineageJoin> ownMerge(const Inspection& inspection, int patch, int shown);

/// A dendrogram's rows from top to bottom: every survivor stands above what it took in, so that
/// no line crosses another.
struct LineageRow {
  int patch = 0;
  /// Where the row's line ends: the join in which its token went into another; none for the first.
  std::optional<LineageJoin> join;
  int joins_row = 0;  ///< the row of the destination's survivor
};
std::vector<LineageRow> lineageRows(const Lineage& lineage);

/// "row 4, column 7", counted from 1.
QString patchName(const Inspection& inspection, int patch);
/// The tree in lines of text, for the clipboard and for screen readers.
QString lineageText(const Inspection& inspection, const Lineage& lineage);

// Where the parts of a lineage's dendrogram lie.

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
