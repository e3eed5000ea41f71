// SPDX-License-Identifier: GPL-3.0-or-later
// The gallery and the classes in the real window: what an evaluation found, a click onto the
// canvas, images that moved, the contact sheet, half a million images.
#include <QtTest>
#include <QtWidgets>
#include <ctime>
#include <filesystem>

#include "adamerge/pictures.h"
#include "adamerge/report.h"
#include "evaluation/classes_page.h"
#include "evaluation/evaluation_panel.h"
#include "evaluation/gallery_model.h"
#include "evaluation/gallery_page.h"
#include "export/sheet_source.h"
#include "look/message.h"
#include "look/table.h"
#include "measured_images.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window/docks.h"
#include "window_fixture.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;
constexpr int kGalleryPatience = 180'000;

}  // namespace

class GalleryTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    qputenv("XDG_DATA_HOME", folder_.filePath("data").toUtf8());
    adamerge::test::makeClassFolders(images());
  }

  void showsWhatAnEvaluationFound() {
    WindowFixture fixture;
    QVERIFY(fixture.settle());
    fixture.window().actions().evaluate->trigger();
    EvaluationPanel& panel = fixture.window().docks().evaluation();
    EvaluationSetup setup = EvaluationSetup::standard();
    setup.data = images();
    setup.limit = 0;
    setup.methods = {"tome"};
    setup.r = "14";
    panel.setSetup(setup);
    QTest::mouseClick(&fixture.find<QPushButton>("evaluation-start"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(panel.gallery().file() != nullptr, kGalleryPatience);
    const PictureFile& file = *panel.gallery().file();
    QCOMPARE(file.pictures(), std::size_t{12});
    QTest::mouseClick(&fixture.find<QToolButton>("evaluation-gallery-tab"), Qt::LeftButton);
    choose(fixture.find<QComboBox>("gallery-show"), "All");
    auto& view = fixture.find<QListView>("gallery");
    QTRY_COMPARE(view.model()->rowCount(), 12);
    QCOMPARE(fixture.find<QLabel>("gallery-count").text(), QString("12 of 12 images"));

    // In the order of the loss of probability, each with what it was taken for.
    const std::vector<std::uint32_t> order = selectPictures(file, 1, {PictureShow::kAll, -1, -1});
    for (int row = 0; row < 12; ++row) {
      const std::size_t picture = order[static_cast<std::size_t>(row)];
      const QString text = view.model()->index(row, 0).data().toString();
      QVERIFY2(text.contains(QString::number(file.outcome(picture, 1).class_probability, 'f', 2)),
               qPrintable(text));
    }
    // First the picture, then its groups on it.
    const auto thumbnail = [&] {
      return view.model()->index(0, 0).data(Qt::DecorationRole).value<QImage>();
    };
    QTRY_VERIFY_WITH_TIMEOUT(!thumbnail().isNull(), kGalleryPatience);
    const QImage plain = toPlain(fixture, file, order[0], thumbnail().width());
    QTRY_VERIFY_WITH_TIMEOUT(thumbnail() != plain, kGalleryPatience);

    // A click: the canvas shows it with that setting.
    view.scrollTo(view.model()->index(0, 0));
    QTest::mouseClick(view.viewport(), Qt::LeftButton, {},
                      view.visualRect(view.model()->index(0, 0)).center());
    QTRY_COMPARE_WITH_TIMEOUT(fixture.workbench().picture()->path, file.place(order[0]).file,
                              kGalleryPatience);
    QCOMPARE(fixture.pane().choice().method, std::string("tome"));
    QCOMPARE(fixture.pane().compression(), 14);

    // What each block merged over the set is a plot among the others.
    const auto* counts_dock = fixture.window().findChild<QDockWidget*>("counts");
    QTRY_VERIFY(counts_dock->toggleViewAction()->isChecked());
    const auto plots = fixture.window().docks().plots();
    const auto counts = std::find_if(plots.begin(), plots.end(), [](const PlotPanel* plot) {
      return plot->id() == QString("counts");
    });
    QVERIFY(counts != plots.end());
    QCOMPARE((*counts)->content().series.size(), std::size_t{1});
    QCOMPARE((*counts)->content().series[0].points[3].y, 14.0);
    QCOMPARE((*counts)->content().series[0].legend, QString("ToMe, r 14"));

    // The classes, sorted by a click on a header; a row leads into the gallery.
    QTest::mouseClick(&fixture.find<QToolButton>("evaluation-classes-tab"), Qt::LeftButton);
    auto& table = fixture.find<SortedTable>("classes-table");
    const std::vector<ClassOutcome> classes = classOutcomes(file, 1);
    QTRY_COMPARE(table.model()->rowCount(), static_cast<int>(classes.size()));
    table.sortByColumn(ClassesModel::kImages, Qt::DescendingOrder);
    table.sortByColumn(ClassesModel::kClass, Qt::AscendingOrder);
    QCOMPARE(table.model()->index(0, ClassesModel::kClass).data().toString(), QString("airplane"));
    QCOMPARE(table.model()->index(0, ClassesModel::kImages).data().toString(), QString("3"));
    QVERIFY(table.copied().startsWith("Class\tΔ\t"));
    QTest::mouseClick(table.viewport(), Qt::LeftButton, {},
                      table.visualRect(table.model()->index(0, 0)).center());
    QVERIFY(view.isVisible());
    QTRY_COMPARE(panel.gallery().filter().label, 0);

    // The contact sheet goes where all figures go.
    choose(fixture.find<QComboBox>("gallery-show"), "All");
    QTRY_VERIFY(fixture.find<QToolButton>("gallery-sheet").isEnabled());
    GallerySheet sheet;
    connect(&panel.gallery(), &Gallery::sheetMade, this,
            [&](const GallerySheet& made) { sheet = made; });
    disconnect(&panel, &EvaluationPanel::sheetMade, nullptr, nullptr);
    QTest::mouseClick(&fixture.find<QToolButton>("gallery-sheet"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(sheet.sheet != nullptr, kGalleryPatience);
    QVERIFY(sheet.missing.empty());
    const std::vector<ExportSourcePtr> sources = gallerySources(sheet);
    QCOMPARE(sources.size(), std::size_t{2});
    const ExportStyle style;
    const fs::path pdf = folder_.filePath("sheet.pdf").toStdString();
    sources[0]->write(pdf, FigureFormat::kPdf, style);
    QVERIFY(fs::file_size(pdf) > 1000);
    QVERIFY(!sources[1]->render(style, 72).isNull());

    // One of them went since: it is named, the others are shown.
    const fs::path gone = file.place(order[1]).file;
    fs::rename(gone, gone.string() + ".away");
    const PictureFilePtr before = panel.gallery().file();
    panel.gallery().open(before->path());
    QTRY_VERIFY(panel.gallery().file() != before);
    panel.gallery().setFilter({PictureShow::kAll, -1, -1});
    auto* page = panel.findChild<GalleryPage*>();
    const auto notice = [&] { return page->findChildren<MessageLine*>().front()->text(); };
    QTRY_VERIFY2_WITH_TIMEOUT(notice().startsWith("1 image moved or changed"), qPrintable(notice()),
                              kGalleryPatience);
    fs::rename(gone.string() + ".away", gone);
    QVERIFY2(notice().contains(QString::fromStdString(gone.filename().string())),
             qPrintable(notice()));
    QTRY_COMPARE(view.model()->rowCount(), 12);
    QTRY_VERIFY_WITH_TIMEOUT(!thumbnail().isNull(), kGalleryPatience);
  }

  void namesImagesThatMovedAndShowsTheOthers() {
    const fs::path rows = folder_.filePath("rows.csv").toStdString();
    adamerge::test::writePictureRows(rows, images(), {{0, 0, 1}, {1, 1, 0}});
    WindowFixture fixture;
    QVERIFY(fixture.settle());
    fixture.window().actions().evaluate->trigger();
    EvaluationPanel& panel = fixture.window().docks().evaluation();
    QTest::mouseClick(&fixture.find<QToolButton>("evaluation-gallery-tab"), Qt::LeftButton);
    panel.gallery().open(rows);
    auto& view = fixture.find<QListView>("gallery");
    QTRY_COMPARE(view.model()->rowCount(), 2);
    auto* page = panel.findChild<GalleryPage*>();
    const auto notice = [&] { return page->findChildren<MessageLine*>().front()->text(); };
    QTRY_VERIFY2(notice().startsWith("2 images moved or changed"), qPrintable(notice()));
    QVERIFY2(notice().contains(".png: there is no such file"), qPrintable(notice()));
    // What is no such file is said, and what is shown stays.
    const fs::path other = folder_.filePath("other.csv").toStdString();
    adamerge::test::writeBytes(other, "a,b\n1,2\n");
    panel.gallery().open(other);
    QTRY_VERIFY2(notice().contains("no column"), qPrintable(notice()));
    QCOMPARE(view.model()->rowCount(), 2);
  }

  void halfAMillionImagesScroll() {
    const fs::path rows = folder_.filePath("many.csv").toStdString();
    adamerge::test::writePictureRows(rows, images(), {{0, 0, 1}, {1, 1, 0}});
    auto list = std::make_shared<GalleryList>();
    list->file = PictureFile::open(rows);
    list->point = 1;
    for (std::uint32_t row = 0; row < 500'000; ++row) list->pictures.push_back(row % 2);
    GalleryModel model;
    ThumbnailView view(model, GalleryModel::kLines);
    view.resize(340, 480);
    view.show();
    QVERIFY(QTest::qWaitForWindowExposed(&view));
    // Of this thread, on a machine that others use too.
    const auto cpu = [] {
      timespec time{};
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    };
    double begin = cpu();
    model.show(list, nullptr);
    view.scrollToBottom();
    QCoreApplication::processEvents();
    const double shown = cpu() - begin;
    QVERIFY(view.visualRect(model.index(499'999)).intersects(view.viewport()->rect()));
    begin = cpu();
    constexpr int kSteps = 50;
    for (int step = 0; step < kSteps; ++step) {
      view.verticalScrollBar()->setValue(view.verticalScrollBar()->maximum() / kSteps * step);
      view.viewport()->repaint();
      QCoreApplication::processEvents();
    }
    const double scrolled = (cpu() - begin) / kSteps;
    // Thumbnails that come in meanwhile cost what they show.
    begin = cpu();
    for (int step = 0; step < kSteps; ++step) {
      emit model.dataChanged(model.index(step), model.index(step), {Qt::DecorationRole});
      QCoreApplication::processEvents();
    }
    const double changed = (cpu() - begin) / kSteps;
    qInfo(
        "500,000 images: shown in %.0f ms, a step of scrolling %.1f ms, a thumbnail %.1f ms (CPU)",
        1000 * shown, 1000 * scrolled, 1000 * changed);
    QVERIFY2(shown < 2, qPrintable(QString::number(shown)));
    // A frame.
    QVERIFY2(scrolled < 0.016, qPrintable(QString::number(scrolled)));
    QVERIFY2(changed < 0.016, qPrintable(QString::number(changed)));
  }

 private:
  fs::path images() const { return folder_.filePath("images").toStdString(); }

  static void choose(QComboBox& box, const QString& text) {
    box.setCurrentText(text);
    emit box.activated(box.currentIndex());
  }

  /// The picture alone, as a thumbnail.
  static QImage toPlain(WindowFixture& fixture, const PictureFile& file, std::size_t picture,
                        int side) {
    const Image view =
        prepareImage(file.load(picture), fixture.workbench().engine()->info().preprocessing).view;
    return thumbnailOf(toQImage(view), side);
  }

  QTemporaryDir folder_;
};

ADAMERGE_UI_TEST(GalleryTest)

}  // namespace adamerge::ui::test

#include "gallery_test.moc"
