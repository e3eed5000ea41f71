// SPDX-License-Identifier: GPL-3.0-or-later
// The canvas as a user sees it: colours under known pixels.
#include <QtTest>
#include <memory>

#include "canvas/legend.h"
#include "canvas_fixture.h"
#include "look/paint.h"
#include "ui_test.h"

namespace adamerge::ui {
namespace {

using namespace test;

constexpr int kRounding = 1;  ///< of one 8-bit composition

class CanvasDrawingTest : public QObject {
  Q_OBJECT
 private slots:
  void groupsHaveTheirMeanColor_data();
  void groupsHaveTheirMeanColor();
  void whatTheModelDoesNotSeeIsDimmed();
  void pictureAloneUntilTheResult();
  void pictureBeforeStaysForAMoment();
  void actualSizeIsSharp();
  void largePicturesAreSmoothedDown();
  void selectionIsOutlinedInEveryBlock();
  void heatMapsComeWithTheCoresNumbers();
  void busyOnlyWhenItTakesLong();
  void differenceShowsWhereGroupsDisagree();
};

void CanvasDrawingTest::groupsHaveTheirMeanColor_data() {
  QTest::addColumn<double>("ratio");
  QTest::newRow("one") << 1.0;
  QTest::newRow("one and a half") << 1.5;
  QTest::newRow("two") << 2.0;
}

void CanvasDrawingTest::groupsHaveTheirMeanColor() {
  QFETCH(double, ratio);
  ShownCanvas shown;
  const Inspection& inspection = *shown.pane.inspection();
  for (const int block : {0, 5, 11}) {
    shown.view.setBlock(block);
    const auto colors =
        groupColors(inspection.prepared->view, inspection.gridHeight(), inspection.gridWidth(),
                    inspection.result.layers[static_cast<std::size_t>(block)].groups);
    const QImage image = painted(shown.canvas, ratio);
    for (std::size_t patch = 0; patch < colors.size(); ++patch) {
      const QColor seen = colorAt(image, shown.centreOf(static_cast<int>(patch)));
      QVERIFY2(difference(seen, toColor(colors[patch])) <= kRounding,
               qPrintable(QStringLiteral("block %1, patch %2").arg(block).arg(patch)));
    }
  }
}

void CanvasDrawingTest::whatTheModelDoesNotSeeIsDimmed() {
  constexpr int kBand = 120;
  ShownCanvas shown(inspectPicture(widePicture(kBand), adaMerge()));
  OverlayStyle style;
  style.kind = OverlayKind::kNone;
  style.dim_outside = true;
  shown.view.setOverlay(style);
  shown.canvas.showActualSize();
  const QPointF outside = shown.canvas.mapping().toWidget({kBand - 40, 224});
  const QPointF inside = shown.canvas.mapping().toWidget({kBand + 50.5, 224.5});
  const QColor original = samplePicture()->pixels.pixelColor(50, 224);
  QImage image = painted(shown.canvas);
  QVERIFY(colorAt(image, outside).red() < kBandLevel / 2);
  QCOMPARE(image.pixelColor(inside.toPoint() - QPoint(1, 1)).alpha(), 255);
  QVERIFY(difference(
              image.pixelColor(QPoint(static_cast<int>(inside.x()), static_cast<int>(inside.y()))),
              original) <= kRounding);

  style.dim_outside = false;
  shown.view.setOverlay(style);
  image = painted(shown.canvas);
  QCOMPARE(colorAt(image, outside), QColor(kBandLevel, kBandLevel, kBandLevel));
}

void CanvasDrawingTest::pictureAloneUntilTheResult() {
  Pane pane(0);
  ViewState view;
  ViewPort port;
  view.setOverlay(plainFill());
  CanvasView canvas(pane, view, port);
  canvas.setCaptionVisible(false);
  canvas.resize(500, 500);
  const QColor empty = colorAt(painted(canvas), {20, 20});
  QCOMPARE(empty.rgb(), canvasBackground(canvas.palette()).rgb());

  const InspectionPtr inspection = inspectSample();
  canvas.setPicture(inspection->picture);
  canvas.showActualSize();
  const QPointF place = canvas.mapping().toWidget({100.5, 200.5});
  const QPoint pixel(static_cast<int>(place.x()), static_cast<int>(place.y()));
  QCOMPARE(painted(canvas).pixelColor(pixel), inspection->picture->pixels.pixelColor(100, 200));

  view.setDepth(inspection->depth());
  pane.setInspection(inspection);
  const auto colors = groupColors(inspection->prepared->view, inspection->gridHeight(),
                                  inspection->gridWidth(), inspection->result.layers[0].groups);
  const int patch = *inspection->patchAt({100.5, 200.5});
  QVERIFY(difference(painted(canvas).pixelColor(pixel),
                     toColor(colors[static_cast<std::size_t>(patch)])) <= kRounding);

  pane.setInspection(nullptr);
  canvas.setPicture(nullptr);
  QCOMPARE(colorAt(painted(canvas), {250, 20}), empty);
}

void CanvasDrawingTest::pictureBeforeStaysForAMoment() {
  ShownCanvas shown;
  OverlayStyle bare;
  bare.kind = OverlayKind::kNone;
  shown.view.setOverlay(bare);
  const PicturePtr next = samplePicture("ship");
  const QPointF middle(300, 250);
  const QColor before = colorAt(painted(shown.canvas), middle);
  shown.canvas.setPicture(next);
  QCOMPARE(colorAt(painted(shown.canvas), middle), before);
  QTRY_VERIFY(colorAt(painted(shown.canvas), middle) != before);

  shown.pane.setInspection(inspectPicture(samplePicture("bird"), adaMerge()));
  QVERIFY2(colorAt(painted(shown.canvas), middle) != before, "a late result goes back");
}

void CanvasDrawingTest::actualSizeIsSharp() {
  ShownCanvas shown;
  OverlayStyle bare;
  bare.kind = OverlayKind::kNone;
  shown.view.setOverlay(bare);
  for (const double factor : {1.0, 8.0}) {
    shown.canvas.showActualSize();
    if (factor > 1) {
      shown.port.zoom({QSizeF(448, 448), QSizeF(shown.canvas.size()), 1}, {300, 250}, factor);
    }
    const QImage image = painted(shown.canvas);
    for (const QPoint pixel : {QPoint(220, 230), QPoint(230, 215), QPoint(224, 224)}) {
      const QPointF place = shown.canvas.mapping().toWidget(QPointF(pixel) + QPointF(0.5, 0.5));
      const QColor seen =
          image.pixelColor(static_cast<int>(place.x()), static_cast<int>(place.y()));
      QCOMPARE(seen, samplePicture()->pixels.pixelColor(pixel));
    }
  }
}

void CanvasDrawingTest::largePicturesAreSmoothedDown() {
  // One pixel black, one white: without averaging it would shimmer or vanish.
  auto picture = std::make_shared<Picture>();
  picture->pixels = QImage(2400, 2400, QImage::Format_RGB32);
  for (int y = 0; y < 2400; ++y) {
    for (int x = 0; x < 2400; ++x) picture->pixels.setPixel(x, y, (x + y) % 2 ? 0xFFFFFF : 0);
  }
  Pane pane(0);
  ViewState view;
  ViewPort port;
  CanvasView canvas(pane, view, port);
  canvas.resize(316, 316);
  canvas.setPicture(picture);
  QTRY_VERIFY(difference(colorAt(painted(canvas), {150, 150}), QColor(128, 128, 128)) <= 2);
  QVERIFY(difference(colorAt(painted(canvas), {151, 150}), QColor(128, 128, 128)) <= 2);
}

void CanvasDrawingTest::selectionIsOutlinedInEveryBlock() {
  ShownCanvas shown;
  const int patch = 100;
  for (const int block : {0, 4, 11}) {
    shown.view.setBlock(block);
    shown.view.select(std::nullopt);
    const QImage before = painted(shown.canvas);
    shown.view.select(patch);
    const QImage after = painted(shown.canvas);
    const std::vector<int> members = shown.pane.inspection()->groupOf(patch, block);
    for (int other = 0; other < 196; ++other) {
      const QPointF centre = shown.centreOf(other);
      const bool member = std::find(members.begin(), members.end(), other) != members.end();
      const int change = difference(colorAt(before, centre), colorAt(after, centre));
      // The rest steps back, the group keeps its colour.
      if (member) QVERIFY(change <= kRounding);
      if (!member) QVERIFY(change > 5 || colorAt(before, centre).value() < 20);
    }
  }
}

void CanvasDrawingTest::heatMapsComeWithTheCoresNumbers() {
  ShownCanvas shown;
  OverlayStyle style;
  style.kind = OverlayKind::kSalience;
  style.scale = SalienceScale::kPercentile;
  style.colormap = Colormap::kMagma;
  style.opacity = 1;
  const Inspection& inspection = *shown.pane.inspection();
  const std::optional<ColorBar> bar = colorBar(inspection, nullptr, style, 3);
  QVERIFY(bar);
  const auto ticks = scaleTicks(inspection.result.layers[3].salience, style.scale, 5);
  QCOMPARE(bar->ticks.size(), ticks.size());
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    QCOMPARE(bar->ticks[i].label, ticks[i].label);
    QCOMPARE(bar->ticks[i].position, ticks[i].position);
  }
  QCOMPARE(bar->scale, QStringLiteral("percentile"));
  style.kind = OverlayKind::kGroups;
  QVERIFY(!colorBar(inspection, nullptr, style, 3));

  style.kind = OverlayKind::kSalience;
  shown.view.setBlock(3);
  shown.view.setOverlay(style);
  const QImage image = painted(shown.canvas);
  const auto positions = scaleSalience(inspection.result.layers[3].salience, style.scale);
  for (const int patch : {0, 60, 110, 150}) {
    const QColor expected =
        toColor(colormapColor(style.colormap, positions[static_cast<std::size_t>(patch)]));
    QVERIFY(difference(colorAt(image, shown.centreOf(patch)), expected) <= kRounding);
  }
}

void CanvasDrawingTest::busyOnlyWhenItTakesLong() {
  ShownCanvas shown;
  QVERIFY(QTest::qWaitForWindowExposed(&shown.canvas));
  auto* indicator = shown.canvas.findChild<BusyIndicator*>();
  shown.pane.setBusy(true);
  QVERIFY(!indicator->turning());
  shown.pane.setBusy(false);
  QTest::qWait(250);
  QVERIFY(!indicator->turning());
  shown.pane.setBusy(true);
  QTRY_VERIFY(indicator->turning());
  shown.pane.setBusy(false);
  QVERIFY(!indicator->turning());
}

void CanvasDrawingTest::differenceShowsWhereGroupsDisagree() {
  ShownCanvas shown;
  Pane second(1);
  second.setInspection(inspectSample({"tome", {{"r", std::int64_t{8}}}, nullptr, false}));
  OverlayStyle style;
  style.kind = OverlayKind::kDifference;
  shown.view.setBlock(4);
  shown.view.setOverlay(style);
  shown.canvas.setReference(&shown.pane);  // the legend has its room, nothing is marked
  const QImage bare = painted(shown.canvas);
  shown.canvas.setReference(&second);
  const QImage marked = painted(shown.canvas);
  const auto differ = groupDifference(shown.pane.inspection()->result.layers[4].groups,
                                      second.inspection()->result.layers[4].groups);
  for (int patch = 0; patch < 196; ++patch) {
    const QRectF place = shown.pane.inspection()->patchRect(patch);
    const QRect seen(shown.canvas.mapping().toWidget(place.topLeft()).toPoint() + QPoint(4, 4),
                     shown.canvas.mapping().toWidget(place.bottomRight()).toPoint() - QPoint(5, 5));
    const bool changed = bare.copy(seen) != marked.copy(seen);
    QVERIFY2(changed == static_cast<bool>(differ[static_cast<std::size_t>(patch)]),
             qPrintable(QString("patch %1").arg(patch)));
  }
}

}  // namespace
ADAMERGE_UI_TEST(CanvasDrawingTest)

}  // namespace adamerge::ui

#include "canvas_drawing_test.moc"
