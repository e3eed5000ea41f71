// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/glossary.h"

#include <QDialogButtonBox>
#include <QTextBrowser>
#include <QVBoxLayout>

#include "shell/teaching.h"

namespace adamerge::ui {
namespace {

constexpr QSize kFirstSize{560, 600};

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
  resize(kFirstSize);
}

}  // namespace adamerge::ui
