// SPDX-License-Identifier: GPL-3.0-or-later
// What can be written beside a picture: numbers for scripts and spreadsheets, and the settings.
#pragma once

#include <QString>
#include <string>
#include <vector>

#include "export/export_context.h"

namespace adamerge::ui {

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

}  // namespace adamerge::ui
