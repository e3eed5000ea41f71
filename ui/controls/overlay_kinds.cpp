// SPDX-License-Identifier: GPL-3.0-or-later
#include "controls/overlay_kinds.h"

#include <QCoreApplication>

namespace adamerge::ui {
namespace {

QString tr(const char* text) {
  return QCoreApplication::translate("adamerge::ui::OverlayKinds", text);
}

}  // namespace

const std::vector<OverlayKindInfo>& overlayKinds() {
  static const std::vector<OverlayKindInfo> all{
      {OverlayKind::kNone, QStringLiteral("overlay-none"), tr("No overlay"),
       tr("The image as it is."), QKeySequence(Qt::Key_Q)},
      {OverlayKind::kSalience, QStringLiteral("overlay-salience"), tr("Salience"),
       tr("How much the other patches attend to each token in the patch affinity, on entry to the "
          "block (Eq. 1–2). Salient tokens weigh more when tokens merge."),
       QKeySequence(Qt::Key_S)},
      {OverlayKind::kGroups, QStringLiteral("overlay-groups"), tr("Merged groups"),
       tr("Patches that are one token after the block. A group keeps its colour from block to "
          "block."),
       QKeySequence(Qt::Key_G)},
      {OverlayKind::kSurvivors, QStringLiteral("overlay-survivors"), tr("Survivors"),
       tr("Which tokens are untouched, which took in others, and which were merged away."),
       QKeySequence(Qt::Key_U)},
      {OverlayKind::kAttention, QStringLiteral("overlay-attention"), tr("Class token's attention"),
       tr("Where the class token looks in the block: softmax weights, mean over heads."),
       QKeySequence(Qt::Key_A)},
      {OverlayKind::kDifference, QStringLiteral("overlay-difference"), tr("Difference"),
       tr("Patches whose group consists of other patches than in the first canvas."),
       QKeySequence(Qt::Key_D)}};
  return all;
}

const std::vector<ColormapInfo>& colormaps() {
  static const std::vector<ColormapInfo> all{
      {Colormap::kViridis, QStringLiteral("Viridis"),
       tr("Even steps in lightness; readable for colour-blind eyes and in grey print.")},
      {Colormap::kMagma, QStringLiteral("Magma"),
       tr("Even steps in lightness, from black; strong on bright pictures.")},
      {Colormap::kTurbo, QStringLiteral("Turbo"),
       tr("A rainbow with much detail; its lightness is not even, so not for grey print.")},
      {Colormap::kGrey, tr("Grey"), tr("From black to white.")}};
  return all;
}

const std::vector<ScaleInfo>& salienceScales() {
  static const std::vector<ScaleInfo> all{
      {SalienceScale::kLinear, tr("Linear"),
       tr("As it is. The raw affinity of Eq. 1 puts most salience on a handful of tokens, so the "
          "rest looks empty.")},
      {SalienceScale::kPercentile, tr("Percentile-clipped"),
       tr("Linear between the lowest and highest percentiles, so that a few extremes do not hide "
          "the rest.")},
      {SalienceScale::kRank, tr("Rank"),
       tr("By order alone: the median gets the middle of the colours. Shows who comes before whom, "
          "not by how much.")},
      {SalienceScale::kLogarithmic, tr("Logarithmic"),
       tr("Equal ratios get equal steps; shows differences among small values.")}};
  return all;
}

const std::vector<GroupStyleInfo>& groupStyles() {
  static const std::vector<GroupStyleInfo> all{
      {GroupStyle::kFill, tr("Mean colour"),
       tr("Each group in the mean colour of its pixels: the picture as the tokens hold it.")},
      {GroupStyle::kOutline, tr("Outlines"),
       tr("Only the borders of groups, coloured by the patch that survives.")},
      {GroupStyle::kFillAndOutline, tr("Mean colour and outlines"), tr("Both.")}};
  return all;
}

}  // namespace adamerge::ui
