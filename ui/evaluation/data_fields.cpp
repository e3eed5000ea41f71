// SPDX-License-Identifier: GPL-3.0-or-later
#include "evaluation/data_fields.h"

#include <QCheckBox>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QToolButton>
#include <QUrl>

#include "controls/icons.h"
#include "controls/spin_boxes.h"
#include "shell/recent_list.h"

namespace adamerge::ui {
namespace {

/// A dropped file arrives as an address.
std::filesystem::path pathIn(const QLineEdit& line) {
  const QString text = line.text().trimmed();
  const QString local =
      text.startsWith(QStringLiteral("file://")) ? QUrl(text).toLocalFile() : text;
  return {QDir::toNativeSeparators(local).toStdString()};
}

QWidget* beside(QWidget* line, QWidget* button) {
  auto* row = new QWidget;
  auto* layout = new QHBoxLayout(row);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(4);
  layout->addWidget(line, 1);
  layout->addWidget(button);
  return row;
}

}  // namespace

DataFields::DataFields(RecentList& recent, QWidget* parent)
    : QWidget(parent),
      recent_(recent),
      data_(new QLineEdit),
      labels_(new QLineEdit),
      unlabelled_(new QCheckBox(tr("Without labels: agreement alone"))),
      limit_(new QSpinBox),
      seed_(new QSpinBox) {
  data_->setObjectName(QStringLiteral("evaluation-data"));
  data_->setAccessibleName(tr("Images"));
  data_->setPlaceholderText(tr("Folder with a sub-folder per class"));
  data_->setToolTip(
      tr("A folder with one sub-folder per class, CIFAR-10's binary files, or without labels any "
         "folder of images"));
  labels_->setObjectName(QStringLiteral("evaluation-labels"));
  labels_->setAccessibleName(tr("Labels file"));
  labels_->setPlaceholderText(tr("Folders carry the classes' names"));
  labels_->setToolTip(
      tr("For folders named otherwise, as ImageNet's n01440764: a text file that says which class "
         "each holds. Lines of the folder, a tab, comma or space, and the class's name or index."));
  unlabelled_->setObjectName(QStringLiteral("evaluation-unlabelled"));
  unlabelled_->setToolTip(
      tr("Takes every image at any depth and measures how often the merged model has the same top "
         "class as the unmerged one. No accuracy, since nothing says what is right."));
  limit_->setObjectName(QStringLiteral("evaluation-limit"));
  limit_->setRange(0, EvaluationSetup::kMostImages);
  limit_->setSpecialValueText(tr("All"));
  limit_->setGroupSeparatorShown(true);
  limit_->setSingleStep(100);
  limit_->setToolTip(
      tr("This many are drawn at random. 1,000 images tell accuracies apart that "
         "differ by about 3 points; 0 takes all."));
  seed_->setObjectName(QStringLiteral("evaluation-seed"));
  seed_->setRange(0, EvaluationSetup::kMostSeed);
  seed_->setToolTip(tr("Another seed draws other images; the same one the same."));
  for (QSpinBox* box : {limit_, seed_}) ignoreWheelWithoutFocus(*box);
  layOut();
  connect(data_, &QLineEdit::textChanged, this, &DataFields::changed);
  connect(labels_, &QLineEdit::textChanged, this, &DataFields::changed);
  connect(unlabelled_, &QCheckBox::toggled, this, [this](bool on) {
    labels_row_->setEnabled(!on);
    emit changed();
  });
  connect(limit_, &QSpinBox::valueChanged, this, &DataFields::changed);
  connect(seed_, &QSpinBox::valueChanged, this, &DataFields::changed);
  connect(&recent_, &RecentList::chosen, this, [this](const std::filesystem::path& path) {
    data_->setText(QString::fromStdString(path.string()));
  });
}

void DataFields::layOut() {
  auto* form = new QFormLayout(this);
  form->setContentsMargins(0, 0, 0, 0);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  form->setVerticalSpacing(8);
  const auto add = [&](const QString& label, QWidget* field, QWidget* buddy) {
    form->addRow(label, field);
    qobject_cast<QLabel*>(form->labelForField(field))->setBuddy(buddy);
  };
  auto* browse = browseButton(tr("Choose a folder; the arrow has more"));
  fillMenu(*browse);
  connect(browse, &QToolButton::clicked, this, &DataFields::chooseFolder);
  add(tr("Im&ages"), beside(data_, browse), data_);
  auto* map = browseButton(tr("Choose a labels file"));
  connect(map, &QToolButton::clicked, this, [this] {
    chooseFile(*labels_, tr("Which class a folder holds"),
               tr("Text (*.txt *.csv *.tsv);;All files (*)"));
  });
  labels_row_ = beside(labels_, map);
  add(tr("&Labels"), labels_row_, labels_);
  form->addRow(QString(), unlabelled_);
  auto* count = new QWidget;
  auto* counts = new QHBoxLayout(count);
  counts->setContentsMargins(0, 0, 0, 0);
  counts->setSpacing(8);
  auto* seed = new QLabel(tr("s&eed"));
  seed->setBuddy(seed_);
  counts->addWidget(limit_, 2);
  counts->addWidget(seed);
  counts->addWidget(seed_, 1);
  add(tr("&How many"), count, limit_);
}

QToolButton* DataFields::browseButton(const QString& tip) {
  auto* button = new QToolButton;
  button->setIcon(icon(QStringLiteral("folder")));
  button->setToolTip(tip);
  button->setAccessibleName(tip);
  return button;
}

void DataFields::fillMenu(QToolButton& button) {
  auto* menu = new QMenu(&button);
  menu->addAction(tr("Choose a &folder…"), this, &DataFields::chooseFolder);
  menu->addAction(tr("Choose a CIFAR-10 &binary file…"), this, [this] {
    chooseFile(*data_, tr("Images to evaluate on"), tr("CIFAR-10 (*.bin);;All files (*)"));
  });
  recent_.fillMenu(menu->addMenu(tr("&Recent")));
  button.setMenu(menu);
  button.setPopupMode(QToolButton::MenuButtonPopup);
}

void DataFields::chooseFolder() {
  const QString folder =
      QFileDialog::getExistingDirectory(this, tr("Images to evaluate on"), data_->text());
  if (!folder.isEmpty()) data_->setText(QDir::toNativeSeparators(folder));
}

void DataFields::chooseFile(QLineEdit& line, const QString& title, const QString& filter) {
  const QString file = QFileDialog::getOpenFileName(this, title, line.text(), filter);
  if (!file.isEmpty()) line.setText(QDir::toNativeSeparators(file));
}

void DataFields::show(const EvaluationSetup& setup) {
  const QSignalBlocker quiet(this);
  data_->setText(QString::fromStdString(setup.data.string()));
  labels_->setText(QString::fromStdString(setup.labels.string()));
  unlabelled_->setChecked(setup.unlabelled);
  limit_->setValue(setup.limit);
  seed_->setValue(setup.seed);
}

void DataFields::read(EvaluationSetup& setup) const {
  setup.data = pathIn(*data_);
  setup.labels = pathIn(*labels_);
  setup.unlabelled = unlabelled_->isChecked();
  setup.limit = limit_->value();
  setup.seed = seed_->value();
}

}  // namespace adamerge::ui
