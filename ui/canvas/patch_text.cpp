// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/patch_text.h"

#include <QObject>
#include <optional>

#include "adamerge/methods.h"
#include "adamerge/report.h"
#include "canvas/lineage.h"
#include "state/flops_text.h"

namespace adamerge::ui {
namespace {

struct PatchNumbers {
  int row = 0;
  int column = 0;
  int size = 0;
  std::optional<double> salience;
  std::optional<double> attention;
};

QStringList fieldsOf(const PatchNumbers& numbers) {
  QStringList fields{QObject::tr("Row %1, column %2").arg(numbers.row).arg(numbers.column),
                     numbers.size == 1 ? QObject::tr("token of 1 patch")
                                       : QObject::tr("token of %1 patches").arg(numbers.size)};
  if (numbers.salience) fields.append(QObject::tr("salience %1").arg(*numbers.salience, 0, 'f', 3));
  if (numbers.attention) {
    fields.append(QObject::tr("attention %1").arg(*numbers.attention, 0, 'f', 4));
  }
  return fields;
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

QStringList patchFields(const Inspection& inspection, int patch, int block) {
  const LayerTrace& layer = inspection.result.layers[static_cast<std::size_t>(block)];
  const auto at = static_cast<std::size_t>(patch);
  PatchNumbers numbers;
  numbers.row = patch / inspection.gridWidth() + 1;
  numbers.column = patch % inspection.gridWidth() + 1;
  numbers.size = static_cast<int>(inspection.groupOf(patch, block).size());
  if (!layer.salience.empty()) numbers.salience = layer.salience[at];
  if (!layer.attention.empty()) numbers.attention = layer.attention[at];
  return fieldsOf(numbers) << mergeText(inspection, patch, block);
}

QStringList widestFields(const Inspection& inspection, int block) {
  const LayerTrace& layer = inspection.result.layers[static_cast<std::size_t>(block)];
  PatchNumbers numbers;
  numbers.row = inspection.gridHeight();
  numbers.column = inspection.gridWidth();
  numbers.size = inspection.gridHeight() * inspection.gridWidth();
  if (!layer.salience.empty()) numbers.salience = 0;
  if (!layer.attention.empty()) numbers.attention = 0;
  return fieldsOf(numbers);
}

QString describePatch(const Inspection& inspection, int patch, int block) {
  return patchFields(inspection, patch, block).join(QStringLiteral(" · "));
}

QString flopsText(double flops) {
  return QObject::tr("%1 G").arg(flops, 0, 'f', flops < 1 ? flopsDecimals(flops) : 2);
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
