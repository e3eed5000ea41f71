// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/teaching.h"

#include <QCoreApplication>

namespace adamerge::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("Teaching", text); }

}  // namespace

QString paperReference() {
  return QStringLiteral(
      "Semi Lee, Hyejin Go, Hyesong Choi: AdaMerge: Salience-Aware Adaptive Token Merging for "
      "Training-Free Acceleration of Vision Transformers, 2026.");
}

QString explainSalience() {
  return tr(
      "Salience: how much the other patches attend to this one. The dot products of all patch "
      "tokens are turned into a softmax along each row; the sum of a token's column, scaled to 0…1 "
      "within the picture, is its salience (AdaMerge, Eq. 1 and 2). A few tokens usually hold most "
      "of it.");
}

QString explainSimilarity() {
  return tr(
      "Weighted similarity: the cosine of two tokens times the salience of the one that would go "
      "into the other (AdaMerge, Eq. 3). The other methods use the cosine alone.");
}

QString explainRedundancy() {
  return tr(
      "Redundancy S̄: the best weighted similarity of each candidate token, averaged over the "
      "block. High: much of the picture repeats itself here, so that much can merge.");
}

QString explainZ() {
  return tr(
      "z: how many standard deviations this picture's redundancy lies above the calibration set's "
      "mean in this block, z = (S̄ − μ) / σ. The block then merges r = ⌊r_max · sigmoid(α z / T)⌋ "
      "tokens (AdaMerge, Eq. 5 and 6): half of r_max at z = 0, more above.");
}

QString explainMerge() {
  return tr(
      "A merge puts one token into the most similar token of the other half; their average goes on "
      "through the network. AdaMerge weighs it by salience, ToMe by the number of patches.");
}

QString explainGroup() {
  return tr(
      "A group: all patches whose tokens have become one by the end of this block. The network "
      "sees a group as a single token from then on.");
}

QString explainPaperFlops() {
  return tr(
      "FLOPs as the papers count them: multiply-accumulates of attention and MLP at the number of "
      "tokens on entry to each block, before its own merge; no patch embedding, no head, no cost "
      "of merging. ViT-B/16 at 224 has 17.447 G.");
}

QString explainTotalFlops() {
  return tr(
      "All multiply-accumulates that are really computed: patch embedding and head, attention and "
      "MLP at the tokens they see, and the merging method's own matrix products.");
}

QString explainCalibration() {
  return tr(
      "Calibration measures the mean μ and standard deviation σ of each block's redundancy on a "
      "set of images (the paper: 1 % of the training set), from which z is computed. Without it z "
      "is 0 and every block merges r_max / 2 tokens.");
}

QString explainClassAttention() {
  return tr(
      "Attention of the class token: how much it looks at each patch's token in this block, after "
      "the softmax, averaged over the heads.");
}

QString explainSurvivor() {
  return tr(
      "Survivors are the tokens others merged into, or that nothing touched; a merged token lives "
      "on only in the average.");
}

QString explainFidelity() {
  return tr(
      "How close the merged model stays to the unmerged one on this picture: whether both name the "
      "same class, and the cosine of their outputs (1: the same direction).");
}

}  // namespace adamerge::ui
