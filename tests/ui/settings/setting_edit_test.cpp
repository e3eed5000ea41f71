// SPDX-License-Identifier: GPL-3.0-or-later
// What the controls of the method form change, undo and reset.
#include <QtTest>
#include <QtWidgets>

#include "look/text.h"
#include "ready_workbench.h"
#include "shown_method_form.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

class SettingEditTest : public QObject {
  Q_OBJECT
 private slots:
  void switching();
  void typingANumber();
  void steppingARealNumber();
  void choosingFromAList();
  void listIsChecked();
  void resetOne();
  void resetAll();
  void undoBringsControlsBack();
  void refusedValueGoesBack();
  void wheelPassesOver();
};

void SettingEditTest::switching() {
  ShownMethodForm shown;
  shown.take("adamerge");
  auto* box = shown.control<QCheckBox>("salience");
  QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(10, box->height() / 2));
  QCOMPARE(shown.value("salience"), SettingValue(false));
  QCOMPARE(shown.workbench.history().undoText(), QStringLiteral("Salience weighting off"));
}

void SettingEditTest::typingANumber() {
  ShownMethodForm shown;
  shown.take("dsm");
  auto* box = shown.control<QSpinBox>("delay");
  box->setFocus();
  box->selectAll();
  QTest::keyClicks(box, QStringLiteral("7"));
  QTest::keyClick(box, Qt::Key_Return);
  QCOMPARE(shown.value("delay"), SettingValue(std::int64_t{7}));
}

void SettingEditTest::steppingARealNumber() {
  ShownMethodForm shown;
  shown.take("adamerge");
  auto* box = shown.control<QDoubleSpinBox>("alpha");
  box->setFocus();
  const int steps = shown.workbench.history().count();
  for (int i = 0; i < 3; ++i) QTest::keyClick(box, Qt::Key_Up);
  QCOMPARE(shown.value("alpha"), SettingValue(1.3));
  QCOMPARE(box->text(), english().toString(1.3));
  QCOMPARE(shown.workbench.history().count(), steps + 1);  // one edit
  box->setValue(0);
  QTest::keyClick(box, Qt::Key_Up);
  QCOMPARE(shown.value("alpha"), SettingValue(0.1));
}

void SettingEditTest::choosingFromAList() {
  ShownMethodForm shown;
  shown.take("adamerge");
  QTest::keyClick(shown.control<QComboBox>("affinity"), Qt::Key_Down);
  QCOMPARE(shown.value("affinity"), SettingValue(std::string("scaled")));
}

void SettingEditTest::listIsChecked() {
  ShownMethodForm shown;
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

void SettingEditTest::resetOne() {
  ShownMethodForm shown;
  shown.take("adamerge", {{"alpha", 2.5}});
  QVERIFY(shown.reset("alpha")->isVisible());
  QVERIFY(!shown.reset("temperature")->isVisible());
  const int width = shown.control<QDoubleSpinBox>("alpha")->width();
  QCOMPARE(shown.control<QDoubleSpinBox>("temperature")->width(), width);
  QTest::mouseClick(shown.reset("alpha"), Qt::LeftButton);
  QCOMPARE(shown.value("alpha"), SettingValue(1.0));
  QVERIFY(!shown.reset("alpha")->isVisible());
}

void SettingEditTest::resetAll() {
  ShownMethodForm shown;
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

void SettingEditTest::undoBringsControlsBack() {
  ShownMethodForm shown;
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

void SettingEditTest::refusedValueGoesBack() {
  ShownMethodForm shown;
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

void SettingEditTest::wheelPassesOver() {
  ShownMethodForm shown;
  shown.take("adamerge");
  shown.form.findChild<QComboBox*>(QStringLiteral("method"))->setFocus();
  auto* box = shown.control<QDoubleSpinBox>("alpha");
  QWheelEvent wheel({5, 5}, box->mapToGlobal(QPointF(5, 5)), {}, {0, 120}, Qt::NoButton,
                    Qt::NoModifier, Qt::NoScrollPhase, false);
  QApplication::sendEvent(box, &wheel);
  QCOMPARE(shown.value("alpha"), SettingValue(1.0));
}

}  // namespace

ADAMERGE_UI_TEST(SettingEditTest)

}  // namespace adamerge::ui::test

#include "setting_edit_test.moc"
