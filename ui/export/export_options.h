// SPDX-License-Identifier: GPL-3.0-or-later
// What the export dialog was last told, kept between sessions.
#pragma once

#include <QString>
#include <QStringList>

#include "export/page_form.h"

namespace adamerge::ui {

struct ExportOptions {
  FigureFormat format = FigureFormat::kPdf;
  PageOptions page;
  QString folder;
  QString name;
  QStringList data;  ///< ids of data files to write as well

  static ExportOptions load();
  void save() const;
};

/// Kept under `group` of the program's settings; the batch dialog has its own.
PageOptions loadPageOptions(const QString& group);
void savePageOptions(const QString& group, const PageOptions& options);

const std::vector<FigureFormat>& allFormats();
/// "png", "svg", "pdf".
QString extension(FigureFormat format);

}  // namespace adamerge::ui
