// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/export_form.h"

#include <QButtonGroup>
#include <QDir>
#include <QFormLayout>
#include <QLabel>
#include <QRadioButton>
#include <QSpinBox>
#include <algorithm>

#include "controls/spin_boxes.h"
#include "export/target_form.h"

namespace adamerge::ui {
namespace {

/// Forms one below the other look like one.
void alignLabels(const std::vector<QFormLayout*>& forms) {
  std::vector<QWidget*> labels;
  int width = 0;
  for (const QFormLayout* form : forms) {
    for (int row = 0; row < form->rowCount(); ++row) {
      const QLayoutItem* item = form->itemAt(row, QFormLayout::LabelRole);
      if (item == nullptr || item->widget() == nullptr) continue;
      labels.push_back(item->widget());
      width = std::max(width, item->widget()->sizeHint().width());
    }
  }
  for (QWidget* label : labels) label->setMinimumWidth(width);
}

}  // namespace

ExportForm::ExportForm(int depth, int block, QWidget* parent)
    : QWidget(parent),
      formats_(new QButtonGroup(this)),
      page_(new PageForm),
      block_label_(new QLabel(tr("Bloc&k"))),
      block_(new QSpinBox),
      target_(new TargetForm) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  addFormats();
  addBlock(depth, block);
  layout->addWidget(page_);
  layout->addWidget(target_);
  alignLabels({page_->form(), target_->form()});
  connect(formats_, &QButtonGroup::idToggled, this, [this](int /*id*/, bool checked) {
    if (!checked) return;
    page_->setResolutionUsed(format() == FigureFormat::kPng);
    emit pageChanged();
  });
  connect(page_, &PageForm::changed, this, &ExportForm::pageChanged);
  connect(block_, &QSpinBox::valueChanged, this, &ExportForm::pageChanged);
  connect(target_, &TargetForm::changed, this, &ExportForm::targetChanged);
}

void ExportForm::addFormats() {
  auto* row = new QHBoxLayout;
  for (const FigureFormat format : allFormats()) {
    auto* button = new QRadioButton(extension(format).toUpper());
    formats_->addButton(button, static_cast<int>(format));
    row->addWidget(button);
  }
  row->addStretch();
  formats_->button(static_cast<int>(FigureFormat::kPng))->setToolTip(tr("Pixels, for the web"));
  formats_->button(static_cast<int>(FigureFormat::kSvg))
      ->setToolTip(tr("Vector lines and text, for editing"));
  formats_->button(static_cast<int>(FigureFormat::kPdf))
      ->setToolTip(tr("Vector lines and text with fonts embedded, for LaTeX"));
  page_->form()->insertRow(0, tr("Format"), row);
}

void ExportForm::addBlock(int depth, int block) {
  block_->setRange(1, depth);
  block_->setSuffix(tr(" of %1").arg(depth));
  block_->setValue(block + 1);
  block_->setToolTip(tr("The block that the figure shows"));
  ignoreWheelWithoutFocus(*block_);
  block_label_->setBuddy(block_);
  page_->form()->addRow(block_label_, block_);
}

FigureFormat ExportForm::format() const { return static_cast<FigureFormat>(formats_->checkedId()); }

ExportOptions ExportForm::options() const {
  return {format(), page_->options(), QDir::fromNativeSeparators(target_->folder()),
          target_->name(), target_->data()};
}

void ExportForm::setOptions(const ExportOptions& options) {
  formats_->button(static_cast<int>(options.format))->setChecked(true);
  page_->setOptions(options.page);
  target_->setFolder(QDir::toNativeSeparators(options.folder));
  target_->setName(options.name);
  target_->setData(options.data);
}

ExportStyle ExportForm::style(const OverlayStyle& overlay) const {
  return {page_->options().style(overlay), block_->value() - 1};
}

void ExportForm::setBlockUsed(bool used) {
  block_->setEnabled(used);
  block_label_->setEnabled(used);
}

void ExportForm::setDataAvailable(bool available) { target_->setDataAvailable(available); }
void ExportForm::setPageSize(const QSizeF& mm) { page_->setPageSize(mm); }

void ExportForm::showNames(const QStringList& names, const QString& problem) {
  target_->showNames(names, problem);
}

}  // namespace adamerge::ui
