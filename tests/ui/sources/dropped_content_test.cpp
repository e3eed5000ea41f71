// SPDX-License-Identifier: GPL-3.0-or-later
#include <QMimeData>
#include <QTemporaryDir>
#include <QtTest>
#include <fstream>

#include "adamerge/image.h"
#include "look/message.h"
#include "sample_inspection.h"
#include "sources/drop.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

QUrl url(const fs::path& path) {
  return QUrl::fromLocalFile(QString::fromStdString(path.string()));
}

DroppedContent dropOf(const QList<QUrl>& urls) {
  QMimeData data;
  data.setUrls(urls);
  return readDrop(data);
}

DroppedContent dropOf(const QString& text) {
  QMimeData data;
  data.setText(text);
  return readDrop(data);
}

QByteArray encoded() {
  QFile file(QString::fromStdString(samplePath("bird").string()));
  if (!file.open(QIODevice::ReadOnly)) return {};
  return file.readAll();
}

}  // namespace

class DroppedContentTest : public QObject {
  Q_OBJECT
 private:
  QTemporaryDir temporary_;
  fs::path folder_{temporary_.path().toStdString()};

  fs::path make(const std::string& name, const std::string& content = "x") const {
    std::ofstream(folder_ / name) << content;
    return folder_ / name;
  }

 private slots:
  void filesAreSortedByWhatTheyAre() {
    fs::create_directory(folder_ / "photos");
    const DroppedContent drop =
        dropOf({url(samplePath("bird")), url(samplePath("ship")), url(folder_ / "photos"),
                url(make("my.adamerge")), url(make("clip.mp4")), url(make("vit.SafeTensors"))});
    QCOMPARE(drop.images.size(), 2U);
    QCOMPARE(drop.images[1], samplePath("ship"));
    QCOMPARE(drop.folders, std::vector{folder_ / "photos"});
    QCOMPARE(drop.sessions, std::vector{folder_ / "my.adamerge"});
    QCOMPARE(drop.videos, std::vector{folder_ / "clip.mp4"});
    QCOMPARE(drop.models, std::vector{folder_ / "vit.SafeTensors"});
    QVERIFY(drop.problem.isEmpty());
  }

  void aModelFolderIsAModel() {
    const fs::path model = fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";
    QVERIFY(isModelFolder(model));
    const DroppedContent drop = dropOf({url(model)});
    QCOMPARE(drop.models, std::vector{model});
    QVERIFY(drop.folders.empty());
    QCOMPARE(describeDrop(drop), QString("Load the model vit-tiny-cifar10"));
    // Settings alone are no model.
    fs::create_directory(folder_ / "settings");
    make("settings/config.json", "{}");
    QCOMPARE(dropOf({url(folder_ / "settings")}).folders.size(), 1U);
  }

  void aPictureWithoutEndingIsKnownByItsContent() {
    fs::copy_file(samplePath("bird"), folder_ / "noname");
    QCOMPARE(dropOf({url(folder_ / "noname")}).images, std::vector{folder_ / "noname"});
  }

  void encodedPicturesKeepTheirBytes() {
    QMimeData data;
    data.setData("image/png", encoded());
    data.setUrls({QUrl("https://example.org/birds/bird.png?size=2")});
    const DroppedContent drop = readDrop(data);
    QVERIFY(drop.usable());
    QCOMPARE(drop.image_bytes, encoded());
    QCOMPARE(drop.image_name, QString("bird.png"));
    QCOMPARE(describeDrop(drop), QString("Open this picture"));
  }

  void pixelsFromTheClipboard() {
    QImage image(7, 5, QImage::Format_RGB32);
    image.fill(QColor(10, 200, 30));
    QMimeData data;
    data.setImageData(image);
    const DroppedContent drop = readDrop(data);
    QVERIFY(drop.usable());
    const QImage got = drop.image.isNull() ? QImage::fromData(drop.image_bytes) : drop.image;
    QCOMPARE(got.size(), QSize(7, 5));
    QCOMPARE(got.pixelColor(3, 3), QColor(10, 200, 30));
  }

  void picturesInsideAnAddress() {
    const QUrl address("data:image/png;base64," + QString::fromLatin1(encoded().toBase64()));
    const DroppedContent drop = dropOf({address});
    QCOMPARE(drop.image_bytes, encoded());
    QCOMPARE(drop.image_name, QString("Pasted picture"));
  }

  void anAddressAloneIsExplained() {
    const DroppedContent drop = dropOf({QUrl("https://example.org/bird.jpg")});
    QVERIFY(!drop.usable());
    QVERIFY(drop.problem.contains("https://example.org/bird.jpg"));
    QVERIFY(drop.problem.contains("save it to a file first"));
    QCOMPARE(dropOf(QString("https://example.org/bird.jpg")).problem, drop.problem);
  }

  void pastedPathsAreFiles() {
    const QString path = QString::fromStdString(samplePath("bird").string());
    QCOMPARE(dropOf(path + "\n").images, std::vector{samplePath("bird")});
    QCOMPARE(dropOf(url(samplePath("bird")).toString()).images, std::vector{samplePath("bird")});
  }

  void whatIsOfNoUseIsSaid() {
    QVERIFY(dropOf({url(make("notes.txt", "hello"))})
                .problem.startsWith("notes.txt is neither a picture, a folder"));
    QVERIFY(dropOf({url(folder_ / "gone.png")}).problem.endsWith("there is no such file."));
    QVERIFY(dropOf(QString("some words")).problem.startsWith("Nothing in it can be opened"));
    QMimeData nothing;
    QVERIFY(!readDrop(nothing).problem.isEmpty());
    // What can be used is, whatever lies beside it.
    const DroppedContent mixed = dropOf({url(folder_ / "notes.txt"), url(samplePath("bird"))});
    QCOMPARE(mixed.images.size(), 1U);
    QVERIFY(mixed.problem.isEmpty());
  }

  void theOverlayCoversTheWindowAndSaysWhatWillHappen() {
    QWidget window;
    window.resize(600, 400);
    DropOverlay overlay(&window);
    window.show();
    overlay.show(dropOf({url(samplePath("bird"))}));
    QCOMPARE(overlay.text(), QString("Open the picture bird.png"));
    QCOMPARE(overlay.geometry(), window.rect());
    window.resize(800, 500);
    QCOMPARE(overlay.geometry(), window.rect());
    overlay.show(dropOf({QUrl("https://example.org/bird.jpg")}));
    const QImage image = window.grab().toImage();
    bool warned = false;
    for (int y = 0; y < image.height() && !warned; ++y) {
      warned = image.pixelColor(400, y) == severityColor(Severity::kWarning);
    }
    QVERIFY(warned);
  }
};

ADAMERGE_UI_TEST(DroppedContentTest)

}  // namespace adamerge::ui::test

#include "dropped_content_test.moc"
