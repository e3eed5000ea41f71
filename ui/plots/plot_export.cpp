// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/plot_export.h"

#include <fmt/format.h>
#include <qcustomplot.h>

#include <QBuffer>
#include <QPainter>
#include <QPdfWriter>
#include <QPicture>
#include <QSvgGenerator>
#include <cmath>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "plots/plot_renderer.h"

namespace adamerge::ui {
namespace {

constexpr double kMmPerInch = 25.4;
constexpr double kPointsPerInch = 72;
constexpr const char* kCreator = "AdaMerge Studio";

double toPoints(double mm) { return mm / kMmPerInch * kPointsPerInch; }

void checkStyle(const PlotExportStyle& style, bool raster) {
  const auto check = [](const char* what, double value, double low, double high, const char* unit) {
    if (value >= low && value <= high) return;
    throw Error(
        fmt::format("{} is {} {}; it must be {} to {} {}", what, value, unit, low, high, unit));
  };
  check("the plot's width", style.width_mm, 20, 1000, "mm");
  check("the plot's height", style.height_mm, 15, 1000, "mm");
  check("the font size", style.font_pt, 3, 72, "pt");
  if (raster) check("the resolution", style.dpi, 36, 2400, "dpi");
}

QSize pixelSize(const PlotExportStyle& style) {
  return {qRound(style.width_mm / kMmPerInch * style.dpi),
          qRound(style.height_mm / kMmPerInch * style.dpi)};
}

/// What belongs to the screen stays there: hidden series, the chosen block, the present settings.
PlotContent forPaper(const PlotSnapshot& plot) {
  PlotContent content = plot.content;
  std::erase_if(content.series, [&](const PlotSeries& series) {
    return plot.hidden.contains(series.id) || series.screen_only;
  });
  content.highlight.reset();
  content.guides.clear();
  return content;
}

/// The note under the plot, in lines of `width`.
void addFootnote(QCustomPlot& drawing, const QString& note, const PlotTheme& theme, int width) {
  if (note.isEmpty()) return;
  QFont small = theme.font;
  small.setPointSizeF(small.pointSizeF() * 0.9);
  const QFontMetrics metrics(small);
  QStringList lines;
  for (const QString& word : note.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
    const QString longer = lines.isEmpty() ? word : lines.back() + QLatin1Char(' ') + word;
    if (!lines.isEmpty() && metrics.horizontalAdvance(longer) <= width) {
      lines.back() = longer;
    } else {
      lines.append(word);
    }
  }
  QCPLayoutGrid* grid = drawing.plotLayout();
  for (const QString& line : lines) {
    auto* text = new QCPTextElement(&drawing, line, small);
    text->setTextColor(theme.muted);
    text->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
    text->setMargins({metrics.averageCharWidth(), 0, 0, 0});
    const int row = grid->rowCount();
    grid->addElement(row, 0, text);
    grid->setRowStretchFactor(row, 0.001);
  }
}

/// The drawing as commands, in the units of a picture's own resolution, in which font sizes are
/// what they say.
QPicture record(const PlotSnapshot& plot, const PlotExportStyle& style) {
  QPicture picture;
  const double units = picture.logicalDpiX() / kMmPerInch;
  const QSize size(qRound(style.width_mm * units), qRound(style.height_mm * units));
  QCustomPlot drawing;
  PlotRenderer renderer(drawing);
  // The ground is painted by drawPlot(): whole pixels would leave a gap at the page's edge.
  const PlotTheme theme = paperTheme(style.dark, true, style.font_pt);
  renderer.draw(forPaper(plot), theme, {});
  renderer.setRanges(plot.x, plot.y, plot.y2);
  addFootnote(drawing, plot.content.note, theme, size.width() * 19 / 20);
  renderer.legend().arrange(size.width());
  QCPPainter painter(&picture);
  painter.setMode(QCPPainter::pmVectorized);
  painter.setMode(QCPPainter::pmNoCaching);
  painter.setMode(QCPPainter::pmNonCosmetic);
  drawing.toPainter(&painter, size.width(), size.height());
  return picture;
}

QByteArray asPng(const PlotSnapshot& plot, const PlotExportStyle& style, const QString& title,
                 const QString& provenance) {
  QImage image = plotImage(plot, style);
  if (!title.isEmpty()) image.setText(QStringLiteral("Title"), title);
  image.setText(QStringLiteral("Software"), QLatin1String(kCreator));
  if (!provenance.isEmpty()) image.setText(QStringLiteral("AdaMerge"), provenance);
  QBuffer buffer;
  buffer.open(QIODevice::WriteOnly);
  image.save(&buffer, "PNG");
  return buffer.data();
}

/// QSvgGenerator knows whole units only.
void setExactSize(QByteArray& svg, const PlotExportStyle& style) {
  const qsizetype start = svg.indexOf("width=");
  const qsizetype end = svg.indexOf("viewBox=");
  const std::string size =
      fmt::format("width=\"{:.4f}mm\" height=\"{:.4f}mm\"\n ", style.width_mm, style.height_mm);
  svg.replace(start, end - start, size.c_str());
}

QByteArray asSvg(const PlotSnapshot& plot, const PlotExportStyle& style, const QString& title,
                 const QString& provenance) {
  const QSizeF points(toPoints(style.width_mm), toPoints(style.height_mm));
  QBuffer buffer;
  buffer.open(QIODevice::WriteOnly);
  QSvgGenerator generator;
  generator.setOutputDevice(&buffer);
  generator.setResolution(static_cast<int>(kPointsPerInch));
  generator.setSize(points.toSize());
  generator.setViewBox(QRectF(QPointF(0, 0), points));
  generator.setDescription(QLatin1String(kCreator));
  QPainter painter(&generator);
  drawPlot(plot, style, painter);
  painter.end();
  QByteArray svg = buffer.data();
  setExactSize(svg, style);
  // Some versions of Qt escape a title, others do not.
  QByteArray own = "<title>" + title.toHtmlEscaped().toUtf8() + "</title>\n";
  if (!provenance.isEmpty()) {
    own += "<metadata id=\"adamerge\">" + provenance.toHtmlEscaped().toUtf8() + "</metadata>\n";
  }
  return svg.insert(svg.indexOf("<defs>"), own);
}

/// In pure ASCII, since some readers take XMP for Latin-1.
QString xmlText(const QString& text) {
  QString escaped;
  for (const char32_t character : text.toStdU32String()) {
    if (character < 0x80) {
      escaped += QString(QChar(static_cast<char16_t>(character))).toHtmlEscaped();
    } else {
      escaped += QStringLiteral("&#%1;").arg(static_cast<quint32>(character));
    }
  }
  return escaped;
}

/// QPdfWriter cannot set the keywords of the document information, so they go into its XMP.
QByteArray xmp(const QString& title, const QString& provenance) {
  return QStringLiteral(
             "<?xpacket begin=\"\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
             "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
             "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
             "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
             "xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" "
             "xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\">\n"
             "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">%1</rdf:li></rdf:Alt></dc:title>\n"
             "<xmp:CreatorTool>%2</xmp:CreatorTool>\n"
             "<pdf:Keywords>%3</pdf:Keywords>\n"
             "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>\n")
      .arg(xmlText(title), QLatin1String(kCreator), xmlText(provenance))
      .toUtf8();
}

QByteArray asPdf(const PlotSnapshot& plot, const PlotExportStyle& style, const QString& title,
                 const QString& provenance) {
  QBuffer buffer;
  buffer.open(QIODevice::WriteOnly);
  QPdfWriter writer(&buffer);
  writer.setCreator(QLatin1String(kCreator));
  writer.setTitle(title);
  writer.setPageSize(QPageSize(QSizeF(style.width_mm, style.height_mm), QPageSize::Millimeter, {},
                               QPageSize::ExactMatch));
  writer.setPageMargins(QMarginsF(0, 0, 0, 0));
  writer.setResolution(1200);
  if (!provenance.isEmpty()) writer.setDocumentXmpMetadata(xmp(title, provenance));
  QPainter painter(&writer);
  painter.scale(writer.resolution() / kPointsPerInch, writer.resolution() / kPointsPerInch);
  drawPlot(plot, style, painter);
  painter.end();
  return buffer.data();
}

void writeWhole(const std::filesystem::path& path, const QByteArray& bytes) {
  writeFileAtomically(path, {bytes.constData(), static_cast<std::size_t>(bytes.size())});
}

}  // namespace

void drawPlot(const PlotSnapshot& plot, const PlotExportStyle& style, QPainter& painter) {
  const QPicture picture = record(plot, style);
  painter.save();
  if (!style.transparent) {
    const QRectF page(0, 0, toPoints(style.width_mm), toPoints(style.height_mm));
    painter.fillRect(page, paperTheme(style.dark, false, style.font_pt).background);
  }
  // Playing a picture scales it from its own resolution to the device's; undone, then to points.
  const double to_points = kPointsPerInch / painter.device()->logicalDpiX();
  painter.scale(to_points, to_points);
  painter.drawPicture(QPointF(0, 0), picture);
  painter.restore();
}

QImage plotImage(const PlotSnapshot& plot, const PlotExportStyle& style) {
  checkStyle(style, true);
  QImage image(pixelSize(style), QImage::Format_ARGB32_Premultiplied);
  if (image.isNull())
    throw Error("the picture is too large for the memory; a lower resolution helps");
  image.fill(style.transparent ? QColor(Qt::transparent)
                               : paperTheme(style.dark, false, style.font_pt).background);
  QPainter painter(&image);
  painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
  painter.scale(style.dpi / kPointsPerInch, style.dpi / kPointsPerInch);
  drawPlot(plot, style, painter);
  painter.end();
  const int dots_per_metre = qRound(style.dpi / kMmPerInch * 1000);
  image.setDotsPerMeterX(dots_per_metre);
  image.setDotsPerMeterY(dots_per_metre);
  return image;
}

void exportPlot(const PlotSnapshot& plot, const PlotExportStyle& style, FigureFormat format,
                const std::filesystem::path& path, const QString& title,
                const QString& provenance) {
  checkStyle(style, format == FigureFormat::kPng);
  switch (format) {
    case FigureFormat::kPng:
      return writeWhole(path, asPng(plot, style, title, provenance));
    case FigureFormat::kSvg:
      return writeWhole(path, asSvg(plot, style, title, provenance));
    case FigureFormat::kPdf:
      return writeWhole(path, asPdf(plot, style, title, provenance));
  }
}

void exportPlotData(const PlotSnapshot& plot, const std::filesystem::path& path) {
  writeWhole(path, plotTable(plot.content, plot.hidden, ',').toUtf8());
}

}  // namespace adamerge::ui
