// SPDX-License-Identifier: GPL-3.0-or-later
// Slider, number and read-outs: what they set, and that they tell the core's numbers.
#include <QtTest>
#include <QtWidgets>
#include <array>

#include "adamerge/report.h"
#include "look/text.h"
#include "look/theme.h"
#include "look/widgets.h"
#include "ready_workbench.h"
#include "sample_inspection.h"
#include "settings/compression_bar.h"
#include "settings/compression_slider.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

struct ShownBar {
  Workbench workbench;
  CompressionBar bar{workbench};
  ShownBar() {
    bar.resize(280, bar.sizeHint().height());
    bar.show();
    bar.activateWindow();
    [[maybe_unused]] const bool active = QTest::qWaitForWindowActive(&bar);
  }
  QSlider* slider() const { return bar.findChild<QSlider*>(); }
  QDoubleSpinBox* number() const { return bar.findChild<QDoubleSpinBox*>(); }
  QString text(const char* name) const {
    return bar.findChild<QLabel*>(QString::fromLatin1(name))->text();
  }
  QLabel* reason() const { return bar.findChild<QLabel*>(QStringLiteral("compression-reason")); }
  void take(const std::string& method, const Settings& settings = {}) {
    workbench.edit(0, {method, settings, nullptr, false}, QStringLiteral("test"));
  }
  void clickMode(CompressionMode mode) {
    QTest::mouseClick(bar.findChildren<QToolButton*>()[static_cast<int>(mode)], Qt::LeftButton);
  }
};

QString fixedNumber(double value, int decimals) { return english().toString(value, 'f', decimals); }

class CompressionTest : public QObject {
  Q_OBJECT
 private slots:
  void initTestCase() { applyTheme(*qApp, Theme::kLight); }
  void readoutsAreTheCoresNumbers();
  void keysMoveTheCount();
  void draggingIsFollowed();
  void strongerIsToTheRight();
  void clickJumpsThere();
  void typingSetsTheCount();
  void oneDragIsOneStepOfHistory();
  void limitIsTheModels();
  void noTravelIsDead();
  void placesStandForCounts();
  void nameIsTheKnobs();
  void withoutKnobItSaysWhy();
  void flopsAreMet();
  void percentAreMet();
  void keysStepByOneCountInFlops();
  void equalFlopsAreNotSetHere();
  void emptyStateSaysWhatToDo();
  void wideBarsLieDown();
};

void CompressionTest::readoutsAreTheCoresNumbers() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  for (const std::int64_t r_max : {4, 60, 150}) {
    const MethodChoice choice{"adamerge", {{"r_max", r_max}}, nullptr, false};
    shown.workbench.edit(0, choice, QStringLiteral("test"));
    QVERIFY(settle(shown.workbench));
    const std::array<InputTensor, 1> input{inspectSample()->prepared->input};
    const ImageResult merged = bundledEngine()->run(input, choice).front();
    const ImageResult unmerged = bundledEngine()->run(input, {}).front();
    const std::vector<std::string>& labels = bundledEngine()->info().labels;
    const Prediction before = topPredictions(unmerged.logits, labels, 1).front();
    const Prediction after = topPredictions(merged.logits, labels, 1).front();
    QCOMPARE(shown.text("flops-before"),
             fixedNumber(unmerged.flops.paper, 3) + QStringLiteral(" G"));
    QCOMPARE(shown.text("flops-after"), fixedNumber(merged.flops.paper, 3) + QStringLiteral(" G"));
    QCOMPARE(
        shown.text("flops-percent"),
        fixedNumber(100 * merged.flops.paper / unmerged.flops.paper, 1) + QStringLiteral(" %"));
    QCOMPARE(shown.text("tokens-before"), QStringLiteral("197"));
    QCOMPARE(shown.text("tokens-after"), QString::number(merged.layers.back().tokens_out));
    QCOMPARE(shown.text("class-before"), QString::fromStdString(before.label));
    QCOMPARE(shown.text("class-after"), QString::fromStdString(after.label));
    QCOMPARE(shown.text("probability-after"),
             fixedNumber(100 * after.probability, 1) + QStringLiteral(" %"));
    QCOMPARE(shown.text("verdict"), before.index == after.index
                                        ? QStringLiteral("Same class")
                                        : QStringLiteral("Merging changes the class"));
  }
}

void CompressionTest::keysMoveTheCount() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  shown.take("adamerge", {{"r_max", std::int64_t{16}}});
  QCOMPARE(shown.number()->value(), 16.0);
  shown.slider()->setFocus();
  QTest::keyClick(shown.slider(), Qt::Key_Right);
  QCOMPARE(shown.workbench.pane(0).compression(), 17);
  QCOMPARE(shown.number()->value(), 17.0);
  QTest::keyClick(shown.slider(), Qt::Key_Home);
  QCOMPARE(shown.workbench.pane(0).compression(), 0);
  QTest::keyClick(shown.slider(), Qt::Key_End);
  QCOMPARE(shown.workbench.pane(0).compression(), 196);
}

/// Of methods that say what stays too.
void CompressionTest::strongerIsToTheRight() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  for (const MethodInfo& info : methods()) {
    if (info.compression.empty()) continue;
    shown.take(info.id);
    const KnobRange range =
        knobRange(shown.workbench.pane(0).choice(), shown.workbench.model()->info.vit);
    shown.slider()->setValue(0);
    QVERIFY2(shown.workbench.pane(0).compression() == range.gentlest, info.id.c_str());
    QTest::keyClick(shown.slider(), Qt::Key_Right);
    QCOMPARE(shown.workbench.pane(0).compression(), range.at(1));
    QCOMPARE(shown.number()->value(), static_cast<double>(range.at(1)));
    shown.slider()->setValue(shown.slider()->maximum());
    QCOMPARE(shown.workbench.pane(0).compression(), range.strongest);
  }
}

void CompressionTest::draggingIsFollowed() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  QSlider* slider = shown.slider();
  const int middle = slider->height() / 2;
  QSignalSpy changes(&shown.workbench.pane(0), &Pane::choiceChanged);
  QTest::mousePress(slider, Qt::LeftButton, {}, {20, middle});
  for (int x = 24; x <= 80; x += 4) {
    QTest::mouseMove(slider, {x, middle});
    QCOMPARE(shown.number()->value(), static_cast<double>(shown.workbench.pane(0).compression()));
  }
  QVERIFY(changes.size() > 10);
  // Results that come meanwhile do not take the handle away.
  const int place = slider->value();
  const int held = shown.workbench.pane(0).compression();
  QVERIFY(settle(shown.workbench));
  QCOMPARE(slider->value(), place);
  QTest::mouseRelease(slider, Qt::LeftButton, {}, {80, middle});
  QVERIFY(settle(shown.workbench));
  QCOMPARE(shown.workbench.pane(0).inspection()->choice.settings.at("r_max"),
           SettingValue(std::int64_t{held}));
}

void CompressionTest::clickJumpsThere() {
  ShownBar shown;
  QVERIFY(loadModel(shown.workbench));
  QTest::mouseClick(shown.slider(), Qt::LeftButton, {},
                    {shown.slider()->width() - 3, shown.slider()->height() / 2});
  QVERIFY(shown.workbench.pane(0).compression() > 180);
}

void CompressionTest::typingSetsTheCount() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  shown.number()->setFocus();
  shown.number()->selectAll();
  QTest::keyClicks(shown.number(), QStringLiteral("33"));
  QTest::keyClick(shown.number(), Qt::Key_Return);
  QCOMPARE(shown.workbench.pane(0).compression(), 33);
}

void CompressionTest::oneDragIsOneStepOfHistory() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  const int before = shown.workbench.pane(0).compression();
  const int place = shown.slider()->value();
  const int steps = shown.workbench.history().count();
  QSlider* slider = shown.slider();
  for (int drag = 0; drag < 2; ++drag) {
    QTest::mousePress(slider, Qt::LeftButton, {}, {30 + 40 * drag, 10});
    for (int x = 0; x < 30; x += 3) QTest::mouseMove(slider, {30 + 40 * drag + x, 10});
    QTest::mouseRelease(slider, Qt::LeftButton, {}, {58 + 40 * drag, 10});
  }
  QCOMPARE(shown.workbench.history().count(), steps + 2);
  shown.workbench.history().undo();
  shown.workbench.history().undo();
  QCOMPARE(shown.workbench.pane(0).compression(), before);
  QCOMPARE(slider->value(), place);
}

void CompressionTest::limitIsTheModels() {
  ShownBar shown;
  QVERIFY(loadModel(shown.workbench));
  QCOMPARE(shown.number()->maximum(), 196.0);
  shown.take("tome");
  QCOMPARE(shown.number()->maximum(), 98.0);
}

/// Every tenth of the slider's travel costs or saves something worth seeing.
void CompressionTest::noTravelIsDead() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  for (const char* method : {"adamerge", "tome"}) {
    shown.take(method);
    double before = shown.workbench.model()->unmerged.paper;
    const double unmerged = before;
    for (int tenth = 1; tenth <= 8; ++tenth) {
      shown.slider()->setValue(tenth * shown.slider()->maximum() / 10);
      QVERIFY(settle(shown.workbench));
      const double now = shown.workbench.pane(0).inspection()->result.flops.paper;
      QVERIFY2(before - now > (tenth == 1 ? 0.001 : 0.01) * unmerged,
               qPrintable(QStringLiteral("%1, tenth %2: %3 of %4")
                              .arg(method)
                              .arg(tenth)
                              .arg(before - now)
                              .arg(unmerged)));
      before = now;
    }
  }
}

/// Each count has its place, and lies where it was left.
void CompressionTest::placesStandForCounts() {
  for (const KnobRange counts : {KnobRange{0, 20}, KnobRange{0, 98}, KnobRange{100, 1}}) {
    const CompressionScale scale(CompressionMode::kCount, counts, 1, 0);
    QCOMPARE(scale.placeOf(counts.gentlest), 0);
    QCOMPARE(scale.placeOf(counts.strongest), scale.places());
    for (int step = 0; step <= counts.steps(); ++step) {
      QCOMPARE(scale.numberAt(scale.placeOf(counts.at(step))), counts.at(step));
    }
  }
}

void CompressionTest::nameIsTheKnobs() {
  ShownBar shown;
  QVERIFY(loadModel(shown.workbench));
  QCOMPARE(shown.slider()->accessibleName(), QStringLiteral("r_max"));
  shown.take("adamerge", {{"adaptive", false}});
  QCOMPARE(shown.slider()->accessibleName(), QStringLiteral("r"));
  QCOMPARE(shown.number()->maximum(), 98.0);
}

void CompressionTest::withoutKnobItSaysWhy() {
  ShownBar shown;
  QVERIFY(loadModel(shown.workbench));
  QVERIFY(!shown.reason()->isVisible());
  shown.take("none");
  QVERIFY(!shown.slider()->isEnabled() && !shown.number()->isEnabled());
  QVERIFY(shown.reason()->isVisible());
  QCOMPARE(shown.reason()->text(),
           QStringLiteral("Unmerged: nothing merges, so there is nothing to set."));
  shown.take("tome", {{"r_per_block", std::vector<std::int64_t>{8}}});
  QVERIFY(!shown.slider()->isEnabled());
  QCOMPARE(shown.reason()->text(),
           QStringLiteral("Has an effect only while “r per block” is empty."));
  shown.take("tome");
  QVERIFY(shown.slider()->isEnabled());
  QVERIFY(!shown.reason()->isVisible());
}

void CompressionTest::flopsAreMet() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  shown.take("tome");
  QVERIFY(settle(shown.workbench));
  shown.clickMode(CompressionMode::kFlops);
  QCOMPARE(shown.bar.mode(), CompressionMode::kFlops);
  const double unmerged = shown.workbench.model()->unmerged.paper;
  const auto actual = [&] { return shown.workbench.pane(0).inspection()->result.flops.paper; };
  QVERIFY(qAbs(shown.number()->value() - actual()) < 0.0006);
  QCOMPARE(shown.number()->suffix(), QStringLiteral(" G"));
  const int before = shown.workbench.pane(0).compression();
  shown.number()->setFocus();
  shown.number()->selectAll();
  QTest::keyClicks(shown.number(), fixedNumber(0.6 * unmerged, 3));
  QTest::keyClick(shown.number(), Qt::Key_Return);
  QTRY_VERIFY_WITH_TIMEOUT(shown.workbench.pane(0).compression() != before, 20'000);
  QVERIFY(settle(shown.workbench));
  QVERIFY(qAbs(actual() - 0.6 * unmerged) < 0.03 * unmerged);
  QTRY_VERIFY(qAbs(shown.number()->value() - actual()) < 0.0006);
}

void CompressionTest::percentAreMet() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  shown.take("tome");
  QVERIFY(settle(shown.workbench));
  shown.clickMode(CompressionMode::kPercent);
  QCOMPARE(shown.number()->maximum(), 100.0);
  QSlider* slider = shown.slider();
  QTest::mouseClick(slider, Qt::LeftButton, {}, {slider->width() / 2, slider->height() / 2});
  const double unmerged = shown.workbench.model()->unmerged.paper;
  const auto percent = [&] {
    return 100 * shown.workbench.pane(0).inspection()->result.flops.paper / unmerged;
  };
  QTRY_VERIFY_WITH_TIMEOUT(percent() < 75, 20'000);
  QVERIFY(settle(shown.workbench));
  QTRY_VERIFY(qAbs(shown.number()->value() - percent()) < 0.06);
}

void CompressionTest::keysStepByOneCountInFlops() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  shown.take("tome");
  QVERIFY(settle(shown.workbench));
  shown.clickMode(CompressionMode::kFlops);
  const int before = shown.workbench.pane(0).compression();
  shown.slider()->setFocus();
  QTest::keyClick(shown.slider(), Qt::Key_Right);
  QCOMPARE(shown.workbench.pane(0).compression(), before + 1);
  QTest::keyClick(shown.slider(), Qt::Key_Left);
  QCOMPARE(shown.workbench.pane(0).compression(), before);
}

void CompressionTest::equalFlopsAreNotSetHere() {
  ShownBar shown;
  QVERIFY(makeReady(shown.workbench));
  shown.workbench.setPaneCount(2);
  shown.workbench.setActivePane(1);
  QVERIFY(shown.slider()->isEnabled());
  shown.workbench.setEqualFlops(true);
  QVERIFY(!shown.slider()->isEnabled());
  QCOMPARE(shown.reason()->text(),
           QStringLiteral("Follows the FLOPs of the first canvas (equal FLOPs)."));
  // The count is this canvas's own, also after it has followed.
  Pane& first = shown.workbench.pane(0);
  Pane& second = shown.workbench.pane(1);
  const int before = second.compression();
  shown.workbench.setCompression(0, 3 * first.compression());
  QTRY_VERIFY(second.compression() > before);
  QCOMPARE(shown.number()->value(), second.compression());
}

void CompressionTest::emptyStateSaysWhatToDo() {
  ShownBar shown;
  QVERIFY(!shown.slider()->isEnabled());
  QCOMPARE(shown.reason()->text(), QStringLiteral("Open a model first."));
  QCOMPARE(shown.text("verdict"), QStringLiteral("No result yet"));
  QCOMPARE(shown.text("flops-after"), QStringLiteral("–"));
}

void CompressionTest::wideBarsLieDown() {
  ShownBar shown;
  const auto place = [&](const char* name) {
    return shown.bar.findChild<QWidget*>(QString::fromLatin1(name))->mapTo(&shown.bar, QPoint());
  };
  QVERIFY(shown.bar.minimumSizeHint().width() <= 280);
  QVERIFY(place("flops-after").y() > place("compression").y());
  shown.bar.resize(900, 200);
  QCoreApplication::processEvents();
  QVERIFY(place("flops-after").x() > place("compression").x() + 300);
  QVERIFY(place("flops-after").y() < 60);
}

}  // namespace

ADAMERGE_UI_TEST(CompressionTest)

}  // namespace adamerge::ui::test

#include "compression_test.moc"
