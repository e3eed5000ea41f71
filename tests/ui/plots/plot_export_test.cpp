// SPDX-License-Identifier: GPL-3.0-or-later
// Plots on paper: files opened again and read.
#include "plots/plot_export.h"

#include <poppler-document.h>
#include <poppler-font.h>
#include <poppler-page.h>

#include <QImageReader>
#include <QXmlStreamReader>
#include <QtTest>
#include <cmath>
#include <fstream>
#include <sstream>

#include "adamerge/error.h"
#include "plot_fixture.h"
#include "plots/tokens_plot.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

using adamerge::test::TemporaryFolder;

const QString kProvenance = "{\"method\": \"adamerge\", \"note\": \"<a> & ü\"}";

PlotSnapshot samplePlot() {
  TokensPlot panel;
  panel.setResults({resultOf(0, choiceOf("adamerge"))}, 0, 3, std::nullopt);
  return panel.snapshot();
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

template <class Function>
QString message(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return QString::fromUtf8(error.what());
  }
  return {};
}

class ExportTest : public QObject {
  Q_OBJECT
 private slots:
  void png();
  void grounds();
  void svg();
  void pdf();
  void hiddenSeriesAreLeftOut();
  void screenStateStaysOnTheScreen();
  void noteIsAFootnoteAndTextIsText();
  void table();
  void refusals();

 private:
  TemporaryFolder folder_;
  std::filesystem::path path(const char* name) const { return folder_.path() / name; }
};

void ExportTest::png() {
  PlotExportStyle style;
  style.width_mm = 90;
  style.height_mm = 50;
  style.dpi = 254;
  exportPlot(samplePlot(), style, FigureFormat::kPng, path("a.png"), "Tokens", kProvenance);
  QImageReader reader(QString::fromStdString(path("a.png").string()));
  const QImage image = reader.read();
  QCOMPARE(image.size(), QSize(900, 500));
  QCOMPARE(image.dotsPerMeterX(), 10000);
  QCOMPARE(image.text("AdaMerge"), kProvenance);
  QCOMPARE(image.text("Title"), "Tokens");
  int inked = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) inked += image.pixelColor(x, y).lightness() < 128;
  }
  QVERIFY(inked > 1000);
}

void ExportTest::grounds() {
  PlotExportStyle style;
  style.dpi = 100;
  const PlotSnapshot plot = samplePlot();
  QCOMPARE(plotImage(plot, style).pixelColor(0, 0), QColor(Qt::white));
  style.dark = true;
  const QImage dark = plotImage(plot, style);
  QVERIFY(dark.pixelColor(0, 0).lightness() < 40);
  QCOMPARE(dark.pixelColor(dark.width() - 1, dark.height() - 1), dark.pixelColor(0, 0));
  style.transparent = true;
  QCOMPARE(plotImage(plot, style).pixelColor(0, 0).alpha(), 0);
}

void ExportTest::svg() {
  PlotExportStyle style;
  style.width_mm = 83.4;
  exportPlot(samplePlot(), style, FigureFormat::kSvg, path("a.svg"), "Tokens & merges",
             kProvenance);
  QXmlStreamReader xml(QByteArray::fromStdString(contents(path("a.svg"))));
  QStringList texts;
  QString metadata;
  QString title;
  int paths = 0;
  int images = 0;
  while (!xml.atEnd()) {
    if (xml.readNext() != QXmlStreamReader::StartElement) continue;
    const auto name = xml.name();
    if (name == QLatin1String("svg")) {
      QCOMPARE(xml.attributes().value("width"), QLatin1String("83.4000mm"));
      QCOMPARE(xml.attributes().value("height"), QLatin1String("55.0000mm"));
    }
    if (name == QLatin1String("metadata")) {
      QCOMPARE(xml.attributes().value("id"), QLatin1String("adamerge"));
      metadata = xml.readElementText();
    } else if (name == QLatin1String("title")) {
      title = xml.readElementText();
    } else if (name == QLatin1String("text")) {
      texts << xml.readElementText().trimmed();
    }
    paths += name == QLatin1String("path") || name == QLatin1String("polyline");
    images += name == QLatin1String("image");
  }
  QVERIFY2(!xml.hasError(), qPrintable(xml.errorString()));
  QCOMPARE(metadata, kProvenance);
  QCOMPARE(title, "Tokens & merges");
  for (const char* text : {"Block", "Tokens left", "Merged", "12"}) {
    QVERIFY2(texts.contains(text), text);
  }
  QVERIFY(paths > 15);
  QCOMPARE(images, 0);
}

void ExportTest::pdf() {
  PlotExportStyle style;
  style.width_mm = 120;
  style.height_mm = 70;
  style.font_pt = 9;
  exportPlot(samplePlot(), style, FigureFormat::kPdf, path("a.pdf"), "Tokens", kProvenance);
  const std::unique_ptr<poppler::document> document(
      poppler::document::load_from_file(path("a.pdf").string()));
  QVERIFY(document != nullptr);
  QCOMPARE(document->pages(), 1);
  const std::unique_ptr<poppler::page> page(document->create_page(0));
  const poppler::rectf size = page->page_rect();
  QVERIFY(std::abs(size.width() / 72 * 25.4 - 120) < 0.5);
  QVERIFY(std::abs(size.height() / 72 * 25.4 - 70) < 0.5);
  const auto fonts = document->fonts();
  QVERIFY(!fonts.empty());
  for (const poppler::font_info& font : fonts) QVERIFY(font.is_embedded());
  double largest = 0;
  QStringList words;
  for (const poppler::text_box& box : page->text_list(poppler::page::text_list_include_font)) {
    const auto utf8 = box.text().to_utf8();
    words << QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
    largest = std::max(largest, box.get_font_size());
  }
  QVERIFY(words.contains("Block"));
  QVERIFY(words.contains("Calibration"));
  QVERIFY2(std::abs(largest - 9) < 0.3, qPrintable(QString::number(largest)));
  const auto metadata = document->metadata().to_utf8();
  QXmlStreamReader xmp(QString::fromUtf8(metadata.data(), static_cast<qsizetype>(metadata.size())));
  QString keywords;
  while (!xmp.atEnd()) {
    if (xmp.readNext() == QXmlStreamReader::StartElement &&
        xmp.name() == QLatin1String("Keywords")) {
      keywords = xmp.readElementText();
    }
  }
  QCOMPARE(keywords, kProvenance);
  QVERIFY(contents(path("a.pdf")).find("/Subtype /Image") == std::string::npos);
}

void ExportTest::hiddenSeriesAreLeftOut() {
  PlotSnapshot plot = samplePlot();
  const QImage whole = plotImage(plot, {});
  plot.hidden = {"merged"};
  QVERIFY(plotImage(plot, {}) != whole);
  plot.hidden.clear();
  QCOMPARE(plotImage(plot, {}), whole);
}

void ExportTest::screenStateStaysOnTheScreen() {
  PlotSnapshot plot = samplePlot();
  const QImage clean = plotImage(plot, {});
  plot.content.highlight = PlotRange{3.5, 4.5};
  plot.content.guides.push_back({5, Qt::red, 0, "now"});
  QCOMPARE(plotImage(plot, {}), clean);
  PlotSeries present = plot.content.series.front();
  present.screen_only = true;
  plot.content.series.push_back(present);
  QCOMPARE(plotImage(plot, {}), clean);
  // A hidden series is not there, rather than struck out.
  plot = samplePlot();
  plot.hidden = {plot.content.series.front().id};
  PlotSnapshot without = samplePlot();
  std::erase_if(without.content.series,
                [&](const PlotSeries& series) { return plot.hidden.contains(series.id); });
  QCOMPARE(plotImage(plot, {}), plotImage(without, {}));
}

void ExportTest::noteIsAFootnoteAndTextIsText() {
  PlotSnapshot plot = samplePlot();
  plot.content.note = "Filled: small on CIFAR-10 test, 1000 images. Hollow: published points.";
  exportPlot(plot, {}, FigureFormat::kSvg, path("note.svg"));
  const QString svg = QString::fromStdString(contents(path("note.svg")));
  QString words;
  QXmlStreamReader xml(svg);
  while (!xml.atEnd()) {
    if (xml.readNext() != QXmlStreamReader::StartElement || xml.name() != u"text") continue;
    words += xml.readElementText(QXmlStreamReader::IncludeChildElements).trimmed() + ' ';
  }
  QVERIFY2(words.contains("Filled: small on CIFAR-10 test,"), qPrintable(words));
  QVERIFY2(words.contains("published points."), qPrintable(words));
  QVERIFY(words.contains("Block"));
}

void ExportTest::table() {
  exportPlotData(samplePlot(), path("a.csv"));
  const QString csv = QString::fromStdString(contents(path("a.csv")));
  QVERIFY(csv.startsWith("series,quantity,Block,value,low,high,note\n"));
  QCOMPARE(csv.trimmed().split('\n').size(), 1 + 4 * 12);
}

void ExportTest::refusals() {
  PlotExportStyle style;
  style.width_mm = 5;
  QVERIFY(message([&] {
            exportPlot(samplePlot(), style, FigureFormat::kSvg, path("b.svg"));
          }).contains("width is 5 mm"));
  style.width_mm = 80;
  style.dpi = 9999;
  QVERIFY(message([&] {
            exportPlot(samplePlot(), style, FigureFormat::kPng, path("b.png"));
          }).contains("resolution"));
  QVERIFY(!std::filesystem::exists(path("b.png")));
  style.dpi = 100;
  std::ofstream(path("nowhere")) << "no folder";
  const auto missing = path("nowhere") / "b.pdf";
  const QString text =
      message([&] { exportPlot(samplePlot(), style, FigureFormat::kPdf, missing); });
  QVERIFY2(text.contains("nowhere"), qPrintable(text));
  QVERIFY2(text.contains("cannot be made"), qPrintable(text));
}

}  // namespace

ADAMERGE_UI_TEST(ExportTest)

}  // namespace adamerge::ui::test

#include "plot_export_test.moc"
