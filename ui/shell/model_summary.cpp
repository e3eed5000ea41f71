// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/model_summary.h"

#include <QCoreApplication>

#include "state/flops_text.h"

namespace adamerge::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("ModelSummary", text); }

QString row(const QString& name, const QString& value) {
  return QStringLiteral("<tr><td style='padding-right:10px'>%1</td><td>%2</td></tr>")
      .arg(name, value.toHtmlEscaped());
}

QString shape(const VitConfig& vit) {
  return tr("%1 blocks, width %2, %3 heads").arg(vit.depth).arg(vit.dim).arg(vit.heads);
}

QString input(const VitConfig& vit) {
  return tr("%1 × %2 pixels, patches of %3: %4 × %5 = %6 tokens")
      .arg(vit.input_width)
      .arg(vit.input_height)
      .arg(vit.patch_size)
      .arg(vit.gridWidth())
      .arg(vit.gridHeight())
      .arg(vit.patchTokens());
}

QString calibration(const LoadedModel& model) {
  if (model.statistics != nullptr) {
    return tr("from %1 images").arg(model.statistics->images);
  }
  if (!model.statistics_problem.empty()) return QString::fromStdString(model.statistics_problem);
  return tr("none: AdaMerge merges r_max / 2 tokens per block until the model is calibrated");
}

}  // namespace

QString parameterCount(std::int64_t parameters) {
  const auto count = static_cast<double>(parameters);
  if (count >= 1e9) return tr("%1 G").arg(count / 1e9, 0, 'f', 2);
  if (count >= 1e6) return tr("%1 M").arg(count / 1e6, 0, 'f', count < 1e7 ? 2 : 1);
  return tr("%1 k").arg(count / 1e3, 0, 'f', 1);
}

QString modelSummary(const LoadedModel& model) {
  const ModelInfo& info = model.info;
  QString text = QStringLiteral("<p><b>%1</b></p><table>")
                     .arg(QString::fromStdString(info.name).toHtmlEscaped());
  if (!info.architecture.empty()) {
    text += row(tr("Architecture"), QString::fromStdString(info.architecture));
  }
  text += row(tr("Shape"), shape(info.vit));
  text += row(tr("Parameters"), parameterCount(info.parameters));
  text += row(tr("Input"), input(info.vit));
  text += row(tr("Classes"),
              info.vit.classes > 0 ? QString::number(info.vit.classes) : tr("no classifier"));
  text += row(tr("Runs on"), QStringLiteral("%1, %2").arg(QString::fromStdString(model.device),
                                                          QString::fromStdString(model.dtype)));
  text += row(tr("Unmerged"),
              tr("%1 GFLOPs (paper), %2 in total")
                  .arg(flopsNumber(model.unmerged.paper), flopsNumber(model.unmerged.total)));
  text += row(tr("Calibration"), calibration(model));
  text += row(tr("File"), QString::fromStdString(info.source.string()));
  text += QStringLiteral("</table>");
  for (const std::string& note : info.notes) {
    text += QStringLiteral("<p>%1</p>").arg(QString::fromStdString(note).toHtmlEscaped());
  }
  return text;
}

}  // namespace adamerge::ui
