// SPDX-License-Identifier: GPL-3.0-or-later
// What can be opened, and what is said of what cannot.
#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QMimeData>
#include <QPushButton>
#include <QToolButton>
#include <QtTest>

#include "adamerge/report.h"
#include "head_file.h"
#include "sources/image_list.h"
#include "sources/sources.h"
#include "sources/video.h"
#include "ui_test.h"
#include "video_file.h"
#include "window/actions.h"
#include "window/docks.h"
#include "window/stage.h"
#include "window_fixture.h"

namespace adamerge::ui::test {

class OpeningTest : public QObject {
  Q_OBJECT

 private slots:
  void init() {
    StartOptions options;
    options.fresh = true;
    fixture_ = std::make_unique<WindowFixture>(options);
    QVERIFY(fixture_->settle());
  }
  void cleanup() { fixture_.reset(); }

  void droppedPicture() {
    fixture_->dropPath(sample("ship"));
    QTRY_COMPARE(shownName(), QString("ship.png"));
    QVERIFY(fixture_->settle());
    const auto top = topPredictions(fixture_->pane().inspection()->baseline->logits,
                                    fixture_->workbench().model()->info.labels, 1);
    QCOMPARE(top.front().label, "ship");
  }

  void droppedFolderIsListedAndSteppedThrough() {
    fixture_->dropPath(ADAMERGE_SAMPLES);
    ThumbnailList& list = fixture_->window().docks().images();
    QTRY_COMPARE(list.files().size(), std::size_t{4});
    QTRY_COMPARE(shownName(), QString("airplane.png"));
    QVERIFY(list.isVisible());
    fixture_->window().actions().next_image->trigger();
    QTRY_COMPARE(shownName(), QString("automobile.png"));
    fixture_->window().actions().previous_image->trigger();
    QTRY_COMPARE(shownName(), QString("airplane.png"));
  }

  void pictureOpenedWhileAFolderIsSearchedStays() {
    fixture_->dropPath(ADAMERGE_SAMPLES);
    fixture_->window().sources().openPath(sample("ship"));
    ThumbnailList& list = fixture_->window().docks().images();
    QTRY_COMPARE(list.files().size(), std::size_t{4});
    QTRY_COMPARE(shownName(), QString("ship.png"));
    QVERIFY(fixture_->settle());
    QCOMPARE(shownName(), QString("ship.png"));
    QCOMPARE(list.current()->filename().string(), std::string("ship.png"));
  }

  void pastedPicture() {
    QImage image(64, 48, QImage::Format_RGB32);
    image.fill(Qt::red);
    QApplication::clipboard()->setImage(image);
    fixture_->window().actions().paste->trigger();
    QTRY_COMPARE(fixture_->workbench().picture()->pixels.size(), QSize(64, 48));
    QVERIFY(fixture_->settle());
  }

  void droppedVideoPlaysWithItsOverlay() {
    const QString path = fixture_->folder().filePath("clip.avi");
    QVERIFY(writeVideo(path.toStdString(), 40, 20));
    fixture_->dropPath(path);
    QTRY_VERIFY(fixture_->window().video().isOpen());
    QTRY_VERIFY(fixture_->window().video().playing());
    QTRY_VERIFY_WITH_TIMEOUT(fixture_->window().video().position() > 5, 20'000);
    const InspectionPtr shown = fixture_->pane().inspection();
    QVERIFY(shown != nullptr);
    QCOMPARE(shown->picture->pixels.size(), QSize(kVideoWidth, kVideoHeight));
    QTRY_VERIFY_WITH_TIMEOUT(fixture_->pane().inspection() != shown, 20'000);
    fixture_->window().actions().close_picture->trigger();
    QVERIFY(!fixture_->window().video().isOpen());
    QVERIFY(fixture_->workbench().picture() == nullptr);
  }

  void uselessDropIsExplained() {
    QMimeData data;
    data.setText("hello");
    fixture_->drop(data);
    QVERIFY(!fixture_->message().isEmpty());
    QCOMPARE(shownName(), QString("bird.png"));
  }

  void brokenPictureIsNamedAndTheOldOneStays() {
    const QString path = fixture_->folder().filePath("torn.png");
    QFile good(sample("bird"));
    QVERIFY(good.open(QIODevice::ReadOnly));
    QFile torn(path);
    QVERIFY(torn.open(QIODevice::WriteOnly));
    torn.write(good.read(2000));
    torn.close();
    fixture_->dropPath(path);
    QTRY_VERIFY(fixture_->message().contains("torn.png"));
    QCOMPARE(shownName(), QString("bird.png"));
    QVERIFY(fixture_->settle());
  }

  void brokenModelIsNamedAndTheOldOneStays() {
    const QString path = fixture_->folder().filePath("broken.safetensors");
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("this is no model");
    file.close();
    const LoadedModelPtr before = fixture_->workbench().model();
    fixture_->dropPath(path);
    QTRY_VERIFY(fixture_->message().contains("broken.safetensors"));
    QCOMPARE(fixture_->workbench().model(), before);
    fixture_->workbench().setCompression(0, 20);
    QVERIFY(fixture_->settle());
  }

  void aHeadReplacesTheClassifierUntilTheModelsOwnIsAskedForOrAnotherModelOpened() {
    Workbench& bench = fixture_->workbench();
    Actions& actions = fixture_->window().actions();
    QVERIFY(actions.use_head->isEnabled());
    QVERIFY(!actions.own_head->isEnabled());
    const std::filesystem::path head =
        fixture_->folder().filePath("words.safetensors").toStdString();
    adamerge::test::writeHead(head, {"a wing", "a wheel"},
                              bench.model()->info.vit.embeddingWidth());
    fixture_->window().sources().useHead(head);
    QTRY_COMPARE(bench.model()->info.head, head);
    QVERIFY(fixture_->settle());
    QCOMPARE(bench.model()->info.labels, (std::vector<std::string>{"a wing", "a wheel"}));
    QCOMPARE(fixture_->pane().inspection()->result.logits.size(), std::size_t{2});
    QVERIFY(actions.own_head->isEnabled());
    actions.own_head->trigger();
    QTRY_VERIFY(bench.model()->info.head.empty());
    QVERIFY(fixture_->settle());
    QCOMPARE(fixture_->pane().inspection()->result.logits.size(), std::size_t{10});

    fixture_->window().sources().useHead(head);
    QTRY_COMPARE(bench.model()->info.head, head);
    const std::filesystem::path other = ADAMERGE_FAMILIES "/timm-eva02-clip";
    fixture_->window().sources().openModel(other);
    QTRY_COMPARE(bench.model()->info.source, other);
    QVERIFY(bench.model()->info.head.empty());
  }

  void exportedFigureOffersItsSettings() {
    const InspectionPtr shown = fixture_->pane().inspection();
    const MethodChoice choice{"tome", {{"r", std::int64_t{7}}}, nullptr, false};
    FigureInput input;
    input.image = *shown->prepared;
    input.original = shown->picture->original;
    input.grid_height = shown->gridHeight();
    input.grid_width = shown->gridWidth();
    input.prefix_tokens = 1;
    input.result = shown->result;
    input.provenance =
        provenanceJson(shown->model->info, "cpu", "float32", "bird.png", choice, /*layer=*/4);
    for (const auto& [format, name] :
         {std::pair{FigureFormat::kPng, "f.png"}, std::pair{FigureFormat::kSvg, "f.svg"},
          std::pair{FigureFormat::kPdf, "f.pdf"}}) {
      fixture_->workbench().edit(0, {"pitome", {}, nullptr, false}, "test");
      const QString path = fixture_->folder().filePath(name);
      writeFigure("groups", input, {}, format, path.toStdString());
      fixture_->window().sources().openPath(path);
      QTRY_VERIFY2(fixture_->message().contains(name), name);
      button("Restore settings").click();
      QTRY_COMPARE(fixture_->pane().choice().method, "tome");
      QCOMPARE(fixture_->pane().compression(), 7);
      QCOMPARE(fixture_->workbench().view().block(), 4);
      fixture_->window().stage().messages().dismissAll();
    }
    // Of a comparison every canvas comes back, with its own count.
    const MethodChoice second{"pitome", {{"r", std::int64_t{3}}}, nullptr, false};
    input.provenance = "[" + input.provenance + "," +
                       provenanceJson(shown->model->info, "cpu", "float32", "bird.png", second, 4) +
                       "]";
    fixture_->workbench().edit(0, {"adamerge", {}, nullptr, false}, "test");
    const QString path = fixture_->folder().filePath("both.png");
    writeFigure("groups", input, {}, FigureFormat::kPng, path.toStdString());
    fixture_->window().sources().openPath(path);
    QTRY_VERIFY(fixture_->message().contains("both.png"));
    button("Restore settings").click();
    Workbench& bench = fixture_->workbench();
    QTRY_COMPARE(bench.paneCount(), 2);
    QVERIFY(fixture_->settle());
    QCOMPARE(bench.pane(0).choice().method, "tome");
    QCOMPARE(bench.pane(0).compression(), 7);
    QCOMPARE(bench.pane(1).choice().method, "pitome");
    QCOMPARE(bench.pane(1).compression(), 3);
  }

  void aDefaultModelThatCannotBeOpenedIsTold() {
    StartOptions options;
    options.fresh = true;
    options.model_warning = "vit-small-cifar10: cut short; the smaller one is used instead";
    fixture_ = std::make_unique<WindowFixture>(options);
    QCOMPARE(fixture_->message(), options.model_warning);
    QVERIFY(fixture_->settle());
    QCOMPARE(fixture_->message(), options.model_warning);
  }

 private:
  QString shownName() { return fixture_->workbench().picture()->name; }
  QAbstractButton& button(const QString& text) {
    for (auto* found : fixture_->window().stage().messages().findChildren<QAbstractButton*>()) {
      if (found->text() == text) return *found;
    }
    qFatal("no button says %s", qPrintable(text));
  }

  std::unique_ptr<WindowFixture> fixture_;
};

ADAMERGE_UI_TEST(OpeningTest)

}  // namespace adamerge::ui::test

#include "opening_test.moc"
