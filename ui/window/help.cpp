// SPDX-License-Identifier: GPL-3.0-or-later
#include "window/help.h"

#include <QApplication>
#include <QClipboard>
#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSysInfo>
#include <QTextBrowser>
#include <QVBoxLayout>

#include "adamerge/engine.h"
#include "look/icons.h"

namespace adamerge::ui {

QString paperReference() {
  return QStringLiteral(
      "Semi Lee, Hyejin Go, Hyesong Choi: AdaMerge: Salience-Aware Adaptive Token Merging for "
      "Training-Free Acceleration of Vision Transformers, 2026.");
}

QString explainSalience() {
  return QObject::tr(
      "Salience: how much the other patches attend to this one. The dot products of all patch "
      "tokens are turned into a softmax along each row; the sum of a token's column, scaled to 0…1 "
      "within the picture, is its salience (AdaMerge, Eq. 1 and 2). A few tokens usually hold most "
      "of it.");
}

QString explainSimilarity() {
  return QObject::tr(
      "Weighted similarity: the cosine of two tokens times the salience of the one that would go "
      "into the other (AdaMerge, Eq. 3). The other methods use the cosine alone.");
}

QString explainRedundancy() {
  return QObject::tr(
      "Redundancy S̄: the best weighted similarity of each candidate token, averaged over the "
      "block. High: much of the picture repeats itself here, so that much can merge.");
}

QString explainZ() {
  return QObject::tr(
      "z: how many standard deviations this picture's redundancy lies above the calibration set's "
      "mean in this block, z = (S̄ − μ) / σ. The block then merges r = ⌊r_max · sigmoid(α z / T)⌋ "
      "tokens (AdaMerge, Eq. 5 and 6): half of r_max at z = 0, more above.");
}

QString explainMerge() {
  return QObject::tr(
      "A merge puts one token into the most similar token of the other half; their average goes on "
      "through the network. AdaMerge weighs it by salience, ToMe by the number of patches.");
}

QString explainGroup() {
  return QObject::tr(
      "A group: all patches whose tokens have become one by the end of this block. The network "
      "sees a group as a single token from then on.");
}

QString explainPaperFlops() {
  return QObject::tr(
      "FLOPs as the papers count them: multiply-accumulates of attention and MLP at the number of "
      "tokens on entry to each block, before its own merge; no patch embedding, no head, no cost "
      "of merging. ViT-B/16 at 224 has 17.447 G.");
}

QString explainTotalFlops() {
  return QObject::tr(
      "All multiply-accumulates that are really computed: patch embedding and head, attention and "
      "MLP at the tokens they see, and the merging method's own matrix products.");
}

QString explainCalibration() {
  return QObject::tr(
      "Calibration measures the mean μ and standard deviation σ of each block's redundancy on a "
      "set of images (the paper: 1 % of the training set), from which z is computed. Without it z "
      "is 0 and every block merges r_max / 2 tokens.");
}

QString explainClassAttention() {
  return QObject::tr(
      "Attention of the class token: how much it looks at each patch's token in this block, after "
      "the softmax, averaged over the heads.");
}

QString explainSurvivor() {
  return QObject::tr(
      "Survivors are the tokens others merged into, or that nothing touched; a merged token lives "
      "on only in the average.");
}

QString explainFidelity() {
  return QObject::tr(
      "How close the merged model stays to the unmerged one on this picture: whether both name the "
      "same class, and the cosine of their outputs (1: the same direction).");
}

namespace {

constexpr QSize kGlossarySize{560, 600};

}  // namespace

Glossary::Glossary(QWidget* parent) : QDialog(parent) {
  setWindowTitle(tr("What the words mean"));
  const std::pair<QString, QString> entries[] = {
      {tr("Salience"), explainSalience()},
      {tr("Similarity"), explainSimilarity()},
      {tr("Merge"), explainMerge()},
      {tr("Group"), explainGroup()},
      {tr("Survivor"), explainSurvivor()},
      {tr("Redundancy S̄"), explainRedundancy()},
      {tr("Standardised redundancy z"), explainZ()},
      {tr("Calibration"), explainCalibration()},
      {tr("Class token's attention"), explainClassAttention()},
      {tr("FLOPs, as the papers count"), explainPaperFlops()},
      {tr("FLOPs in all"), explainTotalFlops()},
      {tr("Agreement, logit cosine, KL"), explainFidelity()}};
  QString html;
  for (const auto& [term, text] : entries) {
    html += QStringLiteral("<h4>%1</h4><p>%2</p>").arg(term, text.toHtmlEscaped());
  }
  html += QStringLiteral("<hr><p>%1</p>").arg(paperReference().toHtmlEscaped());
  auto* text = new QTextBrowser;
  text->setHtml(html);
  text->setAccessibleName(windowTitle());
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(text);
  layout->addWidget(buttons);
  resize(kGlossarySize);
}

namespace {

constexpr int kIconSide = 64;
constexpr int kTextWidth = 60;  ///< average characters

QLabel* paragraph(const QString& text, QWidget* parent) {
  auto* label = new QLabel(text, parent);
  label->setWordWrap(true);
  label->setTextInteractionFlags(Qt::TextBrowserInteraction);
  label->setOpenExternalLinks(true);
  label->setMinimumWidth(label->fontMetrics().averageCharWidth() * kTextWidth);
  return label;
}

}  // namespace

QString AboutDialog::versions() {
  return QStringLiteral("AdaMerge Studio " ADAMERGE_VERSION "\n%1\nQt %2\n%3 (%4)")
      .arg(QString::fromStdString(torchVersion()), QString::fromLatin1(qVersion()),
           QSysInfo::prettyProductName(), QSysInfo::currentCpuArchitecture());
}

AboutDialog::AboutDialog(QWidget* parent) : QDialog(parent) {
  setWindowTitle(tr("About AdaMerge Studio"));
  auto* picture = new QLabel(this);
  picture->setPixmap(applicationIcon().pixmap(QSize(kIconSide, kIconSide), devicePixelRatioF()));

  auto* texts = new QVBoxLayout;
  texts->setSpacing(10);
  texts->addWidget(paragraph(
      tr("<span style='font-size:large'><b>AdaMerge Studio</b></span> %1<br>Token merging for "
         "Vision Transformers, block by block, on your own images.")
          .arg(QStringLiteral(ADAMERGE_VERSION)),
      this));
  texts->addWidget(paragraph(
      tr("The method: %1").arg(paperReference().toHtmlEscaped()) +
          QStringLiteral("<br><a href='https://arxiv.org/abs/2605.27465'>arXiv:2605.27465</a>"),
      this));
  texts->addWidget(paragraph(
      tr("Free software under the GNU General Public License, version 3 or later, without any "
         "warranty: <a href='https://www.gnu.org/licenses/gpl-3.0.html'>gnu.org/licenses</a>."),
      this));
  texts->addWidget(
      paragraph(versions().section('\n', 1).toHtmlEscaped().replace('\n', "<br>"), this));

  auto* row = new QHBoxLayout;
  row->setSpacing(16);
  row->addWidget(picture, 0, Qt::AlignTop);
  row->addLayout(texts, 1);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
  auto* copy = buttons->addButton(tr("Copy versions"), QDialogButtonBox::ActionRole);
  copy->setAutoDefault(false);
  buttons->button(QDialogButtonBox::Close)->setDefault(true);
  copy->setToolTip(tr("For a report of an error."));
  connect(copy, &QPushButton::clicked, this,
          [] { QApplication::clipboard()->setText(versions()); });
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(20, 20, 20, 14);
  column->setSpacing(14);
  column->addLayout(row);
  column->addWidget(buttons);
  column->setSizeConstraint(QLayout::SetFixedSize);
}

}  // namespace adamerge::ui
