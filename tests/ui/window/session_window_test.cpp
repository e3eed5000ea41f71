// SPDX-License-Identifier: GPL-3.0-or-later
// What was open comes back; the command line and screenshots.
#include <QImage>
#include <QLabel>
#include <QProcess>
#include <QtTest>
#include <algorithm>

#include "adamerge/methods.h"
#include "adamerge/thumbnail.h"
#include "bench/overlay_table.h"
#include "sources/image_list.h"
#include "ui_test.h"
#include "window/actions.h"
#include "window/stage.h"
#include "window/window_session.h"
#include "window_fixture.h"

namespace adamerge::ui::test {
namespace {

struct Outcome {
  int status = -1;
  QString errors;
};

Outcome runStudio(const QStringList& arguments, const QString& settings) {
  QProcess process;
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  environment.insert("XDG_CONFIG_HOME", settings);
  process.setProcessEnvironment(environment);
  process.start(ADAMERGE_STUDIO, arguments);
  if (!process.waitForFinished(120'000)) process.kill();
  return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
          QString::fromUtf8(process.readAllStandardError())};
}

}  // namespace

class SessionWindowTest : public QObject {
  Q_OBJECT

 private slots:
  void whatWasOpenComesBack() {
    const QString file = folder_.filePath("studio.ini");
    {
      WindowFixture first({}, file);
      QVERIFY(first.settle());
      first.dropPath(sample("ship"));
      QTRY_COMPARE(first.workbench().picture()->name, QString("ship.png"));
      first.workbench().edit(0, {"tome", {{"r", std::int64_t{9}}}, nullptr, false}, "test");
      first.workbench().setPaneCount(2);
      QVERIFY(first.settle());
      first.workbench().view().setBlock(3);
      first.window().close();
    }
    WindowFixture second({}, file);
    QVERIFY(second.settle());
    QTRY_COMPARE(second.workbench().picture()->name, QString("ship.png"));
    QCOMPARE(second.pane().choice().method, "tome");
    QCOMPARE(second.pane().compression(), 9);
    QCOMPARE(second.workbench().paneCount(), 2);
    QTRY_COMPARE(second.workbench().view().block(), 3);
  }

  void folderComesBack() {
    const QString file = folder_.filePath("folder.ini");
    const QString pictures = QFileInfo(sample("ship")).path();
    {
      WindowFixture first({}, file);
      QVERIFY(first.settle());
      first.dropPath(pictures);
      QTRY_COMPARE(first.window().findChild<ThumbnailList*>()->files().size(), 4U);
      first.window().findChild<ThumbnailList*>()->step(1);
      QVERIFY(first.settle());
      QTRY_COMPARE(first.workbench().picture()->name, QString("automobile.png"));
      first.window().close();
    }
    WindowFixture second({}, file);
    const auto* list = second.window().findChild<ThumbnailList*>();
    QSignalSpy chosen(list, &ThumbnailList::chosen);
    QTRY_COMPARE(list->files().size(), 4U);
    QVERIFY(second.settle());
    QTRY_COMPARE(second.workbench().picture()->name, QString("automobile.png"));
    QCOMPARE(list->current().value().filename().string(), std::string("automobile.png"));
    QCOMPARE(chosen.count(), 0);
  }

  void sessionFileOpensElsewhere() {
    const QString file = folder_.filePath("mine.adamerge");
    StartOptions options;
    options.fresh = true;
    {
      WindowFixture first(options);
      QVERIFY(first.settle());
      first.workbench().edit(0, {"dsm", {{"r", std::int64_t{11}}}, nullptr, false}, "test");
      QVERIFY(first.settle());
      QVERIFY(first.window().sessions().save(file));
      const QString thumbnail = folder_.filePath("mine.png");
      writeThumbnail(file.toStdString(), 256, thumbnail.toStdString());
      const BlockTiles& tiles = first.window().findChild<Stage*>()->strip().tiles();
      QCOMPARE(QImage(thumbnail).convertToFormat(QImage::Format_RGB32), tiles.chosenPicture(256));
      writeThumbnail(file.toStdString(), 96, thumbnail.toStdString());
      QCOMPARE(QImage(thumbnail).size(), QSize(96, 96));
    }
    WindowFixture second(options);
    QVERIFY(second.settle());
    second.dropPath(file);
    QTRY_COMPARE(second.pane().choice().method, "dsm");
    QCOMPARE(second.pane().compression(), 11);
    QVERIFY(second.settle());
  }

  void screenshotHasTheSizeAskedFor() {
    const QString file = folder_.filePath("shot.png");
    const Outcome outcome = runStudio(
        {sample("ship"), "--fresh", "--model", "vit-tiny-cifar10", "--method", "tome", "--r", "8",
         "--block", "6", "--size", "1024x700", "--theme", "dark", "--screenshot", file},
        folder_.path());
    QVERIFY2(outcome.status == 0, qPrintable(outcome.errors));
    const QImage picture(file);
    QCOMPARE(picture.size(), QSize(1024, 700));
    QVERIFY2(picture.pixelColor(3, 3).lightness() < 100, "the theme is dark");
  }

  void otherFamiliesAreShownWhole_data() {
    QTest::addColumn<bool>("classifies");
    QTest::newRow("hf-clip-vision") << false;
    QTest::newRow("hf-siglip-vision") << false;
    QTest::newRow("hf-dinov3") << false;
    QTest::newRow("hf-beit") << true;
    QTest::newRow("timm-siglip") << false;
  }
  /// Every block, overlay and method, at several places of the slider.
  void otherFamiliesAreShownWhole() {
    const QString family = QStringLiteral(ADAMERGE_SHARED "/reference/families/") +
                           QString::fromLatin1(QTest::currentDataTag());
    if (!QFileInfo::exists(family)) QSKIP("needs ../shared/reference/families");
    StartOptions options;
    options.fresh = true;
    WindowFixture studio(options);
    QVERIFY(studio.settle());
    QStringList errors;
    connect(&studio.window().stage().messages(), &MessageBar::shown, this,
            [&](Severity severity, const QString& text) {
              if (severity == Severity::kError) errors.append(text);
            });
    Workbench& bench = studio.workbench();
    const std::string bundled = bench.model()->info.name;
    bench.models().load(family.toStdString(), {});
    QTRY_VERIFY2_WITH_TIMEOUT(bench.model()->info.name != bundled || !errors.isEmpty(),
                              qPrintable(errors.join('\n')), 60'000);
    QVERIFY2(errors.isEmpty(), qPrintable(errors.join('\n')));
    for (const MethodInfo& method : methods()) {
      bench.restoreChoice(0, {method.id, {}, nullptr, false});
      QVERIFY2(studio.settle(), qPrintable(errors.join('\n')));
      if (studio.pane().choice().method != method.id) {
        // A method that asks for what the network lacks says so.
        QVERIFY2(errors.join(' ').contains("no class token"), qPrintable(errors.join('\n')));
        QVERIFY(!bench.model()->info.vit.class_token);
        errors.clear();
        continue;
      }
      const KnobRange range = knobRange(studio.pane().choice(), bench.model()->info.vit);
      for (const int step : {0, 1, range.steps()}) {
        bench.setCompression(0, range.at(step));
        QVERIFY2(studio.settle(), method.id.c_str());
        const InspectionPtr shown = studio.pane().inspection();
        QVERIFY(shown != nullptr && shown->model == bench.model());
        QCOMPARE(shown->choice.method, method.id);
        for (const OverlayInfo& overlay : overlays()) {
          OverlayStyle style = bench.view().overlay();
          style.kind = overlay.value;
          bench.view().setOverlay(style);
          const int middle = shown->depth() / 2;
          for (const int block : {0, middle, shown->depth() - 1}) {
            bench.view().setBlock(block);
            bench.view().select(block);
            // What is beside the stage does not show overlays: once is enough.
            QWidget& drawn = block == middle && step == 1 ? static_cast<QWidget&>(studio.window())
                                                          : studio.window().stage();
            QVERIFY(!drawn.grab().isNull());
            QVERIFY2(errors.isEmpty(), qPrintable(errors.join('\n')));
          }
        }
        // What merging did to the answer, whatever the network gives.
        const double cosine = embeddingCosine(*shown->baseline, shown->result);
        QVERIFY2(cosine > -1.001 && cosine < 1.001, method.id.c_str());
        const auto& layers = shown->result.layers;
        const bool whole = std::all_of(layers.begin(), layers.end(),
                                       [](const LayerTrace& layer) { return layer.merged == 0; });
        if (whole) QVERIFY2(cosine > 0.999, method.id.c_str());
      }
    }
    QFETCH(bool, classifies);
    QCOMPARE(bench.model()->info.vit.classes > 0, classifies);
    QString text;
    for (const auto* label : studio.window().findChildren<QLabel*>()) {
      if (label->isVisible()) text += label->text() + '\n';
    }
    QVERIFY2(classifies || text.contains("cosine", Qt::CaseInsensitive), qPrintable(text));
  }

  void wrongUseIsExplained() {
    for (const QStringList& arguments :
         {QStringList{"--size", "abc"}, QStringList{"--method", "nonsense"},
          QStringList{"--compare", "3"}, QStringList{"--overlay", "x"}}) {
      const Outcome outcome = runStudio(arguments, folder_.path());
      QCOMPARE(outcome.status, 2);
      QVERIFY2(outcome.errors.contains(arguments.last()), qPrintable(outcome.errors));
      QCOMPARE(outcome.errors.trimmed().count('\n'), 0);
    }
    QCOMPARE(runStudio({"--help"}, folder_.path()).status, 0);
    const Outcome missing = runStudio({"/nowhere/cat.png", "--fresh", "--model", "vit-tiny-cifar10",
                                       "--screenshot", folder_.filePath("none.png")},
                                      folder_.path());
    QCOMPARE(missing.status, 1);
    QVERIFY2(missing.errors.contains("cat.png"), qPrintable(missing.errors));
  }

 private:
  QTemporaryDir folder_;
};

ADAMERGE_UI_TEST(SessionWindowTest)

}  // namespace adamerge::ui::test

#include "session_window_test.moc"
