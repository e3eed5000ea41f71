// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/patch_text.h"

#include <QObject>

#include "adamerge/methods.h"
#include "adamerge/report.h"
#include "canvas/lineage.h"

namespace adamerge::ui {
namespace {

constexpr QChar kFigureSpace(0x2007);  ///< as wide as a digit

QString padded(int number, int largest) {
  return QString::number(number).rightJustified(QString::number(largest).size(), kFigureSpace);
}

QString mergeText(const Inspection& inspection, int patch, int block) {
  const std::optional<LineageJoin> merge = ownMerge(inspection, patch);
  if (!merge) return QObject::tr("never merged into another");
  const QString text = merge->block <= block
                           ? QObject::tr("merged in block %1 into %2, similarity %3")
                           : QObject::tr("merges later, in block %1, into %2, similarity %3");
  return text.arg(merge->block + 1)
      .arg(patchName(inspection, merge->destination_survivor))
      .arg(static_cast<double>(merge->similarity), 0, 'f', 3);
}

}  // namespace

QString describePatch(const Inspection& inspection, int patch, int block) {
  const LayerTrace& layer = inspection.result.layers[static_cast<std::size_t>(block)];
  const auto at = static_cast<std::size_t>(patch);
  const int columns = inspection.gridWidth();
  const int rows = inspection.gridHeight();
  const auto size = static_cast<int>(inspection.groupOf(patch, block).size());
  QStringList parts{
      QObject::tr("Row %1, column %2")
          .arg(padded(patch / columns + 1, rows), padded(patch % columns + 1, columns)),
      (size == 1 ? QObject::tr("token of %1 patch") : QObject::tr("token of %1 patches"))
          .arg(padded(size, rows * columns))};
  if (!layer.salience.empty()) {
    parts.append(
        QObject::tr("salience %1").arg(static_cast<double>(layer.salience[at]), 0, 'f', 3));
  }
  if (!layer.attention.empty()) {
    parts.append(
        QObject::tr("attention %1").arg(static_cast<double>(layer.attention[at]), 0, 'f', 4));
  }
  parts.append(mergeText(inspection, patch, block));
  return parts.join(QStringLiteral(" · "));
}

QString flopsText(double flops) {
  return QObject::tr("%1 G").arg(flops, 0, 'f', flops < 1 ? 3 : 2);
}

QStringList captionLines(const Inspection& inspection) {
  const double unmerged = inspection.model->unmerged.paper;
  const double flops = inspection.result.flops.paper;
  const int tokens =
      inspection.result.layers.empty() ? 0 : inspection.result.layers.back().tokens_out;
  QString cost = QObject::tr("%1 tokens left · %2").arg(tokens).arg(flopsText(flops));
  if (unmerged > 0) cost += QObject::tr(" (%1 %)").arg(100 * flops / unmerged, 0, 'f', 1);
  if (!inspection.result.calibrated) cost += QObject::tr(" · not calibrated");
  return {QString::fromStdString(describe(inspection.choice)), cost};
}

QString overlayNotice(const Inspection& inspection, OverlayKind kind, int block,
                      bool has_reference) {
  const LayerTrace& layer = inspection.result.layers[static_cast<std::size_t>(block)];
  const QString method = QString::fromStdString(findMethod(inspection.choice.method).label);
  switch (kind) {
    case OverlayKind::kSalience:
      if (!layer.salience.empty()) break;
      if (findMethod(inspection.choice.method).salience.empty()) {
        return QObject::tr("%1 computes no salience").arg(method);
      }
      return QObject::tr("%1 computes no salience in block %2").arg(method).arg(block + 1);
    case OverlayKind::kAttention:
      if (layer.attention.empty()) return QObject::tr("This model has no class token");
      break;
    case OverlayKind::kDifference:
      if (!has_reference) return QObject::tr("Show two canvases to see where their groups differ");
      break;
    case OverlayKind::kNone:
    case OverlayKind::kGroups:
    case OverlayKind::kSurvivors:
      break;
  }
  return {};
}

}  // namespace adamerge::ui
