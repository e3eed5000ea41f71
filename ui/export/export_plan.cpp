// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/export_plan.h"

#include <fmt/format.h>

#include <QDir>
#include <algorithm>
#include <exception>
#include <set>

#include "adamerge/error.h"
#include "adamerge/report.h"
#include "compute/error_text.h"
#include "export/file_name.h"
#include "support/files.h"

namespace adamerge::ui {
namespace {

namespace fs = std::filesystem;

FileNameParts partsOf(const ExportContext& context) {
  FileNameParts parts;
  const InspectionPtr pane = context.activePane();
  if (pane == nullptr) return parts;
  const fs::path name(pane->picture->name.toStdString());
  parts.image = QString::fromStdString(name.stem().string());
  parts.model = QString::fromStdString(pane->model->info.name);
  parts.method = QString::fromStdString(pane->choice.method);
  parts.settings = QString::fromStdString(describe(pane->choice));
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
    return folder_ / file.toStdString();
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
