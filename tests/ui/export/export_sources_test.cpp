// SPDX-License-Identifier: GPL-3.0-or-later
#include <poppler-document.h>
#include <poppler-font.h>
#include <poppler-page.h>

#include <QXmlStreamReader>
#include <QtTest>
#include <map>
#include <set>

#include "export/figure_source.h"
#include "export/page_form.h"
#include "export/plot_source.h"
#include "export_fixture.h"
#include "plots/tokens_plot.h"
#include "sample_inspection.h"
#include "sources/embedded_settings.h"
#include "temporary_folder.h"
#include "ui_test.h"

namespace adamerge::ui::test {
namespace {

namespace fs = std::filesystem;

constexpr double kPointsPerMm = 72 / 25.4;

QString pathText(const fs::path& path) { return QString::fromStdString(path.string()); }

/// How often elements of each name are in an XML file; empty where it is none.
std::map<QString, int> elementsOf(const fs::path& path) {
  QXmlStreamReader xml(bytesOf(path));
  std::map<QString, int> counts;
  while (!xml.atEnd()) {
    if (xml.readNext() == QXmlStreamReader::StartElement) ++counts[xml.name().toString()];
  }
  return xml.hasError() ? std::map<QString, int>() : counts;
}

}  // namespace

class ExportSourcesTest : public QObject {
  Q_OBJECT
 private:
  /// Everything that can be exported of two panes.
  std::vector<ExportSourcePtr> all() {
    std::vector<ExportSourcePtr> sources = figureSources(context_);
    for (auto& source : comparisonSources(context_)) sources.push_back(std::move(source));
    for (auto& source : plotSources({plot_.get()}, context_)) sources.push_back(std::move(source));
    return sources;
  }

  adamerge::test::TemporaryFolder folder_;
  ExportContext context_;
  std::unique_ptr<TokensPlot> plot_;

 private slots:
  void initTestCase() {
    context_ = sampleContext(2);
    plot_ = std::make_unique<TokensPlot>();
    const Inspection& pane = *context_.panes[0];
    plot_->setResults(
        {{0, pane.choice, context_.panes[0], nullptr, nullptr, pane.model->unmerged.paper}}, 0, 5,
        std::nullopt);
  }
  void cleanupTestCase() { plot_.reset(); }

  void everyKindOfFigureIsThere() {
    std::set<QString> ids;
    for (const ExportSourcePtr& source : all()) {
      QVERIFY2(ids.insert(source->id()).second, qPrintable(source->id()));
      QVERIFY(!source->label().isEmpty() && !source->help().isEmpty());
    }
    for (const FigureKind& kind : figureKinds()) {
      // A lens's figures are there while it is the overlay.
      const std::optional<OverlayKind> content = figureContent(kind.id);
      const bool expected = !content || !lensOf(*content);
      QVERIFY2(ids.contains(QString::fromStdString(kind.id)) == expected, kind.id.c_str());
    }
    for (const char* id : {"comparison-canvas", "comparison-groups", "tokens"}) {
      QVERIFY2(ids.contains(id), id);
    }
    QVERIFY(figureSources({}).empty() && comparisonSources({}).empty());
    QVERIFY(comparisonSources(sampleContext(1)).empty());
  }

  void pngHasTheSizeThatWasAskedFor() {
    for (const double width : {86.0, 178.0}) {
      for (const ExportSourcePtr& source : all()) {
        ExportStyle style{{}, 5};
        style.page.width_mm = width;
        style.page.dpi = 150;
        const fs::path path = folder_.path() / "figure.png";
        source->write(path, FigureFormat::kPng, style);
        const QImage image(pathText(path));
        const QSizeF size = source->size(style);
        QCOMPARE(size.width(), width);
        QCOMPARE(image.width(), qRound(width / 25.4 * 150));
        QCOMPARE(image.height(), qRound(size.height() / 25.4 * 150));
        QCOMPARE(image.dotsPerMeterX(), 5906);
        QCOMPARE(image.dotsPerMeterY(), 5906);
        QVERIFY(readProvenance(path).has_value());
      }
    }
  }

  void svgIsVectorsAndText() {
    for (const ExportSourcePtr& source : all()) {
      const fs::path path = folder_.path() / "figure.svg";
      source->write(path, FigureFormat::kSvg, {{}, 5});
      const std::map<QString, int> elements = elementsOf(path);
      QVERIFY2(elements.contains("svg"), qPrintable(source->id()));
      QVERIFY(elements.at("metadata") >= 1);
      const int drawn = (elements.contains("path") ? elements.at("path") : 0) +
                        (elements.contains("polyline") ? elements.at("polyline") : 0);
      QVERIFY2(drawn >= 3, qPrintable(source->id()));
      QVERIFY(readProvenance(path).has_value());
    }
  }

  void pdfHasItsPageAndItsFonts() {
    for (const ExportSourcePtr& source : all()) {
      ExportStyle style{{}, 5};
      style.page.width_mm = 100;
      const fs::path path = folder_.path() / "figure.pdf";
      source->write(path, FigureFormat::kPdf, style);
      const std::unique_ptr<poppler::document> document(
          poppler::document::load_from_file(path.string()));
      QVERIFY2(document != nullptr, qPrintable(source->id()));
      QCOMPARE(document->pages(), 1);
      const std::unique_ptr<poppler::page> page(document->create_page(0));
      const QSizeF size = source->size(style);
      QVERIFY(std::abs(page->page_rect().width() - size.width() * kPointsPerMm) < 1);
      QVERIFY(std::abs(page->page_rect().height() - size.height() * kPointsPerMm) < 1);
      QVERIFY2(!page->text().empty(), qPrintable(source->id()));
      const std::vector<poppler::font_info> fonts = document->fonts();
      QVERIFY(!fonts.empty());
      for (const poppler::font_info& font : fonts) QVERIFY(font.is_embedded());
      QVERIFY2(readProvenance(path).has_value(), qPrintable(source->id()));
    }
  }

  void backgroundsAreWhatTheySay() {
    for (const ExportSourcePtr& source : all()) {
      const auto corner = [&](Background background) {
        ExportStyle style{{}, 5};
        style.page.background = background;
        return source->render(style, 72).pixelColor(1, 1);
      };
      QCOMPARE(corner(Background::kLight), QColor(Qt::white));
      QVERIFY(corner(Background::kDark).lightness() < 60);
      QCOMPARE(corner(Background::kDark).alpha(), 255);
      QCOMPARE(corner(Background::kTransparent).alpha(), 0);
    }
  }

  void previewIsThePictureThatIsWritten() {
    for (const ExportSourcePtr& source : all()) {
      ExportStyle style{{}, 5};
      style.page.dpi = 100;
      const fs::path path = folder_.path() / "figure.png";
      source->write(path, FigureFormat::kPng, style);
      const QImage written = QImage(pathText(path)).convertToFormat(QImage::Format_RGB32);
      const QImage shown = source->render(style, 100).convertToFormat(QImage::Format_RGB32);
      QCOMPARE(shown.size(), written.size());
      // The last row and column lie partly beyond the page.
      const QRect inner = written.rect().adjusted(0, 0, -1, -1);
      QVERIFY2(shown.copy(inner) == written.copy(inner), qPrintable(source->id()));
    }
  }

  void theBlockIsTheOneAskedFor() {
    for (const ExportSourcePtr& source : figureSources(context_)) {
      const QImage first = source->render({{}, 0}, 72);
      const QImage last = source->render({{}, 11}, 72);
      QCOMPARE(first != last, source->perBlock());
    }
  }

  void missingFoldersAreMade() {
    for (const ExportSourcePtr& source : all()) {
      const fs::path path = folder_.path() / source->id().toStdString() / "new/figure.svg";
      source->write(path, FigureFormat::kSvg, {{}, 5});
      QVERIFY2(fs::exists(path), qPrintable(source->id()));
    }
  }

  void sizesBeyondReasonAreRefusedInASentence() {
    for (const ExportSourcePtr& source : all()) {
      ExportStyle style{{}, 5};
      style.page.width_mm = 5000;
      const QString message =
          errorOf([&] { source->write(folder_.path() / "huge.png", FigureFormat::kPng, style); });
      QVERIFY2(message.contains("mm"), qPrintable(source->id() + ": " + message));
      QVERIFY(!fs::exists(folder_.path() / "huge.png"));
    }
  }
};

ADAMERGE_UI_TEST(ExportSourcesTest)

}  // namespace adamerge::ui::test

#include "export_sources_test.moc"
