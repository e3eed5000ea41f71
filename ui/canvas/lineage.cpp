// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/lineage.h"

#include <QObject>
#include <QStringList>
#include <algorithm>
#include <map>

#include "bench/traces.h"

namespace adamerge::ui {
namespace {

/// The block whose groups are those on entry to `block`; -1: there each patch is one of its own.
/// What a restored block made ended with it.
int groupedBefore(const Inspection& inspection, int block) {
  do {
    --block;
  } while (block >= 0 && inspection.result.layers[static_cast<std::size_t>(block)].restored);
  return block;
}

/// The patches of group `group` on entry to `block`, ascending.
std::vector<int> groupOnEntry(const Inspection& inspection, int group, int block) {
  const int before = groupedBefore(inspection, block);
  if (before < 0) return {group};
  const std::vector<int>& groups =
      inspection.result.layers[static_cast<std::size_t>(before)].groups;
  std::vector<int> patches;
  for (std::size_t patch = 0; patch < groups.size(); ++patch) {
    if (groups[patch] == group) patches.push_back(static_cast<int>(patch));
  }
  return patches;
}

int groupOnEntryOf(const Inspection& inspection, int patch, int block) {
  const int before = groupedBefore(inspection, block);
  if (before < 0) return patch;
  return inspection.result.layers[static_cast<std::size_t>(before)]
      .groups[static_cast<std::size_t>(patch)];
}

int survivorOnEntry(const Inspection& inspection, int patch, int block) {
  const int before = groupedBefore(inspection, block);
  if (before < 0) return patch;
  return inspection.survivors[static_cast<std::size_t>(before)][static_cast<std::size_t>(patch)];
}

/// Calls `take` with each merge of a block, and each token dropped there with the one that stands
/// for it since.
template <typename Take>
void forEachJoin(const Inspection& inspection, int block, const Take& take) {
  const LayerTrace& layer = inspection.result.layers[static_cast<std::size_t>(block)];
  for (const GroupMerge& merge : layer.merges) take(merge, /*dropped=*/false);
  for (const GroupMerge& drop : layer.drops) take(drop, /*dropped=*/true);
}

LineageJoin makeJoin(const Inspection& inspection, const GroupMerge& merge, bool dropped,
                     int block) {
  LineageJoin join;
  join.block = block;
  join.dropped = dropped;
  join.similarity = merge.similarity;
  join.source = groupOnEntry(inspection, merge.source, block);
  join.destination = groupOnEntry(inspection, merge.destination, block);
  join.source_survivor = survivorOnEntry(inspection, join.source.front(), block);
  join.destination_survivor = survivorOnEntry(inspection, join.destination.front(), block);
  return join;
}

void appendRows(const std::map<int, std::vector<const LineageJoin*>>& taken_in, int survivor,
                std::vector<LineageRow>& rows) {
  const auto found = taken_in.find(survivor);
  if (found == taken_in.end()) return;
  const int row = static_cast<int>(rows.size()) - 1;
  for (const LineageJoin* join : found->second) {
    rows.push_back({join->source_survivor, *join, row});
    appendRows(taken_in, join->source_survivor, rows);
  }
}

QString countText(std::size_t patches) {
  return patches == 1 ? QObject::tr("1 patch") : QObject::tr("%1 patches").arg(patches);
}

}  // namespace

Lineage buildLineage(const Inspection& inspection, int patch, int block) {
  const int last = block < 0 ? inspection.depth() - 1 : block;
  Lineage lineage;
  lineage.leaves = inspection.groupOf(patch, last);
  lineage.survivor =
      last < 0
          ? patch
          : inspection.survivors[static_cast<std::size_t>(last)][static_cast<std::size_t>(patch)];
  std::vector<bool> member(static_cast<std::size_t>(inspection.gridHeight()) *
                           static_cast<std::size_t>(inspection.gridWidth()));
  for (const int leaf : lineage.leaves) member[static_cast<std::size_t>(leaf)] = true;
  for (int index = 0; index <= last; ++index) {
    if (index < last && inspection.result.layers[static_cast<std::size_t>(index)].restored) {
      continue;
    }
    forEachJoin(inspection, index, [&](const GroupMerge& merge, bool dropped) {
      const std::vector<int> source = groupOnEntry(inspection, merge.source, index);
      if (member[static_cast<std::size_t>(source.front())]) {
        lineage.joins.push_back(makeJoin(inspection, merge, dropped, index));
      }
    });
  }
  return lineage;
}

std::optional<LineageJoin> ownMerge(const Inspection& inspection, int patch, int shown) {
  std::optional<int> block = inspection.mergedIn(patch);
  const auto at = static_cast<std::size_t>(shown);
  if (inspection.result.layers[at].restored &&
      inspection.survivors[at][static_cast<std::size_t>(patch)] != patch) {
    block = shown;
  }
  if (!block) return std::nullopt;
  const int group = groupOnEntryOf(inspection, patch, *block);
  std::optional<LineageJoin> own;
  forEachJoin(inspection, *block, [&](const GroupMerge& merge, bool dropped) {
    if (!own && merge.source == group) own = makeJoin(inspection, merge, dropped, *block);
  });
  return own;
}

std::vector<LineageRow> lineageRows(const Lineage& lineage) {
  std::map<int, std::vector<const LineageJoin*>> taken_in;
  for (const LineageJoin& join : lineage.joins) {
    taken_in[join.destination_survivor].push_back(&join);
  }
  std::vector<LineageRow> rows{{lineage.survivor, std::nullopt, 0}};
  appendRows(taken_in, lineage.survivor, rows);
  return rows;
}

QString patchName(const Inspection& inspection, int patch) {
  return QObject::tr("row %1, column %2")
      .arg(patch / inspection.gridWidth() + 1)
      .arg(patch % inspection.gridWidth() + 1);
}

QString lineageText(const Inspection& inspection, const Lineage& lineage) {
  QStringList lines{
      QObject::tr("%1 in the token of %2.")
          .arg(countText(lineage.leaves.size()), patchName(inspection, lineage.survivor))};
  for (const LineageJoin& join : lineage.joins) {
    lines.append((join.dropped ? QObject::tr("Block %1: %2 (%3) dropped, for it stands %4 (%5), "
                                             "similarity %6")
                               : QObject::tr("Block %1: %2 (%3) into %4 (%5), similarity %6"))
                     .arg(join.block + 1)
                     .arg(patchName(inspection, join.source_survivor),
                          countText(join.source.size()),
                          patchName(inspection, join.destination_survivor),
                          countText(join.destination.size()))
                     .arg(similarityText(join.similarity)));
  }
  return lines.join(QLatin1Char('\n'));
}

namespace {

constexpr int kThumbnail = 22;
constexpr int kRowGap = 6;
constexpr int kTreeMargin = 8;
constexpr int kWidestColumn = 56;

}  // namespace

QRect LineageLayout::leaf(int row) const {
  return {kTreeMargin, y(row) - thumbnail / 2, thumbnail, thumbnail};
}

QSize LineageLayout::size() const {
  return {first_column + depth * column + kTreeMargin, rows * row_height + kRowGap};
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
      kTreeMargin + kThumbnail + 6 + metrics.horizontalAdvance(QStringLiteral("0.000"));
  const int narrowest = metrics.horizontalAdvance(QStringLiteral("00")) + 4;
  const int fitting = depth == 0 ? 0 : (width - layout.first_column - kTreeMargin) / depth;
  layout.column = std::clamp(fitting, narrowest, kWidestColumn);
  return layout;
}

}  // namespace adamerge::ui
