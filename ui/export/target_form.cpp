// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/target_form.h"

#include <QCheckBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>

#include "controls/icons.h"
#include "export/data_files.h"
#include "export/file_name.h"

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
  auto* browse = new QToolButton;
  browse->setIcon(icon(QStringLiteral("folder")));
  browse->setToolTip(tr("Choose a folder"));
  browse->setAccessibleName(tr("Choose a folder"));
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

  auto* grid = new QGridLayout(data_box_);
  grid->setContentsMargins(0, 0, 0, 0);
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

}  // namespace adamerge::ui
