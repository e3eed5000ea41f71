// SPDX-License-Identifier: GPL-3.0-or-later
// What every plot can do: drawing, legend, read-out, keys, copying, palette, empty text.
#include <QClipboard>
#include <QMenu>
#include <QSignalSpy>

#include "plots/redundancy_plot.h"
#include "shown_plot.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

int pixelsNear(const QImage& image, const QColor& color, const QRect& within) {
  int count = 0;
  for (int y = within.top(); y <= within.bottom(); ++y) {
    for (int x = within.left(); x <= within.right(); ++x) {
      const QColor pixel = image.pixelColor(x, y);
      count += std::abs(pixel.red() - color.red()) + std::abs(pixel.green() - color.green()) +
                   std::abs(pixel.blue() - color.blue()) <
               24;
    }
  }
  return count;
}

class PanelTest : public QObject {
  Q_OBJECT
 private slots:
  void drawsTheContent();
  void legendClickHides();
  void legendKeepsClearOfData();
  void clickOnABarChoosesTheBlock();
  void readoutTellsTheColumn();
  void keysStepAndChoose();
  void menuListsSeries();
  void copies();
  void followsThePalette();
  void tellsWhatToDoWhereEmpty();
  void describesItself();
};

void PanelTest::drawsTheContent() {
  ShownPlot shown;
  const auto& layers = sample().inspection->result.layers;
  QCOMPARE(shown.plot().graphCount(), 1);
  const auto graph = shown.plot().graph(0)->data();
  QCOMPARE(graph->size(), static_cast<int>(layers.size()));
  auto* bars = qobject_cast<QCPBars*>(shown.plot().plottable(0));
  QVERIFY(bars != nullptr);
  for (int block = 0; block < graph->size(); ++block) {
    const LayerTrace& layer = layers[static_cast<std::size_t>(block)];
    QCOMPARE(graph->at(block)->value, static_cast<double>(layer.tokens_out));
    QCOMPARE(bars->data()->at(block)->value, static_cast<double>(layer.merged));
  }
  const QImage image = shown.plot().grab().toImage();
  const QColor color = legibleOn(shown.panel.palette().color(QPalette::Base), paperColor("tome"));
  QVERIFY(pixelsNear(image, color, shown.plot().axisRect()->rect()) > 100);
}

void PanelTest::legendClickHides() {
  ShownPlot shown;
  const QString id = "tokens left";
  QCPGraph* graph = shown.plot().graph(0);
  const auto click = [&] {
    QTest::mouseClick(&shown.plot(), Qt::LeftButton, {},
                      shown.panel.renderer().legend().rectOf(id).center());
    QCoreApplication::processEvents();
  };
  QVERIFY(graph->visible());
  click();
  QVERIFY(!shown.panel.isSeriesVisible(id));
  QVERIFY(!graph->visible());
  QVERIFY(shown.plot().legend->itemWithPlottable(graph)->font().strikeOut());
  QVERIFY(shown.panel.isSeriesVisible("merged"));
  // It stays hidden while data change.
  shown.panel.setResults({sample()}, 0, 4, std::nullopt);
  QVERIFY(!shown.plot().graph(0)->visible());
  click();
  QVERIFY(shown.plot().graph(0)->visible());
  QVERIFY(!shown.plot().legend->itemWithPlottable(shown.plot().graph(0))->font().strikeOut());
}

void PanelTest::legendKeepsClearOfData() {
  ShownPlot shown;
  for (const int width : {700, 300}) {
    shown.panel.resize(width, 340);
    QCoreApplication::processEvents();
    for (const char* id : {"tokens left", "merged"}) {
      const QRect item = shown.panel.renderer().legend().rectOf(id);
      QVERIFY(item.bottom() < shown.plot().axisRect()->rect().top());
      QVERIFY2(item.right() <= shown.plot().width(), qPrintable(QString::number(width)));
    }
  }
}

void PanelTest::clickOnABarChoosesTheBlock() {
  ShownPlot shown;
  QSignalSpy spy(&shown.panel, &TokensPlot::blockChosen);
  QTest::mouseClick(&shown.plot(), Qt::LeftButton, {}, shown.at(4, 0.95));
  QCOMPARE(spy.size(), 1);
  QCOMPARE(spy.at(0).at(0).toInt(), 3);
  QTest::mouseClick(&shown.plot(), Qt::LeftButton, {}, shown.at(12, 0.4));
  QCOMPARE(spy.last().at(0).toInt(), 11);
  // Outside the axes nothing is chosen.
  QTest::mouseClick(&shown.plot(), Qt::LeftButton, {}, {4, shown.plot().height() - 4});
  QCOMPARE(spy.size(), 2);
}

void PanelTest::readoutTellsTheColumn() {
  ShownPlot shown;
  QVERIFY(shown.panel.readout().isEmpty());
  shown.move(shown.at(6, 0.5));
  const LayerTrace& layer = sample().inspection->result.layers[5];
  const QString text = shown.panel.readout();
  QVERIFY(text.startsWith("Block 6 of 12"));
  QVERIFY(
      text.contains(QString("%1 of %2 tokens left").arg(layer.tokens_out).arg(layer.tokens_in)));
  QVERIFY(text.contains(QString("%1 merged").arg(layer.merged)));
  const auto* label = shown.plot().findChild<QLabel*>("readout");
  QVERIFY(label->isVisible());
  QVERIFY(shown.plot().rect().contains(label->geometry()));
  shown.panel.setSeriesVisible("merged", false);
  QVERIFY(!shown.panel.readout().contains("merged"));
  QEvent leave(QEvent::Leave);
  QApplication::sendEvent(&shown.plot(), &leave);
  QVERIFY(shown.panel.readout().isEmpty());
  QVERIFY(!label->isVisible());
}

void PanelTest::keysStepAndChoose() {
  ShownPlot shown;
  QSignalSpy spy(&shown.panel, &TokensPlot::blockChosen);
  QTest::keyClick(&shown.panel, Qt::Key_Right);
  QVERIFY(shown.panel.readout().startsWith("Block 1 of 12"));
  QTest::keyClick(&shown.panel, Qt::Key_Right);
  QTest::keyClick(&shown.panel, Qt::Key_Down);
  QVERIFY(shown.panel.readout().startsWith("Block 2 of 12"));
  QTest::keyClick(&shown.panel, Qt::Key_Return);
  QCOMPARE(spy.at(0).at(0).toInt(), 1);
  QTest::keyClick(&shown.panel, Qt::Key_Escape);
  QVERIFY(shown.panel.readout().isEmpty());
}

void PanelTest::menuListsSeries() {
  ShownPlot shown;
  QTest::mouseClick(&shown.plot(), Qt::RightButton, {}, shown.at(6, 0.5));
  auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
  QVERIFY(menu != nullptr);
  QSignalSpy wanted(&shown.panel, &PlotPanel::exportRequested);
  QAction* merged = nullptr;
  for (QAction* action : menu->actions()) {
    if (action->text().remove('&') == "Export…") action->trigger();
    if (action->menu() == nullptr) continue;
    for (QAction* series : action->menu()->actions()) {
      if (series->text() == "Merged") merged = series;
    }
  }
  QCOMPARE(wanted.size(), 1);
  QVERIFY(merged != nullptr && merged->isChecked());
  merged->trigger();
  QVERIFY(!shown.panel.isSeriesVisible("merged"));
  menu->close();
}

void PanelTest::copies() {
  ShownPlot shown;
  shown.panel.copyData();
  const QString text = QApplication::clipboard()->text();
  QCOMPARE(text.trimmed().split('\n').size(), 1 + 2 * 12);
  QVERIFY(text.startsWith("series\tquantity\tBlock"));
  shown.panel.copyImage();
  const QImage image = QApplication::clipboard()->image();
  QCOMPARE(image.size(), shown.plot().size() * shown.panel.devicePixelRatioF());
}

void PanelTest::followsThePalette() {
  ShownPlot shown;
  QPalette dark;
  dark.setColor(QPalette::Base, QColor(0x1b, 0x1d, 0x21));
  dark.setColor(QPalette::Text, QColor(0xec, 0xef, 0xf4));
  shown.panel.setPalette(dark);
  QCoreApplication::processEvents();
  const QImage image = shown.plot().grab().toImage();
  QCOMPARE(image.pixelColor(image.width() - 2, 2), QColor(0x1b, 0x1d, 0x21));
  QCOMPARE(shown.plot().xAxis->labelColor(), QColor(0xec, 0xef, 0xf4));
  const QColor line = shown.plot().graph(0)->pen().color();
  QVERIFY(contrastRatio(line, QColor(0x1b, 0x1d, 0x21)) >= 4.5);
}

void PanelTest::tellsWhatToDoWhereEmpty() {
  RedundancyPlot panel;
  panel.resize(400, 260);
  panel.show();
  panel.setResults({sample()}, 0, 0);
  QVERIFY(panel.isEmpty());
  const auto* text = panel.findChild<QLabel*>("empty");
  QVERIFY(text->isVisible());
  QVERIFY(text->text().contains("Only AdaMerge"));
  panel.setResults({resultOf(0, choiceOf("adamerge"))}, 0, 0);
  QVERIFY(!text->isVisible());
}

void PanelTest::describesItself() {
  ShownPlot shown;
  QCOMPARE(shown.panel.accessibleName(), "Tokens per block");
  QVERIFY(shown.panel.accessibleDescription().contains("ToMe, r 4: tokens left: 12 points"));
}

}  // namespace

ADAMERGE_UI_TEST(PanelTest)

}  // namespace adamerge::ui::test

#include "panel_test.moc"
