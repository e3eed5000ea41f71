// SPDX-License-Identifier: GPL-3.0-or-later
#include "export/target_form.h"

#include <QCheckBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>

#include "export/data_files.h"
#include "export/file_name.h"

namespace adamerge::ui {

TargetForm::TargetForm(QWidget* parent)
    : QWidget(parent),
      folder_(new QLineEdit),
      name_(new QLineEdit),
      names_(new QLabel),
      data_box_(new QWidget) {
  auto* form = new QFormLayout(this);
  form->setContentsMargins(0, 0, 0, 0);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);

  auto* folder_row = new QHBoxLayout;
  auto* browse = new QToolButton;
  browse->setText(QStringLiteral("…"));
  browse->setToolTip(tr("Choose a folder"));
  browse->setAccessibleName(tr("Choose a folder"));
  folder_->setAccessibleName(tr("Folder"));
  folder_->setToolTip(tr("Made if it does not exist"));
  folder_row->addWidget(folder_, 1);
  folder_row->addWidget(browse);
  form->addRow(tr("F&older"), folder_row);
  qobject_cast<QLabel*>(form->labelForField(folder_row))->setBuddy(folder_);

  name_->setPlaceholderText(defaultFileName());
  name_->setToolTip(
      tr("Filled in for each file: {%1}").arg(fileNamePlaces().join(QStringLiteral("}, {"))));
  form->addRow(tr("File &name"), name_);
  names_->setTextFormat(Qt::PlainText);
  names_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  names_->setForegroundRole(QPalette::PlaceholderText);
  names_->setAccessibleName(tr("Resulting file names"));
  form->addRow(QString(), names_);

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
  form->addRow(tr("Also write"), data_box_);

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
  QString text = problem;
  if (text.isEmpty() && !names.isEmpty()) {
    text = names.front();
    if (names.size() > 1) text = tr("%1 and %2 more").arg(text).arg(names.size() - 1);
  }
  names_->setText(text);
  names_->setToolTip(problem.isEmpty() ? names.join(QChar('\n')) : problem);
}

void TargetForm::browse() {
  const QString chosen = QFileDialog::getExistingDirectory(this, tr("Export to"), folder());
  if (!chosen.isEmpty()) folder_->setText(chosen);
}

}  // namespace adamerge::ui
