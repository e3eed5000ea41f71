// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/batch_figures.h"

#include <QCheckBox>
#include <QFormLayout>
#include <QGridLayout>
#include <QSettings>
#include <QSpinBox>
#include <algorithm>

#include "controls/spin_boxes.h"
#include "export/export_options.h"
#include "export/figure_source.h"

namespace adamerge::ui {
namespace {

const QString kGroup = QStringLiteral("batch");
constexpr int kColumns = 3;

}  // namespace

BatchFigures::BatchFigures(int depth, int block, QWidget* parent)
    : QWidget(parent), page_(new PageForm), block_(new QSpinBox) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  auto* grid = new QGridLayout;
  for (const FigureKind& kind : figureKinds()) {
    auto* box = new QCheckBox(figureLabel(kind));
    box->setToolTip(QString::fromStdString(kind.description));
    const int index = static_cast<int>(kinds_.size());
    grid->addWidget(box, index / kColumns, index % kColumns);
    kinds_.push_back(box);
    connect(box, &QCheckBox::toggled, this, &BatchFigures::refresh);
  }
  layout->addLayout(grid);
  auto* formats = new QHBoxLayout;
  for (const FigureFormat format : allFormats()) {
    auto* box = new QCheckBox(extension(format).toUpper());
    formats->addWidget(box);
    formats_.push_back(box);
    connect(box, &QCheckBox::toggled, this, &BatchFigures::refresh);
  }
  formats->addStretch();
  page_->form()->insertRow(0, tr("Format"), formats);
  block_->setRange(1, std::max(1, depth));
  block_->setSuffix(tr(" of %1").arg(depth));
  block_->setValue(block + 1);
  ignoreWheelWithoutFocus(*block_);
  page_->form()->addRow(tr("Bloc&k"), block_);
  layout->addWidget(page_);
  layout->addStretch();
  connect(page_, &PageForm::changed, this, &BatchFigures::changed);
  connect(block_, &QSpinBox::valueChanged, this, &BatchFigures::changed);
}

std::vector<std::string> BatchFigures::kinds() const {
  std::vector<std::string> ids;
  for (std::size_t index = 0; index < kinds_.size(); ++index) {
    if (kinds_[index]->isChecked()) ids.push_back(figureKinds()[index].id);
  }
  return ids;
}

std::vector<FigureFormat> BatchFigures::formats() const {
  std::vector<FigureFormat> chosen;
  for (std::size_t index = 0; index < formats_.size(); ++index) {
    if (formats_[index]->isChecked()) chosen.push_back(allFormats()[index]);
  }
  return chosen;
}

PageOptions BatchFigures::page() const { return page_->options(); }
int BatchFigures::block() const { return block_->value() - 1; }

void BatchFigures::restore() {
  page_->setOptions(loadPageOptions(kGroup));
  QSettings settings;
  settings.beginGroup(kGroup);
  const QStringList kinds = settings.value("kinds", QStringList{"overview"}).toStringList();
  const QStringList formats = settings.value("formats", QStringList{"png"}).toStringList();
  for (std::size_t index = 0; index < kinds_.size(); ++index) {
    kinds_[index]->setChecked(kinds.contains(QString::fromStdString(figureKinds()[index].id)));
  }
  for (std::size_t index = 0; index < formats_.size(); ++index) {
    formats_[index]->setChecked(formats.contains(extension(allFormats()[index])));
  }
  refresh();
}

void BatchFigures::save() const {
  savePageOptions(kGroup, page());
  QStringList ids;
  for (const std::string& kind : kinds()) ids.append(QString::fromStdString(kind));
  QStringList extensions;
  for (const FigureFormat format : formats()) extensions.append(extension(format));
  QSettings settings;
  settings.beginGroup(kGroup);
  settings.setValue("kinds", ids);
  settings.setValue("formats", extensions);
}

void BatchFigures::refresh() {
  const std::vector<FigureFormat> chosen = formats();
  page_->setResolutionUsed(std::find(chosen.begin(), chosen.end(), FigureFormat::kPng) !=
                           chosen.end());
  bool per_block = false;
  for (std::size_t index = 0; index < kinds_.size(); ++index) {
    per_block |= kinds_[index]->isChecked() && figureKinds()[index].per_layer;
  }
  block_->setEnabled(per_block);
  page_->form()->labelForField(block_)->setEnabled(per_block);
  emit changed();
}

}  // namespace adamerge::ui
