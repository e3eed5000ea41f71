// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/export_options.h"

#include <QSettings>
#include <QStandardPaths>
#include <algorithm>

#include "export/file_name.h"

namespace adamerge::ui {
namespace {

const QString kGroup = QStringLiteral("export");

}  // namespace

const std::vector<FigureFormat>& allFormats() {
  static const std::vector<FigureFormat> formats{FigureFormat::kPng, FigureFormat::kSvg,
                                                 FigureFormat::kPdf};
  return formats;
}

QString extension(FigureFormat format) {
  switch (format) {
    case FigureFormat::kSvg:
      return QStringLiteral("svg");
    case FigureFormat::kPdf:
      return QStringLiteral("pdf");
    case FigureFormat::kPng:
      break;
  }
  return QStringLiteral("png");
}

PageOptions loadPageOptions(const QString& group) {
  QSettings settings;
  settings.beginGroup(group);
  PageOptions page;
  page.width_mm = settings.value("width_mm", page.width_mm).toDouble();
  if (page.width_mm != 0) page.width_mm = std::clamp(page.width_mm, 60.0, 1000.0);
  page.inches = settings.value("inches", page.inches).toBool();
  page.dpi = std::clamp(settings.value("dpi", page.dpi).toInt(), 36, 2400);
  page.font_size = std::clamp(settings.value("font_size", page.font_size).toDouble(), 5.0, 14.0);
  page.background = static_cast<Background>(std::clamp(settings.value("background", 0).toInt(), 0,
                                                       static_cast<int>(Background::kTransparent)));
  return page;
}

void savePageOptions(const QString& group, const PageOptions& page) {
  QSettings settings;
  settings.beginGroup(group);
  settings.setValue("width_mm", page.width_mm);
  settings.setValue("inches", page.inches);
  settings.setValue("dpi", page.dpi);
  settings.setValue("font_size", page.font_size);
  settings.setValue("background", static_cast<int>(page.background));
}

ExportOptions ExportOptions::load() {
  ExportOptions options;
  options.page = loadPageOptions(kGroup);
  QSettings settings;
  settings.beginGroup(kGroup);
  const QString format = settings.value("format", extension(options.format)).toString();
  for (const FigureFormat known : allFormats()) {
    if (extension(known) == format) options.format = known;
  }
  const QString pictures = QStandardPaths::writableLocation(QStandardPaths::PicturesLocation);
  options.folder = settings.value("folder", pictures).toString();
  options.name = settings.value("name", defaultFileName()).toString();
  options.data = settings.value("data").toStringList();
  return options;
}

void ExportOptions::save() const {
  savePageOptions(kGroup, page);
  QSettings settings;
  settings.beginGroup(kGroup);
  settings.setValue("format", extension(format));
  settings.setValue("folder", folder);
  settings.setValue("name", name);
  settings.setValue("data", data);
}

}  // namespace adamerge::ui
