// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/export_form.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QRadioButton>
#include <QSpinBox>
#include <QToolButton>
#include <algorithm>

#include "export/export_plan.h"
#include "look/icons.h"
#include "look/widgets.h"

namespace adamerge::ui {

TargetForm::TargetForm(QWidget* parent)
    : QWidget(parent),
      form_(new QFormLayout(this)),
      folder_(new QLineEdit),
      name_(new QLineEdit),
      names_(new QLabel),
      data_box_(new QWidget) {
  form_->setContentsMargins(0, 0, 0, 0);
  form_->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);

  auto* folder_row = new QHBoxLayout;
  auto* browse = toolButton(QStringLiteral("folder"), tr("Choose a folder"));
  folder_->setAccessibleName(tr("Folder"));
  folder_->setToolTip(tr("Made if it does not exist"));
  folder_row->addWidget(folder_, 1);
  folder_row->addWidget(browse);
  form_->addRow(tr("F&older"), folder_row);
  qobject_cast<QLabel*>(form_->labelForField(folder_row))->setBuddy(folder_);

  name_->setPlaceholderText(defaultFileName());
  name_->setToolTip(
      tr("Filled in for each file: {%1}").arg(fileNamePlaces().join(QStringLiteral("}, {"))));
  form_->addRow(tr("File &name"), name_);
  names_->setTextFormat(Qt::PlainText);
  names_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  names_->setForegroundRole(QPalette::PlaceholderText);
  names_->setAccessibleName(tr("Resulting file names"));
  form_->addRow(QString(), names_);

  auto* grid = tightLayout<QGridLayout>(data_box_);
  for (const DataFile& file : dataFiles()) {
    auto* box = new QCheckBox(file.label);
    box->setToolTip(file.help);
    const int index = static_cast<int>(data_.size());
    grid->addWidget(box, index / 2, index % 2);
    data_.push_back(box);
    connect(box, &QCheckBox::toggled, this, &TargetForm::changed);
  }
  form_->addRow(tr("Also write"), data_box_);

  connect(folder_, &QLineEdit::textChanged, this, &TargetForm::changed);
  connect(name_, &QLineEdit::textChanged, this, &TargetForm::changed);
  connect(browse, &QToolButton::clicked, this, &TargetForm::browse);
}

QString TargetForm::folder() const { return folder_->text().trimmed(); }
QString TargetForm::name() const { return name_->text(); }

QStringList TargetForm::data() const {
  QStringList ids;
  for (std::size_t index = 0; index < data_.size(); ++index) {
    if (data_[index]->isChecked()) ids.append(dataFiles()[index].id);
  }
  return ids;
}

void TargetForm::setFolder(const QString& folder) { folder_->setText(folder); }
void TargetForm::setName(const QString& name) { name_->setText(name); }

void TargetForm::setData(const QStringList& ids) {
  for (std::size_t index = 0; index < data_.size(); ++index) {
    data_[index]->setChecked(ids.contains(dataFiles()[index].id));
  }
}

void TargetForm::setDataAvailable(bool available) { data_box_->setEnabled(available); }

void TargetForm::showNames(const QStringList& names, const QString& problem) {
  file_names_.clear();
  if (!names.isEmpty()) {
    file_names_ = names.size() == 1 ? names.front()
                                    : tr("%1 and %2 more").arg(names.front()).arg(names.size() - 1);
  }
  names_->setWordWrap(!problem.isEmpty());
  names_->setToolTip(names.join(QChar('\n')));
  if (problem.isEmpty()) {
    elideNames();
  } else {
    names_->setText(problem);
  }
}

void TargetForm::elideNames() {
  if (names_->wordWrap()) return;
  names_->setText(names_->fontMetrics().elidedText(file_names_, Qt::ElideMiddle, names_->width()));
}

void TargetForm::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  elideNames();
}

void TargetForm::browse() {
  const QString chosen = QFileDialog::getExistingDirectory(this, tr("Export to"), folder());
  if (!chosen.isEmpty()) folder_->setText(chosen);
}

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
      block_(new CountBox),
      target_(new TargetForm) {
  auto* layout = tightLayout<QVBoxLayout>(this);
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
