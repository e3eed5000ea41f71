// SPDX-License-Identifier: GPL-3.0-or-later
// Thousands of things a hurried user does, in an order drawn at random: no crash, no hang, no leak,
// and the window is right at the end.
#include <QAbstractItemView>
#include <QApplication>
#include <QComboBox>
#include <QFile>
#include <QWheelEvent>
#include <QtTest>
#include <functional>
#include <random>

#include "look/theme.h"
#include "patience.h"
#include "sources/sources.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window/docks.h"
#include "window/stage.h"
#include "window_fixture.h"

namespace adamerge::ui::test {
namespace {

constexpr int kSteps = 3000;
constexpr unsigned kSeed = 20261121;
/// What results are kept for (the inspector's cache) and a little for allocators.
constexpr double kAllowedGrowth = 400;

/// In MB.
double residentMemory() {
  QFile file("/proc/self/statm");
  if (!file.open(QIODevice::ReadOnly)) return 0;
  return file.readAll().split(' ')[1].toDouble() * 4096 / 1e6;
}

int setting(const char* variable, int otherwise) {
  bool ok = false;
  const int value = qEnvironmentVariableIntValue(variable, &ok);
  return ok ? value : otherwise;
}

}  // namespace

class RandomWalkTest : public QObject {
  Q_OBJECT

 private slots:
  void survivesAHurriedUser() {
    const auto seed = static_cast<unsigned>(setting("ADAMERGE_WALK_SEED", int(kSeed)));
    const int steps = setting("ADAMERGE_WALK_STEPS", kSteps);
    qInfo("seed %u, %d steps (ADAMERGE_WALK_SEED, ADAMERGE_WALK_STEPS)", seed, steps);
    random_.seed(seed);
    StartOptions options;
    options.fresh = true;
    WindowFixture fixture(options);
    fixture.workbench().sweeper().setEnabled(true);
    fixture_ = &fixture;
    QVERIFY(fixture.settle());
    double before = 0;
    for (int step = 0; step < steps; ++step) {
      const auto& [name, act] = actions()[upTo(static_cast<int>(actions().size()) - 1)];
      last_ = name;
      act();
      QCoreApplication::processEvents(QEventLoop::AllEvents, 5);
      if (step % 250 == 249) {
        fixture.window().sources().openPath(sample("ship"));
        QVERIFY2(QTest::qWaitFor([&] { return shows("ship.png"); }, kPatience),
                 qPrintable(state(step)));
        QVERIFY2(fixture.settle(), qPrintable(state(step)));
      }
      if (step == steps / 3) before = residentMemory();
    }
    const double growth = residentMemory() - before;
    qInfo("%.0f MB resident, %.0f MB more than after a third of the way", residentMemory(), growth);
    QVERIFY2(growth < kAllowedGrowth, qPrintable(QString("grew by %1 MB").arg(growth)));
    endsRight();
    fixture_ = nullptr;
  }

 private:
  using Action = std::pair<QString, std::function<void()>>;

  int upTo(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
  Workbench& workbench() { return fixture_->workbench(); }
  bool shows(const QString& name) {
    return workbench().picture() != nullptr && workbench().picture()->name == name;
  }
  QString state(int step) const { return QString("step %1, last: %2").arg(step).arg(last_); }

  const std::vector<Action>& actions() {
    static const std::vector<Action> all{
        {"slide",
         [this] {
           const int pane = upTo(workbench().paneCount() - 1);
           for (int i = 0; i < 5; ++i) workbench().setCompression(pane, upTo(120));
           workbench().endEdit();
         }},
        {"method",
         [this] {
           const MethodInfo& method =
               methods()[static_cast<std::size_t>(upTo(static_cast<int>(methods().size()) - 1))];
           workbench().edit(workbench().activeIndex(), {method.id, {}, nullptr, false}, "method");
         }},
        {"setting", [this] { changeSetting(); }},
        {"panes", [this] { workbench().setPaneCount(1 << upTo(2)); }},
        {"active", [this] { workbench().setActivePane(upTo(workbench().paneCount() - 1)); }},
        {"equal FLOPs", [this] { fixture_->window().actions().compare_equal_flops->trigger(); }},
        {"target", [this] { workbench().setTargetFlops(0, 0.5 + upTo(70) / 100.0); }},
        {"block", [this] { workbench().view().setBlock(upTo(20)); }},
        {"overlay", [this] { changeOverlay(); }},
        {"click", [this] { clickCanvas(); }},
        {"wheel", [this] { turnWheel(); }},
        {"key", [this] { pressKey(); }},
        {"picture",
         [this] {
           const QStringList names{"bird", "ship", "airplane", "automobile"};
           fixture_->window().sources().openPath(sample(names[upTo(3)]));
         }},
        {"missing picture",
         [this] { fixture_->window().sources().openPath("/nowhere/missing.png"); }},
        {"folder", [this] { fixture_->dropPath(ADAMERGE_SAMPLES); }},
        {"undo", [this] { fixture_->window().actions().undo->trigger(); }},
        {"redo", [this] { fixture_->window().actions().redo->trigger(); }},
        {"resize", [this] { fixture_->window().resize(960 + upTo(800), 640 + upTo(500)); }},
        {"panel",
         [this] {
           const auto& docks = fixture_->window().docks().all();
           QDockWidget* dock = docks[static_cast<std::size_t>(upTo(int(docks.size()) - 1))];
           dock->setVisible(!dock->isVisible());
         }},
        {"theme",
         [this] {
           // Restyling the whole window takes long; nobody does it at every step.
           if (upTo(9) == 0) fixture_->window().setTheme(upTo(1) ? Theme::kDark : Theme::kLight);
         }},
        {"play", [this] { fixture_->window().actions().play_blocks->trigger(); }},
        {"close picture",
         [this] {
           if (upTo(9) == 0) fixture_->window().actions().close_picture->trigger();
         }},
        {"messages", [this] { fixture_->window().stage().messages().dismissAll(); }}};
    return all;
  }

  void changeSetting() {
    MethodChoice choice = workbench().activePane().choice();
    const auto& settings = findMethod(choice.method).settings;
    if (settings.empty()) return;
    const SettingInfo& info =
        settings[static_cast<std::size_t>(upTo(static_cast<int>(settings.size()) - 1))];
    if (std::holds_alternative<bool>(info.fallback)) {
      choice.settings[info.key] = upTo(1) == 1;
    } else if (!info.choices.empty()) {
      choice.settings[info.key] =
          info.choices[static_cast<std::size_t>(upTo(static_cast<int>(info.choices.size()) - 1))];
    } else if (std::holds_alternative<std::int64_t>(info.fallback)) {
      choice.settings[info.key] = std::int64_t{upTo(30)};
    }
    workbench().edit(workbench().activeIndex(), choice, "setting");
  }

  void changeOverlay() {
    OverlayStyle style;
    style.kind = static_cast<OverlayKind>(upTo(5));
    style.opacity = upTo(10) / 10.0;
    style.colormap = static_cast<Colormap>(upTo(3));
    style.scale = static_cast<SalienceScale>(upTo(3));
    style.smooth = upTo(1) == 1;
    style.groups = static_cast<GroupStyle>(upTo(2));
    style.dim_outside = upTo(1) == 1;
    style.windows = upTo(1) == 1;
    workbench().view().setOverlay(style);
  }

  CanvasView& canvas() {
    return fixture_->window().stage().grid().canvas(upTo(workbench().paneCount() - 1));
  }

  QPoint placeIn(const QWidget& widget) {
    return {upTo(std::max(1, widget.width() - 1)), upTo(std::max(1, widget.height() - 1))};
  }

  void clickCanvas() {
    CanvasView& view = canvas();
    QTest::mouseMove(&view, placeIn(view));
    QTest::mouseClick(&view, Qt::LeftButton, {}, placeIn(view));
  }

  void turnWheel() {
    CanvasView& view = canvas();
    const QPointF place = placeIn(view);
    QWheelEvent event(place, view.mapToGlobal(place), {}, {0, upTo(1) ? 120 : -120}, Qt::NoButton,
                      Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(&view, &event);
  }

  void pressKey() {
    static const std::vector<Qt::Key> keys{
        Qt::Key_Left,   Qt::Key_Right, Qt::Key_Up,  Qt::Key_Down, Qt::Key_Tab,
        Qt::Key_Escape, Qt::Key_Home,  Qt::Key_End, Qt::Key_Plus, Qt::Key_Minus,
        Qt::Key_0,      Qt::Key_1,     Qt::Key_S,   Qt::Key_G,    Qt::Key_PageDown};
    QWidget* target = QApplication::focusWidget();
    // A combo box's list is a window of its own that the walk would not leave again.
    if (target == nullptr || qobject_cast<QComboBox*>(target) != nullptr) {
      target = &fixture_->window();
    }
    QTest::keyClick(target, keys[static_cast<std::size_t>(upTo(int(keys.size()) - 1))]);
  }

  void endsRight() {
    fixture_->window().sources().openPath(sample("bird"));
    workbench().setPaneCount(1);
    workbench().edit(0, {"tome", {{"r", std::int64_t{8}}}, nullptr, false}, "end");
    QTRY_VERIFY_WITH_TIMEOUT(shows("bird.png"), kPatience);
    QVERIFY(fixture_->settle());
    const InspectionPtr shown = fixture_->pane().inspection();
    QCOMPARE(shown->choice.method, "tome");
    QCOMPARE(shown->result.layers.back().tokens_out, 197 - 12 * 8);
  }

  std::mt19937 random_;
  WindowFixture* fixture_ = nullptr;
  QString last_;
};

ADAMERGE_UI_TEST(RandomWalkTest)

}  // namespace adamerge::ui::test

#include "random_walk_test.moc"
