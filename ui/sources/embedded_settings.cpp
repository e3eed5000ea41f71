// SPDX-License-Identifier: GPL-3.0-or-later
#include "sources/embedded_settings.h"

#include <poppler-document.h>
#include <poppler-global.h>

#include <QFile>
#include <QFileInfo>
#include <QImageReader>
#include <QXmlStreamReader>
#include <memory>

namespace adamerge::ui {
namespace {

/// Figures are far smaller; larger files are not worth the wait when a picture is opened.
constexpr qint64 kLargestFile = 256LL << 20;

std::optional<std::string> filled(const QString& text) {
  const QString trimmed = text.trimmed();
  if (trimmed.isEmpty()) return std::nullopt;
  return trimmed.toStdString();
}

/// The text of the first element that `wanted` accepts.
template <typename Wanted>
std::optional<std::string> elementText(QXmlStreamReader& xml, const Wanted& wanted) {
  while (!xml.atEnd()) {
    if (xml.readNext() != QXmlStreamReader::StartElement || !wanted(xml)) continue;
    const QString text = xml.readElementText(QXmlStreamReader::IncludeChildElements);
    return xml.hasError() ? std::nullopt : filled(text);
  }
  return std::nullopt;
}

std::optional<std::string> fromPng(QFile& file) {
  QImageReader reader(&file, "png");
  return filled(reader.text(QStringLiteral("AdaMerge")));
}

std::optional<std::string> fromSvg(QFile& file) {
  QXmlStreamReader xml(&file);
  return elementText(xml, [](const QXmlStreamReader& at) {
    return at.name() == QLatin1String("metadata") &&
           at.attributes().value(QLatin1String("id")) == QLatin1String("adamerge");
  });
}

QString toQString(const poppler::ustring& text) {
  const poppler::byte_array utf8 = text.to_utf8();
  return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}

/// JSON only: the keywords of other people's PDFs are words.
std::optional<std::string> jsonIn(const QString& keywords) {
  const std::optional<std::string> text = filled(keywords);
  if (!text || (!text->starts_with('{') && !text->starts_with('['))) return std::nullopt;
  return text;
}

std::optional<std::string> fromPdf(const std::filesystem::path& path) {
  // Complaints about damaged files would go to the terminal.
  poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
  const std::unique_ptr<poppler::document> document(
      poppler::document::load_from_file(path.string()));
  if (document == nullptr || document->is_locked()) return std::nullopt;
  if (auto text = jsonIn(toQString(document->get_keywords()))) return text;
  QXmlStreamReader xmp(toQString(document->metadata()));
  const auto text = elementText(
      xmp, [](const QXmlStreamReader& at) { return at.name() == QLatin1String("Keywords"); });
  return text ? jsonIn(QString::fromStdString(*text)) : std::nullopt;
}

}  // namespace

std::optional<std::string> readProvenance(const std::filesystem::path& path) {
  try {
    const QFileInfo information(QString::fromStdString(path.string()));
    if (!information.isFile() || information.size() > kLargestFile) return std::nullopt;
    QFile file(information.filePath());
    if (!file.open(QIODevice::ReadOnly)) return std::nullopt;
    const QByteArray start = file.peek(1024);
    if (start.startsWith("\x89PNG")) return fromPng(file);
    if (start.contains("%PDF-")) return fromPdf(path);
    if (start.contains("<svg") || start.contains("<?xml")) return fromSvg(file);
  } catch (const std::exception&) {
    // A file that no reader can make sense of holds no settings.
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace adamerge::ui
