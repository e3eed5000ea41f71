// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/export_plan.h"

#include <fmt/format.h>

#include <QDir>
#include <QRegularExpression>
#include <algorithm>
#include <array>
#include <exception>
#include <set>

#include "adamerge/error.h"
#include "adamerge/files.h"
#include "adamerge/report.h"
#include "bench/data.h"
#include "bench/traces.h"

namespace adamerge::ui {
namespace {

/// File systems take 255 bytes; this leaves room for the extension and a temporary name.
constexpr qsizetype kLongestName = 180;

const QRegularExpression& placePattern() {
  static const QRegularExpression pattern(QStringLiteral("\\{([^{}]*)\\}"));
  return pattern;
}

QString valueOf(const QString& place, const FileNameParts& parts) {
  if (place == QLatin1String("image")) return parts.image;
  if (place == QLatin1String("figure")) return parts.figure;
  if (place == QLatin1String("block")) {
    return parts.block < 0 ? QString()
                           : QStringLiteral("-block%1").arg(parts.block + 1, 2, 10, QChar('0'));
  }
  if (place == QLatin1String("model")) return parts.model;
  if (place == QLatin1String("method")) return parts.method;
  if (place == QLatin1String("settings")) return slug(parts.settings);
  return {};
}

/// Whole characters up to a number of bytes.
QString cut(QString text, qsizetype bytes) {
  while (text.toUtf8().size() > bytes) {
    text.chop(text.size() > 1 && text.back().isLowSurrogate() ? 2 : 1);
  }
  return text;
}

}  // namespace

QString defaultFileName() { return QStringLiteral("{image}-{figure}{block}"); }

const QStringList& fileNamePlaces() {
  static const QStringList places{QStringLiteral("image"),  QStringLiteral("figure"),
                                  QStringLiteral("block"),  QStringLiteral("model"),
                                  QStringLiteral("method"), QStringLiteral("settings")};
  return places;
}

QString unknownPlace(const QString& name) {
  auto matches = placePattern().globalMatch(name);
  while (matches.hasNext()) {
    const QString place = matches.next().captured(1);
    if (!fileNamePlaces().contains(place)) return place;
  }
  return {};
}

QString expandFileName(const QString& name, const FileNameParts& parts) {
  QString filled;
  qsizetype at = 0;
  auto matches = placePattern().globalMatch(name);
  while (matches.hasNext()) {
    const QRegularExpressionMatch match = matches.next();
    filled += name.mid(at, match.capturedStart() - at);
    filled += valueOf(match.captured(1), parts);
    at = match.capturedEnd();
  }
  filled += name.mid(at);
  static const QRegularExpression unsafe(QStringLiteral("[/\\\\:*?\"<>|\\x00-\\x1f]+"));
  filled.replace(unsafe, QStringLiteral("_"));
  filled = cut(filled.trimmed(), kLongestName);
  // A leading dot would hide the file, a hyphen looks like an option.
  static const QRegularExpression start(QStringLiteral("^[.\\-\\s]+"));
  filled.remove(start);
  return filled.isEmpty() ? QStringLiteral("figure") : filled;
}

QString slug(const QString& text) {
  QString result = text.toLower();
  static const QRegularExpression gap(QStringLiteral("[^\\w.]+"),
                                      QRegularExpression::UseUnicodePropertiesOption);
  result.replace(gap, QStringLiteral("-"));
  while (result.endsWith(QChar('-'))) result.chop(1);
  while (result.startsWith(QChar('-'))) result.remove(0, 1);
  return result;
}

namespace {

std::string inspection(const ExportContext& context) {
  const Inspection& pane = *context.activePane();
  if (pane.traced != nullptr) {
    return traceJson(std::array{TraceReport{pane.traced->info, pane.traced->image}}, false);
  }
  std::vector<std::string> notes;
  if (const std::string& note = pane.picture->original->note; !note.empty()) notes.push_back(note);
  const InspectReport report{
      pane.picture->path.empty() ? pane.picture->name.toStdString() : pane.picture->path.string(),
      pane.picture->original->height,
      pane.picture->original->width,
      notes,
      pane.prepared->crop,
      pane.choice,
      pane.result,
      *pane.baseline,
      pane.change};
  return inspectJson(*context.engine, std::array{report}, false);
}

std::string trace(const ExportContext& context) { return traceCsv(context.activePane()->result); }

std::string merges(const ExportContext& context) { return mergesCsv(context.activePane()->result); }

std::string settings(const ExportContext& context) {
  const Inspection& pane = *context.activePane();
  if (pane.traced != nullptr) {
    return provenanceJson(*pane.traced->info, pane.traced->image.name, context.block) + "\n";
  }
  return provenanceJson(pane.model->info, pane.model->device, pane.model->dtype,
                        pane.picture->name.toStdString(), pane.choice, context.block) +
         "\n";
}

}  // namespace

const std::vector<DataFile>& dataFiles() {
  static const std::vector<DataFile> files{
      {QStringLiteral("trace"), QStringLiteral("csv"), QObject::tr("Blocks (CSV)"),
       QObject::tr("One row per block: tokens, merges, redundancy, μ, σ, z"), trace},
      {QStringLiteral("merges"), QStringLiteral("csv"), QObject::tr("Merges (CSV)"),
       QObject::tr("One row per merge: block, who merged with whom, similarity"), merges},
      {QStringLiteral("inspection"), QStringLiteral("json"), QObject::tr("Everything (JSON)"),
       QObject::tr(
           "Predictions, FLOPs, groups and salience of every block, as the command line writes "
           "them"),
       inspection},
      {QStringLiteral("settings"), QStringLiteral("json"), QObject::tr("Settings (JSON)"),
       QObject::tr("Model, method and settings, as every exported picture carries them"), settings},
      {kPlotTables, QStringLiteral("csv"), QObject::tr("Plots (CSV)"),
       QObject::tr("The numbers of each chosen plot, hidden series left out"), nullptr}};
  return files;
}

namespace {

namespace fs = std::filesystem;

FileNameParts partsOf(const ExportContext& context) {
  FileNameParts parts;
  const InspectionPtr pane = context.activePane();
  if (pane == nullptr) return parts;
  const fs::path name(pane->picture->name.toStdString());
  parts.image = QString::fromStdString(name.stem().string());
  parts.model = QString::fromStdString(pane->model->info.name);
  parts.method = QString::fromStdString(pane->traced != nullptr ? pane->traced->info->method
                                                                : pane->choice.method);
  parts.settings = QString::fromStdString(runTitle(*pane));
  return parts;
}

/// Gives names within one folder.
class Names {
 public:
  Names(const ExportOptions& options, FileNameParts parts, bool several)
      : folder_(options.folder.toStdString()),
        name_(options.name.trimmed()),
        parts_(std::move(parts)),
        several_(several) {
    if (name_.isEmpty()) name_ = defaultFileName();
  }

  fs::path next(const QString& figure, int block, const QString& extension) {
    FileNameParts parts = parts_;
    parts.figure = figure;
    parts.block = block;
    QString stem = expandFileName(name_, parts);
    if (several_ && !name_.contains(QLatin1String("{figure}"))) stem += QChar('-') + figure;
    QString file = stem + QChar('.') + extension;
    for (int number = 2; !used_.insert(file).second; ++number) {
      file = QStringLiteral("%1-%2.%3").arg(stem).arg(number).arg(extension);
    }
    return withFittingName(folder_ / file.toStdString());
  }

 private:
  fs::path folder_;
  QString name_;
  FileNameParts parts_;
  bool several_;
  std::set<QString> used_;
};

void check(const ExportRequest& request, std::size_t files) {
  if (files == 0) throw Error("nothing is chosen; choose a figure or data to write");
  if (request.options.folder.trimmed().isEmpty()) throw Error("no folder is chosen to export to");
  if (!QDir::isAbsolutePath(request.options.folder)) {
    throw Error(fmt::format("{}: the whole path of a folder is expected, such as {}",
                            request.options.folder.toStdString(), QDir::homePath().toStdString()));
  }
  const QString unknown = unknownPlace(request.options.name);
  if (!unknown.isNull()) {
    throw Error(fmt::format("the file name has {{{}}}; known are {{{}}}", unknown.toStdString(),
                            fileNamePlaces().join("}, {").toStdString()));
  }
}

}  // namespace

std::vector<ExportItem> planExport(const ExportContext& context, const ExportRequest& request) {
  std::vector<const DataFile*> data;
  for (const DataFile& file : dataFiles()) {
    if (file.text != nullptr && context.activePane() != nullptr &&
        request.options.data.contains(file.id)) {
      data.push_back(&file);
    }
  }
  check(request, request.sources.size() + data.size());
  Names names(request.options, partsOf(context), request.sources.size() + data.size() > 1);
  std::vector<ExportItem> items;
  for (const ExportSourcePtr& source : request.sources) {
    const int block = source->perBlock() ? request.style.block : -1;
    fs::path path = names.next(source->id(), block, extension(request.options.format));
    items.push_back({path,
                     [source, path, format = request.options.format, style = request.style] {
                       source->write(path, format, style);
                     },
                     source->anyThread()});
    if (!source->hasTable() || !request.options.data.contains(kPlotTables)) continue;
    path = names.next(source->id(), block, QStringLiteral("csv"));
    items.push_back({path, [source, path] { source->writeTable(path); }, true});
  }
  for (const DataFile* file : data) {
    fs::path path = names.next(file->id, -1, file->extension);
    items.push_back(
        {path, [file, path, context] { writeFileAtomically(path, file->text(context)); }, true});
  }
  return items;
}

std::vector<fs::path> existingFiles(const std::vector<ExportItem>& items) {
  std::vector<fs::path> existing;
  for (const ExportItem& item : items) {
    std::error_code code;
    if (fs::exists(item.path, code)) existing.push_back(item.path);
  }
  return existing;
}

QString writeItems(const std::vector<ExportItem>& items) {
  try {
    for (const ExportItem& item : items) item.write();
  } catch (const std::exception& error) {
    return errorText(error);
  }
  return {};
}

}  // namespace adamerge::ui
