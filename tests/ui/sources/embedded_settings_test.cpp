// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/embedded_settings.h"

#include <QFile>
#include <QtTest>

#include "adamerge/report.h"
#include "export/figure_source.h"
#include "export/page_form.h"
#include "export_fixture.h"
#include "sample_inspection.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

void put(const fs::path& path, const QByteArray& bytes) {
  QFile file(QString::fromStdString(path.string()));
  QVERIFY(file.open(QIODevice::WriteOnly));
  file.write(bytes);
}

}  // namespace

class EmbeddedSettingsTest : public QObject {
  Q_OBJECT
 private:
  adamerge::test::TemporaryFolder folder_;

 private slots:
  void everyFormatBringsTheChoiceBack() {
    const ExportContext context = sampleContext();
    const MethodChoice& choice = context.panes[0]->choice;
    for (const ExportSourcePtr& source : figureSources(context)) {
      for (const FigureFormat format : allFormats()) {
        const fs::path path =
            folder_.path() / (source->id() + "." + extension(format)).toStdString();
        source->write(path, format, {{}, 5});
        const auto text = readProvenance(path);
        QVERIFY2(text.has_value(), path.c_str());
        const std::vector<Provenance> found = parseProvenance(*text);
        QCOMPARE(found.size(), std::size_t{1});
        QCOMPARE(found[0].choice.method, choice.method);
        QVERIFY(found[0].choice.settings == choice.settings);
        QCOMPARE(found[0].model, context.panes[0]->model->info.name);
        QCOMPARE(found[0].layer, source->perBlock() ? 5 : -1);
      }
    }
  }

  void comparisonsBringAllTheirChoicesBack() {
    const ExportContext context = sampleContext(2);
    for (const FigureFormat format : allFormats()) {
      const fs::path path = folder_.path() / ("comparison." + extension(format)).toStdString();
      comparisonSources(context).front()->write(path, format, {{}, 5});
      const auto text = readProvenance(path);
      QVERIFY2(text.has_value(), path.c_str());
      const std::vector<Provenance> found = parseProvenance(*text);
      QCOMPARE(found.size(), std::size_t{2});
      QCOMPARE(found[1].choice.method, std::string("tome"));
    }
  }

  void otherFilesHoldNone() {
    QVERIFY(!readProvenance(samplePath("bird")));
    QVERIFY(!readProvenance(fs::path(ADAMERGE_SAMPLES) / "bird.svg"));
    QVERIFY(!readProvenance(fs::path(ADAMERGE_SAMPLES)));
    QVERIFY(!readProvenance(folder_.path() / "missing.png"));
    QVERIFY(!readProvenance("/dev/zero"));
    for (const QByteArray& bytes :
         {QByteArray(), QByteArray("%PDF-1.7 damaged"), QByteArray("\x89PNG\r\n\x1a\n\0\0", 10),
          QByteArray("<svg><metadata id=\"adamerge\">{\"cut"),
          QByteArray("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"&b;\">]><a>&b;</a>")}) {
      put(folder_.path() / "odd", bytes);
      QVERIFY2(!readProvenance(folder_.path() / "odd"), bytes.constData());
    }
  }

  void damageNeverThrows() {
    const ExportContext context = sampleContext();
    for (const FigureFormat format : allFormats()) {
      const fs::path path = folder_.path() / "whole";
      figureSources(context).front()->write(path, format, {{}, 5});
      const QByteArray whole = bytesOf(path);
      for (int cut = 0; cut < 12; ++cut) {
        QByteArray damaged = whole.left(whole.size() * cut / 12);
        put(folder_.path() / "damaged", damaged);
        readProvenance(folder_.path() / "damaged");
        damaged = whole;
        for (qsizetype at = cut; at < damaged.size(); at += 997) damaged[at] = '\xff';
        put(folder_.path() / "damaged", damaged);
        readProvenance(folder_.path() / "damaged");
      }
    }
  }

  void wordsAreNoSettings() {
    put(folder_.path() / "words.pdf",
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n3 0 obj<</Keywords(bird, tokens)>>endobj\n"
        "trailer<</Root 1 0 R/Info 3 0 R>>\n%%EOF\n");
    QVERIFY(!readProvenance(folder_.path() / "words.pdf"));
  }
};

ADAMERGE_UI_TEST(EmbeddedSettingsTest)

}  // namespace adamerge::ui::test

#include "embedded_settings_test.moc"
