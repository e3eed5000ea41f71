// SPDX-License-Identifier: GPL-3.0-or-later
// What makes one trust the program: numbers are those typed, files stay where they are, what is
// shown is what was opened last, and nothing ends the program.
#include <qcustomplot.h>

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDockWidget>
#include <QDoubleSpinBox>
#include <QDropEvent>
#include <QFile>
#include <QLabel>
#include <QMimeData>
#include <QSlider>
#include <QtTest>

#include "adamerge/report.h"
#include "bench/session.h"
#include "export/figure_source.h"
#include "look/theme.h"
#include "plots/plot_panel.h"
#include "plots/sweep_plot.h"
#include "sources/image_list.h"
#include "sources/sources.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window/docks.h"
#include "window/stage.h"
#include "window/window_session.h"
#include "window_fixture.h"

namespace adamerge::ui::test {

class TrustTest : public QObject {
  Q_OBJECT

 private slots:
  void cleanup() {
    fixture_.reset();
    QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates));
  }

  void numbersHaveAPointAndTakeAComma_data() {
    QTest::addColumn<QLocale>("locale");
    QTest::newRow("German") << QLocale(QLocale::German, QLocale::Germany);
    QTest::newRow("English") << QLocale(QLocale::English, QLocale::UnitedStates);
  }
  void numbersHaveAPointAndTakeAComma() {
    QFETCH(QLocale, locale);
    QLocale::setDefault(locale);
    open();
    auto& alpha = fixture_->find<QDoubleSpinBox>("setting-alpha");
    for (const char* typed : {"1.5", "0,5", "2.25", "0,75"}) {
      type(alpha, typed);
      QCOMPARE(alpha.value(), QString(typed).replace(',', '.').toDouble());
      QCOMPARE(alpha.text(), QString(typed).replace(',', '.'));
    }
  }

  void typedFlopsAreTaken_data() { numbersHaveAPointAndTakeAComma_data(); }
  void typedFlopsAreTaken() {
    QFETCH(QLocale, locale);
    QLocale::setDefault(locale);
    open();
    fixture_->window().stage().compression().setMode(CompressionMode::kFlops);
    const double unmerged = fixture_->workbench().model()->unmerged.paper;
    auto& number = fixture_->find<QDoubleSpinBox>("compression-number");
    const double wanted = std::round(70 * unmerged) / 100;
    for (const char* separator : {".", ","}) {
      fixture_->workbench().setCompression(0, 0);
      QVERIFY(fixture_->settle());
      type(number, QString::number(wanted, 'f', 2).replace('.', separator));
      QVERIFY(fixture_->settle());
      QTRY_VERIFY2(
          std::abs(fixture_->pane().inspection()->result.flops.paper - wanted) < 0.03 * unmerged,
          qPrintable(number.text()));
    }
    // Below what merging can reach, the least there is.
    type(number, "0.01");
    QVERIFY(fixture_->settle());
    // One run of the model for each step of the search.
    QTRY_VERIFY2_WITH_TIMEOUT(fixture_->pane().inspection()->result.flops.paper < 0.5 * unmerged,
                              qPrintable(number.text()), 60'000);
  }

  void droppedFilesAreNeverMoved() {
    open();
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(sample("ship"))});
    QDragEnterEvent enter(fixture_->window().rect().center(), Qt::MoveAction | Qt::CopyAction,
                          &data, Qt::LeftButton, Qt::ShiftModifier);
    QApplication::sendEvent(&fixture_->window(), &enter);
    QVERIFY(enter.isAccepted());
    QCOMPARE(enter.dropAction(), Qt::CopyAction);
    QDropEvent event(fixture_->window().rect().center(), Qt::MoveAction | Qt::CopyAction, &data,
                     Qt::LeftButton, Qt::ShiftModifier);
    QCOMPARE(event.proposedAction(), Qt::MoveAction);
    QApplication::sendEvent(&fixture_->window(), &event);
    QVERIFY(event.isAccepted());
    QCOMPARE(event.dropAction(), Qt::CopyAction);
    QTRY_COMPARE(shownName(), QString("ship.png"));
  }

  void slowPictureDoesNotReplaceANewerOne() {
    open();
    const QString slow = slowPicture();
    fixture_->window().sources().openPath(slow);
    QImage pasted(64, 48, QImage::Format_RGB32);
    pasted.fill(Qt::red);
    QApplication::clipboard()->setImage(pasted);
    fixture_->window().actions().paste->trigger();
    QTRY_COMPARE(fixture_->workbench().picture()->pixels.size(), QSize(64, 48));
    decodeOnce(slow);
    QCOMPARE(fixture_->workbench().picture()->pixels.size(), QSize(64, 48));
  }

  void closedPictureStaysClosed() {
    open();
    fixture_->window().sources().openPath(slowPicture());
    fixture_->window().actions().close_picture->trigger();
    QVERIFY(fixture_->workbench().picture() == nullptr);
    decodeOnce(slowPicture());
    QVERIFY(fixture_->workbench().picture() == nullptr);
  }

  void pastesOfEqualSizeAreDifferentPictures() {
    open();
    for (const Qt::GlobalColor color : {Qt::red, Qt::blue}) {
      QImage image(64, 64, QImage::Format_RGB32);
      image.fill(color);
      QApplication::clipboard()->setImage(image);
      fixture_->window().actions().paste->trigger();
      QTRY_COMPARE(QColor(fixture_->workbench().picture()->pixels.pixel(3, 3)), QColor(color));
      if (color == Qt::blue) {
        // Nothing of the red picture stays behind.
        const InspectionPtr kept = fixture_->pane().inspection();
        QVERIFY(kept == nullptr || kept->picture == fixture_->workbench().picture());
        QCOMPARE(fixture_->workbench().view().selectedPatch(), std::optional<int>());
      }
      QVERIFY(fixture_->settle());
      fixture_->workbench().view().select(10);
    }
  }

  void sessionsOpenedInHasteDoNotMix() {
    open();
    SessionKeeper& sessions = fixture_->window().sessions();
    fixture_->workbench().edit(0, {"tome", {{"r", std::int64_t{5}}}, nullptr, false}, "test");
    QVERIFY(fixture_->settle());
    const QString other = fixture_->folder().filePath("b.adamerge");
    QVERIFY(sessions.save(other));
    // One that needs another load of the model, whatever `auto` is here.
    const std::string dtype = fixture_->workbench().model()->dtype;
    Session first = captureSession(fixture_->workbench());
    first.engine.dtype = dtype == "bfloat16" ? "float32" : "bfloat16";
    first.panes = {{"pitome", {{"r", std::int64_t{3}}}, nullptr, false}};
    saveSession(first, fixture_->folder().filePath("a.adamerge").toStdString());
    sessions.open(fixture_->folder().filePath("a.adamerge").toStdString());
    sessions.open(other.toStdString());
    QTRY_VERIFY_WITH_TIMEOUT(!fixture_->workbench().models().loading(), 20'000);
    QVERIFY(fixture_->settle());
    QCOMPARE(fixture_->pane().choice().method, std::string("tome"));
    QCOMPARE(fixture_->pane().compression(), 5);
    QCOMPARE(fixture_->workbench().model()->dtype, dtype);
  }

  void brokenFileOfAFolderShowsNothingOfTheOldOne() {
    QFile::copy(sample("airplane"), folder_.filePath("a.png"));
    QFile torn(folder_.filePath("b.png"));
    QVERIFY(torn.open(QIODevice::WriteOnly));
    QFile good(sample("bird"));
    QVERIFY(good.open(QIODevice::ReadOnly));
    torn.write(good.read(2000));
    torn.close();
    open();
    fixture_->dropPath(folder_.path());
    QTRY_COMPARE(shownName(), QString("a.png"));
    QVERIFY(fixture_->settle());
    fixture_->window().actions().next_image->trigger();
    QTRY_VERIFY(fixture_->workbench().picture() == nullptr);
    QVERIFY(fixture_->pane().inspection() == nullptr);
    QVERIFY2(fixture_->window().windowTitle().contains("b.png"),
             qPrintable(fixture_->window().windowTitle()));
    fixture_->window().actions().previous_image->trigger();
    QTRY_VERIFY(fixture_->workbench().picture() != nullptr);
    QCOMPARE(shownName(), QString("a.png"));
  }

  void savingWhereOneMayNotIsSaid_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("named");
    QTest::addColumn<QString>("why");
    QTest::newRow("no such mount") << "/proc/nowhere/s.adamerge"
                                   << "/proc/nowhere"
                                   << "No such file or directory";
    QTest::newRow("name too long") << QDir::tempPath() + "/" + QString(300, 'x') + ".adamerge"
                                   << QString(300, 'x') << "name too long";
    QTest::newRow("folder is a file") << "/etc/passwd/s.adamerge"
                                      << "/etc/passwd"
                                      << "Not a directory";
  }
  void savingWhereOneMayNotIsSaid() {
    QFETCH(QString, path);
    open();
    QVERIFY(!fixture_->window().sessions().save(path));
    QFETCH(QString, named);
    QFETCH(QString, why);
    const QString said = fixture_->message();
    QVERIFY2(said.contains(named), qPrintable(said));
    QVERIFY2(said.contains(why), qPrintable(said));
  }

  void windowFitsTheScreenAndF11KeepsMaximised() {
    open();
    const QSize screen = fixture_->window().screen()->availableSize();
    QVERIFY(fixture_->window().width() <= screen.width());
    QVERIFY(fixture_->window().height() <= screen.height());
    fixture_->window().showMaximized();
    fixture_->window().actions().full_screen->trigger();
    QVERIFY(fixture_->window().isFullScreen());
    fixture_->window().actions().full_screen->trigger();
    QVERIFY(fixture_->window().isMaximized());
  }

  void sizeIsObeyedAfterAMaximisedSession() {
    open();
    fixture_->window().showMaximized();
    fixture_->window().sessions().saveLast();
    const QString settings = fixture_->settingsFile();
    StartOptions options;
    options.size = QSize(1024, 700);
    const WindowFixture again(options, settings);
    QVERIFY(!const_cast<WindowFixture&>(again).window().isMaximized());
    QCOMPARE(const_cast<WindowFixture&>(again).window().size(), QSize(1024, 700));
  }

  void unequalFlopsAreSaidOnTheCanvasAndInTheExport() {
    open();
    Workbench& bench = fixture_->workbench();
    bench.setPaneCount(2);
    bench.restoreChoice(1, {"dsm", {}, nullptr, false});
    bench.restoreChoice(0, {"tome", {{"r", std::int64_t{6}}}, nullptr, false});
    bench.setEqualFlops(true);
    QVERIFY(fixture_->settle());
    CanvasView& second = fixture_->window().stage().grid().canvas(1);
    QTRY_VERIFY2(second.note().isEmpty(), qPrintable(second.note()));
    // Far below what it can reach.
    bench.restoreChoice(0, {"tome", {{"r", std::int64_t{98}}}, nullptr, false});
    QVERIFY(fixture_->settle());
    const auto share = [&](int pane) {
      return bench.pane(pane).inspection()->result.flops.paper / bench.model()->unmerged.paper;
    };
    QTRY_VERIFY2(second.note().contains("not at equal FLOPs"),
                 qPrintable(QString("%1 beside %2").arg(share(1)).arg(share(0))));
    QVERIFY(second.note().contains(QString::number(100 * share(1), 'f', 1)));
    QVERIFY(second.note().contains(QString::number(100 * share(0), 'f', 1)));
    QVERIFY(fixture_->window().stage().grid().canvas(0).note().isEmpty());
    const ExportContext context = exportContext(bench);
    QCOMPARE(context.notes[1], second.note());
    const FigureInput figure =
        makeFigureInput(*context.panes[1], 3, {{}, {}, nullptr, context.notes[1]});
    QVERIFY(figure.subtitle.find("not at equal FLOPs") != std::string::npos);
  }

  void copyingTakesTheFigureAndSaysSo() {
    open();
    QApplication::clipboard()->clear();
    fixture_->window().actions().copy_picture->trigger();
    QTRY_VERIFY(!QApplication::clipboard()->image().isNull());
    QTRY_VERIFY2(fixture_->message().contains("clipboard"), qPrintable(fixture_->message()));
    ExportStyle style;
    style.page.overlay = fixture_->workbench().view().overlay();
    style.block = fixture_->workbench().view().block();
    const QImage figure = canvasFigure(exportContext(fixture_->workbench()))->render(style, 300);
    QCOMPARE(QApplication::clipboard()->image().size(), figure.size());
  }

  void aHeldRangeIsOneForAllBlocksAndCanvases() {
    open();
    Workbench& bench = fixture_->workbench();
    bench.setPaneCount(2);
    bench.restoreChoice(1, {"adamerge", {{"r_max", std::int64_t{60}}}, nullptr, false});
    QVERIFY(fixture_->settle());
    OverlayStyle style = bench.view().overlay();
    style.kind = OverlayKind::kAttention;
    style.scale = SalienceScale::kLinear;
    bench.view().setOverlay(style);
    // Every block of both canvases is there before the range of all is taken.
    const auto complete = [&bench](int pane) {
      const LensShownPtr lens = bench.pane(pane).lens();
      const InspectionPtr shown = bench.pane(pane).inspection();
      for (int block = 0; block < shown->depth(); ++block) {
        if (lens == nullptr || lens->map(*shown, OverlayKind::kAttention, block) == nullptr) {
          return false;
        }
      }
      return lens->inspection == shown;
    };
    QTRY_VERIFY(complete(0) && complete(1));
    fixture_->find<QCheckBox>("hold-range").click();
    const auto held = bench.view().overlay().heldRange(OverlayKind::kAttention);
    QVERIFY(held.has_value());
    QVERIFY(!bench.view().overlay().heldRange(OverlayKind::kSalience));
    float lowest = 1;
    float highest = 0;
    for (const int pane : {0, 1}) {
      for (const LensMap& map : bench.pane(pane).lens()->pictures->blocks) {
        for (const float value : map.values) {
          lowest = std::min(lowest, value);
          highest = std::max(highest, value);
        }
      }
    }
    QCOMPARE(held->lowest, static_cast<double>(lowest));
    QCOMPARE(held->highest, static_cast<double>(highest));
    type(fixture_->find<QDoubleSpinBox>("range-highest"), "0.5");
    QCOMPARE(bench.view().overlay().heldRange(OverlayKind::kAttention)->highest, 0.5);
    // A session keeps it; undo takes it back.
    const Session session = captureSession(bench);
    const std::string file = fixture_->folder().filePath("held.adamerge").toStdString();
    saveSession(session, file);
    QVERIFY(openSession(file).overlay == bench.view().overlay());
    fixture_->window().actions().undo->trigger();
    QCOMPARE(bench.view().overlay().heldRange(OverlayKind::kAttention)->highest, held->highest);
    fixture_->window().actions().undo->trigger();
    QVERIFY(!bench.view().overlay().heldRange(OverlayKind::kAttention));
  }

  void overlayChangesCanBeUndone() {
    open();
    fixture_->window().actions().overlay(OverlayKind::kSalience)->trigger();
    auto& opacity = fixture_->find<QSlider>("opacity");
    opacity.setValue(40);
    opacity.setValue(30);
    ViewState& view = fixture_->workbench().view();
    fixture_->window().actions().undo->trigger();
    QCOMPARE(view.overlay().opacity, OverlayStyle().opacity);
    QCOMPARE(static_cast<int>(view.overlay().kind), static_cast<int>(OverlayKind::kSalience));
    fixture_->window().actions().undo->trigger();
    QCOMPARE(static_cast<int>(view.overlay().kind), static_cast<int>(OverlayStyle().kind));
    fixture_->window().actions().redo->trigger();
    QCOMPARE(static_cast<int>(view.overlay().kind), static_cast<int>(OverlayKind::kSalience));
  }

  void blockBeyondTheModelIsSaid() {
    StartOptions options;
    options.fresh = true;
    options.block = 99;
    fixture_ = std::make_unique<WindowFixture>(options);
    QVERIFY(fixture_->settle());
    QVERIFY2(fixture_->message().contains("blocks 1 to 12"), qPrintable(fixture_->message()));
    QCOMPARE(fixture_->workbench().view().block(), 11);
  }

  void popupsShowAllTheirRows() {
    open();
    auto& box = fixture_->find<QComboBox>("method");
    fixture_->window().setTheme(Theme::kLight);
    box.showPopup();
    QAbstractItemView* view = box.view();
    QTRY_VERIFY(view->isVisible());
    const QRect last = view->visualRect(view->model()->index(box.count() - 1, 0));
    QVERIFY2(last.bottom() < view->viewport()->height(),
             qPrintable(QString("%1 in %2").arg(last.bottom()).arg(view->viewport()->height())));
    box.hidePopup();
  }

  void chosenMethodKeepsItsColourInTheList() {
    open();
    auto& box = fixture_->find<QComboBox>("method");
    for (int row = 0; row < box.count(); ++row) {
      const std::string id = box.itemData(row).toString().toStdString();
      const QImage chosen = box.itemIcon(row).pixmap(QSize(32, 32), 1, QIcon::Selected).toImage();
      QCOMPARE(chosen.pixelColor(16, 16).rgb(), methodColor(id).rgb());
    }
  }

  void doubleClickOnTheSweepFitsAndChoosesNothing() {
    open();
    fixture_->workbench().sweeper().setEnabled(true);
    auto* panel = fixture_->window().findChild<SweepPlot*>();
    QVERIFY(panel != nullptr);
    for (QWidget* parent = panel; parent != nullptr; parent = parent->parentWidget()) {
      if (auto* dock = qobject_cast<QDockWidget*>(parent)) dock->raise();
    }
    const auto points = [panel] {
      return panel->isEmpty() ? std::size_t{0} : panel->content().series.front().points.size();
    };
    QTRY_VERIFY_WITH_TIMEOUT(points() >= 5 && panel->isVisible(), 20'000);
    QCustomPlot& plot = panel->plot();
    // The ends of the range came first, then its middle.
    const double middle = panel->content().series.front().points[2].x;
    const QPoint place(qRound(plot.xAxis->coordToPixel(middle)),
                       plot.axisRect()->rect().center().y());
    const int before = fixture_->pane().compression();
    QTest::mouseDClick(&plot, Qt::LeftButton, {}, place);
    QTest::qWait(2 * QApplication::doubleClickInterval());
    QCOMPARE(fixture_->pane().compression(), before);
    QTest::mouseClick(&plot, Qt::LeftButton, {}, place);
    QTRY_VERIFY(fixture_->pane().compression() != before);
  }

  void topFiveOfBothRunsAreTold() {
    open();
    const Inspection& inspection = *fixture_->pane().inspection();
    const std::vector<std::string>& labels = inspection.model->info.labels;
    for (const bool merged : {false, true}) {
      const QString told =
          fixture_->find<QLabel>(merged ? "class-after" : "class-before").toolTip();
      QCOMPARE(told.count("<tr>"), 5);
      const ImageResult& run = merged ? inspection.result : *inspection.baseline;
      for (const Prediction& one : topPredictions(run.logits, labels, 5)) {
        QVERIFY2(told.contains(QString::fromStdString(one.label)), qPrintable(told));
        QVERIFY2(told.contains(QString::number(100 * one.probability, 'f', 1)), qPrintable(told));
      }
    }
  }

 private:
  void open() {
    fixture_ = std::make_unique<WindowFixture>(freshAdaMerge());
    QVERIFY(fixture_->settle());
  }
  /// Takes a while to decode.
  QString slowPicture() {
    const QString path = folder_.filePath("slow.png");
    if (QFile::exists(path)) return path;
    QImage image(4000, 3000, QImage::Format_RGB32);
    for (int y = 0; y < image.height(); ++y) {
      auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
      for (int x = 0; x < image.width(); ++x) line[x] = qRgb(x * y % 251, x % 239, y % 241);
    }
    if (!image.save(path, "PNG", 90)) qFatal("no slow picture");
    return path;
  }
  /// As long as the program takes for it at least: another loader, which starts later, is done.
  static void decodeOnce(const QString& path) {
    PictureLoader loader;
    QSignalSpy loaded(&loader, &PictureLoader::loaded);
    loader.open(path.toStdString());
    QTRY_COMPARE_WITH_TIMEOUT(loaded.size(), 1, 60'000);
    QCoreApplication::processEvents();
  }
  static void type(QAbstractSpinBox& box, const QString& text) {
    box.setFocus();
    box.selectAll();
    QTest::keyClicks(&box, text);
    QTest::keyClick(&box, Qt::Key_Return);
  }
  QString shownName() {
    const PicturePtr picture = fixture_->workbench().picture();
    return picture == nullptr ? QString() : picture->name;
  }

  QTemporaryDir folder_;
  std::unique_ptr<WindowFixture> fixture_;
};

ADAMERGE_UI_TEST(TrustTest)

}  // namespace adamerge::ui::test

#include "trust_test.moc"
