// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/video.h"

#include <QElapsedTimer>
#include <QLabel>
#include <QSignalSpy>
#include <QSlider>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>
#include <cmath>
#include <fstream>

#include "sources/video_bar.h"
#include "ui_test.h"
#include "video_file.h"

namespace adamerge::ui::test {
namespace {

constexpr int kFrames = 40;
constexpr int kJpegError = 6;

/// Collects frames and shows each after `delay` ms (never for a negative one), as a model would.
struct Viewer : QObject {
  Viewer(VideoSource& source, int delay) {
    connect(&source, &VideoSource::frameReady, this, [=, this, &source](PicturePtr picture, int i) {
      frames.push_back(i);
      last = std::move(picture);
      most_outstanding = std::max(most_outstanding, ++outstanding);
      if (delay < 0) return;
      QTimer::singleShot(delay, this, [this, &source] {
        --outstanding;
        source.frameShown();
      });
    });
  }
  std::vector<int> frames;
  PicturePtr last;
  int outstanding = 0;
  int most_outstanding = 0;
};

int largestError(const Picture& picture, int frame) {
  int largest = 0;
  for (int y = 2; y < kVideoHeight - 2; ++y) {
    for (int x = 2; x < kVideoWidth - 2; ++x) {
      // Colour is stored at half the resolution, so that the edge between the halves is blurred.
      if (std::abs(x - kVideoWidth / 2) <= 16) continue;
      const auto expected = videoPixel(frame, x, y);
      const std::uint8_t* got = picture.original->at(x, y);
      for (std::size_t channel = 0; channel < 3; ++channel) {
        largest = std::max(largest, std::abs(int{got[channel]} - int{expected[channel]}));
      }
    }
  }
  return largest;
}

}  // namespace

class VideoTest : public QObject {
  Q_OBJECT
 private:
  QTemporaryDir temporary_;
  std::filesystem::path clip_;

 private slots:
  void initTestCase() {
    clip_ = std::filesystem::path(temporary_.path().toStdString()) / "clip.avi";
    QVERIFY(writeVideo(clip_, kFrames, 20));
  }

  void deliversTheFramesThatWereWritten() {
    VideoSource source;
    Viewer viewer(source, 0);
    QSignalSpy opened(&source, &VideoSource::opened);
    source.open(clip_);
    QTRY_COMPARE(viewer.frames.size(), 1U);
    QCOMPARE(opened.size(), 1);
    QCOMPARE(source.info().frames, kFrames);
    QCOMPARE(source.info().rate, 20.0);
    QVERIFY(!source.playing());
    for (int frame = 0; frame < kFrames; ++frame) {
      QTRY_COMPARE(viewer.frames.back(), frame);
      QCOMPARE(viewer.last->original->width, kVideoWidth);
      QCOMPARE(viewer.last->original->height, kVideoHeight);
      QVERIFY2(largestError(*viewer.last, frame) <= kJpegError, qPrintable(QString::number(frame)));
      QCOMPARE(viewer.last->name, QString("clip.avi"));
      source.step(1);
    }
  }

  void neverMoreThanOneFrameIsOutstanding() {
    VideoSource source;
    Viewer viewer(source, -1);
    source.open(clip_);
    QTRY_COMPARE(viewer.frames.size(), 1U);
    source.play();
    source.seek(10);
    QTest::qWait(300);
    QCOMPARE(viewer.frames.size(), 1U);
    source.frameShown();
    QTRY_COMPARE(viewer.frames.size(), 2U);
    QCOMPARE(viewer.frames.back(), 10);
    QTest::qWait(200);
    QCOMPARE(viewer.frames.size(), 2U);
  }

  void keepsItsSpeedByLeavingFramesOut() {
    VideoSource source;
    Viewer viewer(source, 120);
    source.setLoop(false);
    source.open(clip_);
    QTRY_COMPARE(viewer.frames.size(), 1U);
    QSignalSpy ended(&source, &VideoSource::ended);
    QElapsedTimer clock;
    clock.start();
    source.play();
    QTRY_VERIFY_WITH_TIMEOUT(!ended.empty(), 10000);
    // 2 s of video at 120 ms a frame: not more than 17 of the 40 frames, and about 2 s.
    QVERIFY2(viewer.frames.size() <= 19, qPrintable(QString::number(viewer.frames.size())));
    QVERIFY2(clock.elapsed() >= 1500 && clock.elapsed() < 4000,
             qPrintable(QString::number(clock.elapsed())));
    QVERIFY(std::is_sorted(viewer.frames.begin(), viewer.frames.end()));
    QCOMPARE(viewer.most_outstanding, 1);
    QVERIFY(!source.playing());
  }

  void playsAgainFromTheBeginningAfterTheEnd() {
    VideoSource source;
    Viewer viewer(source, 0);
    source.setLoop(false);
    source.open(clip_);
    QTRY_COMPARE(viewer.frames.size(), 1U);
    source.seek(kFrames - 2);
    QTRY_COMPARE(viewer.frames.back(), kFrames - 2);
    QSignalSpy ended(&source, &VideoSource::ended);
    source.play();
    QTRY_COMPARE(ended.size(), 1);
    viewer.frames.clear();
    source.play();
    QTRY_VERIFY(viewer.frames.size() > 2);
    QCOMPARE(viewer.frames.front(), 0);
  }

  void loops() {
    VideoSource source;
    Viewer viewer(source, 0);
    source.open(clip_);
    QTRY_COMPARE(viewer.frames.size(), 1U);
    source.seek(kFrames - 3);
    QTRY_COMPARE(viewer.frames.back(), kFrames - 3);
    source.play();
    QTRY_VERIFY(!std::is_sorted(viewer.frames.begin(), viewer.frames.end()));
    QVERIFY(source.playing());
    QTRY_VERIFY(source.shownRate() > 5);
    QVERIFY(source.shownRate() < 25);
  }

  void seeksWhileItStandsTheNewestWins() {
    VideoSource source;
    Viewer viewer(source, 5);
    source.open(clip_);
    QTRY_COMPARE(viewer.frames.size(), 1U);
    for (int frame = 1; frame <= 30; ++frame) source.seek(frame);
    QTRY_COMPARE(viewer.frames.back(), 30);
    QVERIFY(viewer.frames.size() <= 3);
    QVERIFY(largestError(*viewer.last, 30) <= kJpegError);
    source.seek(7);
    QTRY_COMPARE(viewer.frames.back(), 7);
    QVERIFY(largestError(*viewer.last, 7) <= kJpegError);
    source.seek(100000);
    QTRY_COMPARE(viewer.frames.back(), kFrames - 1);
    source.step(-1);
    QTRY_COMPARE(viewer.frames.back(), kFrames - 2);
  }

  void saysWhyNothingCanBeOpened() {
    VideoSource source;
    QSignalSpy failed(&source, &VideoSource::failed);
    source.open("/gone/clip.mp4");
    QTRY_COMPARE(failed.size(), 1);
    QVERIFY(failed[0][0].toString().contains("/gone/clip.mp4: there is no such file"));
    const auto text = std::filesystem::path(temporary_.path().toStdString()) / "notes.mp4";
    std::ofstream(text) << "these are words";
    source.open(text);
    QTRY_COMPARE(failed.size(), 2);
    QVERIFY(failed[1][0].toString().contains("notes.mp4: no video that can be read here"));
    source.openCamera(99);
    QTRY_COMPARE(failed.size(), 3);
    QVERIFY(failed[2][0].toString().startsWith("Camera 99 cannot be opened"));
    QVERIFY(!source.isOpen());
  }

  void stopsAtOnceAndTellsNothingAfterwards() {
    VideoSource source;
    Viewer viewer(source, 0);
    source.open(clip_);
    QTRY_COMPARE(viewer.frames.size(), 1U);
    source.play();
    QTRY_VERIFY(viewer.frames.size() > 3);
    QElapsedTimer clock;
    clock.start();
    source.close();
    QVERIFY2(clock.elapsed() <= 100, qPrintable(QString::number(clock.elapsed())));
    const std::size_t before = viewer.frames.size();
    QTest::qWait(150);
    QCOMPARE(viewer.frames.size(), before);
    source.open(clip_);
    QTRY_COMPARE(viewer.frames.back(), 0);
  }

  void theBarPlaysSeeksAndTellsTimeAndRate() {
    VideoSource source;
    Viewer viewer(source, 0);
    VideoBar bar(source);
    bar.resize(700, 40);
    QVERIFY(!bar.isVisible());
    source.open(clip_);
    QTRY_VERIFY(bar.isVisible());
    QStringList texts;
    const auto shows = [&bar](const QString& text) {
      const auto labels = bar.findChildren<QLabel*>();
      return std::any_of(labels.begin(), labels.end(),
                         [&](const QLabel* label) { return label->text() == text; });
    };
    QTRY_VERIFY(shows("0:00.0 / 0:02.0"));
    auto* slider = bar.findChild<QSlider*>();
    QTest::mouseClick(slider, Qt::LeftButton, {}, {slider->width() / 2, slider->height() / 2});
    QTRY_VERIFY(std::abs(viewer.frames.back() - kFrames / 2) <= 2);
    const int place = viewer.frames.back();
    QTRY_COMPARE(slider->value(), place);
    slider->setFocus();
    QTest::keyClick(slider, Qt::Key_Right);
    QTRY_COMPARE(viewer.frames.back(), place + 1);
    QTest::mouseClick(bar.findChild<QToolButton*>("play"), Qt::LeftButton);
    QVERIFY(source.playing());
    auto* rate = bar.findChild<QLabel*>("rate");
    QTRY_VERIFY(rate->text().endsWith(" frames/s"));
    const double shown = rate->text().section(' ', 0, 0).toDouble();
    QVERIFY2(shown > 5 && shown < 25, qPrintable(rate->text()));
    source.close();
    QVERIFY(!bar.isVisible());
  }

  void timesAreReadable() {
    QCOMPARE(VideoBar::timeText(0), QString("0:00.0"));
    QCOMPARE(VideoBar::timeText(3.25), QString("0:03.2"));
    QCOMPARE(VideoBar::timeText(0.3), QString("0:00.3"));
    QCOMPARE(VideoBar::timeText(3661.9), QString("61:01.9"));
  }
};

ADAMERGE_UI_TEST(VideoTest)

}  // namespace adamerge::ui::test

#include "video_test.moc"
