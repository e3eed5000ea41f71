// SPDX-License-Identifier: GPL-3.0-or-later
// Networks whose output is a map, in the window: what comes back with sessions, batches, traces.
#include <QLineEdit>
#include <QtTest>
#include <algorithm>
#include <fstream>

#include "adamerge/report.h"
#include "adamerge/trace_file.h"
#include "canvas/block_strip.h"
#include "canvas_fixture.h"
#include "export/batch_dialog.h"
#include "export/batch_forms.h"
#include "export_fixture.h"
#include "look/message.h"
#include "sam_window.h"
#include "ui_test.h"
#include "window/window_session.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

constexpr int kDenseWaitMs = 60'000;

int pinkIn(const QImage& image) {
  int count = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) {
      const QColor color = image.pixelColor(x, y);
      count += color.red() > 220 && color.green() < 90 && color.blue() > 90 && color.blue() < 190;
    }
  }
  return count;
}

class WindowedNetworksTest : public QObject {
  Q_OBJECT
 private slots:
  void sessionsBringPromptsRatioAndOverlayBack();
  void batchesDrawWhatTheCanvasShows();
  void tracesShowTheirWindows();
  void tokensAreThoseInside();
};

void WindowedNetworksTest::sessionsBringPromptsRatioAndOverlayBack() {
  const QTemporaryDir folder;
  const QString file = folder.filePath("sam.adamerge");
  const Prompts prompts{{8, 6, 24, 16}, {40, 12, 3, 4}};
  MethodChoice wanted;
  OverlayStyle style;
  style.kind = OverlayKind::kSurvivors;
  style.windows = false;
  {
    SamWindow first;
    MethodChoice choice = withPrompts(first.pane().choice(), prompts);
    choice.settings["ratio"] = std::int64_t{40};
    choice.settings["outside"] = std::string("all");
    first.workbench().edit(0, choice, "test");
    first.workbench().setPaneCount(2);
    first.workbench().edit(1, {"tome", {{"ratio", std::int64_t{25}}}, nullptr, false}, "test");
    QVERIFY(first.settle());
    first.workbench().view().setOverlay(style);
    first.workbench().view().setBlock(2);
    wanted = first.pane().choice();
    QVERIFY(first.window().sessions().save(file));
  }
  StartOptions fresh;
  fresh.fresh = true;
  WindowFixture second(fresh);
  QVERIFY(second.settle());
  second.dropPath(file);
  QTRY_VERIFY_WITH_TIMEOUT(
      second.workbench().model() != nullptr && second.workbench().model()->info.vit.isWindowed(),
      kDenseWaitMs);
  QTRY_COMPARE(second.workbench().paneCount(), 2);
  QTRY_COMPARE(second.pane().choice().method, "structsam");
  QVERIFY(second.settle());
  QCOMPARE(promptsOf(second.pane().choice().settings), prompts);
  const VitConfig& vit = second.workbench().model()->info.vit;
  QCOMPARE(describe(second.pane().choice(), vit), describe(wanted, vit));
  QCOMPARE(second.pane().compression(), 40);
  QCOMPARE(second.pane(1).compression(), 25);
  QVERIFY(second.workbench().view().overlay() == style);
  QCOMPARE(second.workbench().view().block(), 2);
  QCOMPARE(second.workbench().picture()->name, QString("photo.png"));
  // The second run protects the same cells.
  const auto& layers = second.pane().inspection()->result.layers;
  QVERIFY(std::all_of(layers.begin(), layers.end(),
                      [](const LayerTrace& layer) { return !layer.details.prompted.empty(); }));
  QVERIFY(pinkIn(painted(second.window().stage().grid().canvas(0))) > 100);
}

void WindowedNetworksTest::batchesDrawWhatTheCanvasShows() {
  const QTemporaryDir folder;
  const fs::path in = fs::path(folder.path().toStdString()) / "in";
  const fs::path out = fs::path(folder.path().toStdString()) / "out";
  fs::create_directories(in);
  fs::copy_file(kSam / "photo.png", in / "photo.png");
  std::ofstream(in / "small.ppm", std::ios::binary) << "P6 8 8 255\n" << std::string(192, 'x');
  SamWindow shown;
  MethodChoice choice = withPrompts(shown.pane().choice(), {{8, 6, 24, 16}, {40, 12}});
  choice.settings["ratio"] = std::int64_t{40};
  shown.workbench().edit(0, choice, "test");
  QVERIFY(shown.settle());
  shown.workbench().view().setBlock(0);
  BatchDialog dialog(batchContext(shown.workbench()));
  dialog.show();
  dialog.setFolders(QString::fromStdString(in.string()), QString::fromStdString(out.string()));
  const auto lines = dialog.findChildren<QLineEdit*>();
  const auto values = std::find_if(lines.begin(), lines.end(), [](const QLineEdit* line) {
    return line->accessibleName() == QStringLiteral("Values of Ratio (%)");
  });
  QVERIFY(values != lines.end());
  QCOMPARE((*values)->text(), QStringLiteral("40"));
  (*values)->setText(QStringLiteral("20, 40"));
  for (QCheckBox* box : dialog.findChildren<QCheckBox*>()) {
    const QString kind = QString(box->text()).remove('&');
    if (kind == QStringLiteral("Groups") || kind == QStringLiteral("Overview")) {
      box->setChecked(kind == QStringLiteral("Groups"));
    }
  }
  QPushButton* start = nullptr;
  for (QPushButton* button : dialog.findChildren<QPushButton*>()) {
    if (QString(button->text()).remove('&') == QStringLiteral("Start")) start = button;
  }
  QVERIFY(start != nullptr);
  QTRY_VERIFY_WITH_TIMEOUT(start->isEnabled(), kDenseWaitMs);
  start->click();
  auto* report = dialog.findChild<QPlainTextEdit*>();
  // The point lies in one of the two pictures.
  QTRY_VERIFY_WITH_TIMEOUT(report->toPlainText().contains(QStringLiteral("small.ppm")),
                           kDenseWaitMs);
  QVERIFY2(report->toPlainText().contains(QStringLiteral("outside the picture of 8 x 8 pixels")),
           qPrintable(report->toPlainText()));
  // The table, and a figure for each value.
  QTRY_COMPARE_WITH_TIMEOUT(filesBelow(out).size(), std::size_t{3}, kDenseWaitMs);
  const std::string last = filesBelow(out).back();
  QVERIFY2(last.starts_with("photo-structsam") && last.ends_with("groups-block01.png"),
           last.c_str());
  const QImage figure(QString::fromStdString((out / last).string()));
  QVERIFY2(pinkIn(figure) > 100, "prompts are in the figure");
  const QString table = QString::fromUtf8(bytesOf(out / "adamerge-batch.csv"));
  QCOMPARE(table.count(QStringLiteral("StructSAM, ")), 2);
}

void WindowedNetworksTest::tracesShowTheirWindows() {
  const QTemporaryDir folder;
  const fs::path file = fs::path(folder.path().toStdString()) / "sam.adamerge-trace";
  SamWindow shown("tome");
  const InspectionPtr inspection = shown.pane().inspection();
  const std::vector<TraceRecord> records{
      {"photo.png", &inspection->prepared->view, &inspection->result, inspection->baseline.get()}};
  writeTrace(file, inspection->model->info, inspection->choice, records, "a test");
  shown.dropPath(QString::fromStdString(file.string()));
  QTRY_VERIFY_WITH_TIMEOUT(
      shown.pane().inspection() != nullptr && shown.pane().inspection()->traced != nullptr,
      kDenseWaitMs);
  const auto& layers = shown.pane().inspection()->result.layers;
  for (std::size_t block = 0; block < layers.size(); ++block) {
    QCOMPARE(layers[block].window, inspection->result.layers[block].window);
    QVERIFY(layers[block].restored);
  }
  shown.workbench().view().setBlock(0);
  OverlayStyle style;
  style.kind = OverlayKind::kNone;
  shown.workbench().view().setOverlay(style);
  const QImage with = painted(shown.canvas());
  style.windows = false;
  shown.workbench().view().setOverlay(style);
  QVERIFY(with != painted(shown.canvas()));
}

void WindowedNetworksTest::tokensAreThoseInside() {
  SamWindow shown("tome");
  const LayerTrace& last = shown.pane().inspection()->result.layers.back();
  QVERIFY(last.tokens_inside < last.tokens_out);
  QCOMPARE(shown.find<QLabel>(QStringLiteral("tokens-before")).text(),
           QString::number(last.tokens_out));
  QCOMPARE(shown.find<QLabel>(QStringLiteral("tokens-after")).text(),
           QString::number(last.tokens_inside));
  auto* tiles = shown.window().findChild<BlockTiles*>();
  shown.workbench().view().setBlock(3);
  QCOMPARE(tiles->accessibleDescription(),
           QStringLiteral("Block 4 of 4, %1 tokens").arg(last.tokens_inside));
}

}  // namespace
ADAMERGE_UI_TEST(WindowedNetworksTest)

}  // namespace adamerge::ui::test

#include "windowed_networks_test.moc"
