// SPDX-License-Identifier: GPL-3.0-or-later
// Segment Anything in the window: prompts drawn on the canvas, its windows, its own defaults.
#include <QtTest>
#include <QtWidgets>

#include "adamerge/report.h"
#include "canvas/prompt_tool.h"
#include "canvas_fixture.h"
#include "sam_window.h"
#include "settings/setting_editor.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

class PromptsTest : public QObject {
  Q_OBJECT
 private slots:
  void aDragIsABoxAndAClickAPoint();
  void drawnRemovedAndUndone();
  void protectedCellsAreShown();
  void otherMethodsTakeNone();
  void windowsAreShownAndHidden();
  void defaultsAreTheModels();
  void positionsAreTheModels();
};

void PromptsTest::aDragIsABoxAndAClickAPoint() {
  PromptTool tool;
  const ViewMapping mapping{2, {10, 10}};
  const QSizeF picture(56, 40);
  const auto done = [&](const QPointF& from, const QPointF& to, const Prompts& now = {}) {
    tool.press(from);
    tool.move(to);
    return tool.release(to, now, mapping, picture);
  };
  // From any corner, whole pixels around what was drawn, and cut off at the picture's edge.
  const auto box = done({71, 50}, {21, 15});
  QVERIFY(box.has_value());
  QCOMPARE(box->prompts.boxes, (std::vector<std::int64_t>{5, 2, 31, 20}));
  QCOMPARE(done({-40, -40}, {30, 30})->prompts.boxes, (std::vector<std::int64_t>{0, 0, 10, 10}));
  QVERIFY(!done({-40, -40}, {5, 5}));
  const auto point = done({29, 15}, {30, 15});
  QCOMPARE(point->prompts.points, (std::vector<std::int64_t>{10, 2}));
  QVERIFY(!done({5, 15}, {5, 15}));
  QVERIFY(!done({122, 15}, {122, 15}));
  // On one of them: it goes.
  const Prompts both{{5, 2, 31, 20}, {10, 8}};
  QCOMPARE(done({31, 27}, {31, 27}, both)->prompts, (Prompts{both.boxes, {}}));
  QCOMPARE(done({21, 30}, {21, 30}, both)->prompts, (Prompts{{}, both.points}));
  QCOMPARE(done({50, 40}, {50, 40}, both)->prompts.points.size(), 4U);
  QVERIFY(!tool.drawing());
}

void PromptsTest::drawnRemovedAndUndone() {
  SamWindow shown;
  QAction* tool = nullptr;
  for (QAction* action : shown.window().findChildren<QAction*>()) {
    if (action->shortcut() == QKeySequence(Qt::Key_B)) tool = action;
  }
  QVERIFY(tool != nullptr && tool->isVisible() && tool->isEnabled());
  // Without the tool a drag moves the picture and a click holds a group.
  shown.click(shown.at(20, 10));
  QVERIFY(shown.workbench().view().selectedPatch().has_value());
  QVERIFY(!shown.prompts().any());
  shown.workbench().view().select(std::nullopt);

  tool->trigger();
  QCOMPARE(shown.canvas().cursor().shape(), Qt::CrossCursor);
  const ViewMapping before = shown.canvas().mapping();
  shown.drag(shown.at(8, 6), shown.at(24, 16));
  QCOMPARE(shown.canvas().mapping(), before);
  shown.click(shown.at(40.5, 12.5));
  QVERIFY(!shown.workbench().view().selectedPatch());
  const Prompts both = shown.prompts();
  QCOMPARE(both.boxes.size(), 4U);
  QVERIFY(std::abs(both.boxes[0] - 8) <= 1 && std::abs(both.boxes[3] - 16) <= 1);
  QCOMPARE(both.points, (std::vector<std::int64_t>{40, 12}));
  QVERIFY(shown.settle());
  QCOMPARE(shown.pane().inspection()->choice.settings.at("points"), SettingValue(both.points));

  shown.click(shown.at(40.5, 12.5));
  QCOMPARE(shown.prompts(), (Prompts{both.boxes, {}}));
  QUndoStack& history = shown.workbench().history();
  history.undo();
  QCOMPARE(shown.prompts(), both);
  history.undo();
  history.undo();
  QVERIFY(!shown.prompts().any());
  history.redo();
  QCOMPARE(shown.prompts().boxes, both.boxes);
  // The settings and back.
  auto& line = shown.find<QLineEdit>(QStringLiteral("setting-points"));
  QCOMPARE(line.placeholderText(), QStringLiteral("e.g. 120,90"));
  QTest::keyClicks(&line, QStringLiteral("3,4,30,9"));
  QCOMPARE(shown.prompts().points, (std::vector<std::int64_t>{3, 4, 30, 9}));
  QVERIFY(shown.settle());
  // Esc leaves.
  shown.canvas().setFocus();
  QTest::keyClick(&shown.canvas(), Qt::Key_Escape);
  QVERIFY(!tool->isChecked());
}

int pixelsApart(const QImage& a, const QImage& b) {
  int count = 0;
  for (int y = 0; y < a.height(); ++y) {
    for (int x = 0; x < a.width(); ++x) {
      count += difference(a.pixelColor(x, y), b.pixelColor(x, y)) > 40;
    }
  }
  return count;
}

void PromptsTest::protectedCellsAreShown() {
  SamWindow shown;
  const QImage without = painted(shown.canvas());
  MethodChoice choice = withPrompts(shown.pane().choice(), {{}, {20, 10}});
  shown.workbench().edit(0, choice, QStringLiteral("test"));
  // At once, before the run that protects the cells.
  const QImage wanted = painted(shown.canvas());
  QVERIFY(shown.settle());
  const QImage known = painted(shown.canvas());
  const QColor dot = colorAt(wanted, shown.canvas().mapping().toWidget({20.5, 10.5}));
  QVERIFY(dot.red() > 200 && dot.green() < 90);
  QVERIFY(pixelsApart(without, wanted) > 10);
  QVERIFY(pixelsApart(wanted, known) > 10);
  // The cell of 2 x 2 patches that the point lies in, none of which merges in any block.
  for (const LayerTrace& layer : shown.pane().inspection()->result.layers) {
    QVERIFY(!layer.details.prompted.empty() && layer.details.prompted.size() <= 4);
    for (const int patch : layer.details.prompted) {
      const auto& groups = layer.groups;
      QCOMPARE(std::count(groups.begin(), groups.end(), groups[static_cast<std::size_t>(patch)]),
               1);
    }
  }
}

void PromptsTest::otherMethodsTakeNone() {
  SamWindow shown("tome");
  shown.workbench().view().setPrompting(true);
  const std::size_t steps = static_cast<std::size_t>(shown.workbench().history().count());
  shown.drag(shown.at(8, 6), shown.at(24, 16));
  QCOMPARE(static_cast<std::size_t>(shown.workbench().history().count()), steps);
  QVERIFY(!takesPrompts(shown.pane().choice()));
}

void PromptsTest::windowsAreShownAndHidden() {
  SamWindow shown("none");
  const auto cyan = [&] {
    const QImage image = painted(shown.canvas());
    int count = 0;
    for (int y = 0; y < image.height(); ++y) {
      for (int x = 0; x < image.width(); ++x) {
        const QColor color = image.pixelColor(x, y);
        count += color.blue() - color.red() > 120 && color.green() - color.red() > 100;
      }
    }
    return count;
  };
  OverlayStyle style;
  style.kind = OverlayKind::kNone;
  style.windows = false;
  shown.workbench().view().setOverlay(style);
  shown.workbench().view().setBlock(1);  // attends to the whole grid
  const int picture = cyan();
  shown.workbench().view().setBlock(0);
  QCOMPARE(cyan(), picture);
  auto& box = shown.find<QCheckBox>(QStringLiteral("windows"));
  QVERIFY(box.isVisibleTo(box.parentWidget()));
  box.click();
  QVERIFY(cyan() > picture + 100);
  shown.workbench().view().setBlock(1);
  QCOMPARE(cyan(), picture);
  shown.workbench().view().setBlock(0);
  shown.workbench().history().undo();
  QCOMPARE(cyan(), picture);
}

void PromptsTest::defaultsAreTheModels() {
  SamWindow shown("tome");
  const VitConfig& vit = shown.workbench().model()->info.vit;
  QCOMPARE(describe(shown.pane().choice(), vit), std::string("ToMe, Ratio (%) 50"));
  const auto rows = shown.window().findChildren<SettingRow*>();
  QVERIFY(!rows.isEmpty());
  for (SettingRow* row : rows) {
    if (row->isHidden()) continue;
    QVERIFY2(row->findChild<QToolButton*>()->isHidden(), row->info().key.c_str());
  }
  shown.find<QCheckBox>(QStringLiteral("setting-proportional_attention")).click();
  QCOMPARE(describe(shown.pane().choice(), vit),
           std::string("ToMe, Proportional attention on, Ratio (%) 50"));
  for (auto* button : shown.window().findChildren<QPushButton*>()) {
    if (button->text() == QStringLiteral("Reset all") && button->isEnabled()) button->click();
  }
  QCOMPARE(describe(shown.pane().choice(), vit), std::string("ToMe, Ratio (%) 50"));
}

/// Words that the network refuses are not offered.
void PromptsTest::positionsAreTheModels() {
  SamWindow shown("tome");
  const auto& words = shown.find<QComboBox>(QStringLiteral("setting-position"));
  QStringList offered;
  for (int i = 0; i < words.count(); ++i) offered << words.itemText(i);
  QCOMPARE(offered, (QStringList{QStringLiteral("destination"), QStringLiteral("mean")}));
  QCOMPARE(words.currentText(), QStringLiteral("mean"));
}

}  // namespace
ADAMERGE_UI_TEST(PromptsTest)

}  // namespace adamerge::ui::test

#include "prompts_test.moc"
