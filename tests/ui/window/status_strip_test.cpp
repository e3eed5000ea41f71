// SPDX-License-Identifier: GPL-3.0-or-later
#include <QAbstractItemView>
#include <QComboBox>
#include <QProgressBar>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>

#include "bench/workbench.h"
#include "look/widgets.h"
#include "sample_inspection.h"
#include "ui_test.h"
#include "window/status.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

struct Strip {
  Strip() {
    strip.resize(1000, 30);
    strip.show();
  }
  void load(const fs::path& path) {
    QSignalSpy changed(&workbench, &Workbench::modelChanged);
    workbench.models().load(path, {.device = "cpu", .threads = 2});
    QVERIFY(changed.wait(20000));
  }
  /// What "auto" came out as.
  QString automatic() const {
    return QString("auto (%1)").arg(QString::fromStdString(workbench.engine()->dtype()));
  }
  ElidedLabel* model() const { return strip.findChild<ElidedLabel*>("model"); }
  QComboBox* device() const { return strip.findChild<QComboBox*>("device"); }
  QComboBox* precision() const { return strip.findChild<QComboBox*>("precision"); }
  /// As a person with the keyboard.
  void choosePrecision(const QString& name) const {
    precision()->showPopup();
    const int row = precision()->findData(name);
    precision()->view()->setCurrentIndex(precision()->model()->index(row, 0));
    QTest::keyClick(precision()->view(), Qt::Key_Return);
  }

  Workbench workbench;
  StatusStrip strip{workbench};
};

const fs::path kBundled = fs::path(ADAMERGE_MODELS) / "vit-tiny-cifar10";

}  // namespace

class StatusStripTest : public QObject {
  Q_OBJECT
 private slots:
  /// As wide as in a window of 1024 pixels.
  void hasRoomForThePicture() {
    Strip shown;
    const QString text = QStringLiteral("airplane.png, 448 × 448, 51 %");
    shown.strip.setView(text);
    QCoreApplication::processEvents();
    QCOMPARE(shown.strip.findChild<ElidedLabel*>("view")->shownText(), text);
  }

  void namesTheModelAndExplainsIt() {
    Strip shown;
    QCOMPARE(shown.model()->text(), QString("No model"));
    shown.load(kBundled);
    QCOMPARE(shown.model()->text(), QString("vit-tiny-cifar10"));
    const QString tip = shown.model()->toolTip();
    for (const char* part :
         {"5.39 M", "56 × 56 pixels", "14 × 14 = 196 tokens", "12 blocks", "vit-tiny-cifar10"}) {
      QVERIFY2(tip.contains(part), part);
    }
    QVERIFY(tip.contains("cpu, " + QString::fromStdString(shown.workbench.model()->dtype)));
  }

  void changingThePrecisionLoadsTheModelAgain() {
    Strip shown;
    QCOMPARE(shown.precision()->currentText(), QString("auto"));
    shown.load(kBundled);
    const QString automatic = shown.automatic();
    QCOMPARE(shown.precision()->currentText(), automatic);
    QCOMPARE(shown.strip.options().dtype, std::string("auto"));
    for (const char* name : {"bfloat16", "float32"}) {
      const LoadedModelPtr before = shown.workbench.model();
      shown.choosePrecision(name);
      QTRY_VERIFY_WITH_TIMEOUT(shown.workbench.model() != before, 20000);
      QCOMPARE(shown.workbench.model()->dtype, std::string(name));
      QCOMPARE(shown.workbench.engine()->dtype(), std::string(name));
      QCOMPARE(shown.precision()->currentText(), QString(name));
      QCOMPARE(shown.strip.options().dtype, std::string(name));
      QCOMPARE(shown.strip.options().threads, 2);
    }
    const LoadedModelPtr before = shown.workbench.model();
    shown.choosePrecision("auto");
    QTRY_VERIFY_WITH_TIMEOUT(shown.workbench.model() != before, 20000);
    QCOMPARE(shown.precision()->currentText(), automatic);
  }

  void aFailureRestoresWhatWasChosen() {
    const QTemporaryDir temporary;
    const fs::path copy = fs::path(temporary.path().toStdString()) / "model";
    fs::copy(kBundled, copy);
    Strip shown;
    shown.load(copy);
    fs::remove_all(copy);
    const LoadedModelPtr before = shown.workbench.model();
    QSignalSpy failed(&shown.workbench, &Workbench::failed);
    shown.choosePrecision("bfloat16");
    QTRY_COMPARE(failed.size(), 1);
    QVERIFY(failed[0][0].toString().contains(QString::fromStdString(copy.string())));
    QCOMPARE(shown.precision()->currentText(), shown.automatic());
    QCOMPARE(shown.workbench.model(), before);
    QVERIFY(shown.model()->isVisible());
  }

  void offersOnlyWhatIsThere() {
    DevicePicker picker;
    auto* device = picker.findChild<QComboBox*>("device");
    auto* precision = picker.findChild<QComboBox*>("precision");
    const auto float16 = [&] {
      const int row = precision->findText("float16");
      return precision->model()->flags(precision->model()->index(row, 0));
    };
    picker.setDevices({{"cpu", "CPU, 2 threads"}});
    QCOMPARE(device->currentText(), QString("CPU"));
    QVERIFY(device->toolTip().contains("No CUDA device was found"));
    QVERIFY(device->toolTip().contains("CPU, 2 threads"));
    QVERIFY(!float16().testFlag(Qt::ItemIsEnabled));

    picker.setDevices({{"cpu", "CPU, 2 threads"}, {"cuda:0", "NVIDIA H200"}});
    QCOMPARE(device->count(), 2);
    QCOMPARE(device->itemText(1), QString("NVIDIA H200"));
    picker.show("cuda:0", "float16");
    QVERIFY(float16().testFlag(Qt::ItemIsEnabled));
    QCOMPARE(picker.dtype(), std::string("float16"));
    QSignalSpy changed(&picker, &DevicePicker::changed);
    device->setFocus();
    device->setCurrentIndex(0);
    emit device->activated(0);
    QCOMPARE(changed.size(), 1);
    QCOMPARE(picker.dtype(), std::string("auto"));
    // A precision of the command line has its place as well.
    picker.show("cpu", "float64");
    QCOMPARE(precision->currentText(), QString("float64"));
  }

  void showsLoadingWhereTheNameStands() {
    Strip shown;
    auto& loader = shown.workbench.models();
    emit loader.started("vit_base_patch16_224");
    emit loader.progressed("reading weights", 43'000'000'000, 100'000'000'000);
    auto* bar = shown.strip.findChild<QProgressBar*>();
    auto* progress = shown.strip.findChild<LoadProgress*>();
    QVERIFY(bar->isVisible());
    QVERIFY(!shown.model()->isVisible());
    QCOMPARE(bar->text(), QString("43%"));
    QCOMPARE(progress->findChild<ElidedLabel*>()->text(),
             QString("Loading vit_base_patch16_224: reading weights"));
    QSignalSpy cancelled(progress, &LoadProgress::cancelled);
    QTest::mouseClick(progress->findChild<QToolButton*>(), Qt::LeftButton);
    QCOMPARE(cancelled.size(), 1);
    emit loader.cancelled();
    QVERIFY(shown.model()->isVisible());
  }

  void aLoadCanBeCancelled() {
    Strip shown;
    QSignalSpy cancelled(&shown.workbench.models(), &ModelLoader::cancelled);
    shown.workbench.models().load(kBundled);
    QTest::mouseClick(shown.strip.findChild<LoadProgress*>()->findChild<QToolButton*>(),
                      Qt::LeftButton);
    QCOMPARE(cancelled.size(), 1);
    QVERIFY(shown.model()->isVisible());
    QTest::qWait(300);
    QVERIFY(shown.workbench.model() == nullptr);
  }

  void theRingTurnsWhileAPaneIsBusy() {
    Strip shown;
    auto* ring = shown.strip.findChild<BusyIndicator*>();
    shown.workbench.pane(0).setBusy(true);
    QVERIFY(!ring->turning());
    QTRY_VERIFY(ring->turning());
    QCOMPARE(ring->accessibleName(), QString("Computing"));
    shown.workbench.pane(0).setBusy(false);
    QVERIFY(!ring->turning());
  }

  void longNamesAndHintsAreElided() {
    Strip shown;
    const QString hint = QString("Click a patch to follow its group ").repeated(20);
    shown.strip.setHint(hint);
    shown.strip.resize(640, 30);
    for (auto* label : shown.strip.findChildren<ElidedLabel*>()) {
      QVERIFY(label->fontMetrics().horizontalAdvance(label->shownText()) <= label->width());
    }
    QCOMPARE(shown.strip.width(), 640);
  }
};

ADAMERGE_UI_TEST(StatusStripTest)

}  // namespace adamerge::ui::test

#include "status_strip_test.moc"
