// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/export_dialog.h"

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QSettings>
#include <QSpinBox>
#include <QtTest>

#include "export/preview.h"
#include "export_fixture.h"
#include "look/message.h"
#include "plots/tokens_plot.h"
#include "sample_inspection.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

constexpr int kWaitMs = 20'000;

template <class Widget>
Widget* fileNamed(QWidget& parent, const QString& name) {
  for (Widget* widget : parent.findChildren<Widget*>()) {
    if (widget->accessibleName() == name) return widget;
  }
  return nullptr;
}

template <class Button>
Button* labelled(QWidget& parent, const QString& text) {
  for (Button* button : parent.findChildren<Button*>()) {
    if (button->isVisibleTo(&parent) && QString(button->text()).remove('&') == text) return button;
  }
  return nullptr;
}

bool says(const QWidget& parent, const QString& text) {
  for (const QLabel* label : parent.findChildren<QLabel*>()) {
    if (label->isVisibleTo(&parent) && label->text().contains(text)) return true;
  }
  return false;
}

}  // namespace

class ExportDialogTest : public QObject {
  Q_OBJECT
 private:
  std::unique_ptr<ExportDialog> open(int panes = 1, const QString& chosen = {}) {
    auto dialog = std::make_unique<ExportDialog>(panes == 0 ? ExportContext{} : context(panes),
                                                 std::vector<PlotPanel*>{}, chosen);
    fileNamed<QLineEdit>(*dialog, "Folder")->setText(folderName());
    dialog->show();
    return dialog;
  }
  const ExportContext& context(int panes) { return panes == 1 ? one_ : two_; }
  QString folderName() const { return QString::fromStdString(folder_->path().string()); }
  fs::path file(const char* name) const { return folder_->path() / name; }
  static QString notice(const ExportDialog& dialog) {
    return dialog.findChild<MessageLine*>()->text();
  }

  ExportContext one_;
  ExportContext two_;
  std::unique_ptr<adamerge::test::TemporaryFolder> folder_;

 private slots:
  void initTestCase() {
    one_ = sampleContext(1);
    two_ = sampleContext(2);
  }
  void init() {
    folder_ = std::make_unique<adamerge::test::TemporaryFolder>();
    QSettings().clear();
  }

  void beginsWithWhatIsSeen() {
    QVERIFY(says(*open(1), "bird-canvas"));
    QVERIFY(says(*open(2), "bird-comparison-canvas"));
  }

  void exportsThePdfThatIsPreviewed() {
    const auto dialog = open(1, "groups");
    auto* preview = dialog->findChild<PagePreview*>();
    QSignalSpy measured(preview, &PagePreview::measured);
    QTRY_VERIFY_WITH_TIMEOUT(measured.count() > 0, kWaitMs);
    const QSizeF size = measured.last().first().toSizeF();
    QVERIFY(says(*dialog, "bird-groups-block06.pdf"));
    QTest::mouseClick(labelled<QPushButton>(*dialog, "Export"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(notice(*dialog).startsWith("Exported to "), kWaitMs);
    QVERIFY(bytesOf(file("bird-groups-block06.pdf")).startsWith("%PDF"));
    QVERIFY(labelled<QPushButton>(*dialog, "Open folder") != nullptr);
    QVERIFY(size.width() > 0);
  }

  void theResolutionTellsThePixels() {
    const auto dialog = open(1, "groups");
    QVERIFY(!fileNamed<QDoubleSpinBox>(*dialog, "Width")->isHidden());
    labelled<QRadioButton>(*dialog, "PNG")->click();
    fileNamed<QComboBox>(*dialog, "Unit of the width")->setCurrentIndex(1);
    fileNamed<QDoubleSpinBox>(*dialog, "Width")->setValue(4);
    auto* dpi = [&]() -> QSpinBox* {
      for (auto* spin : dialog->findChildren<QSpinBox*>()) {
        if (spin->suffix() == " dpi") return spin;
      }
      return nullptr;
    }();
    dpi->setValue(200);
    QTRY_VERIFY_WITH_TIMEOUT(says(*dialog, "800 × "), kWaitMs);
    QTest::keyClick(dialog.get(), Qt::Key_Return);
    QTRY_VERIFY_WITH_TIMEOUT(notice(*dialog).startsWith("Exported to "), kWaitMs);
    const QImage image(folderName() + "/bird-groups-block06.png");
    QCOMPARE(image.width(), 800);
    QVERIFY(says(*dialog, QString("800 × %1 pixels").arg(image.height())));
  }

  void asksOnceBeforeReplacing() {
    const auto dialog = open(1, "layers");
    const auto press = [&](const QString& text) {
      QPushButton* button = labelled<QPushButton>(*dialog, text);
      QVERIFY2(button != nullptr, qPrintable(text));
      button->click();
    };
    QFile old(folderName() + "/bird-layers.pdf");
    QVERIFY(old.open(QIODevice::WriteOnly));
    old.write("old");
    old.close();
    press("Export");
    QVERIFY(dialog->findChild<MessageLine*>()->asking());
    QCOMPARE(notice(*dialog), QString("bird-layers.pdf exists already. Replace it?"));
    press("Keep");
    QCOMPARE(bytesOf(file("bird-layers.pdf")), QByteArray("old"));
    press("Export");
    press("Replace");
    QTRY_VERIFY_WITH_TIMEOUT(notice(*dialog).startsWith("Exported to "), kWaitMs);
    QVERIFY(bytesOf(file("bird-layers.pdf")).startsWith("%PDF"));
  }

  void anErrorIsASentenceInTheDialog() {
    const auto dialog = open(1, "layers");
    {
      const FullDisk full(100);
      labelled<QPushButton>(*dialog, "Export")->click();
      QTRY_VERIFY_WITH_TIMEOUT(notice(*dialog).contains("cannot be written"), kWaitMs);
    }
    QVERIFY(filesBelow(folder_->path()).empty());
    QVERIFY(dialog->isVisible());
  }

  void severalFiguresAndDataAtOnce() {
    const auto dialog = open(1, "layers");
    auto* list = dialog->findChild<SourceList*>();
    list->selectAll();
    labelled<QCheckBox>(*dialog, "Blocks (CSV)")->setChecked(true);
    const auto files = static_cast<int>(list->chosen().size()) + 1;
    QPushButton* button = labelled<QPushButton>(*dialog, QString("Export %1 files").arg(files));
    QVERIFY(button != nullptr);
    button->click();
    QTRY_VERIFY_WITH_TIMEOUT(notice(*dialog).startsWith(QString("%1 files exported").arg(files)),
                             kWaitMs);
    QCOMPARE(static_cast<int>(filesBelow(folder_->path()).size()), files);
  }

  void aWrongTemplateIsSaidAtOnce() {
    const auto dialog = open(1, "layers");
    for (QLineEdit* line : dialog->findChildren<QLineEdit*>()) {
      if (line->text() == "{image}-{figure}{block}") line->setText("{picture}");
    }
    QVERIFY(says(*dialog, "{picture}"));
    QVERIFY(!labelled<QPushButton>(*dialog, "Export")->isEnabled());
  }

  void rememberedOptionsComeBack() {
    {
      const auto dialog = open();
      labelled<QRadioButton>(*dialog, "SVG")->click();
      labelled<QCheckBox>(*dialog, "Merges (CSV)")->setChecked(true);
      fileNamed<QDoubleSpinBox>(*dialog, "Width")->setValue(123.4);
      dialog->reject();
    }
    const ExportDialog again(one_, {});
    auto& dialog = const_cast<ExportDialog&>(again);
    QVERIFY(labelled<QRadioButton>(dialog, "SVG")->isChecked());
    QVERIFY(labelled<QCheckBox>(dialog, "Merges (CSV)")->isChecked());
    QCOMPARE(fileNamed<QDoubleSpinBox>(dialog, "Width")->value(), 123.4);
    QCOMPARE(fileNamed<QLineEdit>(dialog, "Folder")->text(), folderName());
  }

  void copiesThePicture() {
    const auto dialog = open(1, "groups");
    labelled<QPushButton>(*dialog, "Copy picture")->click();
    QTRY_VERIFY_WITH_TIMEOUT(notice(*dialog).startsWith("Copied"), kWaitMs);
    const QImage copied = QGuiApplication::clipboard()->image();
    QVERIFY(notice(*dialog).contains(QString("%1 × %2").arg(copied.width()).arg(copied.height())));
  }

  void comparisonIsOfferedForTwoCanvases() {
    const auto dialog = open(2, "comparison-groups");
    auto* list = dialog->findChild<SourceList*>();
    QCOMPARE(list->current()->id(), QString("comparison-groups"));
    QTRY_VERIFY(list->viewport()->rect().contains(list->visualItemRect(list->currentItem())));
  }

  void withoutAResultItSaysWhatToDo() {
    const auto dialog = open(0);
    QCOMPARE(dialog->findChild<PagePreview*>()->accessibleDescription(),
             QString("There is nothing to export yet. Open an image first."));
    QVERIFY(!labelled<QPushButton>(*dialog, "Export")->isEnabled());
    QVERIFY(!labelled<QPushButton>(*dialog, "Copy picture")->isEnabled());
  }

  void draggingAnOptionNeverWaitsForThePreview() {
    const auto dialog = open(1, "overview");
    auto* width = fileNamed<QDoubleSpinBox>(*dialog, "Width");
    QElapsedTimer timer;
    timer.start();
    for (int step = 0; step < 100; ++step) width->setValue(100 + step);
    QVERIFY2(timer.elapsed() < 1000, qPrintable(QString::number(timer.elapsed())));
    auto* preview = dialog->findChild<PagePreview*>();
    QTRY_VERIFY_WITH_TIMEOUT(preview->accessibleDescription().startsWith("199"), kWaitMs);
  }
};

ADAMERGE_UI_TEST(ExportDialogTest)

}  // namespace adamerge::ui::test

#include "export_dialog_test.moc"
