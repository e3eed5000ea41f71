// SPDX-License-Identifier: GPL-3.0-or-later
// Names of exported files, from a template with places such as {image} and {figure}.
#pragma once

#include <QString>
#include <QStringList>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "export/export_source.h"
#include "export/page_form.h"

namespace adamerge::ui {

struct FileNameParts {
  QString image;     ///< "ice_bear"
  QString figure;    ///< "groups"
  int block = -1;    ///< 0-based; -1: the figure shows all blocks
  QString model;     ///< "vit-tiny-cifar10"
  QString method;    ///< "adamerge"
  QString settings;  ///< "AdaMerge, r_max 16": what describe() says
};

/// "{image}-{figure}{block}"
QString defaultFileName();
/// The places a template may name, without braces.
const QStringList& fileNamePlaces();
/// The first place in `name` that does not exist, without braces; empty: all do.
QString unknownPlace(const QString& name);
/// The name without extension: places filled in, everything that file systems or shells stumble
/// over replaced. Never empty.
QString expandFileName(const QString& name, const FileNameParts& parts);
/// Lower case, words joined by hyphens: "AdaMerge, r_max 16" -> "adamerge-r_max-16".
QString slug(const QString& text);

// What can be written beside a picture: numbers for scripts and spreadsheets, and the settings.

struct DataFile {
  QString id;         ///< "trace": in file names and settings
  QString extension;  ///< "csv"
  QString label;
  QString help;
  /// Of the active pane; nullptr: each chosen figure's own table. Throws Error.
  std::string (*text)(const ExportContext& context);
};

inline const QString kPlotTables = QStringLiteral("plots");

const std::vector<DataFile>& dataFiles();

// The files that one press of Export writes.

struct ExportItem {
  std::filesystem::path path;
  std::function<void()> write;  ///< throws Error
  bool any_thread = true;
};

struct ExportRequest {
  std::vector<ExportSourcePtr> sources;
  ExportOptions options;
  ExportStyle style;
};

/// Two files never get one name: what the template does not tell apart is told apart by its id.
/// Throws Error: nothing chosen, no folder, a template with an unknown place.
std::vector<ExportItem> planExport(const ExportContext& context, const ExportRequest& request);

/// Those of the files that are there already.
std::vector<std::filesystem::path> existingFiles(const std::vector<ExportItem>& items);

/// Writes one after the other; returns the sentence of the first that fails, empty if all are
/// written.
QString writeItems(const std::vector<ExportItem>& items);

}  // namespace adamerge::ui
