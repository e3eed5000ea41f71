// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_dialog.h"

#include <QCheckBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QtTest>
#include <fstream>

#include "adamerge/trace_file.h"
#include "export/batch_forms.h"
#include "export_fixture.h"
#include "look/message.h"
#include "look/text.h"
#include "sample_inspection.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

constexpr int kBatchWaitMs = 120'000;

template <class Button>
Button* batchLabelled(QWidget& parent, const QString& text) {
  for (Button* button : parent.findChildren<Button*>()) {
    if (QString(button->text()).remove('&') == text) return button;
  }
  return nullptr;
}

bool batchSays(const QWidget& parent, const QString& text) {
  for (auto* line : parent.findChildren<MessageLine*>()) {
    if (line->isVisibleTo(&parent) && line->text().contains(text)) return true;
  }
  for (const QLabel* label : parent.findChildren<QLabel*>()) {
    if (label->text().contains(text)) return true;
  }
  return false;
}

}  // namespace

class BatchDialogTest : public QObject {
  Q_OBJECT
 private:
  BatchContext context() const {
    BatchContext made;
    made.engine = bundledEngine();
    made.choices = {{"adamerge", {{"r_max", std::int64_t{16}}}, nullptr, false},
                    {"tome", {{"r", std::int64_t{8}}}, nullptr, false}};
    made.block = 5;
    return made;
  }

  adamerge::test::TemporaryFolder folder_;

 private slots:
  void init() { QSettings().clear(); }

  void runsWhatItAnnounces() {
    fs::create_directories(folder_.path() / "in");
    fs::copy_file(samplePath("bird"), folder_.path() / "in/bird.png");
    fs::copy_file(samplePath("ship"), folder_.path() / "in/ship.png");
    std::ofstream(folder_.path() / "in/text.jpg") << "no picture";
    const QString output = QString::fromStdString((folder_.path() / "out").string());
    BatchDialog dialog(context());
    dialog.show();
    dialog.setFolders(QString::fromStdString((folder_.path() / "in").string()), output);
    for (QLineEdit* line : dialog.findChildren<QLineEdit*>()) {
      if (line->accessibleName().startsWith("Values of r") && line->text() == "16") {
        line->setText("8, 16");
      }
    }
    batchLabelled<QCheckBox>(dialog, "Overview")->setChecked(false);
    batchLabelled<QCheckBox>(dialog, "Layers")->setChecked(true);
    batchLabelled<QCheckBox>(dialog, "SVG")->setChecked(true);
    QTRY_VERIFY_WITH_TIMEOUT(
        batchSays(dialog, "3 images × 3 settings × 2 files: 18 figures and a table"), kBatchWaitMs);
    batchLabelled<QPushButton>(dialog, "Start")->click();
    QTRY_VERIFY_WITH_TIMEOUT(
        batchSays(dialog, "2 images done, 12 figures and a table written; 1 image skipped"),
        kBatchWaitMs);
    QCOMPARE(filesBelow(output.toStdString()).size(), std::size_t{13});
    QVERIFY(dialog.findChild<QPlainTextEdit*>()->toPlainText().contains("text.jpg"));
    // Again: asked before anything is replaced.
    batchLabelled<QPushButton>(dialog, "Start")->click();
    QTRY_VERIFY_WITH_TIMEOUT(dialog.findChild<MessageLine*>()->asking(), kBatchWaitMs);
    QVERIFY(dialog.findChild<MessageLine*>()->text().startsWith("13 "));
  }

  /// Methods are for pictures: those of a trace are recorded in it.
  void onlyTracesTakeNoMethods() {
    const fs::path in = folder_.path() / "traced";
    fs::create_directories(in);
    const InspectionPtr bird = inspectSample({"tome", {{"r", std::int64_t{8}}}, nullptr, false});
    const std::vector<TraceRecord> records{
        {"bird.png", &bird->prepared->view, &bird->result, bird->baseline.get()}};
    writeTrace(in / "run.adamerge-trace", bird->model->info, bird->choice, records, "a test");
    BatchDialog dialog(context());
    dialog.show();
    const QString output = QString::fromStdString((folder_.path() / "out of traces").string());
    dialog.setFolders(QString::fromStdString(in.string()), output);
    QTRY_VERIFY_WITH_TIMEOUT(batchSays(dialog, "1 image of a trace, with methods of their own"),
                             kBatchWaitMs);
    auto* rows = dialog.findChild<BatchRows*>();
    QVERIFY(!rows->isEnabled());
    fs::copy_file(samplePath("bird"), in / "bird.png");
    dialog.setFolders(QString(), output);
    QVERIFY(rows->isEnabled());
    dialog.setFolders(QString::fromStdString(in.string()), output);
    QTRY_VERIFY_WITH_TIMEOUT(batchSays(dialog, "2 images, subfolders included"), kBatchWaitMs);
    QVERIFY(rows->isEnabled());
  }

  void saysWhatIsMissing() {
    BatchDialog dialog(context());
    dialog.show();
    QVERIFY(batchSays(dialog, "Choose a folder of images."));
    QVERIFY(!batchLabelled<QPushButton>(dialog, "Start")->isEnabled());
    dialog.setFolders("/nowhere/at/all", "/tmp/out");
    QTRY_VERIFY_WITH_TIMEOUT(batchSays(dialog, "/nowhere/at/all"), kBatchWaitMs);
    QVERIFY(!batchLabelled<QPushButton>(dialog, "Start")->isEnabled());
    BatchDialog without_model({});
    QVERIFY(batchSays(without_model, "Load a model first."));
  }

  void summariesAreSentences() {
    BatchSummary summary;
    summary.images = 1;
    summary.files = 2;
    summary.table = true;
    QCOMPARE(describe(summary), QString("1 image done, 2 figures and a table written"));
    summary.skipped = QStringList{"a", "b"};
    summary.cancelled = true;
    QCOMPARE(describe(summary),
             QString("Cancelled: 1 image done, 2 figures and a table written; 2 images skipped"));
    QCOMPARE(paceText(0, 0), QString());
    QCOMPARE(paceText(2.34, 42.4), QString(" · 2.3 images/s · 0:43 left"));
    QCOMPARE(paceText(1234, 3600), QString(" · 1,234.0 images/s · 1:00:00 left"));
  }
};

ADAMERGE_UI_TEST(BatchDialogTest)

}  // namespace adamerge::ui::test

#include "batch_dialog_test.moc"
