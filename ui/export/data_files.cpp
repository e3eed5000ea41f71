// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/data_files.h"

#include <QCoreApplication>
#include <array>

#include "adamerge/report.h"

namespace adamerge::ui {
namespace {

std::string inspection(const ExportContext& context) {
  const Inspection& pane = *context.activePane();
  const InspectReport report{
      pane.picture->path.empty() ? pane.picture->name.toStdString() : pane.picture->path.string(),
      pane.picture->original->height,
      pane.picture->original->width,
      pane.prepared->crop,
      pane.choice,
      pane.result,
      *pane.baseline};
  return inspectJson(*context.engine, std::array{report}, false);
}

std::string trace(const ExportContext& context) { return traceCsv(context.activePane()->result); }

std::string merges(const ExportContext& context) { return mergesCsv(context.activePane()->result); }

std::string settings(const ExportContext& context) {
  const Inspection& pane = *context.activePane();
  return provenanceJson(pane.model->info, pane.model->device, pane.model->dtype,
                        pane.picture->name.toStdString(), pane.choice, context.block) +
         "\n";
}

QString tr(const char* text) {
  return QCoreApplication::translate("adamerge::ui::DataFiles", text);
}

}  // namespace

const std::vector<DataFile>& dataFiles() {
  static const std::vector<DataFile> files{
      {QStringLiteral("trace"), QStringLiteral("csv"), tr("Blocks (CSV)"),
       tr("One row per block: tokens, merges, redundancy, μ, σ, z"), trace},
      {QStringLiteral("merges"), QStringLiteral("csv"), tr("Merges (CSV)"),
       tr("One row per merge: block, who merged with whom, similarity"), merges},
      {QStringLiteral("inspection"), QStringLiteral("json"), tr("Everything (JSON)"),
       tr("Predictions, FLOPs, groups and salience of every block, as the command line writes "
          "them"),
       inspection},
      {QStringLiteral("settings"), QStringLiteral("json"), tr("Settings (JSON)"),
       tr("Model, method and settings, as every exported picture carries them"), settings},
      {kPlotTables, QStringLiteral("csv"), tr("Plots (CSV)"),
       tr("The numbers of each chosen plot, hidden series left out"), nullptr}};
  return files;
}

}  // namespace adamerge::ui
