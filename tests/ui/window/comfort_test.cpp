// SPDX-License-Identifier: GPL-3.0-or-later
// What makes a day with the program pleasant: plots in windows of their own, panels that stay where
// they are, places that say what is the case.
#include <qcustomplot.h>

#include <QApplication>
#include <QDockWidget>
#include <QLabel>
#include <QLineEdit>
#include <QScrollArea>
#include <QSignalSpy>
#include <QSlider>
#include <QTimer>
#include <QToolButton>
#include <QtTest>

#include "bench/overlay_table.h"
#include "export/batch_dialog.h"
#include "look/widgets.h"
#include "plots/plot_panel.h"
#include "plots/sweep_plot.h"
#include "settings/calibration.h"
#include "sources/video.h"
#include "ui_test.h"
#include "video_file.h"
#include "window/actions.h"
#include "window/docks.h"
#include "window/stage.h"
#include "window_fixture.h"

namespace adamerge::ui::test {

class ComfortTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    fixture_ = std::make_unique<WindowFixture>(freshAdaMerge(8));
    fixture_->window().resize(1440, 900);
    QVERIFY(fixture_->settle());
  }
  void cleanupTestCase() { fixture_.reset(); }
  void cleanup() { QVERIFY(fixture_->startAgain()); }

  void aPlotIsLargeInAWindowOfItsOwnAndComesBack() {
    auto& dock = fixture_->find<QDockWidget>("tokens");
    auto& plot = fixture_->find<PlotPanel>("tokens");
    const QSize before = plot.size();
    auto* enlarge = plot.findChild<QToolButton*>("enlarge");
    QTest::mouseClick(enlarge, Qt::LeftButton);
    QVERIFY(dock.isFloating());
    QVERIFY2(plot.width() > before.width() && plot.height() > before.height(),
             qPrintable(QString("%1 x %2").arg(plot.width()).arg(plot.height())));
    QTest::mouseClick(enlarge, Qt::LeftButton);
    QVERIFY(!dock.isFloating());
    QTRY_VERIFY(isSeen(plot));
  }

  void theReadoutStandsBesideThePoint() {
    auto& panel = fixture_->find<PlotPanel>("tokens");
    QTRY_VERIFY(isSeen(panel));
    QCustomPlot& plot = panel.plot();
    plot.grab();
    for (const int block : {2, 6, 12}) {
      const PlotPoint& point =
          panel.content().series.back().points[static_cast<std::size_t>(block - 1)];
      const QPoint place(qRound(plot.xAxis->coordToPixel(point.x)),
                         plot.axisRect()->rect().center().y());
      QTest::mouseMove(&plot, place);
      auto* readout = plot.findChild<QLabel*>("readout");
      QTRY_VERIFY(readout->isVisible() &&
                  readout->text().contains(QString("Block %1 ").arg(block)));
      const QRect told = readout->geometry();
      const int away = std::max({told.left() - place.x(), place.x() - told.right(), 0});
      QVERIFY2(away <= 24, qPrintable(QString::number(away)));
      QVERIFY(plot.rect().contains(told));
    }
    QTest::mouseMove(&fixture_->window(), QPoint(5, 5));
  }

  void theCalibrationInForceIsInSight() {
    auto& told = fixture_->find<QLabel>("calibration");
    const LoadedModelPtr model = bench().model();
    const Statistics& own = *model->statistics;
    QVERIFY(told.isVisible());
    QVERIFY(told.text().contains(QString("%1 images").arg(own.images)));
    QVERIFY(told.text().contains(
        QString("%1 to %2").arg(own.entries.front().r_max).arg(own.entries.back().r_max)));
    QVERIFY(told.toolTip().contains(QString::fromStdString(own.source).toHtmlEscaped()));
    QVERIFY(!told.text().contains("outside"));
    bench().setCompression(0, own.entries.back().r_max + 10);
    QTRY_VERIFY(told.text().contains("outside"));
    auto others = std::make_shared<Statistics>(own);
    others->images = 7;
    others->source = "holiday";
    bench().useStatistics(others);
    QTRY_VERIFY(told.text().contains("7 images") &&
                told.text().contains("Back to the model's own"));
    QVERIFY(told.toolTip().contains("holiday"));
    emit told.linkActivated("own");
    QTRY_VERIFY(told.text().contains(QString("%1 images").arg(own.images)));
    QVERIFY(bench().chosenStatistics() == nullptr);
  }

  void messagesGo() {
    QVERIFY(fixture_->message().isEmpty());
    fixture_->window().actions().copy_picture->trigger();
    QTRY_VERIFY(fixture_->message().contains("clipboard"));
    QTRY_VERIFY_WITH_TIMEOUT(fixture_->message().isEmpty(), 20'000);
  }

  void theBatchBeginsWithTheOpenFolderAndSearchesNothingWhileOneTypes() {
    fixture_->dropPath(QStringLiteral(ADAMERGE_SAMPLES));
    QTRY_VERIFY(fixture_->find<QDockWidget>("images").isVisible());
    QVERIFY(fixture_->settle());
    bool seen = false;
    QTimer::singleShot(0, this, [&] {
      auto* dialog = qobject_cast<BatchDialog*>(QApplication::activeModalWidget());
      QVERIFY(dialog != nullptr);
      const auto says = [&](const QString& text) {
        const auto labels = dialog->findChildren<QLabel*>();
        return std::any_of(labels.begin(), labels.end(),
                           [&](const QLabel* label) { return label->text().contains(text); });
      };
      auto* line = dialog->findChild<QLineEdit*>();
      QCOMPARE(line->text(), QStringLiteral(ADAMERGE_SAMPLES));
      QTRY_VERIFY(says("4 images"));
      line->setFocus();
      line->selectAll();
      for (const QChar key : QStringLiteral("/usr")) {
        QTest::keyClick(line, key.toLatin1());
        QVERIFY(says("Looking for images"));
        QTest::qWait(60);  // longer than a search of an empty folder takes
        QVERIFY2(says("Looking for images"), qPrintable(line->text()));
      }
      dialog->reject();
      seen = true;
    });
    fixture_->window().actions().export_batch->trigger();
    QVERIFY(seen);
  }

  void theSliderHasNoDeadTravel() {
    auto& slider = fixture_->find<QSlider>("compression");
    const int most = fixture_->pane().compressionLimit(bench().model()->info.vit);
    int before = -1;
    int changes = 0;
    for (int place = slider.minimum(); place <= slider.maximum();
         place += std::max(1, slider.maximum() / 24)) {
      slider.setValue(place);
      changes += fixture_->pane().compression() != before;
      before = fixture_->pane().compression();
    }
    slider.setValue(slider.maximum());
    QCOMPARE(fixture_->pane().compression(), most);
    QVERIFY2(changes >= 24, qPrintable(QString::number(changes)));
  }

  void nothingJumpsUnderTheHand() {
    const auto placeOf = [this](const char* name) {
      auto& widget = fixture_->find<QWidget>(name);
      return widget.mapTo(&fixture_->window(), QPoint());
    };
    fixture_->find<QDockWidget>("overlay").raise();
    QTRY_VERIFY(fixture_->find<QWidget>("opacity").isVisible());
    const QPoint opacity = placeOf("opacity");
    const QPoint slider = placeOf("compression");
    const QSize canvas = grid().canvas(0).size();
    for (const OverlayInfo& overlay : overlays()) {
      if (overlay.value == OverlayKind::kDifference) continue;  // of two canvases
      fixture_->window().actions().overlay(overlay.value)->trigger();
      QCoreApplication::processEvents();
      QVERIFY2(placeOf("opacity") == opacity, overlay.id);
      QVERIFY2(placeOf("compression") == slider && grid().canvas(0).size() == canvas, overlay.id);
    }
    // Nor with the numbers that a result brings.
    for (const int count : {0, 7, 60, 120}) {
      bench().setCompression(0, count);
      QVERIFY(fixture_->settle());
      QCoreApplication::processEvents();
      QCOMPARE(placeOf("compression"), slider);
      QCOMPARE(grid().canvas(0).size(), canvas);
    }
    fixture_->find<QDockWidget>("method").raise();
  }

  void calibratingLeavesTheWindowInHand() {
    fixture_->window().actions().calibrate->trigger();
    auto* dialog = fixture_->window().findChild<CalibrationDialog*>();
    QVERIFY(dialog != nullptr && dialog->isVisible());
    QVERIFY(!dialog->isModal() && QApplication::activeModalWidget() == nullptr);
    auto& slider = fixture_->find<QSlider>("compression");
    const int before = fixture_->pane().compression();
    QTest::keyClick(&slider, Qt::Key_Right);
    QVERIFY(fixture_->pane().compression() > before);
    // Asked for again it is the same one.
    fixture_->window().actions().calibrate->trigger();
    QCOMPARE(fixture_->window().findChildren<CalibrationDialog*>().size(), 1);
    dialog->close();
  }

  void theTimeOfTheForwardPassStandsBesideTheFlops() {
    const QString after = fixture_->find<QLabel>("time-after").text();
    const double told = after.section(' ', 0, 0).remove(',').toDouble();
    QVERIFY2(after.endsWith(" ms") && told > 0, qPrintable(after));
    QVERIFY(std::abs(told - 1000 * fixture_->pane().inspection()->seconds) <= 1);
    QVERIFY(fixture_->find<QLabel>("time-before").text().endsWith(" ms"));
    QVERIFY(fixture_->find<QLabel>("time-after").isVisible());
  }

  void fileSizeAndZoomStandInTheStatusBar() {
    const QString told = fixture_->find<ElidedLabel>("view").text();
    const QSize size = bench().picture()->pixels.size();
    QVERIFY2(told.startsWith("bird.png") || told.startsWith("airplane.png"), qPrintable(told));
    QVERIFY(told.contains(QString("%1 × %2").arg(size.width()).arg(size.height())));
    QVERIFY(told.endsWith(" %"));
  }

  void spacePausesAVideo() {
    const QString path = fixture_->folder().filePath("clip.avi");
    QVERIFY(writeVideo(path.toStdString(), 60, 20));
    fixture_->dropPath(path);
    VideoSource& video = fixture_->window().video();
    QTRY_VERIFY(video.isOpen() && video.playing());
    CanvasView& canvas = grid().canvas(0);
    canvas.setFocus();
    QTest::keyClick(&canvas, Qt::Key_Space);
    QVERIFY(!video.playing());
    QTest::keyClick(&canvas, Qt::Key_Space);
    QVERIFY(video.playing());
    fixture_->dropPath(sample("bird"));
    QTRY_VERIFY(!video.isOpen());
    QTRY_VERIFY(bench().picture() != nullptr && bench().picture()->name == "bird.png");
  }

  void emptyPlacesSayWhatIsTheCase() {
    bench().sweeper().setEnabled(true);
    const auto says = [this](const char* id) {
      const auto* label = fixture_->find<PlotPanel>(id).findChild<QLabel*>("empty");
      return label->text();
    };
    // With a picture, what the method lacks; without, what to open.
    bench().restoreChoice(0, {"none", {}, nullptr, false});
    QVERIFY(fixture_->settle());
    auto& sweep = *fixture_->window().findChild<SweepPlot*>();
    QTRY_VERIFY(sweep.isEmpty());
    const QString nothing_merges = says("sweep");
    QVERIFY2(!nothing_merges.isEmpty(), qPrintable(nothing_merges));
    QVERIFY2(fixture_->find<PlotPanel>("redundancy").isEmpty(), "redundancy");
    QVERIFY2(says("redundancy").contains("Only AdaMerge"), qPrintable(says("redundancy")));
    fixture_->window().actions().close_picture->trigger();
    for (const char* id : {"tokens", "redundancy", "change"}) {
      QVERIFY(fixture_->find<PlotPanel>(id).isEmpty());
      QVERIFY2(says(id).contains("picture") || says(id).contains("image"), qPrintable(says(id)));
    }
    QVERIFY(fixture_->find<QLabel>("verdict").text().contains("No result"));
    fixture_->dropPath(sample("bird"));
    QTRY_VERIFY(bench().picture() != nullptr);
    QVERIFY(fixture_->settle());
    QVERIFY(!fixture_->find<PlotPanel>("tokens").isEmpty());
  }

 private:
  Workbench& bench() { return fixture_->workbench(); }
  CompareGrid& grid() { return fixture_->window().stage().grid(); }

  std::unique_ptr<WindowFixture> fixture_;
};

ADAMERGE_UI_TEST(ComfortTest)

}  // namespace adamerge::ui::test

#include "comfort_test.moc"
