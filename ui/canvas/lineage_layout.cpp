// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/lineage_layout.h"

#include <algorithm>

namespace adamerge::ui {
namespace {

constexpr int kThumbnail = 22;
constexpr int kRowGap = 6;
constexpr int kMargin = 8;
constexpr int kWidestColumn = 56;

}  // namespace

QRect LineageLayout::leaf(int row) const {
  return {kMargin, y(row) - thumbnail / 2, thumbnail, thumbnail};
}

QSize LineageLayout::size() const {
  return {first_column + depth * column + kMargin, rows * row_height + kRowGap};
}

LineageLayout lineageLayout(int rows, int depth, int width, const QFontMetrics& metrics) {
  LineageLayout layout;
  layout.rows = rows;
  layout.depth = depth;
  layout.header = metrics.height() + 10;
  // A similarity stands above its line.
  layout.row_height = std::max(kThumbnail + kRowGap, 2 * metrics.height());
  layout.thumbnail = kThumbnail;
  layout.first_column =
      kMargin + kThumbnail + 6 + metrics.horizontalAdvance(QStringLiteral("0.000"));
  const int narrowest = metrics.horizontalAdvance(QStringLiteral("00")) + 4;
  const int fitting = depth == 0 ? 0 : (width - layout.first_column - kMargin) / depth;
  layout.column = std::clamp(fitting, narrowest, kWidestColumn);
  return layout;
}

}  // namespace adamerge::ui
