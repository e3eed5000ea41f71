// SPDX-License-Identifier: GPL-3.0-or-later
#include "canvas/patch_readout.h"

#include <QObject>
#include <QPainter>
#include <algorithm>
#include <cmath>
#include <optional>

#include "adamerge/methods.h"
#include "bench/traces.h"
#include "canvas/lineage.h"
#include "look/paint.h"
#include "look/text.h"

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
  const std::optional<LineageJoin> merge = ownMerge(inspection, patch, block);
  if (!merge) return QObject::tr("never merged into another");
  const bool past = merge->block <= block;
  const QString text =
      merge->dropped ? (past ? QObject::tr("dropped in block %1, counted into %2, similarity %3")
                             : QObject::tr("dropped later, in block %1, counted into %2, "
                                           "similarity %3"))
                     : (past ? QObject::tr("merged in block %1 into %2, similarity %3")
                             : QObject::tr("merges later, in block %1, into %2, similarity %3"));
  return text.arg(merge->block + 1)
      .arg(patchName(inspection, merge->destination_survivor))
      .arg(similarityText(merge->similarity));
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
  QString cost = QObject::tr("%1 tokens left").arg(tokens);
  const auto& layers = inspection.result.layers;
  const auto restored = std::find_if(layers.rbegin(), layers.rend(),
                                     [](const LayerTrace& layer) { return layer.restored; });
  if (restored != layers.rend()) cost += QObject::tr(", %1 inside").arg(restored->tokens_inside);
  if (inspection.traced != nullptr && !inspection.traced->info->has_flops) {
    return {QString::fromStdString(runTitle(inspection)),
            cost + QObject::tr(" · no FLOPs in the trace")};
  }
  cost += QStringLiteral(" · ") + flopsText(flops);
  if (unmerged > 0) cost += QObject::tr(" (%1 %)").arg(100 * flops / unmerged, 0, 'f', 1);
  if (!inspection.result.calibrated) cost += QObject::tr(" · not calibrated");
  return {QString::fromStdString(runTitle(inspection)), cost};
}

QString blockNotice(const Inspection& inspection, int block) {
  const LayerTrace& layer = inspection.result.layers[static_cast<std::size_t>(block)];
  const MethodDetails& details = layer.details;
  QStringList parts;
  if (!details.action.empty()) {
    QString text = details.action == "pool" ? QObject::tr("pooled") : QObject::tr("pruned");
    if (details.variance) {
      text += QObject::tr(", scores vary by %1").arg(english().toString(*details.variance, 'g', 2));
    }
    parts << text;
  }
  if (!details.note.empty()) parts << QString::fromStdString(details.note);
  if (layer.restored) parts << QObject::tr("groups hold for this block alone");
  if (parts.isEmpty()) return {};
  return QObject::tr("Block %1: %2").arg(block + 1).arg(parts.join(QStringLiteral("; ")));
}

QString classLine(const Inspection& inspection) {
  const std::vector<std::string>& labels = inspection.model->info.labels;
  const std::vector<float>& before = inspection.baseline->logits;
  const std::vector<float>& after = inspection.result.logits;
  if (inspection.traced != nullptr && labels.empty()) {
    return QObject::tr("no logits in the trace");
  }
  if (labels.empty()) {
    return QObject::tr("embedding cosine %1")
        .arg(embeddingCosine(*inspection.baseline, inspection.result), 0, 'f', 3);
  }
  const Prediction merged = topPredictions(after, labels, 1).front();
  const QString own = QObject::tr("%1 %2 %")
                          .arg(QString::fromStdString(merged.label))
                          .arg(100 * merged.probability, 0, 'f', 1);
  if (before.empty()) return own;
  const Prediction unmerged = topPredictions(before, labels, 1).front();
  const QString other =
      merged.index == unmerged.index ? QString() : QString::fromStdString(unmerged.label) + ' ';
  return QObject::tr("%1 · unmerged %2%3 %")
      .arg(own, other)
      .arg(100 * unmerged.probability, 0, 'f', 1);
}

QString patchNumber(const Inspection& inspection, int patch, int block, OverlayKind kind,
                    const LensShownPtr& lens) {
  const LayerTrace& layer = inspection.result.layers[static_cast<std::size_t>(block)];
  const auto at = static_cast<std::size_t>(patch);
  switch (kind) {
    case OverlayKind::kSalience:
      return layer.salience.empty() ? QString() : QString::number(layer.salience[at], 'f', 3);
    case OverlayKind::kAttention:
    case OverlayKind::kRollout:
    case OverlayKind::kSimilarity:
    case OverlayKind::kNorm:
    case OverlayKind::kChange: {
      const LensMap* map = lens == nullptr ? nullptr : lens->map(inspection, kind, block);
      if (map == nullptr) return {};
      const float value = map->values[at];
      return std::isfinite(value) ? QString::number(value, 'g', 3) : QStringLiteral("–");
    }
    case OverlayKind::kGroups: {
      const auto size = inspection.groupOf(patch, block).size();
      return size == 1 ? QString() : QString::number(size);
    }
    case OverlayKind::kNone:
    case OverlayKind::kSurvivors:
    case OverlayKind::kDifference:
    case OverlayKind::kComponents:
    case OverlayKind::kClasses:
      break;
  }
  return {};
}

namespace {

/// Why a lens has nothing to show in the block.
QString lensNotice(const Inspection& inspection, const OverlayStyle& style, int block,
                   bool has_reference, const LensShownPtr& lens) {
  if (style.kind == OverlayKind::kChange && style.from_other && !has_reference) {
    return QObject::tr("Show two canvases to see how their features differ");
  }
  if (lens != nullptr) {
    const auto index = static_cast<std::size_t>(block);
    return index < lens->problems.size() ? lens->problems[index] : QString();
  }
  if (style.kind == OverlayKind::kSimilarity) {
    return QObject::tr("Point at a patch to see which are alike");
  }
  if (style.kind == OverlayKind::kAttention &&
      style.prefix_token >= inspection.model->info.vit.prefixTokens()) {
    return QObject::tr("This model has no class token: click a patch to see where it looks");
  }
  return {};
}

/// What the trace does not hold of the block.
QString traceNotice(const TracedRun& run, const LayerTrace& layer, OverlayKind kind, int block) {
  if (kind == OverlayKind::kSalience && layer.salience.empty()) {
    return QObject::tr("The trace holds no salience of block %1").arg(block + 1);
  }
  if (kind == OverlayKind::kAttention && layer.attention.empty()) {
    return QObject::tr("The trace holds no attention of block %1").arg(block + 1);
  }
  if (lensOf(kind) && kind != OverlayKind::kAttention) {
    return QObject::tr("A trace holds no run of the network that this could be computed from");
  }
  if (kind == OverlayKind::kSurvivors && !run.info->has_survivors) {
    return QObject::tr(
        "The trace does not say which patches survive: each token's first stands for it");
  }
  return {};
}

}  // namespace

QString lensLine(const Inspection& inspection, OverlayKind kind, int block,
                 const LensShownPtr& lens) {
  const LensMap* map = lens == nullptr ? nullptr : lens->map(inspection, kind, block);
  if (map == nullptr) return {};
  QStringList parts{QString::fromStdString(lens->pictures->subject)};
  // The shares of prefix tokens are no part of the map, which would seem to sum to less than 1.
  for (std::size_t token = 0; token < map->prefix.size() && !lens->query.looked_at; ++token) {
    const auto share = static_cast<double>(map->prefix[token]);
    const bool class_token = inspection.model->info.vit.class_token;
    parts.append(token == 0 && class_token ? QObject::tr("class token %1").arg(share, 0, 'f', 3)
                                           : QObject::tr("register %1: %2")
                                                 .arg(token + (class_token ? 0 : 1))
                                                 .arg(share, 0, 'f', 3));
  }
  return parts.join(QStringLiteral(" · "));
}

QString overlayNotice(const Inspection& inspection, const OverlayStyle& style, int block,
                      bool has_reference, const LensShownPtr& lens) {
  const OverlayKind kind = style.kind;
  const LayerTrace& layer = inspection.result.layers[static_cast<std::size_t>(block)];
  const QString method = QString::fromStdString(findMethod(inspection.choice.method).label);
  if (inspection.traced != nullptr) {
    const QString missing = traceNotice(*inspection.traced, layer, kind, block);
    if (!missing.isEmpty()) return missing;
  }
  if (lensOf(kind)) return lensNotice(inspection, style, block, has_reference, lens);
  if (kind == OverlayKind::kSalience && layer.salience.empty()) {
    return findMethod(inspection.choice.method).salience.empty()
               ? QObject::tr("%1 computes no salience").arg(method)
               : QObject::tr("%1 computes no salience in block %2").arg(method).arg(block + 1);
  }
  if (kind == OverlayKind::kDifference && !has_reference) {
    return QObject::tr("Show two canvases to see where their groups differ");
  }
  return {};
}

namespace {

constexpr int kReadoutMargin = 8;
constexpr int kFieldGap = 20;

}  // namespace

HoverReadout::HoverReadout(Pane& pane, ViewState& view, QWidget* parent)
    : QWidget(parent), view_(view) {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setAccessibleName(tr("Patch under the pointer"));
  connect(&view_, &ViewState::hoverChanged, this, &HoverReadout::read);
  connect(&view_, &ViewState::selectionChanged, this, &HoverReadout::read);
  connect(&view_, &ViewState::blockChanged, this, &HoverReadout::read);
  setPane(pane);
}

void HoverReadout::setPane(Pane& pane) {
  if (pane_ != nullptr) pane_->disconnect(this);
  pane_ = &pane;
  connect(pane_, &Pane::inspectionChanged, this, &HoverReadout::read);
  read();
}

void HoverReadout::read() {
  const InspectionPtr inspection = pane_ == nullptr ? nullptr : pane_->inspection();
  const std::optional<int> patch =
      view_.hoveredPatch() ? view_.hoveredPatch() : view_.selectedPatch();
  fields_.clear();
  const bool shown = inspection != nullptr && inspection->depth() > 0;
  const int block = shown ? std::min(view_.block(), inspection->depth() - 1) : 0;
  const QString notice = shown ? blockNotice(*inspection, block) : QString();
  if (!shown) {
    text_.clear();
  } else if (!patch || *patch >= inspection->gridHeight() * inspection->gridWidth()) {
    text_ = tr("Point at a patch to read it, click it to follow its token");
    if (!notice.isEmpty()) text_.prepend(notice + QStringLiteral(" · "));
  } else {
    text_ = describePatch(*inspection, *patch, block);
    fields_ = patchFields(*inspection, *patch, block);
    widest_ = widestFields(*inspection, block);
    if (!notice.isEmpty()) {
      text_ += QStringLiteral(" · ") + notice;
      fields_.back() += QStringLiteral(" · ") + notice;  // the last one has room to its right
    }
  }
  setToolTip(text_);
  setAccessibleDescription(text_);
  update();
}

QSize HoverReadout::sizeHint() const { return {480, fontMetrics().height() + 6}; }
QSize HoverReadout::minimumSizeHint() const { return {80, sizeHint().height()}; }

void HoverReadout::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  const QFontMetrics metrics = fontMetrics();
  const QRect room = rect().adjusted(kReadoutMargin, 0, -kReadoutMargin, 0);
  constexpr int kFlags = Qt::AlignLeft | Qt::AlignVCenter;
  if (fields_.isEmpty()) {
    painter.setPen(mutedText(palette()));
    painter.drawText(room, kFlags, metrics.elidedText(text_, Qt::ElideRight, room.width()));
    return;
  }
  painter.setPen(palette().color(QPalette::WindowText));
  int x = room.left();
  for (qsizetype i = 0; i < fields_.size(); ++i) {
    const int left = room.right() + 1 - x;
    if (left < metrics.averageCharWidth()) return;
    painter.drawText(QRect(x, 0, left, height()), kFlags,
                     metrics.elidedText(fields_[i], Qt::ElideRight, left));
    if (i < widest_.size()) x += metrics.horizontalAdvance(widest_[i]) + kFieldGap;
  }
}

}  // namespace adamerge::ui
