// SPDX-License-Identifier: GPL-3.0-or-later
// The files that one press of Export writes.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "export/data_files.h"
#include "export/export_options.h"
#include "export/export_source.h"

namespace adamerge::ui {

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
