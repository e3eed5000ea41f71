// SPDX-License-Identifier: GPL-3.0-or-later
// What is told of a patch: the read-out's numbers and the lineage equal the core's.
#include <QClipboard>
#include <QtTest>
#include <algorithm>
#include <set>

#include "canvas/legend.h"
#include "canvas/lineage.h"
#include "canvas/lineage_panel.h"
#include "canvas/patch_readout.h"
#include "canvas_fixture.h"
#include "ui_test.h"

namespace adamerge::ui {
namespace {

using namespace test;

QString fixed(float value, int decimals) {
  return QString::number(static_cast<double>(value), 'f', decimals);
}

/// The patch of the largest group after the last block.
int busiestPatch(const Inspection& inspection) {
  int found = 0;
  std::size_t most = 0;
  for (int patch = 0; patch < inspection.gridHeight() * inspection.gridWidth(); ++patch) {
    const std::size_t size = inspection.groupOf(patch, inspection.depth() - 1).size();
    if (size > most) {
      most = size;
      found = patch;
    }
  }
  return found;
}

class PatchTest : public QObject {
  Q_OBJECT
 private slots:
  void lineageFollowsTheGroups_data();
  void lineageFollowsTheGroups();
  void lineageOfABlockEndsThere();
  void rowsDoNotCross();
  void lineageInWords();
  void panelLeavesHoverAndSelect();
  void readoutTellsTheCoresNumbers_data();
  void readoutTellsTheCoresNumbers();
  void readoutFollowsThePointer();
  void captionTellsMethodTokensAndCost();
  void blocksSayWhatTheMethodDid();
  void legendCountsWhatWasDropped();
  void noticesSayWhyAnOverlayIsEmpty();
};

void PatchTest::lineageFollowsTheGroups_data() { readoutTellsTheCoresNumbers_data(); }

void PatchTest::lineageFollowsTheGroups() {
  QFETCH(QString, method);
  MethodChoice choice;
  choice.method = method.toStdString();
  const InspectionPtr inspection = inspectSample(choice);
  const int last = inspection->depth() - 1;
  for (int patch = 0; patch < 196; patch += 3) {
    const Lineage lineage = buildLineage(*inspection, patch);
    QCOMPARE(lineage.leaves, inspection->groupOf(patch, last));
    QCOMPARE(lineage.joins.size(), lineage.leaves.size() - 1);
    QVERIFY(std::is_sorted(
        lineage.joins.begin(), lineage.joins.end(),
        [](const LineageJoin& a, const LineageJoin& b) { return a.block < b.block; }));
    for (const LineageJoin& join : lineage.joins) {
      // A restored block's groups end with it.
      int before = join.block - 1;
      while (before >= 0 && inspection->result.layers[std::size_t(before)].restored) --before;
      QCOMPARE(join.source, inspection->groupOf(join.source.front(), before));
      QCOMPARE(join.destination, inspection->groupOf(join.destination.front(), before));
      const std::vector<int> after = inspection->groupOf(join.source.front(), join.block);
      for (const int member : join.destination) {
        QVERIFY(std::binary_search(after.begin(), after.end(), member));
      }
      if (!inspection->result.layers[std::size_t(join.block)].restored) {
        QCOMPARE(inspection->mergedIn(join.source_survivor), std::optional(join.block));
      }
      QCOMPARE(inspection->survivors[static_cast<std::size_t>(join.block)]
                                    [static_cast<std::size_t>(join.source_survivor)],
               join.destination_survivor);
    }
  }
}

void PatchTest::lineageOfABlockEndsThere() {
  const InspectionPtr inspection = inspectSample();
  const int patch = busiestPatch(*inspection);
  const Lineage lineage = buildLineage(*inspection, patch, 3);
  QCOMPARE(lineage.leaves, inspection->groupOf(patch, 3));
  QCOMPARE(lineage.joins.size(), lineage.leaves.size() - 1);
  for (const LineageJoin& join : lineage.joins) QVERIFY(join.block <= 3);
}

void PatchTest::rowsDoNotCross() {
  const InspectionPtr inspection = inspectSample();
  const Lineage lineage = buildLineage(*inspection, busiestPatch(*inspection));
  QVERIFY(lineage.leaves.size() > 8);
  const std::vector<LineageRow> rows = lineageRows(lineage);
  std::set<int> patches;
  for (const LineageRow& row : rows) patches.insert(row.patch);
  QCOMPARE(std::vector<int>(patches.begin(), patches.end()), lineage.leaves);
  for (std::size_t row = 1; row < rows.size(); ++row) {
    QVERIFY(rows[row].join);
    const int into = rows[row].joins_row;
    QCOMPARE(rows[static_cast<std::size_t>(into)].patch, rows[row].join->destination_survivor);
    // Between a row and the one it joins, every line has ended by the joining block.
    for (std::size_t between = static_cast<std::size_t>(into) + 1; between < row; ++between) {
      QVERIFY(rows[between].join->block <= rows[row].join->block);
    }
  }
}

void PatchTest::lineageInWords() {
  const InspectionPtr inspection = inspectSample();
  const Lineage lineage = buildLineage(*inspection, busiestPatch(*inspection));
  const QStringList lines = lineageText(*inspection, lineage).split(QLatin1Char('\n'));
  QCOMPARE(lines.size(), static_cast<qsizetype>(lineage.joins.size()) + 1);
  QVERIFY(lines[0].startsWith(QStringLiteral("%1 patches").arg(lineage.leaves.size())));
  for (std::size_t i = 0; i < lineage.joins.size(); ++i) {
    const QString& line = lines[static_cast<qsizetype>(i) + 1];
    QVERIFY(line.startsWith(QStringLiteral("Block %1: ").arg(lineage.joins[i].block + 1)));
    QVERIFY(line.endsWith(QStringLiteral("similarity ") + fixed(lineage.joins[i].similarity, 3)));
  }
}

void PatchTest::panelLeavesHoverAndSelect() {
  ShownPane shown;
  LineagePanel panel(shown.pane, shown.view);
  panel.resize(500, 400);
  panel.show();
  QVERIFY(panel.text().isEmpty());
  const int patch = busiestPatch(*shown.pane.inspection());
  shown.view.select(patch);
  const Lineage lineage = buildLineage(*shown.pane.inspection(), patch);
  QCOMPARE(panel.text(), lineageText(*shown.pane.inspection(), lineage));
  QCOMPARE(panel.accessibleDescription(), panel.text());
  int tried = 0;
  for (const int leaf : lineage.leaves) {
    const QRect place = panel.leafRect(leaf);
    if (place.isEmpty()) continue;
    QTest::mouseMove(panel.viewport(), place.center());
    QTRY_COMPARE(shown.view.hoveredPatch(), std::optional(leaf));
    ++tried;
  }
  QVERIFY(tried > 3);
  // The selected one is wholly in sight.
  QCOMPARE(panel.leafRect(patch).width(), panel.leafRect(patch).height());
  panel.copyText();
  QCOMPARE(QGuiApplication::clipboard()->text(), panel.text());
  QTest::keyClick(&panel, Qt::Key_Escape);
  QVERIFY(!shown.view.selectedPatch());
  QVERIFY(panel.text().isEmpty());
}

void PatchTest::readoutTellsTheCoresNumbers_data() {
  QTest::addColumn<QString>("method");
  for (const MethodInfo& method : methods()) {
    QTest::newRow(method.id.c_str()) << QString::fromStdString(method.id);
  }
}

void PatchTest::readoutTellsTheCoresNumbers() {
  QFETCH(QString, method);
  MethodChoice choice;
  choice.method = method.toStdString();
  const InspectionPtr inspection = inspectSample(choice);
  for (int patch = 0; patch < 196; patch += 13) {
    for (const int block : {0, 6, 11}) {
      const LayerTrace& layer = inspection->result.layers[static_cast<std::size_t>(block)];
      const auto at = static_cast<std::size_t>(patch);
      const QString text = describePatch(*inspection, patch, block);
      QVERIFY(text.startsWith(
          QStringLiteral("Row %1, column %2 ·").arg(patch / 14 + 1).arg(patch % 14 + 1)));
      const auto size = std::count(layer.groups.begin(), layer.groups.end(), layer.groups[at]);
      QVERIFY(text.contains(QStringLiteral("token of %1 patch").arg(size)));
      QCOMPARE(text.contains(QStringLiteral("salience")), !layer.salience.empty());
      if (!layer.salience.empty()) {
        QVERIFY(text.contains(QStringLiteral("salience ") + fixed(layer.salience[at], 3)));
      }
      QVERIFY(text.contains(QStringLiteral("attention ") + fixed(layer.attention[at], 4)));
      // What a restored block did is told there alone.
      const bool here = layer.restored && inspection->survivors[std::size_t(block)][at] != patch;
      const std::optional<int> merged = here ? std::optional(block) : inspection->mergedIn(patch);
      if (!merged) {
        QVERIFY(text.endsWith(QStringLiteral("never merged into another")));
        continue;
      }
      QVERIFY(text.contains(QStringLiteral("in block %1").arg(*merged + 1)));
      QCOMPARE(text.contains(QStringLiteral(" later, in")), *merged > block);
      const int into = inspection->survivors[static_cast<std::size_t>(*merged)][at];
      QVERIFY(text.contains(
          QStringLiteral("into row %1, column %2,").arg(into / 14 + 1).arg(into % 14 + 1)));
      int entry = *merged - 1;
      while (entry >= 0 && inspection->result.layers[std::size_t(entry)].restored) --entry;
      const int before =
          entry < 0 ? patch : inspection->result.layers[std::size_t(entry)].groups[at];
      const LayerTrace& acted = inspection->result.layers[std::size_t(*merged)];
      std::vector<GroupMerge> moves = acted.merges;
      moves.insert(moves.end(), acted.drops.begin(), acted.drops.end());
      const auto found = std::find_if(moves.begin(), moves.end(),
                                      [before](const GroupMerge& m) { return m.source == before; });
      QVERIFY(found != moves.end());
      QCOMPARE(text.contains(QStringLiteral("dropped")),
               found - moves.begin() >= std::ptrdiff_t(acted.merges.size()));
      QVERIFY(text.endsWith(QStringLiteral("similarity ") + fixed(found->similarity, 3)));
    }
  }
}

void PatchTest::readoutFollowsThePointer() {
  ShownPane shown;
  HoverReadout readout(shown.pane, shown.view);
  const QSize size = readout.sizeHint();
  shown.view.hover(31);
  QCOMPARE(readout.text(), describePatch(*shown.pane.inspection(), 31, 0));
  QCOMPARE(readout.sizeHint(), size);
  shown.view.setBlock(5);
  QCOMPARE(readout.text(), describePatch(*shown.pane.inspection(), 31, 5));
  shown.view.select(2);
  shown.view.hover(std::nullopt);
  QCOMPARE(readout.text(), describePatch(*shown.pane.inspection(), 2, 5));
  shown.view.select(std::nullopt);
  QVERIFY(readout.text().contains(QStringLiteral("Point at a patch")));
}

void PatchTest::captionTellsMethodTokensAndCost() {
  const InspectionPtr inspection = inspectSample();
  const QStringList lines = captionLines(*inspection);
  QVERIFY(lines[0].startsWith(QStringLiteral("AdaMerge, r_max 16")));
  QVERIFY(lines[1].startsWith(
      QStringLiteral("%1 tokens left").arg(inspection->result.layers.back().tokens_out)));
  QVERIFY(lines[1].contains(QString::number(inspection->result.flops.paper, 'f', 2) +
                            QStringLiteral(" G")));
  const double share = 100 * inspection->result.flops.paper / inspection->model->unmerged.paper;
  QVERIFY(lines[1].contains(QString::number(share, 'f', 1) + QStringLiteral(" %")));

  const InspectionPtr restored = inspectSample({"structsam", {}, nullptr, false});
  QVERIFY(captionLines(*restored)[1].startsWith(
      QStringLiteral("197 tokens left, %1 inside · ")
          .arg(restored->result.layers.back().tokens_inside)));
}

void PatchTest::blocksSayWhatTheMethodDid() {
  const InspectionPtr pooling = inspectSample({"ppt", {{"threshold", 1.0}}, nullptr, false});
  const InspectionPtr pruning = inspectSample({"ppt", {{"threshold", 0.0}}, nullptr, false});
  QVERIFY(blockNotice(*pooling, 0).isEmpty());
  QVERIFY(blockNotice(*pooling, 3).startsWith(QStringLiteral("Block 4: pooled, scores vary by")));
  QVERIFY(blockNotice(*pruning, 3).startsWith(QStringLiteral("Block 4: pruned, scores vary by")));
  const InspectionPtr sid =
      inspectSample({"prunesid", {{"keep", std::int64_t{98}}}, nullptr, false});
  QVERIFY(blockNotice(*sid, 6).contains(QStringLiteral("no redundancy removed")));
  const InspectionPtr restored = inspectSample({"structsam", {}, nullptr, false});
  QVERIFY(blockNotice(*restored, 5).contains(QStringLiteral("groups hold for this block alone")));

  Pane pane(0);
  ViewState view;
  view.setDepth(pooling->depth());
  HoverReadout readout(pane, view);
  pane.setInspection(pooling);
  view.setBlock(3);
  QVERIFY(readout.text().startsWith(QStringLiteral("Block 4: pooled")));
  view.hover(5);
  QVERIFY(readout.text().contains(QStringLiteral("Block 4: pooled")));
}

void PatchTest::legendCountsWhatWasDropped() {
  OverlayStyle style;
  style.kind = OverlayKind::kGroups;
  const InspectionPtr dropped = inspectSample({"prunesid", {}, nullptr, false});
  const int last = dropped->depth() - 1;
  QVERIFY(!colorBar(*dropped, nullptr, style, 0, 1));
  const auto bar = colorBar(*dropped, nullptr, style, last, 1);
  QVERIFY(bar);
  const int left = dropped->result.layers.back().tokens_out - 1;
  QCOMPARE(bar->samples.size(), std::size_t{1});
  QCOMPARE(bar->samples[0].label, QStringLiteral("%1 patches dropped").arg(196 - left));
  const QImage& hatched = bar->samples[0].image;
  QSet<QRgb> colors;
  for (int x = 0; x < hatched.width(); ++x) colors.insert(hatched.pixel(x, hatched.height() / 2));
  QVERIFY(colors.size() > 1);
}

void PatchTest::noticesSayWhyAnOverlayIsEmpty() {
  const InspectionPtr tome = inspectSample({"tome", {}, nullptr, false});
  const auto notice = [&](OverlayKind kind, bool has_reference) {
    OverlayStyle style;
    style.kind = kind;
    return overlayNotice(*tome, style, 0, has_reference);
  };
  QCOMPARE(notice(OverlayKind::kSalience, false).isEmpty(),
           !tome->result.layers[0].salience.empty());
  QVERIFY(notice(OverlayKind::kAttention, false).isEmpty());
  QVERIFY(notice(OverlayKind::kSimilarity, false).contains(QStringLiteral("Point at a patch")));
  QVERIFY(notice(OverlayKind::kDifference, false).contains(QStringLiteral("two canvases")));
  QVERIFY(notice(OverlayKind::kDifference, true).isEmpty());
}

}  // namespace
ADAMERGE_UI_TEST(PatchTest)

}  // namespace adamerge::ui

#include "patch_test.moc"
