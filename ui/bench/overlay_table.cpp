// SPDX-License-Identifier: GPL-3.0-or-later
#include "bench/overlay_table.h"

namespace adamerge::ui {

const std::vector<OverlayInfo>& overlays() {
  static const std::vector<OverlayInfo> all{
      {{OverlayKind::kNone, "none", QStringLiteral("No overlay"),
        QStringLiteral("The image as it is.")},
       "overlay-none",
       QKeySequence(Qt::Key_Q)},
      {{OverlayKind::kSalience, "salience", QStringLiteral("Salience"),
        QStringLiteral("How much the other patches attend to each token in the patch affinity, on "
                       "entry to the "
                       "block (Eq. 1–2). Salient tokens weigh more when tokens merge.")},
       "overlay-salience",
       QKeySequence(Qt::Key_S)},
      {{OverlayKind::kGroups, "groups", QStringLiteral("Merged groups"),
        QStringLiteral(
            "Patches that are one token after the block. A group keeps its colour from block to "
            "block, unless it comes to touch one of the same.")},
       "overlay-groups",
       QKeySequence(Qt::Key_G)},
      {{OverlayKind::kSurvivors, "survivors", QStringLiteral("Survivors"),
        QStringLiteral(
            "Which tokens are untouched, which took in others, and which were merged away.")},
       "overlay-survivors",
       QKeySequence(Qt::Key_U)},
      {{OverlayKind::kAttention, "attention", QStringLiteral("Attention"),
        QStringLiteral(
            "Where the clicked patch's token looks in the block, or who looks at it; without a "
            "clicked patch the class token. A token's share is divided by its patches.")},
       "overlay-attention",
       QKeySequence(Qt::Key_A)},
      {{OverlayKind::kDifference, "difference", QStringLiteral("Difference"),
        QStringLiteral("Patches whose group consists of other patches than in the first canvas.")},
       "overlay-difference",
       QKeySequence(Qt::Key_D)},
      {{OverlayKind::kRollout, "rollout", QStringLiteral("Rollout"),
        QStringLiteral(
            "What the result is made of: attention multiplied through all blocks and merges.")},
       "overlay-rollout",
       QKeySequence(Qt::Key_R)},
      {{OverlayKind::kComponents, "components", QStringLiteral("Components"),
        QStringLiteral(
            "The first three principal components of the block's features as red, green and blue. "
            "Their basis is the unmerged run's, so that canvases compare.")},
       "overlay-components",
       QKeySequence(Qt::Key_C)},
      {{OverlayKind::kSimilarity, "similarity", QStringLiteral("Similarity"),
        QStringLiteral(
            "The cosine of each patch's features to those of the patch under the pointer.")},
       "overlay-similarity",
       QKeySequence(Qt::Key_I)},
      {{OverlayKind::kNorm, "norm", QStringLiteral("Norm"),
        QStringLiteral("The length of each patch's features; outlier tokens stand out.")},
       "overlay-norm",
       QKeySequence(Qt::Key_N)},
      {{OverlayKind::kChange, "change", QStringLiteral("Change"),
        QStringLiteral(
            "What merging changed: 1 − cosine of each patch's features to the unmerged ones.")},
       "overlay-change",
       QKeySequence(Qt::Key_H)},
      {{OverlayKind::kClasses, "classes", QStringLiteral("Class map"),
        QStringLiteral(
            "What a dense head says of each patch (Model > Use a dense head); hatched where "
            "merging changed it.")},
       "overlay-classes",
       QKeySequence(Qt::Key_M)}};
  return all;
}

const std::vector<NamedValue<Colormap>>& colormaps() {
  static const std::vector<NamedValue<Colormap>> all{
      {Colormap::kViridis, "viridis", QStringLiteral("Viridis"),
       QStringLiteral(
           "Even steps in lightness; readable for colour-blind eyes and in grey print.")},
      {Colormap::kMagma, "magma", QStringLiteral("Magma"),
       QStringLiteral("Even steps in lightness, from black; strong on bright pictures.")},
      {Colormap::kTurbo, "turbo", QStringLiteral("Turbo"),
       QStringLiteral(
           "A rainbow with much detail; its lightness is not even, so not for grey print.")},
      {Colormap::kGrey, "grey", QStringLiteral("Grey"), QStringLiteral("From black to white.")}};
  return all;
}

const std::vector<NamedValue<SalienceScale>>& salienceScales() {
  static const std::vector<NamedValue<SalienceScale>> all{
      {SalienceScale::kLinear, "linear", QStringLiteral("Linear"),
       QStringLiteral(
           "As it is. The raw affinity of Eq. 1 puts most salience on a handful of tokens, so the "
           "rest looks empty.")},
      {SalienceScale::kPercentile, "percentile", QStringLiteral("Percentile-clipped"),
       QStringLiteral(
           "Linear between the lowest and highest percentiles, so that a few extremes do not hide "
           "the rest.")},
      {SalienceScale::kRank, "rank", QStringLiteral("Rank"),
       QStringLiteral("By order alone: the median gets the middle of the colours. Shows who comes "
                      "before whom, "
                      "not by how much.")},
      {SalienceScale::kLogarithmic, "logarithmic", QStringLiteral("Logarithmic"),
       QStringLiteral("Equal ratios get equal steps; shows differences among small values.")}};
  return all;
}

const std::vector<NamedValue<GroupStyle>>& groupStyles() {
  static const std::vector<NamedValue<GroupStyle>> all{
      {GroupStyle::kFill, "fill", QStringLiteral("Mean colour"),
       QStringLiteral(
           "Each group in the mean colour of its pixels: the picture as the tokens hold it.")},
      {GroupStyle::kOutline, "outline", QStringLiteral("Outlines"),
       QStringLiteral("Only the borders of groups, coloured by the patch that survives.")},
      {GroupStyle::kFillAndOutline, "fill_and_outline", QStringLiteral("Mean colour and outlines"),
       QStringLiteral("Both.")}};
  return all;
}

const std::vector<NamedValue<Foreground>>& foregrounds() {
  static const std::vector<NamedValue<Foreground>> all{
      {Foreground::kAll, "all", QStringLiteral("All patches"),
       QStringLiteral("Nothing is taken for background.")},
      {Foreground::kAbove, "above", QStringLiteral("First component above its mean"),
       QStringLiteral("The other patches are hatched.")},
      {Foreground::kBelow, "below", QStringLiteral("First component below its mean"),
       QStringLiteral("The other patches are hatched.")}};
  return all;
}

}  // namespace adamerge::ui
