// SPDX-License-Identifier: GPL-3.0-or-later
// The form made from the registry: what it offers, and for whom.
#include "settings/method_form.h"

#include <QtTest>
#include <QtWidgets>
#include <future>

#include "bench/workbench.h"
#include "look/message.h"
#include "ready_workbench.h"
#include "settings/schedule_editor.h"
#include "settings/setting_editor.h"
#include "shown_method_form.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

class MethodFormTest : public QObject {
  Q_OBJECT
 private slots:
  void offersAllMethods();
  void hasExactlyTheRegistrysSettings();
  void controlsHaveRangeAndDefault();
  void choosingAMethod();
  void methodKeepsItsSettings();
  void inactiveSettingsSayWhy();
  void uncalibratedSaysSo();
  void followsTheActivePane();
  void scheduleIsDragged();
  void scheduleIsSavedAndOpened();
  void filesHoldNothingUp();
  void filesOfMethodsAreReadElsewhere();
  void fitsANarrowPanel();
};

void MethodFormTest::offersAllMethods() {
  ShownMethodForm shown;
  auto* combo = shown.form.findChild<QComboBox*>(QStringLiteral("method"));
  QCOMPARE(combo->count(), static_cast<int>(methods().size()));
  for (int i = 0; i < combo->count(); ++i) {
    const MethodInfo& info = methods()[static_cast<std::size_t>(i)];
    QCOMPARE(combo->itemText(i), QString::fromStdString(info.label));
    const QString tip = combo->itemData(i, Qt::ToolTipRole).toString();
    QVERIFY(tip.contains(QString::fromStdString(info.description).toHtmlEscaped()));
    QVERIFY(tip.contains(QString::fromStdString(info.reference).toHtmlEscaped()));
  }
}

void MethodFormTest::hasExactlyTheRegistrysSettings() {
  ShownMethodForm shown;
  for (const MethodInfo& info : methods()) {
    shown.take(info.id);
    QStringList wanted;
    for (const SettingInfo& setting : info.settings) {
      const bool knob =
          std::any_of(info.compression.begin(), info.compression.end(),
                      [&](const CompressionKnob& other) { return other.key == setting.key; });
      // The bundled model has no rotary positions, so it has none of their settings.
      if (!knob && suits(setting, VitConfig{})) wanted << QString::fromStdString(setting.key);
    }
    QStringList found;
    for (auto* row : shown.form.findChildren<SettingRow*>()) {
      QVERIFY(row->isVisible());
      found << QString::fromStdString(row->info().key);
      QVERIFY(row->toolTip().contains(QString::fromStdString(row->info().help).toHtmlEscaped()));
    }
    QCOMPARE(found, wanted);
  }
}

void MethodFormTest::controlsHaveRangeAndDefault() {
  ShownMethodForm shown;
  shown.take("dsm");
  auto* window = shown.control<QSpinBox>("window");
  QCOMPARE(window->minimum(), 1);
  QCOMPARE(window->maximum(), 64);
  QCOMPARE(window->value(), 1);
  shown.take("tome");
  auto* inflection = shown.control<QDoubleSpinBox>("inflection");
  QCOMPARE(inflection->minimum(), -1.0);
  QCOMPARE(inflection->maximum(), 1.0);
  QCOMPARE(inflection->text(), QStringLiteral("0"));
  QVERIFY(shown.control<QCheckBox>("proportional_attention")->isChecked());
  QVERIFY(shown.control<QLineEdit>("r_per_block")->text().isEmpty());
  shown.take("adamerge");
  QCOMPARE(shown.control<QComboBox>("partition")->count(), 2);
  QCOMPARE(shown.control<QComboBox>("partition")->currentText(), QStringLiteral("sequential"));
}

void MethodFormTest::choosingAMethod() {
  ShownMethodForm shown;
  auto* combo = shown.form.findChild<QComboBox*>(QStringLiteral("method"));
  combo->setFocus();
  combo->setCurrentIndex(combo->findText(QStringLiteral("AdaMerge")));
  QTest::keyClick(combo, Qt::Key_Down);
  QCOMPARE(shown.workbench.pane(0).choice().method, std::string("tome"));
  QCOMPARE(shown.workbench.history().undoText(), QStringLiteral("Method ToMe"));
  shown.workbench.history().undo();
  QCOMPARE(combo->currentText(), QStringLiteral("AdaMerge"));
}

void MethodFormTest::methodKeepsItsSettings() {
  ShownMethodForm shown;
  shown.take("dsm", {{"delay", std::int64_t{6}}});
  auto* combo = shown.form.findChild<QComboBox*>(QStringLiteral("method"));
  combo->setFocus();
  QTest::keyClick(combo, Qt::Key_Home);
  QCOMPARE(shown.workbench.pane(0).choice().method, std::string("none"));
  combo->setCurrentIndex(combo->findText(QStringLiteral("DSM")) + 1);
  QTest::keyClick(combo, Qt::Key_Up);
  QCOMPARE(shown.workbench.pane(0).choice().method, std::string("dsm"));
  QCOMPARE(shown.value("delay"), SettingValue(std::int64_t{6}));
}

void MethodFormTest::inactiveSettingsSayWhy() {
  ShownMethodForm shown;
  shown.take("adamerge", {{"adaptive", false}});
  QVERIFY(!shown.control<QDoubleSpinBox>("alpha")->isEnabled());
  QVERIFY(shown.row("alpha")->toolTip().contains(
      QStringLiteral("Has an effect only while “Adaptive count” is on.")));
  shown.take("adamerge", {{"adaptive", true}});
  QVERIFY(shown.control<QDoubleSpinBox>("alpha")->isEnabled());
  QVERIFY(!shown.row("alpha")->toolTip().contains(QStringLiteral("only while")));
  shown.take("tome", {{"r_per_block", std::vector<std::int64_t>{8}}});
  QVERIFY(shown.row("inflection")->toolTip().contains(QStringLiteral("“r per block” is empty")));
}

void MethodFormTest::uncalibratedSaysSo() {
  ShownMethodForm shown;
  QVERIFY(makeReady(shown.workbench));
  shown.take("adamerge");
  QVERIFY(settle(shown.workbench));
  auto* notice = shown.form.findChild<MessageLine*>();
  QVERIFY(!notice->isVisible());
  shown.take("adamerge", {{"affinity", std::string("scaled")}});
  QVERIFY(settle(shown.workbench));
  QVERIFY(notice->isVisible());
  QCOMPARE(notice->text(), QStringLiteral("This model has no calibration for these settings: z = 0 "
                                          "in every block."));
  QSignalSpy asked(&shown.form, &MethodForm::calibrateRequested);
  QTest::mouseClick(notice->findChild<QPushButton*>(), Qt::LeftButton);
  QCOMPARE(asked.size(), 1);
  shown.take("adamerge", {{"affinity", std::string("scaled")}, {"adaptive", false}});
  QVERIFY(!notice->isVisible());
  shown.take("adamerge+");
  QVERIFY(!notice->isVisible());
  shown.take("adamerge+", {{"adaptive", true}});
  QVERIFY(settle(shown.workbench));
  QVERIFY(notice->isVisible());
  shown.take("tome");
  QVERIFY(!notice->isVisible());
}

void MethodFormTest::followsTheActivePane() {
  ShownMethodForm shown;
  shown.take("adamerge");
  shown.workbench.setPaneCount(2);
  shown.workbench.edit(1, {"dsm", {}, nullptr, false}, QStringLiteral("test"));
  auto* combo = shown.form.findChild<QComboBox*>(QStringLiteral("method"));
  QCOMPARE(combo->currentText(), QStringLiteral("AdaMerge"));
  shown.workbench.setActivePane(1);
  QCOMPARE(combo->currentText(), QStringLiteral("DSM"));
  QTest::keyClick(shown.control<QSpinBox>("delay"), Qt::Key_Up);
  QCOMPARE(shown.workbench.pane(1).choice().settings.at("delay"), SettingValue(std::int64_t{5}));
  QCOMPARE(shown.workbench.pane(0).choice().method, std::string("adamerge"));
}

void MethodFormTest::scheduleIsDragged() {
  using Counts = std::vector<std::int64_t>;
  ShownMethodForm shown;
  QVERIFY(makeReady(shown.workbench));
  shown.take("cubistmerge");
  QVERIFY(!shown.form.findChild<ScheduleBars*>()->isVisible());
  shown.take("tome", {{"r", std::int64_t{8}}});
  QVERIFY(settle(shown.workbench));
  auto* bars = shown.form.findChild<ScheduleBars*>();
  QVERIFY(bars->isVisible());
  // What merges by itself is what one begins with.
  Counts counts(12, 8);
  QCOMPARE(bars->counts(), counts);
  const QRectF bar = bars->barRect(2);
  const QPoint top(static_cast<int>(bar.center().x()), static_cast<int>(bar.top()));
  const int steps = shown.workbench.history().count();
  QTest::mousePress(bars, Qt::LeftButton, {}, top);
  for (int up = 2; up <= 10; up += 2) QTest::mouseMove(bars, top - QPoint(0, up));
  QTest::mouseRelease(bars, Qt::LeftButton, {}, top - QPoint(0, 10));
  QVERIFY(bars->counts()[2] > 8);
  counts[2] = bars->counts()[2];
  QCOMPARE(shown.value("r_per_block"), SettingValue(counts));
  QCOMPARE(shown.workbench.history().count(), steps + 1);

  bars->setFocus();
  QTest::keyClick(bars, Qt::Key_End);
  QTest::keyClick(bars, Qt::Key_Down);
  QTest::keyClick(bars, Qt::Key_Left);
  QTest::keyClick(bars, Qt::Key_PageUp);
  counts[11] = 7;
  counts[10] = 16;
  QCOMPARE(shown.value("r_per_block"), SettingValue(counts));
  QVERIFY(settle(shown.workbench));
  const auto& layers = shown.workbench.pane(0).inspection()->result.layers;
  for (std::size_t block = 0; block < counts.size(); ++block) {
    QCOMPARE(layers[block].merged, static_cast<int>(counts[block]));
  }
  // Never more than half of the model's patches.
  for (int press = 0; press < 40; ++press) QTest::keyClick(bars, Qt::Key_PageUp);
  QCOMPARE(bars->counts()[10], std::int64_t{98});
}

void MethodFormTest::scheduleIsSavedAndOpened() {
  using Counts = std::vector<std::int64_t>;
  ShownMethodForm shown;
  QVERIFY(makeReady(shown.workbench));
  shown.take("tome", {{"r_per_block", Counts{16, 12, 8}}});
  auto* editor = shown.form.findChild<ScheduleEditor*>();
  auto* name = shown.form.findChild<QLabel*>(QStringLiteral("schedule-name"));
  const QTemporaryDir folder;
  editor->save(folder.filePath(QStringLiteral("front.json")));
  QTRY_COMPARE(name->text(), QStringLiteral("front"));
  Counts whole{16, 12, 8};
  whole.resize(12, 0);
  QCOMPARE(readSchedule(folder.filePath(QStringLiteral("front.json")).toStdString()).counts, whole);

  shown.take("tome", {{"r_per_block", Counts{1}}});
  QVERIFY(name->text() != QStringLiteral("front"));
  editor->open(folder.filePath(QStringLiteral("front.json")));
  QTRY_COMPARE(shown.value("r_per_block"), SettingValue(whole));
  QCOMPARE(name->text(), QStringLiteral("front"));
  QCOMPARE(shown.form.findChild<ScheduleBars*>()->counts(), whole);

  QSignalSpy failures(&shown.workbench, &Workbench::failed);
  editor->open(folder.filePath(QStringLiteral("missing.json")));
  QTRY_COMPARE(failures.size(), 1);

  const QString elsewhere = folder.filePath(QStringLiteral("elsewhere.json"));
  writeSchedule({"elsewhere", whole, 577}, elsewhere.toStdString());
  editor->open(elsewhere);
  QTRY_COMPARE(failures.size(), 2);
  QVERIFY(failures.back().front().toString().contains(
      QStringLiteral("made for a network of 577 tokens, and this one begins with 197")));
  writeSchedule({"here", whole, 197}, elsewhere.toStdString());
  QSignalSpy opened(editor, &ScheduleEditor::opened);
  editor->open(elsewhere);
  QTRY_COMPARE(opened.size(), 1);
  QCOMPARE(failures.size(), 2);
  QCOMPARE(shown.value("r_per_block"), SettingValue(whole));
}

/// A disk that answers late: what reads files is held up, the form is not.
void MethodFormTest::filesHoldNothingUp() {
  using Counts = std::vector<std::int64_t>;
  ShownMethodForm shown;
  QVERIFY(makeReady(shown.workbench));
  shown.take("tome", {{"r_per_block", Counts{16, 12, 8}}});
  auto* editor = shown.form.findChild<ScheduleEditor*>();
  const QTemporaryDir folder;
  const QString file = folder.filePath(QStringLiteral("late.json"));
  writeSchedule({"late", Counts(12, 1)}, file.toStdString());
  std::promise<void> answers;
  drawingWorker()->submit("disk", Urgency::kInteractive,
                          [&](const std::stop_token&) { answers.get_future().wait(); });
  editor->open(file);
  editor->save(folder.filePath(QStringLiteral("saved.json")));
  QCOMPARE(shown.value("r_per_block"), SettingValue(Counts{16, 12, 8}));
  QVERIFY(!QFile::exists(folder.filePath(QStringLiteral("saved.json"))));
  // What is read in the end is not for another method, and what was to be saved is.
  shown.take("pitome");
  const Settings chosen = shown.workbench.pane(0).choice().settings;
  answers.set_value();
  QTRY_VERIFY(QFile::exists(folder.filePath(QStringLiteral("saved.json"))));
  QTest::qWait(50);
  QCOMPARE(shown.workbench.pane(0).choice().method, std::string("pitome"));
  QVERIFY(shown.workbench.pane(0).choice().settings == chosen);
}

/// The file of Prune and Merge's importance is read elsewhere, and refused with a sentence.
void MethodFormTest::filesOfMethodsAreReadElsewhere() {
  ShownMethodForm shown;
  QVERIFY(makeReady(shown.workbench));
  shown.take("tome");
  QVERIFY(settle(shown.workbench));
  QSignalSpy failures(&shown.workbench, &Workbench::failed);
  auto* combo = shown.form.findChild<QComboBox*>(QStringLiteral("method"));
  const auto choose = [&](const char* label) {
    combo->setCurrentIndex(combo->findText(QString::fromLatin1(label)));
    emit combo->activated(combo->currentIndex());
  };
  choose("Prune and Merge");
  // Not yet: the file of its importance is being read, which the canvas shows by its spinner.
  QCOMPARE(shown.workbench.pane(0).choice().method, std::string("tome"));
  QVERIFY(shown.workbench.isChecking(0));
  QVERIFY(shown.workbench.pane(0).busy());
  QVERIFY(!shown.workbench.settled());
  QTRY_COMPARE(shown.workbench.pane(0).choice().method, std::string("prune-merge"));
  QVERIFY(settle(shown.workbench));
  QCOMPARE(failures.size(), 0);
  QCOMPARE(shown.workbench.history().undoText(), QStringLiteral("Method Prune and Merge"));

  // A move of its slider reads nothing first.
  shown.workbench.setCompression(0, 40);
  QCOMPARE(shown.workbench.pane(0).compression(), 40);

  auto* line = shown.control<QLineEdit>("importance_file");
  line->setText(QStringLiteral("/nowhere/importance.json"));
  QTest::keyClick(line, Qt::Key_Return);
  QTRY_COMPARE(failures.size(), 1);
  QVERIFY(failures[0][0].toString().contains(QStringLiteral("/nowhere/importance.json")));
  QTRY_VERIFY(line->text().isEmpty());
  QVERIFY(settle(shown.workbench));

  // Of two choices in a row the last counts.
  choose("Unmerged");
  choose("Prune and Merge");
  choose("ToMe");
  QCOMPARE(shown.workbench.pane(0).choice().method, std::string("tome"));
  QVERIFY(!shown.workbench.isChecking(0));
  QVERIFY(settle(shown.workbench));
  QCOMPARE(shown.workbench.pane(0).choice().method, std::string("tome"));
}

void MethodFormTest::fitsANarrowPanel() {
  ShownMethodForm shown;
  for (const MethodInfo& info : methods()) {
    shown.take(info.id);
    QVERIFY2(shown.form.minimumSizeHint().width() <= 280, info.id.c_str());
  }
}

}  // namespace

ADAMERGE_UI_TEST(MethodFormTest)

}  // namespace adamerge::ui::test

#include "method_form_test.moc"
