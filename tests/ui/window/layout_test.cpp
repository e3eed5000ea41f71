// SPDX-License-Identifier: GPL-3.0-or-later
// The window at its smallest usual size, with and without a folder: nothing is cut, and the
// canvases keep most of the room. Grounds in both themes.
#include <qcustomplot.h>

#include <QDockWidget>
#include <QLabel>
#include <QScrollArea>
#include <QScrollBar>
#include <QTabBar>
#include <QtTest>

#include "canvas/block_strip.h"
#include "canvas/canvas_view.h"
#include "canvas/legend.h"
#include "canvas/patch_readout.h"
#include "look/paint.h"
#include "look/theme.h"
#include "look/widgets.h"
#include "plots/plot_panel.h"
#include "settings/compression_bar.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window/stage.h"
#include "window_fixture.h"

namespace adamerge::ui::test {
namespace {

constexpr QSize kSmall(1024, 700);

/// Where a canvas shows its picture.
QRectF pictureIn(const CanvasView& canvas, const PicturePtr& picture) {
  const ViewMapping mapping = canvas.mapping();
  return {mapping.origin, QSizeF(picture->pixels.size()) * mapping.scale};
}

/// Of `inner` within `outer`, in pixels of `outer`.
QRect within(const QWidget& inner, const QWidget& outer) {
  return {inner.mapTo(&outer, QPoint()), inner.size()};
}

}  // namespace

class LayoutTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    fixture_ = std::make_unique<WindowFixture>(freshAdaMerge(8));
    QVERIFY(fixture_->settle());
  }
  void cleanupTestCase() { fixture_.reset(); }
  void cleanup() {
    fixture_->workbench().setPaneCount(1);
    fixture_->window().setTheme(Theme::kLight);
  }

  void smallWindows_data() {
    QTest::addColumn<bool>("folder");
    QTest::addColumn<int>("panes");
    QTest::addColumn<double>("least");  // side of a square picture, in pixels
    for (const bool folder : {false, true}) {
      const char* name = folder ? "%d canvases and a folder" : "%d canvases";
      // Qt 6.8's lines of text are a pixel or two higher than 6.4's.
      QTest::addRow(name, 1) << folder << 1 << 240.0;
      QTest::addRow(name, 2) << folder << 2 << 200.0;
      QTest::addRow(name, 4) << folder << 4 << 140.0;
    }
  }
  void smallWindows() {
    QFETCH(bool, folder);
    QFETCH(int, panes);
    QFETCH(double, least);
    MainWindow& window = fixture_->window();
    Workbench& bench = fixture_->workbench();
    auto& images = fixture_->find<QDockWidget>("images");
    if (folder && !images.isVisible()) {
      fixture_->dropPath(QStringLiteral(ADAMERGE_SAMPLES));
      QTRY_VERIFY(images.isVisible());
    }
    if (!folder) images.hide();
    bench.setPaneCount(panes);
    QVERIFY(fixture_->settle());
    window.resize(kSmall);
    QTRY_COMPARE(window.size(), kSmall);
    QCoreApplication::processEvents();

    const Stage& stage = window.stage();
    CompareGrid& grid = window.stage().grid();
    for (int index = 0; index < panes; ++index) {
      const CanvasView& canvas = grid.canvas(index);
      const QRectF picture = pictureIn(canvas, bench.picture());
      const QByteArray told = QStringLiteral("picture %1 x %2 in %3 x %4")
                                  .arg(picture.width())
                                  .arg(picture.height())
                                  .arg(canvas.width())
                                  .arg(canvas.height())
                                  .toUtf8();
      QVERIFY2(picture.height() >= least, told);
      QVERIFY2(QRectF(canvas.rect()).adjusted(-1, -1, 1, 1).contains(picture), told);
    }
    // Nothing of the stage lies beyond the window, nor is anything of the strip cut.
    QVERIFY(window.rect().contains(within(stage, window)));
    for (const QWidget* part : stage.findChildren<QWidget*>(Qt::FindDirectChildrenOnly)) {
      if (part->isVisible())
        QVERIFY2(stage.rect().contains(part->geometry()), part->metaObject()->className());
    }
    const BlockTiles& tiles = window.stage().strip().tiles();
    const BlockStrip& strip = window.stage().strip();
    const auto shown = [&] {
      const QRect tile = tiles.tileRect(bench.view().block());
      return QRect(tiles.mapTo(&strip, tile.topLeft()), tile.size());
    };
    QTRY_VERIFY2(strip.rect().contains(shown()), qPrintable(QString("%1, %2 to %3 in %4 x %5")
                                                                .arg(shown().left())
                                                                .arg(shown().top())
                                                                .arg(shown().bottom())
                                                                .arg(strip.width())
                                                                .arg(strip.height())));
    const auto* bar = strip.findChild<QScrollArea*>()->horizontalScrollBar();
    QTRY_VERIFY2(!bar->isVisible() || shown().bottom() <= within(*bar, strip).top(),
                 qPrintable(QString("a tile down to %1, the bar from %2")
                                .arg(shown().bottom())
                                .arg(within(*bar, strip).top())));
    for (const auto* tabs : window.findChildren<QTabBar*>(Qt::FindDirectChildrenOnly)) {
      if (!tabs->isVisible()) continue;
      QCOMPARE(tabs->elideMode(), Qt::ElideNone);
      QVERIFY2(tabs->tabRect(tabs->count() - 1).right() < tabs->width(),
               qPrintable(tabs->tabText(tabs->count() - 1)));
    }
  }

  /// What the read-outs leave out there stands on every canvas.
  void severalCanvasesInALowWindowTellTheirNumbersThemselves() {
    MainWindow& window = fixture_->window();
    const auto* readout = window.stage().compression().findChild<CompressionReadout*>();
    window.resize(1440, 900);
    fixture_->workbench().setPaneCount(4);
    QVERIFY(fixture_->settle());
    QTRY_VERIFY(readout->isVisible());
    window.resize(kSmall);
    QTRY_VERIFY(!readout->isVisible());
    for (int index = 0; index < 4; ++index) {
      CanvasView& canvas = window.stage().grid().canvas(index);
      const QImage with = canvas.grab().toImage();
      canvas.setClassShown(false);
      QVERIFY(canvas.grab().toImage() != with);
      canvas.setClassShown(true);
    }
    fixture_->workbench().setPaneCount(1);
    QTRY_VERIFY(readout->isVisible());
    QVERIFY(fixture_->find<QLabel>("verdict").isVisible());
  }

  void captionsBreakAndLoseNothing() {
    const QFontMetrics metrics(fixture_->window().font());
    const QString text = captionLines(*fixture_->pane().inspection()).back() + " · " +
                         classLine(*fixture_->pane().inspection());
    for (const int room : {90, 140, 240, 2000}) {
      const QStringList lines = brokenLines(text, metrics, room);
      QCOMPARE(lines.join(' ').remove(QStringLiteral("· ")),
               QString(text).remove(QStringLiteral("· ")));
      for (const QString& line : lines)
        QVERIFY2(metrics.horizontalAdvance(line) <= room, qPrintable(line));
      QVERIFY(room < 2000 || lines.size() == 1);
    }
    // Between parts where that suffices.
    const int part = metrics.horizontalAdvance("2.68 G (59.0 %)");
    QCOMPARE(brokenLines("43 tokens left · 2.68 G (59.0 %)", metrics, part),
             QStringList({"43 tokens left", "2.68 G (59.0 %)"}));
    // A word that fits nowhere is shortened: it alone.
    const QStringList long_word =
        brokenLines("a Donaudampfschifffahrtsgesellschaft b", metrics, 80);
    QCOMPARE(long_word.size(), 3);
    QVERIFY(long_word[1].endsWith(QStringLiteral("…")));
  }

  void labelsAndColourBarsStandBesideThePicture() {
    MainWindow& window = fixture_->window();
    window.resize(1440, 900);
    fixture_->window().actions().overlay(OverlayKind::kSalience)->trigger();
    QCoreApplication::processEvents();
    const CanvasView& canvas = window.stage().grid().canvas(0);
    const QRectF picture = pictureIn(canvas, fixture_->workbench().picture());
    QVERIFY(picture.top() >= captionHeight(2, canvas.fontMetrics()));
    QVERIFY(canvas.width() - picture.right() >=
            colorBarWidth(OverlayKind::kSalience, canvas.fontMetrics()));
    window.actions().overlay(OverlayKind::kGroups)->trigger();
  }

  void theLegendOfThePlotIsOneLine() {
    for (const QSize& size : {QSize(1440, 900), kSmall}) {
      fixture_->window().resize(size);
      QCoreApplication::processEvents();
      auto& plot = fixture_->find<PlotPanel>("tokens");
      QTRY_VERIFY(isSeen(plot));
      plot.plot().grab();
      PlotLegend& legend = plot.renderer().legend();
      QCOMPARE(legend.count(), 3);
      const int top = legend.rectOf("tokens left").top();
      for (const char* id : {"merged", "calibration"}) {
        QVERIFY2(legend.rectOf(id).isValid() && legend.rectOf(id).top() == top, id);
        QVERIFY(legend.rectOf(id).right() <= plot.plot().width());
      }
    }
  }

  void groundsAreTheThemes_data() {
    QTest::addColumn<int>("theme");
    QTest::newRow("light") << static_cast<int>(Theme::kLight);
    QTest::newRow("dark") << static_cast<int>(Theme::kDark);
  }
  void groundsAreTheThemes() {
    QFETCH(int, theme);
    MainWindow& window = fixture_->window();
    window.setTheme(static_cast<Theme>(theme));
    window.resize(1440, 900);
    QCoreApplication::processEvents();
    const QColor ground = window.palette().color(QPalette::Window);
    QCOMPARE(ground.lightness() < 128, static_cast<Theme>(theme) == Theme::kDark);
    const auto corner = [](QWidget& widget) {
      const QImage image = widget.grab().toImage();
      return image.pixel(image.width() - 3, image.height() - 3);
    };
    CanvasView& canvas = window.stage().grid().canvas(0);
    QCOMPARE(corner(canvas), canvasBackground(window.palette()).rgb());
    // Forms, strip and bar lie on the window's own colour.
    for (const char* name : {"method", "overlay"}) {
      auto& dock = fixture_->find<QDockWidget>(name);
      dock.raise();
      QTRY_VERIFY(!dock.visibleRegion().isEmpty());
      auto* viewport = dock.findChild<QScrollArea*>()->viewport();
      const QImage image = viewport->grab().toImage();
      QCOMPARE(image.pixel(2, 2), ground.rgb());
    }
    QCOMPARE(corner(window.stage().strip()), ground.rgb());
    QCOMPARE(corner(window.stage().compression()), ground.rgb());
    auto& plot = fixture_->find<PlotPanel>("tokens");
    const QImage drawn = plot.plot().grab().toImage();
    QCOMPARE(drawn.pixel(drawn.width() - 2, drawn.height() - 2),
             window.palette().color(QPalette::Base).rgb());
    fixture_->find<QDockWidget>("method").raise();
  }

 private:
  std::unique_ptr<WindowFixture> fixture_;
};

ADAMERGE_UI_TEST(LayoutTest)

}  // namespace adamerge::ui::test

#include "layout_test.moc"
