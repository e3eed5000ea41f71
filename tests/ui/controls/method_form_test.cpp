// SPDX-License-Identifier: GPL-3.0-or-later
// The form made from the registry: its controls, what they change, undo and reset.
#include "controls/method_form.h"

#include <QtTest>
#include <QtWidgets>

#include "controls/notice.h"
#include "controls/setting_row.h"
#include "controls_tests.h"
#include "ready_workbench.h"
#include "state/workbench.h"

namespace adamerge::ui::test {
namespace {

struct Shown {
  Workbench workbench;
  MethodForm form{workbench};
  Shown() {
    form.resize(280, 600);
    form.show();
    form.activateWindow();
    [[maybe_unused]] const bool active = QTest::qWaitForWindowActive(&form);
  }

  void take(const std::string& method, const Settings& settings = {}) {
    workbench.edit(0, {method, settings, nullptr, false}, QStringLiteral("test"));
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
  }
  template <typename Control>
  Control* control(const char* key) const {
    return form.findChild<Control*>(QStringLiteral("setting-") + QString::fromLatin1(key));
  }
  SettingRow* row(const char* key) const {
    for (auto* row : form.findChildren<SettingRow*>()) {
      if (row->info().key == key) return row;
    }
    return nullptr;
  }
  QToolButton* reset(const char* key) const { return row(key)->findChild<QToolButton*>(); }
  QPushButton* resetAll() const {
    for (auto* button : form.findChildren<QPushButton*>()) {
      if (button->text() == QStringLiteral("Reset all")) return button;
    }
    return nullptr;
  }
  SettingValue value(const char* key) {
    return workbench.pane(0).choice().settings.find(key)->second;
  }
};

class MethodFormTest : public QObject {
  Q_OBJECT
 private slots:
  void offersAllMethods();
  void hasExactlyTheRegistrysSettings();
  void controlsHaveRangeAndDefault();
  void choosingAMethod();
  void methodKeepsItsSettings();
  void switching();
  void typingANumber();
  void steppingARealNumber();
  void choosingFromAList();
  void listIsChecked();
  void inactiveSettingsSayWhy();
  void resetOne();
  void resetAll();
  void undoBringsControlsBack();
  void refusedValueGoesBack();
  void wheelPassesOver();
  void uncalibratedSaysSo();
  void followsTheActivePane();
  void fitsANarrowPanel();
};

void MethodFormTest::offersAllMethods() {
  Shown shown;
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
  Shown shown;
  for (const MethodInfo& info : methods()) {
    shown.take(info.id);
    QStringList wanted;
    for (const SettingInfo& setting : info.settings) {
      const bool knob =
          std::any_of(info.compression.begin(), info.compression.end(),
                      [&](const CompressionKnob& other) { return other.key == setting.key; });
      if (!knob) wanted << QString::fromStdString(setting.key);
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
  Shown shown;
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
  Shown shown;
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
  Shown shown;
  shown.take("dsm", {{"delay", std::int64_t{6}}});
  auto* combo = shown.form.findChild<QComboBox*>(QStringLiteral("method"));
  combo->setFocus();
  QTest::keyClick(combo, Qt::Key_Home);
  QCOMPARE(shown.workbench.pane(0).choice().method, std::string("none"));
  QTest::keyClick(combo, Qt::Key_End);
  QCOMPARE(shown.value("delay"), SettingValue(std::int64_t{6}));
}

void MethodFormTest::switching() {
  Shown shown;
  shown.take("adamerge");
  auto* box = shown.control<QCheckBox>("salience");
  QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(10, box->height() / 2));
  QCOMPARE(shown.value("salience"), SettingValue(false));
  QCOMPARE(shown.workbench.history().undoText(), QStringLiteral("Salience weighting off"));
}

void MethodFormTest::typingANumber() {
  Shown shown;
  shown.take("dsm");
  auto* box = shown.control<QSpinBox>("delay");
  box->setFocus();
  box->selectAll();
  QTest::keyClicks(box, QStringLiteral("7"));
  QTest::keyClick(box, Qt::Key_Return);
  QCOMPARE(shown.value("delay"), SettingValue(std::int64_t{7}));
}

void MethodFormTest::steppingARealNumber() {
  Shown shown;
  shown.take("adamerge");
  auto* box = shown.control<QDoubleSpinBox>("alpha");
  box->setFocus();
  const int steps = shown.workbench.history().count();
  for (int i = 0; i < 3; ++i) QTest::keyClick(box, Qt::Key_Up);
  QCOMPARE(shown.value("alpha"), SettingValue(1.3));
  QCOMPARE(box->text(), QLocale().toString(1.3));
  QCOMPARE(shown.workbench.history().count(), steps + 1);  // one edit
  box->setValue(0);
  QTest::keyClick(box, Qt::Key_Up);
  QCOMPARE(shown.value("alpha"), SettingValue(0.1));
}

void MethodFormTest::choosingFromAList() {
  Shown shown;
  shown.take("adamerge");
  QTest::keyClick(shown.control<QComboBox>("affinity"), Qt::Key_Down);
  QCOMPARE(shown.value("affinity"), SettingValue(std::string("scaled")));
}

void MethodFormTest::listIsChecked() {
  Shown shown;
  shown.take("tome");
  auto* line = shown.control<QLineEdit>("r_per_block");
  line->setFocus();
  QTest::keyClicks(line, QStringLiteral("8, 4"));
  QCOMPARE(shown.value("r_per_block"), SettingValue(std::vector<std::int64_t>{8, 4}));
  QVERIFY(shown.row("r_per_block")->message().isEmpty());
  QTest::keyClicks(line, QStringLiteral(",x"));
  QCOMPARE(shown.value("r_per_block"), SettingValue(std::vector<std::int64_t>{8, 4}));
  QVERIFY(shown.row("r_per_block")
              ->message()
              .startsWith(QStringLiteral("Whole numbers separated by commas from 0 to 1,000,000")));
  QCOMPARE(line->text(), QStringLiteral("8, 4,x"));
  QTest::keyClick(line, Qt::Key_Backspace);
  QTest::keyClicks(line, QStringLiteral("2"));
  QCOMPARE(shown.value("r_per_block"), SettingValue(std::vector<std::int64_t>{8, 4, 2}));
  QVERIFY(shown.row("r_per_block")->message().isEmpty());
}

void MethodFormTest::inactiveSettingsSayWhy() {
  Shown shown;
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

void MethodFormTest::resetOne() {
  Shown shown;
  shown.take("adamerge", {{"alpha", 2.5}});
  QVERIFY(shown.reset("alpha")->isVisible());
  QVERIFY(!shown.reset("temperature")->isVisible());
  const int width = shown.control<QDoubleSpinBox>("alpha")->width();
  QCOMPARE(shown.control<QDoubleSpinBox>("temperature")->width(), width);
  QTest::mouseClick(shown.reset("alpha"), Qt::LeftButton);
  QCOMPARE(shown.value("alpha"), SettingValue(1.0));
  QVERIFY(!shown.reset("alpha")->isVisible());
}

void MethodFormTest::resetAll() {
  Shown shown;
  shown.take("adamerge", {{"alpha", 2.5}, {"salience", false}, {"r_max", std::int64_t{9}}});
  QVERIFY(shown.resetAll()->isEnabled());
  QTest::mouseClick(shown.resetAll(), Qt::LeftButton);
  QCOMPARE(shown.value("alpha"), SettingValue(1.0));
  QCOMPARE(shown.value("salience"), SettingValue(true));
  QCOMPARE(shown.value("r_max"), SettingValue(std::int64_t{9}));
  QVERIFY(!shown.resetAll()->isEnabled());
  shown.workbench.history().undo();
  QCOMPARE(shown.value("alpha"), SettingValue(2.5));
}

void MethodFormTest::undoBringsControlsBack() {
  Shown shown;
  shown.take("adamerge");
  QTest::keyClick(shown.control<QComboBox>("partition"), Qt::Key_Down);
  QTest::keyClick(shown.control<QCheckBox>("adaptive"), Qt::Key_Space);
  shown.workbench.history().undo();
  QVERIFY(shown.control<QCheckBox>("adaptive")->isChecked());
  QCOMPARE(shown.control<QComboBox>("partition")->currentText(), QStringLiteral("alternating"));
  shown.workbench.history().undo();
  QCOMPARE(shown.control<QComboBox>("partition")->currentText(), QStringLiteral("sequential"));
  shown.workbench.history().redo();
  QCOMPARE(shown.control<QComboBox>("partition")->currentText(), QStringLiteral("alternating"));
}

void MethodFormTest::refusedValueGoesBack() {
  Shown shown;
  QVERIFY(loadModel(shown.workbench));
  shown.take("dsm");
  QSignalSpy failures(&shown.workbench, &Workbench::failed);
  auto* box = shown.control<QSpinBox>("delay");
  box->setFocus();
  box->selectAll();
  QTest::keyClicks(box, QStringLiteral("40"));  // the model has 12 blocks
  QTest::keyClick(box, Qt::Key_Return);
  QCOMPARE(failures.size(), 1);
  QCOMPARE(shown.value("delay"), SettingValue(std::int64_t{4}));
  QCOMPARE(box->value(), 4);
}

void MethodFormTest::wheelPassesOver() {
  Shown shown;
  shown.take("adamerge");
  shown.form.findChild<QComboBox*>(QStringLiteral("method"))->setFocus();
  auto* box = shown.control<QDoubleSpinBox>("alpha");
  QWheelEvent wheel({5, 5}, box->mapToGlobal(QPointF(5, 5)), {}, {0, 120}, Qt::NoButton,
                    Qt::NoModifier, Qt::NoScrollPhase, false);
  QApplication::sendEvent(box, &wheel);
  QCOMPARE(shown.value("alpha"), SettingValue(1.0));
}

void MethodFormTest::uncalibratedSaysSo() {
  Shown shown;
  QVERIFY(makeReady(shown.workbench));
  shown.take("adamerge");
  QVERIFY(settle(shown.workbench));
  auto* notice = shown.form.findChild<Notice*>();
  QVERIFY(!notice->isVisible());
  shown.take("adamerge", {{"affinity", std::string("scaled")}});
  QVERIFY(settle(shown.workbench));
  QVERIFY(notice->isVisible());
  QCOMPARE(notice->text(), QStringLiteral("This model has no calibration for these settings: z = 0 "
                                          "in every block."));
  QSignalSpy asked(&shown.form, &MethodForm::calibrateRequested);
  QTest::mouseClick(notice->findChild<QPushButton*>(), Qt::LeftButton);
  QCOMPARE(asked.size(), 1);
  shown.take("tome");
  QVERIFY(!notice->isVisible());
}

void MethodFormTest::followsTheActivePane() {
  Shown shown;
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

void MethodFormTest::fitsANarrowPanel() {
  Shown shown;
  for (const MethodInfo& info : methods()) {
    shown.take(info.id);
    QVERIFY2(shown.form.minimumSizeHint().width() <= 280, info.id.c_str());
  }
}

}  // namespace

std::unique_ptr<QObject> makeMethodFormTest() { return std::make_unique<MethodFormTest>(); }

}  // namespace adamerge::ui::test

#include "method_form_test.moc"
