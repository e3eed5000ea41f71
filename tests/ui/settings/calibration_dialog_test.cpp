// SPDX-License-Identifier: GPL-3.0-or-later
// The calibration dialog: input, progress, cancelling, use and saving.
#include <fmt/format.h>

#include <QtTest>
#include <QtWidgets>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "look/message.h"
#include "look/theme.h"
#include "ready_workbench.h"
#include "sample_inspection.h"
#include "settings/calibration.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

constexpr int kDialogPatience = 240'000;

struct ShownCalibration {
  Workbench workbench;
  std::unique_ptr<CalibrationDialog> dialog;
  bool open() {
    if (!loadModel(workbench)) return false;
    dialog = std::make_unique<CalibrationDialog>(workbench);
    dialog->show();
    return QTest::qWaitForWindowExposed(dialog.get());
  }
  QPushButton* button(const char* text) const {
    for (auto* button : dialog->findChildren<QPushButton*>()) {
      if (button->text() == QString::fromUtf8(text)) return button;
    }
    return nullptr;
  }
  QLineEdit* line(const char* name) const {
    return dialog->findChild<QLineEdit*>(QString::fromLatin1(name));
  }
  MessageLine* notice() const { return dialog->findChild<MessageLine*>(); }
};

std::filesystem::path samples() { return ADAMERGE_SAMPLES; }

class CalibrationDialogTest : public QObject {
  Q_OBJECT
 private slots:
  void initTestCase() { applyTheme(*qApp, Theme::kLight); }
  void countsAreRead();
  void conditionsAreThoseOfTheStatistics();
  void countsAreChecked_data();
  void countsAreChecked();
  void folderIsNeeded();
  void errorsStandInTheDialog();
  void calibratesAndIsUsed();
  void savesStatistics();
  void cancelsAtOnce();
  void goesOnWhereItWasCancelled();
};

void CalibrationDialogTest::countsAreRead() {
  QCOMPARE(parseCounts(QStringLiteral("4, 8,16"), {QStringLiteral("r_max"), 196}),
           (std::vector<int>{4, 8, 16}));
  QCOMPARE(parseCounts(QStringLiteral("196"), {QStringLiteral("r_max"), 196}),
           (std::vector<int>{196}));
}

void CalibrationDialogTest::conditionsAreThoseOfTheStatistics() {
  MethodChoice active{"adamerge", {{"adaptive", false}, {"alpha", 2.0}}, nullptr, false};
  active.settings = completeSettings(active);
  const MethodChoice choice = calibrationChoice(active);
  QCOMPARE(choice.method, std::string("adamerge"));
  // All that statistics hang on in a plain network: blocks are chosen where parts merge inside.
  QCOMPARE(choice.settings.size(), findMethod("adamerge").statistics_settings.size() - 1);
  QVERIFY(!choice.settings.contains("blocks"));
  QCOMPARE(choice.settings.at("alpha"), SettingValue(2.0));
  QCOMPARE(describeFamily(choice), std::string("AdaMerge, alpha 2"));
  QCOMPARE(describeFamily(calibrationChoice({"tome", {}, nullptr, false})),
           std::string("AdaMerge"));
  // Statistics are made with counts that follow them.
  MethodChoice plus{
      "adamerge+", {{"schedule", std::string("decay")}, {"decay", 1.0}}, nullptr, false};
  plus.settings = completeSettings(plus);
  QVERIFY(!usesStatistics(plus));
  QVERIFY(usesStatistics(calibrationChoice(plus)));
  QCOMPARE(describeFamily(calibrationChoice(plus)),
           std::string("AdaMerge+, Adaptive count on, Schedule decay, Decay p 1"));
}

void CalibrationDialogTest::countsAreChecked_data() {
  QTest::addColumn<QString>("text");
  QTest::addColumn<QString>("named");
  QTest::newRow("nothing") << QString() << QStringLiteral("“”");
  QTest::newRow("word") << QStringLiteral("4,many") << QStringLiteral("“many”");
  QTest::newRow("descending") << QStringLiteral("8,4") << QStringLiteral("“4”");
  QTest::newRow("zero") << QStringLiteral("0,4") << QStringLiteral("“0”");
  QTest::newRow("too many") << QStringLiteral("4,197") << QStringLiteral("“197”");
  QTest::newRow("gap") << QStringLiteral("4,,8") << QStringLiteral("“4,,8”");
}

void CalibrationDialogTest::countsAreChecked() {
  QFETCH(QString, text);
  QFETCH(QString, named);
  try {
    parseCounts(text, {QStringLiteral("r_max"), 196});
  } catch (const Error& error) {
    const QString message = QString::fromUtf8(error.what());
    QVERIFY(message.contains(QStringLiteral("from 1 to 196")));
    QVERIFY2(message.contains(named), qPrintable(message));
    return;
  }
  QFAIL("accepted");
}

void CalibrationDialogTest::folderIsNeeded() {
  ShownCalibration shown;
  QVERIFY(shown.open());
  QVERIFY(!shown.button("Calibrate")->isEnabled());
  QCOMPARE(shown.line("calibration-r-max")->text().split(QLatin1Char(',')).size(),
           static_cast<qsizetype>(shown.workbench.model()->statistics->entries.size()));
  shown.dialog->setFolder(samples());
  QVERIFY(shown.button("Calibrate")->isEnabled());
}

void CalibrationDialogTest::errorsStandInTheDialog() {
  ShownCalibration shown;
  QVERIFY(shown.open());
  shown.dialog->setFolder(samples());
  shown.line("calibration-r-max")->setText(QStringLiteral("16,8"));
  QTest::mouseClick(shown.button("Calibrate"), Qt::LeftButton);
  QVERIFY(shown.notice()->isVisible());
  QVERIFY(shown.notice()->text().contains(QStringLiteral("“8” is not")));
  QVERIFY(!shown.workbench.calibration().running());

  QTemporaryDir empty;
  shown.line("calibration-r-max")->setText(QStringLiteral("8"));
  shown.dialog->setFolder(empty.path().toStdString());
  QTest::mouseClick(shown.button("Calibrate"), Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(shown.notice()->text().contains(empty.path()), kDialogPatience);
  QVERIFY(shown.button("Calibrate")->isEnabled());
}

void CalibrationDialogTest::calibratesAndIsUsed() {
  ShownCalibration shown;
  QVERIFY(shown.open());
  shown.dialog->setFolder(samples());
  shown.line("calibration-r-max")->setText(QStringLiteral("8,16"));
  auto* bar = shown.dialog->findChild<QProgressBar*>();
  auto* progress = shown.dialog->findChild<QLabel*>(QStringLiteral("calibration-progress"));
  QSignalSpy reports(&shown.workbench.calibration(), &CalibrationTask::progressed);
  QVERIFY(!bar->isVisible());
  QTest::mouseClick(shown.button("Calibrate"), Qt::LeftButton);
  QVERIFY(bar->isVisible());
  QVERIFY(!shown.line("calibration-folder")->isEnabled());
  QTRY_VERIFY_WITH_TIMEOUT(!reports.isEmpty(), kDialogPatience);
  QVERIFY(progress->text().contains(QStringLiteral("images/s")));
  QTRY_VERIFY_WITH_TIMEOUT(shown.button("Use now")->isVisible(), kDialogPatience);
  QVERIFY(!bar->isVisible());
  QVERIFY2(shown.notice()->text().startsWith(QStringLiteral("4 images measured")),
           qPrintable(shown.notice()->text()));
  QVERIFY(shown.notice()->text().contains(QStringLiteral("r_max 16: μ from 0.")));
  // The answer makes the dialog higher, not its fields lower.
  for (const auto* line : shown.dialog->findChildren<QLineEdit*>()) {
    QTRY_VERIFY2(
        line->height() >= line->minimumSizeHint().height(),
        qPrintable(QString("%1: %2 of %3, dialog %4 of %5")
                       .arg(line->objectName())
                       .arg(line->height())
                       .arg(line->minimumSizeHint().height())
                       .arg(shown.dialog->height())
                       .arg(shown.dialog->layout()->totalHeightForWidth(shown.dialog->width()))));
  }
  const auto* folder = shown.line("calibration-folder");
  const auto* counts = shown.line("calibration-r-max");
  QVERIFY(counts->y() > folder->geometry().bottom());
  const std::uint64_t before = shown.workbench.model()->id;
  QTest::keyClick(shown.dialog.get(), Qt::Key_Return);
  QTRY_VERIFY_WITH_TIMEOUT(shown.workbench.model()->id != before, kDialogPatience);
  QCOMPARE(shown.workbench.model()->statistics->images, 4);
  QCOMPARE(shown.workbench.model()->statistics->entries.size(), std::size_t{2});
  QVERIFY(!shown.dialog->isVisible());
}

void CalibrationDialogTest::savesStatistics() {
  ShownCalibration shown;
  QVERIFY(shown.open());
  shown.dialog->setFolder(samples());
  shown.line("calibration-r-max")->setText(QStringLiteral("8"));
  QTest::mouseClick(shown.button("Calibrate"), Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(shown.button("Save stats.json…")->isVisible(), kDialogPatience);
  QTemporaryDir folder;
  const std::filesystem::path path = folder.path().toStdString() + "/stats.json";
  shown.dialog->save(path);
  const Statistics saved = readStatistics(path);
  QCOMPARE(saved.images, 4);
  QCOMPARE(saved.entries.front().r_max, 8);
  QVERIFY(shown.notice()->text().contains(QString::fromStdString(path.string())));
  shown.dialog->save(folder.path().toStdString() + "/missing/stats.json");
  QVERIFY(shown.notice()->text().contains(QStringLiteral("missing")));
}

void CalibrationDialogTest::cancelsAtOnce() {
  ShownCalibration shown;
  QVERIFY(shown.open());
  shown.dialog->setFolder(samples());
  QSignalSpy reports(&shown.workbench.calibration(), &CalibrationTask::progressed);
  QTest::mouseClick(shown.button("Calibrate"), Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(!reports.isEmpty(), kDialogPatience);
  QElapsedTimer clock;
  clock.start();
  QTest::mouseClick(shown.button("Cancel"), Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(shown.button("Calibrate")->isEnabled(), 5000);
  QVERIFY2(clock.elapsed() < 100, qPrintable(QString::number(clock.elapsed())));
  QCOMPARE(shown.notice()->text(),
           QStringLiteral("Cancelled; nothing was changed. Started again, it goes on from here."));
  QVERIFY(shown.dialog->isVisible());
  QTest::mouseClick(shown.button("Close"), Qt::LeftButton);
  QVERIFY(!shown.dialog->isVisible());
}

void CalibrationDialogTest::goesOnWhereItWasCancelled() {
  QTemporaryDir folder;
  const auto image = [&](int i) {
    return std::filesystem::path(folder.path().toStdString()) / fmt::format("{:02}.png", i);
  };
  constexpr int kImages = 40;
  for (int i = 0; i < kImages; ++i) std::filesystem::copy_file(samples() / "bird.png", image(i));
  ShownCalibration shown;
  QVERIFY(shown.open());
  shown.dialog->setFolder(folder.path().toStdString());
  shown.line("calibration-r-max")->setText(QStringLiteral("8"));
  QSignalSpy reports(&shown.workbench.calibration(), &CalibrationTask::progressed);
  const auto begin = [&] {
    reports.clear();
    QTest::mouseClick(shown.button("Calibrate"), Qt::LeftButton);
  };
  begin();
  QTRY_VERIFY_WITH_TIMEOUT(!reports.isEmpty() && reports.last().front().toInt() >= 3,
                           kDialogPatience);
  QTest::mouseClick(shown.button("Cancel"), Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(shown.button("Calibrate")->isEnabled(), kDialogPatience);
  begin();
  QTRY_VERIFY_WITH_TIMEOUT(shown.button("Use now")->isVisible(), kDialogPatience);
  QVERIFY(!reports.isEmpty());
  QVERIFY2(reports.first().front().toInt() >= 3, qPrintable(reports.first().front().toString()));
  QVERIFY2(shown.notice()->text().startsWith(QStringLiteral("40 images measured")),
           qPrintable(shown.notice()->text()));

  // Of other images it begins anew, and says so.
  std::filesystem::remove(image(0));
  begin();
  QTRY_VERIFY_WITH_TIMEOUT(shown.notice()->text().startsWith(QStringLiteral("39 images measured")),
                           kDialogPatience);
  QVERIFY2(shown.notice()->text().contains(QStringLiteral("It began anew")),
           qPrintable(shown.notice()->text()));
}

}  // namespace

ADAMERGE_UI_TEST(CalibrationDialogTest)

}  // namespace adamerge::ui::test

#include "calibration_dialog_test.moc"
