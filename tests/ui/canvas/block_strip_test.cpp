// SPDX-License-Identifier: GPL-3.0-or-later
// The block strip: its pictures equal the core's groups; clicks, keys, play.
#include "canvas/block_strip.h"

#include <QtTest>

#include "canvas_fixture.h"
#include "ui_test.h"

namespace adamerge::ui {
namespace {

using namespace test;

class BlockStripTest : public QObject {
  Q_OBJECT
 private slots:
  void tilesShowEachBlocksGroups();
  void clickAndKeysChooseABlock();
  void playGoesRoundUntilTheUserActs();
  void narrowStripScrollsToTheChosenBlock();
  void paneIsFollowedThatWasReference();
};

void BlockStripTest::tilesShowEachBlocksGroups() {
  ShownPane shown;
  BlockStrip strip(shown.pane, shown.view);
  strip.resize(1400, 160);
  strip.show();
  const Inspection& inspection = *shown.pane.inspection();
  BlockTiles& tiles = strip.tiles();
  QCOMPARE(tiles.tileCount(), 12);
  shown.view.setBlock(2);
  const auto matches = [&](int block) {
    const auto colors =
        groupColors(inspection.prepared->view, inspection.gridHeight(), inspection.gridWidth(),
                    inspection.result.layers[static_cast<std::size_t>(block)].groups);
    const QImage image = painted(tiles);
    const QRect picture = tiles.pictureRect(block);
    for (int patch = 0; patch < 196; ++patch) {
      const QPointF centre(picture.left() + picture.width() * (patch % 14 + 0.5) / 14,
                           picture.top() + picture.height() * (patch / 14 + 0.5) / 14);
      const QColor seen =
          image.pixelColor(static_cast<int>(centre.x()), static_cast<int>(centre.y()));
      if (difference(seen, toColor(colors[static_cast<std::size_t>(patch)])) > 1) return false;
    }
    return true;
  };
  for (const int block : {0, 5, 11}) QTRY_VERIFY(matches(block));

  // The chosen one stands out by a frame and a marker above it.
  const QImage image = painted(tiles);
  const QRect chosen = tiles.pictureRect(2);
  const QColor accent = tiles.palette().color(QPalette::Highlight);
  QCOMPARE(colorAt(image, QPointF(chosen.left() - 2, chosen.center().y())), accent);
  QCOMPARE(colorAt(image, QPointF(chosen.center().x(), chosen.top() - 7)), accent);
}

void BlockStripTest::paneIsFollowedThatWasReference() {
  ShownPane shown;
  Pane second(1);
  BlockStrip strip(shown.pane, shown.view);
  strip.setReference(&second);
  strip.resize(400, 160);
  strip.show();
  strip.setPane(second);
  strip.setReference(&shown.pane);
  QCOMPARE(strip.tiles().tileCount(), 0);
  second.setInspection(shown.pane.inspection());
  QTRY_VERIFY(strip.tiles().width() > strip.tiles().tileRect(11).right());
}

void BlockStripTest::clickAndKeysChooseABlock() {
  ShownPane shown;
  BlockStrip strip(shown.pane, shown.view);
  strip.resize(1400, 160);
  strip.show();
  QTest::mouseClick(&strip.tiles(), Qt::LeftButton, {}, strip.tiles().tileRect(7).center());
  QCOMPARE(shown.view.block(), 7);
  QTest::keyClick(&strip.tiles(), Qt::Key_Left);
  QCOMPARE(shown.view.block(), 6);
  QTest::keyClick(&strip.tiles(), Qt::Key_Right);
  QCOMPARE(shown.view.block(), 7);
  QTest::keyClick(&strip.tiles(), Qt::Key_End);
  QCOMPARE(shown.view.block(), 11);
  QTest::keyClick(&strip.tiles(), Qt::Key_Home);
  QCOMPARE(shown.view.block(), 0);
  const int tokens = shown.pane.inspection()->result.layers[0].tokens_out;
  QCOMPARE(strip.tiles().accessibleDescription(),
           QStringLiteral("Block 1 of 12, %1 tokens").arg(tokens));
}

void BlockStripTest::playGoesRoundUntilTheUserActs() {
  ShownPane shown;
  BlockStrip strip(shown.pane, shown.view);
  strip.resize(1400, 160);
  strip.show();
  shown.view.setBlock(10);
  QTest::keyClick(&strip.tiles(), Qt::Key_Space);
  QVERIFY(strip.playing());
  QCOMPARE(shown.view.block(), 11);
  QTRY_COMPARE(shown.view.block(), 0);
  QVERIFY(strip.playing());
  shown.view.setBlock(5);
  QVERIFY(!strip.playing());
  strip.play();
  QTest::mouseClick(&strip.tiles(), Qt::LeftButton, {}, strip.tiles().tileRect(3).center());
  QVERIFY(!strip.playing());
  QCOMPARE(shown.view.block(), 3);
}

void BlockStripTest::narrowStripScrollsToTheChosenBlock() {
  ShownPane shown;
  BlockStrip strip(shown.pane, shown.view);
  strip.resize(400, 160);
  strip.show();
  QVERIFY(QTest::qWaitForWindowExposed(&strip));
  BlockTiles& tiles = strip.tiles();
  const auto inSight = [&](int block) {
    return tiles.visibleRegion().boundingRect().contains(tiles.pictureRect(block));
  };
  for (const int block : {11, 0, 6}) {
    shown.view.setBlock(block);
    QTRY_VERIFY(inSight(block));
  }
  shown.view.setBlock(11);
  for (const int width : {1400, 700, 300}) {
    strip.resize(width, 160);
    QTRY_VERIFY(inSight(11));
  }
  // Where there is room for all, all are in sight.
  strip.resize(1024, 160);
  for (int block = 0; block < 12; ++block) QTRY_VERIFY(inSight(block));
}

}  // namespace
ADAMERGE_UI_TEST(BlockStripTest)

}  // namespace adamerge::ui

#include "block_strip_test.moc"
