// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <QElapsedTimer>
#include <QLabel>
#include <QListView>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>
#include <atomic>
#include <fstream>
#include <future>
#include <stdexcept>

#include "adamerge/image.h"
#include "look/message.h"
#include "sample_inspection.h"
#include "sources/image_list.h"
#include "sources/thumbnails.h"
#include "ui_test.h"

namespace adamerge::ui::test {

namespace fs = std::filesystem;

struct ShownThumbnails : ThumbnailList {
  ShownThumbnails() {
    resize(400, 330);
    show();
    connect(this, &ThumbnailList::chosen, this,
            [this](const fs::path& path) { names.push_back(path.filename().string()); });
  }
  QListView* view() const { return findChild<QListView*>(); }
  QAbstractItemModel* model() const { return view()->model(); }
  bool shows(const QString& text) const {
    const auto labels = findChildren<QLabel*>();
    return std::any_of(labels.begin(), labels.end(), [&](const QLabel* label) {
      return label->isVisible() && label->text().contains(text);
    });
  }
  QImage thumbnail(int row) const {
    return model()->index(row, 0).data(Qt::DecorationRole).value<QImage>();
  }
  std::vector<std::string> names;
};

class ThumbnailListTest : public QObject {
  Q_OBJECT
 private:
  QTemporaryDir temporary_;
  fs::path folder_{temporary_.path().toStdString()};

 private slots:
  void initTestCase() {
    fs::create_directory(folder_ / "mixed");
    for (const char* name : {"airplane", "bird", "ship"}) {
      fs::copy_file(samplePath(name), folder_ / "mixed" / (std::string(name) + ".png"));
    }
    std::ofstream(folder_ / "mixed" / "broken.png") << "no picture";
  }

  /// A list that is painted again asks again for what is being made.
  void aPictureIsMadeOnceUntilItIsTold() {
    ThumbnailDecoder decoder;
    QSignalSpy failed(&decoder, &ThumbnailDecoder::failed);
    std::atomic<int> made = 0;
    std::promise<void> go;
    const ThumbnailDecoder::Job slow{7, [&]() -> QImage {
                                       if (++made == 1) go.get_future().wait();
                                       throw std::runtime_error("there is no such file");
                                     }};
    decoder.want({slow, slow});
    QTRY_COMPARE(made.load(), 1);
    decoder.want({slow});
    go.set_value();
    QTRY_COMPARE(failed.size(), 1);
    // Told, it may be asked for again.
    decoder.want({slow});
    QTRY_COMPARE(failed.size(), 2);
    QTest::qWait(20);
    QCOMPARE(failed.size(), 2);
    QCOMPARE(made.load(), 2);
  }

  void saysWhatToDoWhileItIsEmpty() {
    ShownThumbnails list;
    QVERIFY(list.shows("drop a folder or several pictures"));
    QVERIFY(!list.current());
    list.step(1);
    QVERIFY(list.names.empty());
  }

  void opensAFolderAndStepsThroughIt() {
    ShownThumbnails list;
    list.openFolder(folder_ / "mixed");
    QVERIFY(list.shows("Looking for pictures in mixed"));
    QTRY_COMPARE(list.names, std::vector<std::string>{"airplane.png"});
    QVERIFY(list.shows("1 of 4"));
    list.step(1);
    list.step(1);
    QCOMPARE(list.names.back(), std::string("broken.png"));
    QVERIFY(list.shows("3 of 4"));
    list.step(5);
    QCOMPARE(list.names.back(), std::string("ship.png"));
    const std::size_t before = list.names.size();
    list.step(1);
    QCOMPARE(list.names.size(), before);
    QVERIFY(list.shows("4 of 4"));
    QTest::keyClick(list.view(), Qt::Key_Left);
    QCOMPARE(list.names.back(), std::string("broken.png"));
    QTest::mouseClick(list.view()->viewport(), Qt::LeftButton, {},
                      list.view()->visualRect(list.model()->index(1, 0)).center());
    QCOMPARE(list.names.back(), std::string("bird.png"));
    QCOMPARE(list.current(), folder_ / "mixed" / "bird.png");
  }

  void opensAFolderAtAPicture() {
    ShownThumbnails list;
    list.openFolder(folder_ / "mixed", folder_ / "mixed" / "ship.png");
    QTRY_COMPARE(list.names, std::vector<std::string>{"ship.png"});
  }

  void marksWhatWasOpenedElsewhereSilently() {
    ShownThumbnails list;
    list.setFiles({samplePath("bird"), samplePath("ship")}, "2 pictures");
    QCOMPARE(list.names, std::vector<std::string>{"bird.png"});
    list.setCurrent(samplePath("ship"));
    QVERIFY(list.shows("2 of 2"));
    list.setCurrent("/elsewhere/cat.png");
    QVERIFY(!list.current());
    QVERIFY(list.shows("2 pictures"));
    QCOMPARE(list.names.size(), 1U);
    list.step(1);
    QCOMPARE(list.names.back(), std::string("bird.png"));
  }

  void drawsThePicturesAndMarksTheOpenOne() {
    ShownThumbnails list;
    list.setFiles({samplePath("bird"), samplePath("ship")}, "2 pictures");
    QTRY_VERIFY(!list.thumbnail(0).isNull() && !list.thumbnail(1).isNull());
    const Image bird = loadImage(samplePath("bird"));
    const QRect cell = list.view()->visualRect(list.model()->index(0, 0));
    const QImage drawn = list.view()->viewport()->grab().toImage();
    const QImage thumbnail = list.thumbnail(0);
    QCOMPARE(thumbnail.size(), QSize(bird.width, bird.height)
                                   .scaled(96, 96, Qt::KeepAspectRatio)
                                   .boundedTo({bird.width, bird.height}));
    // The picture lies in the middle of the cell's upper part.
    const QPoint middle(cell.left() + 1 + cell.width() / 2, cell.top() + 2 + 6 + 48);
    const QColor expected = thumbnail.pixelColor(thumbnail.width() / 2, thumbnail.height() / 2);
    const QColor got = drawn.pixelColor(middle);
    QVERIFY2(std::abs(expected.red() - got.red()) < 12 &&
                 std::abs(expected.green() - got.green()) < 12 &&
                 std::abs(expected.blue() - got.blue()) < 12,
             qPrintable(expected.name() + " " + got.name()));
    const QColor highlight = list.palette().color(QPalette::Highlight);
    const auto edge = [&](int row) {
      const QRect rect = list.view()->visualRect(list.model()->index(row, 0));
      return drawn.pixelColor(rect.center().x(), rect.top() + 3);
    };
    QCOMPARE(edge(0), highlight);
    QVERIFY(edge(1) != highlight);
  }

  void brokenFilesSayWhatIsWrong() {
    ShownThumbnails list;
    list.openFolder(folder_ / "mixed");
    QTRY_COMPARE(list.names.size(), 1U);
    const QModelIndex broken = list.model()->index(2, 0);
    QTRY_VERIFY(!broken.data(ThumbnailModel::kProblemRole).toString().isEmpty());
    QString expected;
    try {
      loadImage(folder_ / "mixed" / "broken.png");
    } catch (const std::exception& error) {
      expected = QString::fromUtf8(error.what());
    }
    QVERIFY(expected.contains("broken.png"));
    QCOMPARE(broken.data(Qt::ToolTipRole).toString(), expected);
    const QRect cell = list.view()->visualRect(broken);
    const QImage drawn = list.view()->viewport()->grab(cell).toImage();
    int warning = 0;
    for (int y = 0; y < drawn.height(); ++y) {
      for (int x = 0; x < drawn.width(); ++x) {
        warning += drawn.pixelColor(x, y) == severityColor(Severity::kWarning) ? 1 : 0;
      }
    }
    QVERIFY2(warning > 100, qPrintable(QString::number(warning)));
  }

  void oneRowRunsSideways() {
    ShownThumbnails list;
    list.openFolder(folder_ / "mixed");
    QTRY_COMPARE(list.names.size(), 1U);
    const auto place = [&](int row) {
      return list.view()->visualRect(list.model()->index(row, 0)).topLeft();
    };
    list.resize(300, 330);
    QTRY_VERIFY(place(3).y() > place(0).y());
    list.resize(300, 170);
    QTRY_COMPARE(place(3).y(), place(0).y());
    list.step(3);
    QTRY_VERIFY(list.view()->viewport()->rect().contains(
        list.view()->visualRect(list.model()->index(3, 0)).center()));
  }

  void aFolderWithoutPicturesIsExplained() {
    fs::create_directory(folder_ / "empty");
    ShownThumbnails list;
    QSignalSpy failed(&list, &ThumbnailList::failed);
    list.openFolder(folder_ / "empty");
    QTRY_COMPARE(failed.size(), 1);
    QVERIFY(list.shows("the folder holds no image"));
    QVERIFY(list.names.empty());
  }

  void theNewestFolderWins() {
    fs::create_directory(folder_ / "one");
    fs::copy_file(samplePath("ship"), folder_ / "one" / "only.png");
    ShownThumbnails list;
    list.openFolder(folder_ / "mixed");
    list.openFolder(folder_ / "one");
    QTRY_COMPARE(list.names, std::vector<std::string>{"only.png"});
    QTest::qWait(100);
    QCOMPARE(list.names.size(), 1U);
    QCOMPARE(list.model()->rowCount(), 1);
  }

  void tenThousandFilesDoNotBlock() {
    const fs::path many = folder_ / "many";
    fs::create_directory(many);
    fs::copy_file(samplePath("bird"), many / "00000.png");
    for (int i = 1; i < 10000; ++i) {
      fs::create_hard_link(many / "00000.png", many / fmt::format("{:05}.png", i));
    }
    ShownThumbnails list;
    qint64 longest = 0;
    QElapsedTimer gap;
    QTimer tick;
    connect(&tick, &QTimer::timeout, &list, [&] { longest = std::max(longest, gap.restart()); });
    gap.start();
    tick.start(5);
    list.openFolder(many);
    QTRY_COMPARE_WITH_TIMEOUT(list.names.size(), 1U, 20000);
    QVERIFY(list.shows("1 of 10000"));
    QTRY_VERIFY(!list.thumbnail(0).isNull());
    list.view()->scrollToBottom();
    QTRY_VERIFY(!list.thumbnail(9999).isNull());
    tick.stop();
    QVERIFY2(longest < 250, qPrintable(QString::number(longest)));
    // Only what was seen was decoded.
    QVERIFY(list.thumbnail(5000).isNull());
  }
};

ADAMERGE_UI_TEST(ThumbnailListTest)

}  // namespace adamerge::ui::test

#include "thumbnail_list_test.moc"
