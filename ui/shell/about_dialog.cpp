// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/about_dialog.h"

#include <QApplication>
#include <QClipboard>
#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSysInfo>
#include <QVBoxLayout>

#include "adamerge/engine.h"
#include "controls/icons.h"
#include "shell/teaching.h"

namespace adamerge::ui {
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
