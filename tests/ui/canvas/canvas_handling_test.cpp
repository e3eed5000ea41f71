// SPDX-License-Identifier: GPL-3.0-or-later
// The canvas as a user handles it: clicks, wheel, drags, pinch, keys, linked canvases.
#include <QtTest>

#include "canvas/compare_grid.h"
#include "canvas_fixture.h"
#include "ui_test.h"

namespace adamerge::ui {
namespace {

using namespace test;

void wheel(QWidget& widget, const QPointF& position, int angle) {
  QWheelEvent event(position, widget.mapToGlobal(position), {}, {0, angle}, Qt::NoButton,
                    Qt::NoModifier, Qt::NoScrollPhase, false);
  QCoreApplication::sendEvent(&widget, &event);
}

void drag(QWidget& widget, Qt::MouseButton button, const QPoint& from, const QPoint& to) {
  QTest::mousePress(&widget, button, {}, from);
  for (int step = 1; step <= 4; ++step) {
    const QPointF position = QPointF(from) + QPointF(to - from) * step / 4;
    QMouseEvent move(QEvent::MouseMove, position, widget.mapToGlobal(position), Qt::NoButton,
                     button, Qt::NoModifier);
    QCoreApplication::sendEvent(&widget, &move);
  }
  QTest::mouseRelease(&widget, button, {}, to);
}

double distance(const QPointF& a, const QPointF& b) { return QLineF(a, b).length(); }

class CanvasHandlingTest : public QObject {
  Q_OBJECT
 private slots:
  void clickSelectsThePatchUnderIt();
  void clickBesideLetsGo();
  void hoverFollowsThePointer();
  void wheelKeepsThePointUnderThePointer();
  void dragPansAndSelectsNothing_data();
  void dragPansAndSelectsNothing();
  void pinchZooms();
  void keysMoveThroughBlocks();
  void linkedCanvasesShowTheSamePlace();
  void gridMarksAndActivates();
};

void CanvasHandlingTest::clickSelectsThePatchUnderIt() {
  ShownCanvas shown;
  const QRect inside = shown.canvas.rect().adjusted(4, 4, -4, -4);
  const auto clickAll = [&] {
    int clicked = 0;
    for (int patch = 0; patch < 196; patch += 5) {
      const QPoint place = shown.centreOf(patch).toPoint();
      if (!inside.contains(place)) continue;
      QTest::mouseClick(&shown.canvas, Qt::LeftButton, {}, place);
      if (shown.view.selectedPatch() != patch) return -1;
      ++clicked;
    }
    return clicked;
  };
  QCOMPARE(clickAll(), 40);
  shown.canvas.showActualSize();
  QCOMPARE(clickAll(), 40);
  for (const QPointF about : {QPointF(40, 60), QPointF(500, 420), QPointF(320, 100)}) {
    wheel(shown.canvas, about, 480);
    QVERIFY(clickAll() > 0);
  }
  shown.port.pan({QSizeF(448, 448), QSizeF(shown.canvas.size()), 1}, {37.25, -21.5});
  QVERIFY(clickAll() > 0);
}

void CanvasHandlingTest::clickBesideLetsGo() {
  ShownCanvas shown;
  shown.view.select(7);
  QTest::mouseClick(&shown.canvas, Qt::LeftButton, {}, QPoint(3, 3));
  QVERIFY(!shown.view.selectedPatch());
}

void CanvasHandlingTest::hoverFollowsThePointer() {
  ShownCanvas shown;
  QTest::mouseMove(&shown.canvas, shown.centreOf(33).toPoint());
  QTRY_COMPARE(shown.view.hoveredPatch(), std::optional(33));
  QEvent leave(QEvent::Leave);
  QCoreApplication::sendEvent(&shown.canvas, &leave);
  QVERIFY(!shown.view.hoveredPatch());
}

void CanvasHandlingTest::wheelKeepsThePointUnderThePointer() {
  ShownCanvas shown;
  for (const QPointF about : {QPointF(200, 180), QPointF(420, 300), QPointF(300, 390)}) {
    for (const int angle : {120, 120, 240, -120}) {
      const QPointF before = shown.canvas.mapping().toPicture(about);
      const double scale = shown.canvas.mapping().scale;
      wheel(shown.canvas, about, angle);
      QVERIFY((angle > 0) == (shown.canvas.mapping().scale > scale));
      QVERIFY(distance(shown.canvas.mapping().toWidget(before), about) <= 0.75);
    }
  }
  for (int i = 0; i < 60; ++i) wheel(shown.canvas, {300, 250}, 240);
  QVERIFY(shown.canvas.mapping().scale <= 64);
  for (int i = 0; i < 60; ++i) wheel(shown.canvas, {300, 250}, -240);
  QVERIFY(shown.canvas.mapping().scale >= 1);
}

void CanvasHandlingTest::dragPansAndSelectsNothing_data() {
  QTest::addColumn<int>("button");
  QTest::newRow("left") << static_cast<int>(Qt::LeftButton);
  QTest::newRow("middle") << static_cast<int>(Qt::MiddleButton);
}

void CanvasHandlingTest::dragPansAndSelectsNothing() {
  QFETCH(int, button);
  ShownCanvas shown;
  wheel(shown.canvas, {300, 250}, 480);
  const QPointF before = shown.canvas.mapping().toWidget({200, 200});
  drag(shown.canvas, static_cast<Qt::MouseButton>(button), {300, 250}, {260, 290});
  QVERIFY(distance(shown.canvas.mapping().toWidget({200, 200}), before + QPointF(-40, 40)) < 1.5);
  QVERIFY(!shown.view.selectedPatch());
}

void CanvasHandlingTest::pinchZooms() {
  ShownCanvas shown;
  static const QPointingDevice touchpad(
      QStringLiteral("touchpad"), 1, QInputDevice::DeviceType::TouchPad,
      QPointingDevice::PointerType::Finger, QInputDevice::Capability::Position, 2, 0);
  const QPointF about(200, 200);
  const double scale = shown.canvas.mapping().scale;
  const QPointF held = shown.canvas.mapping().toPicture(about);
  QNativeGestureEvent event(Qt::ZoomNativeGesture, &touchpad, 2, about, about,
                            shown.canvas.mapToGlobal(about), 0.25, {}, 1);
  QCoreApplication::sendEvent(&shown.canvas, &event);
  QVERIFY(qAbs(shown.canvas.mapping().scale - 1.25 * scale) < 1e-6);
  QVERIFY(distance(shown.canvas.mapping().toWidget(held), about) <= 0.75);
}

void CanvasHandlingTest::keysMoveThroughBlocks() {
  ShownCanvas shown;
  QTest::keyClick(&shown.canvas, Qt::Key_Right);
  QTest::keyClick(&shown.canvas, Qt::Key_Right);
  QCOMPARE(shown.view.block(), 2);
  QTest::keyClick(&shown.canvas, Qt::Key_Left);
  QCOMPARE(shown.view.block(), 1);
  QTest::keyClick(&shown.canvas, Qt::Key_End);
  QCOMPARE(shown.view.block(), 11);
  shown.canvas.showActualSize();
  QCOMPARE(shown.canvas.mapping().scale, 1.0);
  shown.canvas.zoomIn();
  QVERIFY(shown.canvas.mapping().scale > 1.2);
  const QPointF before = shown.canvas.mapping().origin;
  QTest::keyClick(&shown.canvas, Qt::Key_Right, Qt::ControlModifier);
  QVERIFY(shown.canvas.mapping().origin.x() < before.x());
  shown.canvas.fit();
  QVERIFY(shown.port.fits());
  QTest::keyClick(&shown.canvas, Qt::Key_Up, Qt::ShiftModifier);
  QCOMPARE(shown.view.selectedPatch(), std::optional(7 * 14 + 7));
  QTest::keyClick(&shown.canvas, Qt::Key_Left, Qt::ShiftModifier);
  QCOMPARE(shown.view.selectedPatch(), std::optional(7 * 14 + 6));
}

void CanvasHandlingTest::linkedCanvasesShowTheSamePlace() {
  ShownCanvas shown;
  CanvasView other(shown.pane, shown.view, shown.port);
  other.resize(shown.canvas.size());
  wheel(shown.canvas, {100, 100}, 360);
  drag(shown.canvas, Qt::LeftButton, {200, 200}, {150, 260});
  QCOMPARE(other.mapping(), shown.canvas.mapping());
}

void CanvasHandlingTest::gridMarksAndActivates() {
  Workbench workbench;
  CompareGrid grid(workbench);
  grid.resize(900, 600);
  grid.show();
  QCOMPARE(grid.canvas(0).size(), QSize(900, 600));
  workbench.setPaneCount(2);
  QCOMPARE(grid.canvas(0).size(), grid.canvas(1).size());
  QCOMPARE(grid.canvas(0).height(), 600);
  workbench.setPaneCount(4);
  for (int index = 1; index < 4; ++index) {
    QVERIFY(grid.canvas(index).isVisible());
    QCOMPARE(grid.canvas(index).size(), grid.canvas(0).size());
  }
  QTest::mouseClick(&grid.canvas(2), Qt::LeftButton, {}, QPoint(50, 50));
  QCOMPARE(workbench.activeIndex(), 2);
  const QColor accent = grid.palette().color(QPalette::Highlight);
  QCOMPARE(colorAt(painted(grid.canvas(2)), {1, 100}), accent);
  QVERIFY(colorAt(painted(grid.canvas(0)), {1, 100}) != accent);
  QCOMPARE(grid.referenceOf(2), &workbench.pane(0));
  QCOMPARE(grid.referenceOf(0), &workbench.pane(1));
}

}  // namespace
ADAMERGE_UI_TEST(CanvasHandlingTest)

}  // namespace adamerge::ui

#include "canvas_handling_test.moc"
